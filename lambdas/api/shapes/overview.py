"""What the API says to whoever looks at the platform first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from pydantic import BaseModel, Field

from lambdas.api.shapes.activity import DayOfRuns
from lambdas.api.shapes.models import VersionBrief, brief
from lambdas.api.shapes.monitoring import DriftReportSummary, report_summary, traffic_series
from lambdas.api.shapes.runs import RunSummary, run_summary
from millrace.domain.model import Metric, verdict_now
from millrace.domain.traffic import EVERY_MODEL, TrafficHour
from millrace.use_cases.survey_platform import LiveModel, Need, NeedKind


class NeedAnswer(BaseModel):
    """One thing that waits for a person: a model with versions to decide on, a failed run, a live model's drift."""

    kind: NeedKind
    at: datetime
    model: str | None = None
    version: VersionBrief | None = Field(default=None, description="Of an approval: the version to look at first.")
    sentence: str | None = Field(default=None, description="Of an approval: the verdict, and what has come since.")
    waiting: int = Field(default=0, description="Of an approval: how many versions of the model wait.")
    run: RunSummary | None = Field(default=None, description="Of a failure: the run.")
    step: str | None = Field(default=None, description="Of a failure: the step that failed, where one did.")
    drift: DriftReportSummary | None = Field(default=None, description="Of drift: the report.")


class RunningRun(RunSummary):
    usual_seconds: float | None = Field(description="The median of such runs before; null when there was none.")


class QualityOfChampion(BaseModel):
    """The primary metric, on its test rows, of the version that became champion then."""

    at: datetime
    value: Metric


class LiveModelAnswer(BaseModel):
    name: str
    champion: VersionBrief
    quality: list[QualityOfChampion] = Field(description="Champions of the last 12 weeks, oldest first.")
    drift: DriftReportSummary | None = Field(description="The latest report on its inputs; null when there is none.")


class DayOfCost(BaseModel):
    day: date
    cost_usd: float


class Cost(BaseModel):
    """What runs and realtime endpoints cost by list prices: runs on the day they started, once they have ended;
    endpoints hour by hour, with one machine each.
    """

    month_usd: float
    endpoints_usd: float = Field(description="Of it what endpoints cost, up to the last full hour.")
    endpoints_at_least: bool = Field(description="Whether one of them may have grown, or has no list price.")
    forecast_usd: float = Field(
        description="To the end of the month: runs at this month's daily mean, endpoints that are in service stay so."
    )
    days: list[DayOfCost]


class HourOfRequests(BaseModel):
    """`p95_ms` is of what was answered, within 5 %; null where nothing was."""

    hour: datetime
    requests: int
    failed: int
    p95_ms: float | None


class Requests(BaseModel):
    """What all models together were asked in the last 24 hours; `failed` are those that we could not answer."""

    requests: int
    refused: int
    failed: int
    failed_share: float | None
    hours: list[HourOfRequests]


class OverviewAnswer(BaseModel):
    """Everything the first screen shows."""

    needs: list[NeedAnswer]
    running: list[RunningRun]
    recent_runs: list[RunSummary]
    runs_by_day: list[DayOfRuns]
    succeeded_share: float | None
    cost: Cost
    requests: Requests
    datasets: int
    dataset_versions: int
    models: int
    pending_approvals: int
    live_models: list[LiveModelAnswer]


def need_answer(need: Need) -> NeedAnswer:
    version, run, drift = need.version, need.run, need.drift
    return NeedAnswer(
        kind=need.kind,
        at=need.at,
        model=next((each.model for each in (version, run, drift) if each is not None), None),
        version=brief(version) if version else None,
        sentence=verdict_now(version, need.champion) if version else None,
        waiting=need.waiting,
        run=run_summary(run) if run else None,
        step=next((step.name for step in run.steps if step.reason), None) if run else None,
        drift=report_summary(drift) if drift else None,
    )


def requests_of(shown: Sequence[datetime], told: Sequence[TrafficHour]) -> Requests:
    series = traffic_series(EVERY_MODEL, shown, told)
    hours = [HourOfRequests(**each.model_dump(include=set(HourOfRequests.model_fields))) for each in series.hours]
    return Requests(**series.model_dump(include={"requests", "refused", "failed", "failed_share"}), hours=hours)


def live_model(live: LiveModel) -> LiveModelAnswer:
    drift = report_summary(live.drift) if live.drift else None
    quality = [QualityOfChampion(at=each.at, value=each.value) for each in live.quality]
    return LiveModelAnswer(name=live.model.name, champion=brief(live.champion), quality=quality, drift=drift)
