"""Deploy an approved model version: once by its approval, again by a person."""

from __future__ import annotations

from typing import Any

from millrace import names
from millrace.domain import identity, place
from millrace.domain.model import ApprovalState, ModelEventKind, ModelVersion
from millrace.domain.run import Run, RunState
from millrace.errors import Conflict, InvalidInput, NotFound
from millrace.ports import Clock, DatasetCatalog, ModelRegistry, Pipelines, RunLedger

_MAX_RUNTIME_SECONDS = 3600


def deploy_model_version(
    *,
    catalog: DatasetCatalog,
    registry: ModelRegistry,
    ledger: RunLedger,
    pipelines: Pipelines,
    clock: Clock,
    artifacts_bucket: str,
    model: str,
    number: int,
    actor: str,
    reason: str,
) -> Run:
    """The run that builds, checks and promotes the version: always the same one, however often an approval is told.

    Raises NotFound, and Conflict for a version that is not approved.
    """
    version = _approved(registry, model, number)
    run = _run(catalog, clock, artifacts_bucket, version, 0, actor, reason, again=False)
    return _started(pipelines, ledger.open(run))


def deploy_again(
    *,
    catalog: DatasetCatalog,
    registry: ModelRegistry,
    ledger: RunLedger,
    pipelines: Pipelines,
    clock: Clock,
    artifacts_bucket: str,
    model: str,
    number: int,
    actor: str,
    reason: str,
) -> Run:
    """One more deployment of a version that was approved, whatever became of those before, and whatever serves now.

    While one of this version goes on, that one: asking twice deploys once. The request stands in the model's history.
    Raises InvalidInput without a reason, NotFound, and Conflict for a version that is not approved.
    """
    if not reason.strip():
        raise InvalidInput("say why this version is deployed again: the reason stays in the model's history")
    version = _approved(registry, model, number)
    attempt, going_on = _next_attempt(ledger, model, number)
    run = going_on or _run(catalog, clock, artifacts_bucket, version, attempt, actor, reason.strip(), again=True)
    opened = ledger.open(run)
    if opened.input["again"]:
        registry.note_deployment(
            model,
            number,
            ModelEventKind.DEPLOYMENT_REQUESTED,
            actor=opened.started_by,
            reason=opened.input["reason"],
            at=opened.started_at,
        )
    return _started(pipelines, opened)


def _approved(registry: ModelRegistry, model: str, number: int) -> ModelVersion:
    version = registry.get(model, number)
    if version.approval.state != ApprovalState.APPROVED:
        raise Conflict(f"{version.id} is {version.approval.state}: only an approved version is deployed")
    return version


def _next_attempt(ledger: RunLedger, model: str, number: int) -> tuple[int, Run | None]:
    """The number of the next attempt, or of the one that goes on, with its run."""
    attempt = 0
    while (run := _find(ledger, identity.deployment_run_id(model, number, attempt))) is not None:
        if run.state is RunState.RUNNING:
            break
        attempt += 1
    return attempt, run


def _find(ledger: RunLedger, run_id: str) -> Run | None:
    try:
        return ledger.get(run_id)
    except NotFound:
        return None


def _run(
    catalog: DatasetCatalog,
    clock: Clock,
    artifacts_bucket: str,
    version: ModelVersion,
    attempt: int,
    actor: str,
    reason: str,
    *,
    again: bool,
) -> Run:
    run_id = identity.deployment_run_id(version.model, version.number, attempt)
    made_from = version.lineage
    served_by = catalog.get(made_from.dataset).settings.deployment.served_by
    # What was taken over brings what serves it, and rows that it must answer alike: the rows it was made of stay there.
    test_uri = None
    if version.origin is None:
        test_uri = place.split_data_uri(catalog.version(made_from.dataset, made_from.dataset_version).location, "test")
    return Run(
        run_id=run_id,
        pipeline=names.DEPLOYMENT_PIPELINE,
        dataset=made_from.dataset,
        dataset_version=made_from.dataset_version if test_uri else None,
        model=version.model,
        started_by=actor,
        started_at=clock.now(),
        input={"served_by": served_by} | _payload(run_id, version, test_uri, artifacts_bucket, actor, reason, again),
    )


def _started(pipelines: Pipelines, opened: Run) -> Run:
    if opened.state == RunState.RUNNING:
        pipelines.start(opened.pipeline, opened.run_id, opened.input)
    return opened


def _payload(
    run_id: str,
    version: ModelVersion,
    test_uri: str | None,
    artifacts_bucket: str,
    actor: str,
    reason: str,
    again: bool,
) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "model": version.model,
        "number": version.number,
        "actor": actor,
        "reason": reason,
        "again": again,
        "artifact_uri": version.artifact_uri,
        "artifact_digest": version.artifact_digest,
        "test_uri": test_uri,
        "taken_over": version.origin is not None,
        # Without a slash at the end: SageMaker appends "/<file>".
        "serving_uri": _serving_uri(run_id, version, artifacts_bucket),
        "export_job": identity.job_name(run_id, "export"),
        "max_runtime_seconds": _MAX_RUNTIME_SECONDS,
    }


def _serving_uri(run_id: str, version: ModelVersion, bucket: str) -> str:
    if version.origin is not None:
        return place.model_uri(bucket, version.model, version.number, place.ORIGIN_FOLDER)
    return place.run_uri(bucket, run_id, "serving")
