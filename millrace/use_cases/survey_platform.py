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
_LONGEST_BATCH = 100


class NeedKind(StrEnum):
    APPROVAL = "approval"
    RUN_FAILED = "run_failed"
    DRIFT = "drift"


class Need(NamedTuple):
    """One thing that waits for a person: an approval, of which `version` is to be looked at first, a failure, drift."""

    kind: NeedKind
    at: datetime
    version: ModelVersion | None = None
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


Drifts = Mapping[tuple[str, DriftKind], DriftSummary]
"""The latest report on each model that is live, of each kind."""


def latest_drifts(*, registry: ModelRegistry, reports: DriftReports) -> Drifts:
    """Of the versions that are champions now, among the latest reports of all."""
    champions = {model.name: model.aliases.get(CHAMPION) for model in registry.models()}
    told = [each for each in reports.page(limit=_LONGEST_BATCH).items if champions.get(each.model) == each.number]
    return {(each.model, each.kind): each for each in reversed(told) if each.number is not None}


def needs(*, registry: ModelRegistry, ledger: RunLedger, drifts: Drifts, now: datetime) -> Sequence[Need]:
    """Newest first: an approval for each model with waiting versions, each drift, each failure nothing followed."""
    drifted = [each for each in drifts.values() if each.verdict is DriftVerdict.DRIFT]
    found = [
        *_approvals(registry),
        *_failures(ledger, now),
        *(Need(NeedKind.DRIFT, each.created_at, drift=each) for each in drifted),
    ]
    return sorted(found, key=lambda need: need.at, reverse=True)


def usual_seconds(*, ledger: RunLedger, run: Run) -> float | None:
    """How long runs of this pipeline on this dataset take: the median of the latest that succeeded."""
    before = ledger.page(pipeline=run.pipeline, state=RunState.SUCCEEDED, dataset=run.dataset, limit=_LOOKED_AT).items
    seconds = [(each.ended_at - each.started_at).total_seconds() for each in before if each.ended_at]
    return median(seconds) if seconds else None


def live_models(*, registry: ModelRegistry, drifts: Drifts, now: datetime, limit: int) -> Sequence[LiveModel]:
    """The models with a champion, by name, and how good their champions of the last 12 weeks were."""
    models = [model for model in registry.models() if CHAMPION in model.aliases][:limit]
    moves = {model.name: _moves(registry.history(model.name), now - QUALITY_SINCE) for model in models}
    versions = _look_up(registry, {(name, move.number) for name, each in moves.items() for move in each})
    return [_live(model, moves[model.name], versions, drifts.get((model.name, DriftKind.DATA))) for model in models]


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


def _moves(history: Sequence[ModelEvent], since: datetime) -> Sequence[ModelEvent]:
    """The moves of the champion since then, and the last one before, which still counted then."""
    moves = [event for event in history if event.alias == CHAMPION]
    before = [move for move in moves if move.at < since][-1:]
    return [*before, *(move for move in moves if move.at >= since)]


def _approvals(registry: ModelRegistry) -> list[Need]:
    waiting = [model for model in registry.models() if model.pending]
    versions = _look_up(registry, {(model.name, number) for model in waiting for number in model.pending})
    return [_approval([versions[model.name, number] for number in model.pending]) for model in waiting]


def _approval(pending: Sequence[ModelVersion]) -> Need:
    first = max(pending, key=lambda version: (version.recommended, version.number))
    return Need(NeedKind.APPROVAL, first.created_at, version=first, waiting=len(pending))


def _failures(ledger: RunLedger, now: datetime) -> list[Need]:
    failed = [run for state in _FAILED for run in ledger.page(state=state, limit=_LOOKED_AT).items]
    recent = [run for run in failed if run.ended_at is not None and run.ended_at > now - FAILURES_SINCE]
    return [Need(NeedKind.RUN_FAILED, run.ended_at or now, run=run) for run in recent if _is_latest(ledger, run)]


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
