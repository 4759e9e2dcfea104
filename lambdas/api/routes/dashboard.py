"""The dashboard's figures, all in one answer: kept counts, and the ends of lists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from lambdas.api.resource import Resource, answer
from lambdas.api.shapes import activity_examples as examples
from lambdas.api.shapes.activity import DashboardStats, DayOfRuns, activity_entry
from lambdas.api.shapes.runs import run_summary
from millrace import bootstrap
from millrace.domain.model import ApprovalState
from millrace.domain.role import EVERYONE
from millrace.domain.run import RunState
from millrace.domain.tally import DayTally, RunCounts

resource = Resource("dashboard")
LATEST = 5
BUSY_SECONDS, IDLE_SECONDS = 5, 30

Days = Annotated[int, Query(ge=1, le=90, description="How many days of runs, today included.")]


@resource.endpoint("GET", "/dashboard/stats", allow=EVERYONE, example=examples.STATS)
def get_dashboard_stats(days: Days = 30) -> Response[DashboardStats]:
    """How much there is and what happened lately, in bounded time however much that is."""
    platform = bootstrap.platform()
    tally = platform.tallies.now()
    today = platform.clock.now().date()
    series = platform.tallies.days(today - timedelta(days=days - 1), today)
    runs = platform.ledger.page(limit=LATEST).items
    entries = platform.audit.page(limit=LATEST).items
    seen = [f"{run.run_id}.{run.revision}" for run in runs]
    etag = resource.unless_unchanged(today, days, tally, series, *seen, *(entry.hash for entry in entries))
    states = _states(tally.runs)
    body = DashboardStats(
        datasets=tally.datasets,
        dataset_versions=tally.dataset_versions,
        models=tally.models,
        model_versions=tally.model_versions,
        pending_approvals=tally.model_versions[ApprovalState.PENDING],
        runs=states,
        runs_by_pipeline=tally.runs,
        succeeded_share=_succeeded_share(states),
        days=_every_day(series, today, days),
        latest_runs=[run_summary(run) for run in runs],
        latest_activity=[activity_entry(entry) for entry in entries],
    )
    return answer(body, etag=etag, poll_after=BUSY_SECONDS if states[RunState.RUNNING] else IDLE_SECONDS)


def _states(runs: RunCounts) -> dict[RunState, int]:
    counted: Counter[RunState] = Counter()
    for states in runs.values():
        counted.update(states)
    return {state: counted[state] for state in RunState}


def _succeeded_share(states: dict[RunState, int]) -> float | None:
    ended = sum(states.values()) - states[RunState.RUNNING]
    return states[RunState.SUCCEEDED] / ended if ended else None


def _every_day(series: Sequence[DayTally], today: date, days: int) -> list[DayOfRuns]:
    """Also the days without runs, so that a chart shows them as such."""
    known = {each.day: _states(each.runs) for each in series}
    return [_day(day, known.get(day, {})) for day in _back_from(today, days)]


def _back_from(today: date, days: int) -> Iterable[date]:
    return (today - timedelta(days=back) for back in reversed(range(days)))


def _day(day: date, states: dict[RunState, int]) -> DayOfRuns:
    return DayOfRuns(day=day, started=sum(states.values()), states={state: n for state, n in states.items() if n})
