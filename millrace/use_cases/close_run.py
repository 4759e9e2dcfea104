"""Close a run when its execution ended: its steps, its reason in plain words, and nothing left half open."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from millrace import names
from millrace.domain.failure import explain
from millrace.domain.model import ModelEventKind
from millrace.domain.page import run_page
from millrace.domain.run import Run, RunState, Step
from millrace.errors import NotFound
from millrace.ports import DatasetCatalog, ModelRegistry, Notifier, Pipelines, RunLedger
from millrace.use_cases.reject_upload import reject_upload
from millrace.use_cases.roll_back_rollout import roll_back_rollout


def close_run(
    *,
    ledger: RunLedger,
    pipelines: Pipelines,
    catalog: DatasetCatalog,
    registry: ModelRegistry,
    notifier: Notifier,
    run_id: str,
    state: RunState,
    error: str | None,
    cause: str | None,
    at: datetime,
) -> Run:
    """The closed run; the first close wins. Raises NotFound for an execution that no run was opened for.

    Everything else comes before the close: if any of it fails, the event is delivered again to a run still open.
    """
    run = ledger.get(run_id)
    if run.state != RunState.RUNNING or state == RunState.RUNNING:
        return run
    steps = _steps(pipelines, run)
    reason = None if state == RunState.SUCCEEDED else _reason(state, error, cause, steps)
    if reason is not None:
        _settle_upload(catalog, run, reason)
        _note_deployment(registry, run, reason, at)
        _notify(notifier, run, state, reason)
    ledger.close(run_id, state=state, reason=reason, steps=steps, at=at)
    return ledger.get(run_id)


def _steps(pipelines: Pipelines, run: Run) -> Sequence[Step]:
    try:
        return pipelines.steps(run.pipeline, run.run_id)
    except NotFound:
        return ()  # the service forgot the execution; how it ended is still worth keeping


def _reason(state: RunState, error: str | None, cause: str | None, steps: Sequence[Step]) -> str:
    if state == RunState.ABORTED:
        return f"it was stopped: {cause}" if cause else "it was stopped"
    unfinished = [step for step in steps if step.state == RunState.TIMED_OUT]
    if state == RunState.TIMED_OUT:
        return explain(_name(unfinished[-1]) if unfinished else None, "States.Timeout", None)
    failed = [step for step in steps if step.reason]
    if not error and not cause and failed:
        return f"{_name(failed[-1])}: {failed[-1].reason}"
    said = explain(None, error, cause)
    culprit = next((step for step in reversed(failed) if step.reason == said), None)
    return explain(_name(culprit) if culprit else None, error, cause)


def _name(step: Step) -> str:
    return f"{step.name} ({step.item})" if step.item else step.name


def _settle_upload(catalog: DatasetCatalog, run: Run, reason: str) -> None:
    """RejectUpload did it already, unless the execution was stopped, ran out of time, or that state failed too."""
    if run.pipeline == names.INGEST_PIPELINE:
        given: dict[str, Any] = run.input
        reject_upload(
            catalog=catalog,
            dataset=run.dataset,
            bucket=given["bucket"],
            key=given["key"],
            object_version=given["object_version"],
            reason=reason,
        )


def _note_deployment(registry: ModelRegistry, run: Run, reason: str, at: datetime) -> None:
    """The alias is where it was; that a version did not come into service belongs to the model's history.

    RollBackRollout ended the rollout already, unless the execution was stopped, ran out of time, or that state failed.
    """
    if run.pipeline == names.DEPLOYMENT_PIPELINE:
        given: dict[str, Any] = run.input
        model, number = given["model"], given["number"]
        roll_back_rollout(registry=registry, run_id=run.run_id, model=model, number=number, reason=reason, at=at)
        failed = ModelEventKind.DEPLOYMENT_FAILED
        registry.note_deployment(model, number, failed, actor=run.started_by, reason=reason, at=at)


def _notify(notifier: Notifier, run: Run, state: RunState, reason: str) -> None:
    dataset = run.dataset or "an upload without a dataset"
    what = f"{dataset} v{run.dataset_version}" if run.dataset_version else dataset
    if run.pipeline == names.DEPLOYMENT_PIPELINE:
        what = f"{run.input['model']}:{run.input['number']}"
    notifier.notify(
        subject=f"Millrace: {run.pipeline} of {what} {state}",
        message=f"Run {run.run_id}, {run.pipeline} of {what}, ended {state}.\n\n{reason}\n",
        path=run_page(run.run_id),
        attributes={"kind": "run_ended", "pipeline": run.pipeline, "state": state, "dataset": dataset},
    )
