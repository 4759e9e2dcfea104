"""Check a model for drift now: over a batch's results, real-time records of a time, or two dataset versions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from millrace import names
from millrace.domain import identity, place
from millrace.domain.dataset import VersionState
from millrace.domain.drift import DriftKind, DriftRequest, DriftSource, DriftSummary
from millrace.domain.model import CHAMPION, ModelVersion
from millrace.domain.run import Run, RunState
from millrace.errors import Conflict, InvalidInput, NotDeployed
from millrace.ports import Clock, DatasetCatalog, DriftReports, ModelRegistry, Pipelines, RunLedger

LONGEST_WINDOW = timedelta(days=31)
# When labels come, the batches among so many last reports are looked at again.
LOOKED_AGAIN = 20
# A window that begins or ends so near to where it should is as good as that: clocks differ, and people take a moment.
AS_GOOD_AS_NOW = timedelta(hours=1)
_BATCH = "batch "


def check_drift(
    *,
    registry: ModelRegistry,
    ledger: RunLedger,
    pipelines: Pipelines,
    clock: Clock,
    data_bucket: str,
    model: str,
    first: datetime,
    until: datetime,
    number: int | None = None,
    batches: Sequence[str] | None = None,
    actor: str,
) -> Run:
    """The run that checks the records from `first` on and before `until`, of version `number` (default: the champion).

    `batches` are the results that labels may be about as well (`latest_results`): with them a window of
    `LONGEST_WINDOW` up to now says which labels wait for their prediction; a shorter one cannot know.

    The same check by the same actor is one run: a schedule that fires twice checks once. Raises NotFound, NotDeployed,
    and InvalidInput for a window that is empty or longer than `LONGEST_WINDOW`.
    """
    if not timedelta(0) < until - first <= LONGEST_WINDOW:
        raise InvalidInput(f"a window begins before it ends and lasts at most {LONGEST_WINDOW.days} days")
    version = _version(registry, model, number)
    now = clock.now()
    request = DriftRequest(
        run_id=identity.drift_run_id(version.id, "records", first.isoformat(), until.isoformat(), actor),
        model=model,
        number=version.number,
        source=DriftSource.RECORDS,
        baseline=version.id,
        baseline_uri=version.baseline_uri,
        window=f"requests from {_said(first)} to {_said(until)}",
        window_uri=place.records_uri(data_bucket, model),
        first=first,
        until=until,
        label_uris=tuple(batches) if batches is not None and _spans_labels(first, until, now) else None,
        requested_at=now,
    )
    return _start(registry, ledger, pipelines, request, actor)


def check_batch(
    *,
    registry: ModelRegistry,
    ledger: RunLedger,
    pipelines: Pipelines,
    clock: Clock,
    model: str,
    number: int,
    job_id: str,
    results_uri: str,
    actor: str,
    again: str = "",
) -> Run:
    """The run that checks a finished batch job, once for each value of `again`. Raises NotFound."""
    version = registry.get(model, number)
    request = DriftRequest(
        run_id=identity.drift_run_id(version.id, "batch", job_id, again),
        model=model,
        number=number,
        source=DriftSource.BATCH,
        baseline=version.id,
        baseline_uri=version.baseline_uri,
        window=f"{_BATCH}{job_id}",
        window_uri=results_uri,
        requested_at=clock.now(),
    )
    return _start(registry, ledger, pipelines, request, actor)


def check_labels(
    *,
    registry: ModelRegistry,
    reports: DriftReports,
    ledger: RunLedger,
    pipelines: Pipelines,
    clock: Clock,
    data_bucket: str,
    model: str,
    at: datetime,
    actor: str,
) -> list[Run]:
    """The runs that look again at what labels came for `at` a time: the champion's requests, and the latest batches.

    Not everything ever answered: requests of the last `LONGEST_WINDOW`, and the batches among the last reports.
    """
    champion = registry.model(model).aliases.get(CHAMPION)
    batches = _latest_batches(reports, model)
    runs = []
    if champion is not None:
        window = {"first": at - LONGEST_WINDOW, "until": at}
        runs.append(
            check_drift(
                registry=registry,
                ledger=ledger,
                pipelines=pipelines,
                clock=clock,
                data_bucket=data_bucket,
                model=model,
                number=champion,
                batches=[_results(data_bucket, each) for each in batches],
                actor=actor,
                **window,
            )
        )
    for each in batches:
        job_id = each.window.removeprefix(_BATCH)
        runs.append(
            check_batch(
                registry=registry,
                ledger=ledger,
                pipelines=pipelines,
                clock=clock,
                model=model,
                number=int(each.number or 0),
                job_id=job_id,
                results_uri=_results(data_bucket, each),
                actor=actor,
                again=at.isoformat(),
            )
        )
    return runs


def latest_results(*, reports: DriftReports, data_bucket: str, model: str) -> list[str]:
    """Where the results of the batches among the last reports lie, whether their version still answers or not."""
    return [_results(data_bucket, each) for each in _latest_batches(reports, model)]


def _latest_batches(reports: DriftReports, model: str) -> list[DriftSummary]:
    """A report of each batch."""
    recent = reports.page(model=model, kind=DriftKind.PERFORMANCE, limit=LOOKED_AGAIN).items
    batches = {each.window: each for each in recent if each.source is DriftSource.BATCH and each.number is not None}
    return list(batches.values())


def _results(data_bucket: str, batch: DriftSummary) -> str:
    return place.batch_uri(data_bucket, batch.model, batch.window.removeprefix(_BATCH), "results/")


def _spans_labels(first: datetime, until: datetime, now: datetime) -> bool:
    """Whether the window holds all that is read when labels arrive: the predictions of the longest one, up to now."""
    return first <= now - LONGEST_WINDOW + AS_GOOD_AS_NOW and until >= now - AS_GOOD_AS_NOW


def check_datasets(
    *,
    catalog: DatasetCatalog,
    registry: ModelRegistry,
    ledger: RunLedger,
    pipelines: Pipelines,
    clock: Clock,
    model: str,
    baseline_version: int,
    window_version: int,
    actor: str,
) -> Run:
    """The run that compares two versions of the model's dataset, in the columns that the champion reads.

    Without a champion: in all columns but the target. Raises NotFound, and Conflict for a version that is not READY.
    """
    known = registry.model(model)
    versions = [catalog.version(known.dataset, each) for each in (baseline_version, window_version)]
    for each in versions:
        if each.state != VersionState.READY:
            raise Conflict(
                f"{each.dataset} v{each.version} is {each.state}: only a version that is READY has a profile"
            )
    before, after = versions
    number = known.aliases.get(CHAMPION)
    now = clock.now()
    request = DriftRequest(
        run_id=identity.drift_run_id(
            model, "datasets", str(before.version), str(after.version), actor, now.isoformat()
        ),
        model=model,
        number=number,
        source=DriftSource.DATASET,
        baseline=f"{before.dataset} v{before.version}",
        baseline_uri=place.profile_uri(before.location),
        window=f"{after.dataset} v{after.version}",
        window_uri=place.profile_uri(after.location),
        features=None if number is None else _inputs(registry.get(model, number)),
        requested_at=now,
    )
    return _start(registry, ledger, pipelines, request, actor)


def _version(registry: ModelRegistry, model: str, number: int | None) -> ModelVersion:
    chosen = registry.model(model).aliases.get(CHAMPION) if number is None else number
    if chosen is None:
        raise NotDeployed(f"{model} has no champion, so nothing answers requests: approve a version, or name one")
    return registry.get(model, chosen)


def _inputs(version: ModelVersion) -> tuple[str, ...]:
    return tuple(each["name"] for each in version.signature["inputs"])


def _said(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M")


def _start(registry: ModelRegistry, ledger: RunLedger, pipelines: Pipelines, request: DriftRequest, actor: str) -> Run:
    run = Run(
        run_id=request.run_id,
        pipeline=names.DRIFT_PIPELINE,
        dataset=registry.model(request.model).dataset,
        model=request.model,
        started_by=actor,
        started_at=request.requested_at,
        input=request.model_dump(mode="json"),
    )
    opened = ledger.open(run)
    if opened.state == RunState.RUNNING:
        pipelines.start(opened.pipeline, opened.run_id, opened.input)
    return opened
