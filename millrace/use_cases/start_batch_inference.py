"""Start a batch inference: asked for by a person or a schedule, or because a file was dropped."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from millrace import names
from millrace.domain import identity, place
from millrace.domain.batch import RECORD_ID
from millrace.domain.dataset import VersionState
from millrace.domain.model import CHAMPION, ApprovalState, ModelVersion
from millrace.domain.run import Run, RunState
from millrace.errors import Conflict, InvalidInput, NotDeployed
from millrace.ports import Clock, DatasetCatalog, ModelRegistry, ObjectStore, Pipelines, RunLedger

_MAX_RUNTIME_SECONDS = 6 * 3600


def start_batch_inference(
    *,
    catalog: DatasetCatalog,
    registry: ModelRegistry,
    ledger: RunLedger,
    pipelines: Pipelines,
    store: ObjectStore,
    clock: Clock,
    data_bucket: str,
    model: str,
    number: int | None = None,
    source_uri: str | None = None,
    dataset_version: int | None = None,
    dataset: str | None = None,
    record_id_column: str = RECORD_ID,
    actor: str,
    reason: str = "",
) -> Run:
    """Predict every row of a file (`source_uri`) or of a dataset version, by version `number` or by the champion.

    `dataset` defaults to the one that the model was trained on. Raises NotFound, NotDeployed without a champion,
    Conflict for a version that is not approved or a dataset version that is not ready, InvalidInput unless exactly one
    input is named.
    """
    if (source_uri is None) == (dataset_version is None):
        raise InvalidInput("name one input: a file, or a version of a dataset")
    version = choose_version(registry, model, number)
    if source_uri is not None:
        object_version: str | None = store.head(source_uri).version_id
        said: dict[str, Any] = {"source_uri": source_uri, "object_version": object_version}
    else:
        chosen = dataset or version.lineage.dataset
        found = catalog.version(chosen, int(dataset_version or 0))
        if found.state is not VersionState.READY:
            raise Conflict(f"{chosen} v{dataset_version} is {found.state}: only a version that is READY is predicted")
        said = {"source_uri": f"{found.location}data/", "object_version": None}
    now = clock.now()
    job_id = identity.requested_batch_id(model, version.number, said["source_uri"], actor, now)
    asked = {"number": version.number, "record_id_column": record_id_column, "reason": reason, **said}
    return _start(ledger, pipelines, data_bucket, job_id, model, actor, now, asked)


def predict_dropped_file(
    *,
    ledger: RunLedger,
    pipelines: Pipelines,
    bucket: str,
    key: str,
    object_version: str,
    at: datetime,
) -> Run | None:
    """The run of a file dropped at `inference/{model}/{file}`; None for everything that the platform writes there.

    A model that cannot answer is not refused here but by the run, where whoever dropped the file can see it.
    """
    model = place.dropped_for(key, names.INFERENCE_PREFIX)
    if model is None:
        return None
    asked = {
        "number": None,
        "record_id_column": RECORD_ID,
        "reason": "dropped",
        "source_uri": place.uri(bucket, key),
        "object_version": object_version,
    }
    job_id = identity.dropped_batch_id(bucket, key, object_version)
    return _start(ledger, pipelines, bucket, job_id, model, "upload", at, asked)


def predict_again(
    *, registry: ModelRegistry, ledger: RunLedger, pipelines: Pipelines, clock: Clock, job_id: str, actor: str
) -> Run:
    """A new job on the input of an earlier one, by the same version. Raises NotFound, NotDeployed, Conflict."""
    earlier = ledger.get(job_id)
    if earlier.pipeline != names.BATCH_INFERENCE_PIPELINE:
        raise InvalidInput(f"{job_id} is not a batch inference")
    given = earlier.input
    version = choose_version(registry, given["model"], given["number"])
    now = clock.now()
    again = identity.requested_batch_id(version.model, version.number, given["source_uri"], actor, now)
    bucket, _ = place.split_uri(given["location"])
    kept = ("record_id_column", "source_uri", "object_version")
    asked = {**{name: given[name] for name in kept}, "number": version.number, "reason": f"again, after {job_id}"}
    return _start(ledger, pipelines, bucket, again, version.model, actor, now, asked)


def choose_version(registry: ModelRegistry, model: str, number: int | None) -> ModelVersion:
    """The version that shall answer: an approved one. Raises NotFound, NotDeployed, Conflict."""
    chosen = registry.model(model).aliases.get(CHAMPION) if number is None else number
    if chosen is None:
        raise NotDeployed(f"{model} has no champion yet: approve one of its versions, or name one")
    version = registry.get(model, chosen)
    if version.approval.state is not ApprovalState.APPROVED:
        raise Conflict(f"{version.id} is {version.approval.state}: only an approved version predicts")
    return version


def _start(
    ledger: RunLedger,
    pipelines: Pipelines,
    bucket: str,
    job_id: str,
    model: str,
    actor: str,
    at: datetime,
    asked: dict[str, Any],
) -> Run:
    """Models bear their dataset's name, so the run is listed with the dataset's others."""
    payload = {
        "run_id": job_id,
        "model": model,
        "actor": actor,
        "location": place.batch_uri(bucket, model, job_id),
        "max_runtime_seconds": _MAX_RUNTIME_SECONDS,
        "score_job": identity.job_name(job_id, "score"),
        "join_job": identity.job_name(job_id, "join"),
        **asked,
    }
    opened = ledger.open(
        Run(
            run_id=job_id,
            pipeline=names.BATCH_INFERENCE_PIPELINE,
            dataset=model,
            model=model,
            started_by=actor,
            started_at=at,
            input=payload,
        )
    )
    if opened.state == RunState.RUNNING:
        pipelines.start(opened.pipeline, opened.run_id, opened.input)
    return opened
