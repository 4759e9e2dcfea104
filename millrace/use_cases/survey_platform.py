"""Survey the platform for whoever looks at it first: what needs a person, what runs, what serves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median
from typing import NamedTuple

from millrace.domain.drift import DriftKind, DriftSummary, DriftVerdict
from millrace.domain.model import CHAMPION, Metric, ModelEvent, ModelVersion, RegisteredModel
from millrace.domain.run import Run, RunState
from millrace.ports import DriftReports, ModelRegistry, RunLedger

# A failure that nobody has looked at for so long needs nobody.
FAILURES_SINCE = timedelta(days=7)
QUALITY_SINCE = timedelta(weeks=12)
_FAILED = (RunState.FAILED, RunState.TIMED_OUT)
_LOOKED_AT = 20
# Of each model: its latest events, and the latest of its versions that wait.
_EVENTS_LOOKED_AT, _VERSIONS_LOOKED_AT = 50, 10
_LONGEST_BATCH = 100


class NeedKind(StrEnum):
    APPROVAL = "approval"
    RUN_FAILED = "run_failed"
    DRIFT = "drift"


class Need(NamedTuple):
    """One thing that waits for a person: an approval, of which `version` is to be looked at first, a failure, drift.

    `champion` is what serves now, which may have become so after that version was judged.
    """

    kind: NeedKind
    at: datetime
    version: ModelVersion | None = None
    champion: ModelVersion | None = None
    waiting: int = 0
    run: Run | None = None
    drift: DriftSummary | None = None


class Quality(NamedTuple):
    """The primary metric of the version that became champion at a time."""

    at: datetime
    value: Metric


class LiveModel(NamedTuple):
    model: RegisteredModel
    champion: ModelVersion
    quality: Sequence[Quality]
    drift: DriftSummary | None


class Standing(NamedTuple):
    """How models stand: the latest of those that wait for a decision, the first by name of those that are live.

    `drifts` is the latest report that judged something on each model and of each kind, of versions that are champions
    now, among the latest reports of all.
    """

    waiting: Sequence[RegisteredModel]
    live: Sequence[RegisteredModel]
    drifts: Mapping[tuple[str, DriftKind], DriftSummary]


def standing(*, registry: ModelRegistry, reports: DriftReports, limit: int) -> Standing:
    """At most `limit` models of each sort, found without reading the others."""
    return Standing(registry.waiting(limit=limit), registry.live(limit=limit), _latest_drifts(registry, reports))


def needs(*, registry: ModelRegistry, ledger: RunLedger, standing: Standing, now: datetime) -> Sequence[Need]:
    """Newest first: an approval for each model with waiting versions, each drift, each failure nothing followed."""
    drifted = [each for each in standing.drifts.values() if each.verdict is DriftVerdict.DRIFT]
    found = [
        *_approvals(registry, standing.waiting),
        *_failures(ledger, now),
        *(Need(NeedKind.DRIFT, each.created_at, drift=each) for each in drifted),
    ]
    return sorted(found, key=lambda need: need.at, reverse=True)


def usual_seconds(*, ledger: RunLedger, pipeline: str, dataset: str) -> float | None:
    """How long runs of a pipeline on a dataset take: the median of the latest that succeeded."""
    before = ledger.page(pipeline=pipeline, state=RunState.SUCCEEDED, dataset=dataset, limit=_LOOKED_AT).items
    seconds = [(each.ended_at - each.started_at).total_seconds() for each in before if each.ended_at]
    return median(seconds) if seconds else None


def live_models(*, registry: ModelRegistry, standing: Standing, now: datetime) -> Sequence[LiveModel]:
    """How good the champions of the last 12 weeks were, as far as a model's latest events reach."""
    moves = {model.name: _moves(registry, model.name, now - QUALITY_SINCE) for model in standing.live}
    shown = {(name, move.number) for name, each in moves.items() for move in each}
    champions = {(model.name, model.aliases[CHAMPION]) for model in standing.live}
    versions = _look_up(registry, shown | champions)
    drifts = {name: report for (name, kind), report in standing.drifts.items() if kind is DriftKind.DATA}
    return [_live(model, moves[model.name], versions, drifts.get(model.name)) for model in standing.live]


