"""Sum what runs cost, by month, model and pipeline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from millrace.domain.cost import cost_of_steps
from millrace.domain.run import Run, RunState
from millrace.ports import RunLedger


class Spent(NamedTuple):
    """`month` is of the runs' start, in UTC. `unknown` are runs that ended and of which no cost is known."""

    month: str
    model: str
    pipeline: str
    runs: int
    unknown: int
    cost_usd: float


def sum_costs(*, ledger: RunLedger, since: datetime) -> Sequence[Spent]:
    """Of the runs that began at or after `since` and have ended; the latest month first, then by name.

    A run without a model is counted under its dataset, whose name the model has.
    """
    sums: dict[tuple[str, str, str], Spent] = {}
    for run in _ended(ledger, since):
        key = (f"{run.started_at:%Y-%m}", run.model or run.dataset, run.pipeline)
        cost, known = cost_of_steps(run.steps), sums.get(key, Spent(*key, 0, 0, 0.0))
        sums[key] = known._replace(
            runs=known.runs + 1, unknown=known.unknown + (cost is None), cost_usd=known.cost_usd + (cost or 0.0)
        )
    by_name = sorted(sums.values(), key=lambda spent: (spent.model, spent.pipeline))
    return sorted(by_name, key=lambda spent: spent.month, reverse=True)


def _ended(ledger: RunLedger, since: datetime) -> Iterator[Run]:
    position = None
    while True:
        page = ledger.page(after=position, limit=100)
        for run in page.items:
            if run.started_at < since:
                return
            if run.state is not RunState.RUNNING:
                yield run
        position = page.position
        if position is None:
            return
