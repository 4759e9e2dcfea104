"""Sum what runs and endpoints cost, by month, model and pipeline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from millrace.domain.cost import cost_of_steps
from millrace.domain.endpoint_use import EndpointUse, cost_of_endpoint
from millrace.domain.run import Run, RunState
from millrace.ports import Clock, EndpointUses, RunLedger

ENDPOINT = "endpoint"


class Spent(NamedTuple):
    """`month` is of the runs' start, in UTC. `unknown` are runs that ended and of which no cost is known.

    A model's realtime endpoints of a month are a line as well, of no runs and of `hours`, those of one machine each;
    `at_least` where there may have been more, or no price is known.
    """

    month: str
    model: str
    pipeline: str
    runs: int
    unknown: int
    cost_usd: float
    hours: float = 0.0
    at_least: bool = False


def sum_costs(*, ledger: RunLedger, uses: EndpointUses, clock: Clock, since: datetime) -> Sequence[Spent]:
    """Of the runs that began at or after `since` and have ended, and of endpoints since then until now; the latest
    month first, then by name.

    A run without a model is counted under its dataset, whose name the model has.
    """
    sums: dict[tuple[str, str, str], Spent] = {}
    for run in _ended(ledger, since):
        key = (f"{run.started_at:%Y-%m}", run.model or run.dataset, run.pipeline)
        cost, known = cost_of_steps(run.steps), sums.get(key, Spent(*key, 0, 0, 0.0))
        sums[key] = known._replace(
            runs=known.runs + 1, unknown=known.unknown + (cost is None), cost_usd=known.cost_usd + (cost or 0.0)
        )
    for month, use, hours, cost in _of_endpoints(uses.since(since), since, clock.now()):
        key = (month, use.model, ENDPOINT)
        known = sums.get(key, Spent(*key, 0, 0, 0.0))
        sums[key] = known._replace(
            cost_usd=known.cost_usd + cost, hours=known.hours + hours, at_least=known.at_least or use.may_cost_more
        )
    by_name = sorted(sums.values(), key=lambda spent: (spent.model, spent.pipeline))
    return sorted(by_name, key=lambda spent: spent.month, reverse=True)


def _of_endpoints(
    uses: Sequence[EndpointUse], since: datetime, now: datetime
) -> Iterator[tuple[str, EndpointUse, float, float]]:
    """Month by month, the hours and the cost of each that bills by the hour."""
    first = since
    while first < now:
        last = min(next_month(first), now)
        for use in uses:
            hours = use.hours(first, last)
            if use.by_the_hour and hours:
                yield f"{first:%Y-%m}", use, hours, cost_of_endpoint(use, first, last) or 0.0
        first = last


def next_month(moment: datetime) -> datetime:
    """When the month after that of `moment` begins."""
    within = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (within + timedelta(days=31)).replace(day=1)


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