def _latest_drifts(registry: ModelRegistry, reports: DriftReports) -> Mapping[tuple[str, DriftKind], DriftSummary]:
    latest = reports.page(limit=_LONGEST_BATCH).items
    known = registry.look_up_models({each.model for each in latest})
    champions = {name: model.aliases.get(CHAMPION) for name, model in known.items()}
    told = [each for each in latest if each.number is not None and champions.get(each.model) == each.number]
    # A window that was too small to be judged says nothing against what was found before.
    judged = [each for each in told if each.verdict is not DriftVerdict.SKIPPED]
    return {(each.model, each.kind): each for each in (*reversed(told), *reversed(judged))}


def _live(
    model: RegisteredModel,
    moves: Sequence[ModelEvent],
    versions: dict[tuple[str, int], ModelVersion],
    drift: DriftSummary | None,
) -> LiveModel:
    champion = versions[model.name, model.aliases[CHAMPION]]
    metric = champion.primary_metric
    quality = [
        Quality(move.at, versions[model.name, move.number].metrics[metric])
        for move in moves
        if metric in versions[model.name, move.number].metrics
    ]
    return LiveModel(model, champion, quality, drift)


def _moves(registry: ModelRegistry, model: str, since: datetime) -> Sequence[ModelEvent]:
    """The moves of the champion since then, and the last one before, which still counted then; oldest first."""
    latest = registry.page_history(model, limit=_EVENTS_LOOKED_AT).items
    moves = [event for event in reversed(latest) if event.alias == CHAMPION]
    before = [move for move in moves if move.at < since][-1:]
    return [*before, *(move for move in moves if move.at >= since)]


def _approvals(registry: ModelRegistry, waiting: Sequence[RegisteredModel]) -> list[Need]:
    latest = {model.name: sorted(model.pending)[-_VERSIONS_LOOKED_AT:] for model in waiting}
    champions = {(model.name, model.aliases[CHAMPION]) for model in waiting if CHAMPION in model.aliases}
    pending = {(name, number) for name, numbers in latest.items() for number in numbers}
    versions = _look_up(registry, pending | champions)
    return [_approval(model, latest[model.name], versions) for model in waiting]


def _approval(model: RegisteredModel, latest: Sequence[int], versions: Mapping[tuple[str, int], ModelVersion]) -> Need:
    first = _to_look_at_first([versions[model.name, number] for number in latest])
    champion = versions.get((model.name, model.aliases.get(CHAMPION, 0)))
    return Need(NeedKind.APPROVAL, first.created_at, version=first, champion=champion, waiting=len(model.pending))


def _to_look_at_first(waiting: Sequence[ModelVersion]) -> ModelVersion:
    """What was recommended last; else the best of the latest run, whose versions were judged on the same rows."""
    recommended = [version for version in waiting if version.recommended]
    if recommended:
        return max(recommended, key=lambda version: version.number)
    newest = max(waiting, key=lambda version: version.number)
    return max((version for version in waiting if version.lineage.run_id == newest.lineage.run_id), key=_goodness)


def _goodness(version: ModelVersion) -> tuple[float, int]:
    metric = version.metrics.get(version.primary_metric)
    value = 0.0 if metric is None else metric.value if metric.higher_is_better else -metric.value
    return value, version.number


def _failures(ledger: RunLedger, now: datetime) -> list[Need]:
    failed = [run for state in _FAILED for run in ledger.page(state=state, limit=_LOOKED_AT).items]
    recent = [run for run in failed if run.ended_at is not None and run.ended_at > now - FAILURES_SINCE]
    latest = {(run.pipeline, run.dataset): run for run in sorted(recent, key=lambda run: run.started_at)}
    found = [run for run in latest.values() if _is_latest(ledger, run)]
    return [Need(NeedKind.RUN_FAILED, run.ended_at or now, run=run) for run in found]


def _is_latest(ledger: RunLedger, run: Run) -> bool:
    """Whether nothing came after it: a later run of the same kind is an answer, or fails by itself."""
    latest = ledger.page(pipeline=run.pipeline, dataset=run.dataset, limit=1).items
    return not latest or latest[0].run_id == run.run_id


def _look_up(registry: ModelRegistry, wanted: set[tuple[str, int]]) -> dict[tuple[str, int], ModelVersion]:
    found: dict[tuple[str, int], ModelVersion] = {}
    ordered = sorted(wanted)
    for first in range(0, len(ordered), _LONGEST_BATCH):
        found.update(registry.look_up(ordered[first : first + _LONGEST_BATCH]))
    return found
