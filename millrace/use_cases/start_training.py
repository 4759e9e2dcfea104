"""Start a training run: by a person, again, or because a new version is ready."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from millrace import names
from millrace.domain import identity
from millrace.domain.dataset import Dataset
from millrace.domain.run import Run, RunState
from millrace.errors import InvalidInput, TrainingImpossible
from millrace.ports import Clock, DatasetCatalog, Pipelines, RunLedger
from millrace.use_cases.check_trainable import check_trainable
from millrace.use_cases.judge_settings import judge_settings


def start_training(
    *,
    catalog: DatasetCatalog,
    ledger: RunLedger,
    pipelines: Pipelines,
    clock: Clock,
    dataset: str,
    version: int | None = None,
    choices: Mapping[str, Any] | None = None,
    started_by: str,
    reason: str = "",
) -> Run:
    """Train on `version` (default: the newest that is READY) with the dataset's settings of now.

    `choices` are what this run alone does otherwise, named as in `settings.training`. Raises NotFound, InvalidInput
    with every fault of the choices, and TrainingImpossible with what to do about it.
    """
    known = catalog.get(dataset)
    number = _trainable_version(catalog, known, version)
    if choices:
        judge_settings(known.settings, {"training": choices})
    now = clock.now()
    run_id = identity.requested_training_run_id(dataset, number, started_by, now)
    said = {"reason": reason}
    return _start(ledger, pipelines, _run(run_id, dataset, number, started_by, now, said, choices or {}))


def train_again(
    *,
    catalog: DatasetCatalog,
    ledger: RunLedger,
    pipelines: Pipelines,
    clock: Clock,
    run_id: str,
    started_by: str,
) -> Run:
    """A new run on the dataset version of an earlier one, with its choices. Raises NotFound, InvalidInput,
    TrainingImpossible.
    """
    earlier = ledger.get(run_id)
    if earlier.pipeline != names.TRAINING_PIPELINE or earlier.dataset_version is None:
        raise InvalidInput(
            f"{run_id} is of the pipeline {earlier.pipeline}: only training is run again; for a file upload it again"
        )
    return start_training(
        catalog=catalog,
        ledger=ledger,
        pipelines=pipelines,
        clock=clock,
        dataset=earlier.dataset,
        version=earlier.dataset_version,
        choices=earlier.input.get("training"),
        started_by=started_by,
        reason=f"again, after {run_id}",
    )


def train_on_schedule(
    *,
    catalog: DatasetCatalog,
    ledger: RunLedger,
    pipelines: Pipelines,
    clock: Clock,
    dataset: str,
    schedule_id: str,
    due_at: datetime,
    started_by: str,
    requested_by: str,
) -> Run:
    """The run on the newest version of a time that a schedule was due: one, however often it is asked for.

    `requested_by` is the person it goes back to, whom four eyes are held against. Raises NotFound, TrainingImpossible.
    """
    number = _trainable_version(catalog, catalog.get(dataset), None)
    run_id = identity.scheduled_training_run_id(schedule_id, due_at)
    said = {"reason": f"schedule {schedule_id}", "requested_by": requested_by}
    return _start(ledger, pipelines, _run(run_id, dataset, number, started_by, clock.now(), said))


def train_on_new_version(
    *,
    catalog: DatasetCatalog,
    ledger: RunLedger,
    pipelines: Pipelines,
    clock: Clock,
    dataset: str,
    version: int,
    ingest_run_id: str,
) -> Run | None:
    """The run that a new version starts by itself, once; None when its dataset does not say so, or names no target.

    Whether training is possible is judged by the run, where a refusal is seen and notified.
    """
    settings = catalog.get(dataset).settings
    if settings.target is None or not settings.training.on_new_version:
        return None
    run_id = identity.automatic_training_run_id(dataset, version)
    said = {"reason": f"a new version from {ingest_run_id}"}
    return _start(ledger, pipelines, _run(run_id, dataset, version, "on_new_version", clock.now(), said))


def _trainable_version(catalog: DatasetCatalog, known: Dataset, version: int | None) -> int:
    """`version`, or the newest that is READY. Raises NotFound, TrainingImpossible."""
    number = version or known.latest_ready_version
    if not number:
        raise TrainingImpossible(f"{known.name} has no version that is ready: upload a file first")
    check_trainable(catalog, known, catalog.version(known.name, number))
    return number


def start_governed_training(
    *, ledger: RunLedger, pipelines: Pipelines, clock: Clock, dataset: str, version: int, reason: str
) -> Run:
    """The run that the retrain governor allowed on a version, once. Whether training is possible it has looked at."""
    run_id = identity.governed_training_run_id(dataset, version)
    return _start(ledger, pipelines, _run(run_id, dataset, version, "governor", clock.now(), {"reason": reason}))


def _run(
    run_id: str,
    dataset: str,
    version: int,
    started_by: str,
    at: datetime,
    said: Mapping[str, str],
    choices: Mapping[str, Any] | None = None,
) -> Run:
    payload: dict[str, Any] = {
        "run_id": run_id,
        "dataset": dataset,
        "dataset_version": version,
        "model": dataset,
        "started_by": started_by,
        "training": dict(choices or {}),
        **said,
    }
    return Run(
        run_id=run_id,
        pipeline=names.TRAINING_PIPELINE,
        dataset=dataset,
        dataset_version=version,
        model=dataset,
        started_by=started_by,
        started_at=at,
        input=payload,
    )


def _start(ledger: RunLedger, pipelines: Pipelines, run: Run) -> Run:
    opened = ledger.open(run)
    if opened.state == RunState.RUNNING:
        pipelines.start(opened.pipeline, opened.run_id, opened.input)
    return opened
