"""Start the comparison of two dataset versions row by row, and say how far it is."""

from __future__ import annotations

import json
from typing import NamedTuple

from millrace import names
from millrace.domain import identity, place
from millrace.domain.dataset import Dataset, DatasetVersion, VersionState
from millrace.domain.row_comparison import RowComparison, RowComparisonRequest
from millrace.domain.run import Run, RunState
from millrace.errors import Conflict, InvalidInput, NotFound
from millrace.ports import Clock, DatasetCatalog, ObjectStore, Pipelines, RunLedger

ATTEMPTS = 5


class Comparison(NamedTuple):
    """`run` is the latest attempt; `result` is there once it has succeeded."""

    request: RowComparisonRequest
    run: Run
    result: RowComparison | None


def start_comparison(
    *,
    catalog: DatasetCatalog,
    ledger: RunLedger,
    pipelines: Pipelines,
    clock: Clock,
    bucket: str,
    dataset: str,
    from_version: int,
    to_version: int,
    started_by: str,
) -> Run:
    """The run that compares them, or has: asking twice compares once.

    Raises NotFound for a version that is not there or not READY, InvalidInput for a dataset without a row key, Conflict
    when it failed too often.
    """
    request = _request(catalog, bucket, dataset, from_version, to_version)
    attempt, last = _latest(ledger, request)
    if last is not None and last.state in (RunState.RUNNING, RunState.SUCCEEDED):
        return last
    if attempt >= ATTEMPTS:
        raise Conflict(f"this comparison failed {ATTEMPTS} times, last: {last and last.reason}")
    run = Run(
        run_id=_run_id(request, attempt),
        pipeline=names.COMPARISON_PIPELINE,
        dataset=dataset,
        dataset_version=to_version,
        started_by=started_by,
        started_at=clock.now(),
        input=request.model_dump(mode="json"),
    )
    opened = ledger.open(run)
    # The job takes the request as one argument, which is text.
    payload = {"run_id": opened.run_id, "request": request.model_dump_json()}
    pipelines.start(names.COMPARISON_PIPELINE, opened.run_id, payload)
    return opened


def find_comparison(
    *,
    catalog: DatasetCatalog,
    ledger: RunLedger,
    store: ObjectStore,
    bucket: str,
    dataset: str,
    from_version: int,
    to_version: int,
) -> Comparison:
    """Raises NotFound when nobody asked for it, Conflict when it failed."""
    request = _request(catalog, bucket, dataset, from_version, to_version)
    _, run = _latest(ledger, request)
    if run is None:
        raise NotFound(f"nobody has had the rows of {dataset} v{from_version} and v{to_version} compared: ask for it")
    if run.state is RunState.RUNNING:
        return Comparison(request, run, None)
    if run.state is not RunState.SUCCEEDED:
        raise Conflict(f"the comparison failed, and may be asked for again: {run.reason}")
    return Comparison(request, run, RowComparison.model_validate(json.loads(store.read(request.result_uri))))


def _latest(ledger: RunLedger, request: RowComparisonRequest) -> tuple[int, Run | None]:
    """How many attempts there were that failed, and the latest attempt."""
    last = None
    for attempt in range(ATTEMPTS):
        try:
            last = ledger.get(_run_id(request, attempt))
        except NotFound:
            return attempt, last
        if last.state in (RunState.RUNNING, RunState.SUCCEEDED):
            return attempt, last
    return ATTEMPTS, last


def _run_id(request: RowComparisonRequest, attempt: int) -> str:
    return identity.comparison_run_id(request.dataset, request.from_version, request.to_version, request.key, attempt)


def _request(
    catalog: DatasetCatalog, bucket: str, dataset: str, from_version: int, to_version: int
) -> RowComparisonRequest:
    known = catalog.get(dataset)
    if from_version == to_version:
        raise InvalidInput(f"version {to_version} is compared with itself: name two versions")
    before, after = (_ready(catalog, known, number) for number in (from_version, to_version))
    if not known.settings.key:
        raise InvalidInput(f"{dataset} has no row key: name its columns in the dataset's settings (`key`)")
    key = known.settings.key
    return RowComparisonRequest(
        dataset=dataset,
        from_version=from_version,
        to_version=to_version,
        key=key,
        before_location=before.location,
        after_location=after.location,
        result_uri=place.row_comparison_uri(bucket, dataset, from_version, to_version, identity.row_key_digest(key)),
    )


def _ready(catalog: DatasetCatalog, dataset: Dataset, number: int) -> DatasetVersion:
    version = catalog.version(dataset.name, number)
    if version.state is not VersionState.READY:
        raise NotFound(f"{dataset.name} v{number} is {version.state}, so there are no rows to compare")
    return version
