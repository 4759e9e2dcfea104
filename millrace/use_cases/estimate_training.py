"""Estimate a training run from those before it: how long, and what it cost."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from millrace import names
from millrace.domain.cost import cost_of_steps
from millrace.domain.run import Run, RunState
from millrace.ports import DatasetCatalog, RunLedger

_LOOKED_AT = 20


class Estimate(NamedTuple):
    """Medians with the shortest and the longest. None where no run says anything. `runs` are how many do."""

    runs: int
    of_this_dataset: bool
    seconds: float | None
    shortest_seconds: float | None
    longest_seconds: float | None
    cost_usd: float | None


class TellingRuns(NamedTuple):
    """Training runs that succeeded: the dataset's own, or everybody's when it has none yet."""

    runs: Sequence[Run]
    of_this_dataset: bool


def estimate_training(*, catalog: DatasetCatalog, ledger: RunLedger, dataset: str) -> Estimate:
    """From the dataset's own runs, or from everybody's when it has none yet. Raises NotFound."""
    catalog.get(dataset)
    return estimate_of(runs_that_tell(ledger, dataset))


def runs_that_tell(ledger: RunLedger, dataset: str) -> TellingRuns:
    own = _succeeded(ledger, dataset)
    return TellingRuns(own or _succeeded(ledger, None), bool(own))


def estimate_of(told: TellingRuns) -> Estimate:
    seconds = [(run.ended_at - run.started_at).total_seconds() for run in told.runs if run.ended_at]
    costs = [cost for run in told.runs if (cost := cost_of_steps(run.steps)) is not None]
    return Estimate(
        runs=len(told.runs),
        of_this_dataset=told.of_this_dataset,
        seconds=median(seconds) if seconds else None,
        shortest_seconds=min(seconds, default=None),
        longest_seconds=max(seconds, default=None),
        cost_usd=median(costs) if costs else None,
    )


def _succeeded(ledger: RunLedger, dataset: str | None) -> Sequence[Run]:
    return ledger.page(
        pipeline=names.TRAINING_PIPELINE, state=RunState.SUCCEEDED, dataset=dataset, limit=_LOOKED_AT
    ).items
