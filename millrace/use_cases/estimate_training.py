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


def estimate_training(*, catalog: DatasetCatalog, ledger: RunLedger, dataset: str) -> Estimate:
    """From the dataset's own runs, or from everybody's when it has none yet. Raises NotFound."""
    catalog.get(dataset)
    own = _succeeded(ledger, dataset)
    runs = own or _succeeded(ledger, None)
    seconds = [(run.ended_at - run.started_at).total_seconds() for run in runs if run.ended_at]
    costs = [cost for run in runs if (cost := cost_of_steps(run.steps)) is not None]
    return Estimate(
        runs=len(runs),
        of_this_dataset=bool(own),
        seconds=median(seconds) if seconds else None,
        shortest_seconds=min(seconds, default=None),
        longest_seconds=max(seconds, default=None),
        cost_usd=median(costs) if costs else None,
    )


def _succeeded(ledger: RunLedger, dataset: str | None) -> Sequence[Run]:
    return ledger.page(
        pipeline=names.TRAINING_PIPELINE, state=RunState.SUCCEEDED, dataset=dataset, limit=_LOOKED_AT
    ).items
