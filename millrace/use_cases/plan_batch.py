"""Plan a batch inference: which version answers, what it reads, where everything goes."""

from __future__ import annotations

from typing import Any

from millrace.domain import place
from millrace.domain.batch import BatchRequest, check_features
from millrace.domain.dataset import Contract
from millrace.domain.model import ModelVersion
from millrace.errors import NotFound
from millrace.ports import Clock, DatasetCatalog, ModelRegistry, ObjectStore
from millrace.use_cases.start_batch_inference import choose_version


def plan_batch(
    *,
    catalog: DatasetCatalog,
    registry: ModelRegistry,
    store: ObjectStore,
    clock: Clock,
    artifacts_bucket: str,
    run_id: str,
    model: str,
    number: int | None,
    source_uri: str,
    object_version: str | None,
    record_id_column: str,
    location: str,
) -> dict[str, Any]:
    """Writes `request.json` into the job's folder, and answers where it is and what the next states need.

    Raises NotFound, NotDeployed, Conflict, and InvalidInput for a model whose columns have names of results.
    """
    version = choose_version(registry, place.check_name(model), number)
    check_features(tuple(each["name"] for each in version.signature["inputs"]), record_id_column)
    container_uri = place.run_uri(artifacts_bucket, run_id, "container/model.tar.gz")
    request = BatchRequest(
        job_id=run_id,
        model=model,
        number=version.number,
        artifact_uri=version.artifact_uri,
        container_uri=container_uri,
        sources=_sources(store, source_uri),
        object_version=object_version,
        record_id_column=record_id_column,
        contract=_contract(catalog, version),
        location=location,
        created_at=clock.now(),
    )
    request_uri = f"{location}request.json"
    store.write(request_uri, request.model_dump_json().encode())
    return {
        "request_uri": request_uri,
        "number": version.number,
        "artifact_digest": version.artifact_digest,
        "container_uri": container_uri,
        "rows_uri": f"{location}rows/",
        "scores_uri": f"{location}scores/",
        "results_uri": f"{location}results",
    }


def _contract(catalog: DatasetCatalog, version: ModelVersion) -> Contract:
    if version.origin is not None:
        return version.origin.contract
    return catalog.contract(version.lineage.dataset, version.lineage.contract_version)


def _sources(store: ObjectStore, source_uri: str) -> tuple[str, ...]:
    """A file, or the Parquet files of a dataset version in order of their keys."""
    if not source_uri.endswith("/"):
        return (source_uri,)
    files = tuple(each.uri for each in store.list(source_uri) if each.uri.endswith(".parquet"))
    if not files:
        raise NotFound(f"there is no Parquet file at {source_uri}")
    return files
