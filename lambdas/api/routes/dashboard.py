"""The dashboard's figures, all in one answer: kept counts, and the ends of lists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from lambdas.api.resource import Resource, answer
from lambdas.api.shapes import activity_examples as examples
from lambdas.api.shapes import overview_examples
from lambdas.api.shapes.activity import DashboardStats, DayOfRuns, activity_entry
from lambdas.api.shapes.overview import (
    Cost,
    DayOfCost,
    OverviewAnswer,
    RunningRun,
    live_model,
    need_answer,
    requests_of,
)
from lambdas.api.shapes.runs import run_summary
from millrace import bootstrap
from millrace.domain.endpoint_use import EndpointUse, cost_of_endpoints
from millrace.domain.model import ApprovalState
from millrace.domain.role import EVERYONE
from millrace.domain.run import Run, RunState
from millrace.domain.tally import DayTally, RunCounts
from millrace.domain.traffic import EVERY_MODEL, hour_of
from millrace.use_cases.describe_monitoring import asked_hours
from millrace.use_cases.sum_costs import next_month
from millrace.use_cases.survey_platform import Standing, live_models, needs, standing, usual_seconds

resource = Resource("dashboard")
LATEST = 5
SHOWN_DAYS, SHOWN_HOURS, SHOWN_RUNS, SHOWN_MODELS = 31, 24, 8, 20
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


@resource.endpoint("GET", "/dashboard/overview", allow=EVERYONE, example=overview_examples.OVERVIEW)
def get_overview() -> Response[OverviewAnswer]:
    """What the first screen shows: what needs somebody, what runs, what it costs, what serves."""
    platform = bootstrap.platform()
    now, tally = platform.clock.now(), platform.tallies.now()
    today = now.date()
    series = platform.tallies.days(today - timedelta(days=SHOWN_DAYS - 1), today)
    runs = platform.ledger.page(limit=SHOWN_RUNS).items
    running = platform.ledger.page(state=RunState.RUNNING, limit=SHOWN_RUNS).items
    models = standing(registry=platform.registry, reports=platform.drift_reports, limit=SHOWN_MODELS)
    asked = asked_hours(traffic=platform.traffic, clock=platform.clock, model=EVERY_MODEL, hours=SHOWN_HOURS)
    uses = platform.endpoint_uses.since(_midnight(today - timedelta(days=SHOWN_DAYS - 1)))
    cost = _cost(series, uses, now)
    seen = _seen(models, [*runs, *running])
    etag = resource.unless_unchanged(today, tally, series, cost, asked.hours[-1], *asked.told, *seen)
    usual = {
        (pipeline, dataset): usual_seconds(ledger=platform.ledger, pipeline=pipeline, dataset=dataset)
        for pipeline, dataset in {(run.pipeline, run.dataset) for run in running}
    }
    body = OverviewAnswer(
        needs=[
            need_answer(need)
            for need in needs(registry=platform.registry, ledger=platform.ledger, standing=models, now=now)
        ],
        running=[_running(run, usual[run.pipeline, run.dataset]) for run in running],
        recent_runs=[run_summary(run) for run in runs if run.state is not RunState.RUNNING],
        runs_by_day=_every_day(series, today, SHOWN_DAYS),
        succeeded_share=_succeeded_share(_states(tally.runs)),
        cost=cost,
        requests=requests_of(*asked),
        datasets=tally.datasets,
        dataset_versions=tally.dataset_versions,
        models=tally.models,
        pending_approvals=tally.model_versions[ApprovalState.PENDING],
        live_models=[live_model(each) for each in live_models(registry=platform.registry, standing=models, now=now)],
    )
    return answer(body, etag=etag, poll_after=BUSY_SECONDS if running else IDLE_SECONDS)


def _seen(models: Standing, runs: Sequence[Run]) -> list[str]:
    """What the overview shows, by revision."""
    shown = [f"{each.name}.{each.revision}" for each in (*models.waiting, *models.live)]
    return [*shown, *(each.id for each in models.drifts.values()), *(f"{run.run_id}.{run.revision}" for run in runs)]


def _running(run: Run, usual: float | None) -> RunningRun:
    return RunningRun(**run_summary(run).model_dump(), usual_seconds=usual)


def _cost(series: Sequence[DayTally], uses: Sequence[EndpointUse], now: datetime) -> Cost:
    """The days shown hold the whole month: none has more than 31.

    Endpoints count up to the last full hour, so that the answer stays the same for that long.
    """
    today, until = now.date(), hour_of(now)
    first, end = _midnight(today.replace(day=1)), next_month(now)
    known = {each.day: each.cost_usd for each in series}
    runs = sum(cost for day, cost in known.items() if day >= first.date())
    endpoints = cost_of_endpoints(uses, first, until)
    return Cost(
        month_usd=runs + endpoints,
        endpoints_usd=endpoints,
        endpoints_at_least=any(use.may_cost_more and use.hours(first, until) for use in uses),
        forecast_usd=runs / today.day * (end - first).days + cost_of_endpoints(uses, first, end),
        days=[_day_of_cost(day, known.get(day, 0.0), uses, until) for day in _back_from(today, SHOWN_DAYS)],
    )


def _day_of_cost(day: date, runs: float, uses: Sequence[EndpointUse], until: datetime) -> DayOfCost:
    first, last = _midnight(day), _midnight(day + timedelta(days=1))
    return DayOfCost(day=day, cost_usd=runs + cost_of_endpoints(uses, first, min(last, until)))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


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
