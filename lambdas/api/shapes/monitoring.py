"""What the API says of drift: reports, one report with its pictures, the monitoring screen, how to ask for a check."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import BaseModel, ConfigDict, Field, model_validator

from lambdas.api.shapes.ground_truth import LabelStanding, label_standing
from millrace.domain.drift import (
    DriftCell,
    DriftDay,
    DriftKind,
    DriftOverlay,
    DriftReport,
    DriftScore,
    DriftSeverity,
    DriftSource,
    DriftSummary,
    DriftVerdict,
    FeatureDrift,
    Performance,
    worst_first,
)
from millrace.domain.model import CHAMPION, RegisteredModel
from millrace.domain.traffic import TrafficHour
from millrace.domain.truth import LabelCounts

ReportId = Annotated[
    str,
    Path(pattern=r"^drift-[0-9a-f]{16}-(data|prediction|performance)$", description="A drift report's id."),
]


class DriftReportSummary(BaseModel):
    """One report. `drifted` names features, the worst ones when there are many in the report itself.

    `labels` is null where they were not counted: in reports that are not about performance, and in old ones.
    """

    id: str
    run_id: str
    model: str
    version: str | None
    kind: DriftKind
    source: DriftSource
    verdict: DriftVerdict
    severity: DriftSeverity
    sentence: str
    baseline: str | None
    window: str
    day: date
    baseline_rows: int
    window_rows: int
    judged: int
    drifted: tuple[str, ...]
    labels: LabelCounts | None
    created_at: datetime


class DriftedFeature(BaseModel):
    """One feature of a report, with both histograms over the same bins. `reason` says why it was SKIPPED."""

    feature: str
    kind: str
    verdict: DriftVerdict
    sentence: str
    reason: str | None
    destroyed: bool
    p_value: float | None
    scores: tuple[DriftScore, ...]
    shift_sd: float | None
    smallest_shift_sd: float | None
    importance_share: float | None
    overlay: DriftOverlay | None


class DriftReportDetail(DriftReportSummary):
    """A report with every feature, worst first. `false_alarm_share`: how often the rule cries wolf, at most."""

    false_alarm_share: float
    smallest_shift_sd: float | None
    performance: tuple[Performance, ...]
    features: list[DriftedFeature]


class DatasetVersions(BaseModel):
    """Two versions of the model's dataset, by number."""

    model_config = ConfigDict(extra="forbid")
    baseline: int = Field(ge=1, le=99_999_999)
    window: int = Field(ge=1, le=99_999_999)


class DriftCheck(BaseModel):
    """What to check: requests from `first` on and before `until`, or two versions of the model's dataset.

    `number` is the version whose requests count; without it, the champion's.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"model": "credit", "first": "2026-11-19T00:00:00Z", "until": "2026-11-20T00:00:00Z"}]
        },
    )
    model: str = Field(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$")
    number: int | None = Field(default=None, ge=1, le=99_999_999)
    first: datetime | None = None
    until: datetime | None = None
    dataset_versions: DatasetVersions | None = None

    @model_validator(mode="after")
    def _one_window(self) -> DriftCheck:
        times = (self.first, self.until)
        if (self.dataset_versions is None) == (times == (None, None)) or (None in times and times != (None, None)):
            raise ValueError("give `first` and `until`, or `dataset_versions`, and not both")
        if any(time is not None and time.tzinfo is None for time in times):
            raise ValueError("a time needs its zone: write 2026-11-19T00:00:00Z")
        return self


class HeatmapCell(BaseModel):
    """One feature on one day. `score` and `threshold` are of the metric that leads; `share` is one over the other."""

    verdict: DriftVerdict
    metric: str | None
    score: float | None
    threshold: float | None
    share: float | None
    sentence: str


class HeatmapRow(BaseModel):
    """A feature's cells, one for each of the heatmap's days; null where there is no report."""

    feature: str
    importance_share: float | None
    cells: list[HeatmapCell | None]


class Heatmap(BaseModel):
    """Days in order, features worst first. `report_ids` and `verdicts` are of each day's latest report."""

    days: list[date]
    report_ids: list[str | None]
    verdicts: list[DriftVerdict | None]
    rows: list[HeatmapRow]


class DayCounts(BaseModel):
    """How many features had which verdict on the last day that there is a report about."""

    day: date
    drifted: int
    ok: int
    skipped: int


class SelectedFeature(DriftedFeature):
    """The chosen feature, training and now over the same bins, with what was compared."""

    report_id: str
    day: date
    baseline: str | None
    baseline_rows: int
    window: str
    window_rows: int


class Drift(BaseModel):
    """What drifted in a model, day by day. `heading` is the answer in a sentence."""

    model: str
    champion: str | None
    heading: str
    counts: DayCounts | None
    heatmap: Heatmap
    selected: SelectedFeature | None
    labels: LabelStanding | None


class Monitoring(Drift):
    """What drifted in a model, with the last reports, one of each kind."""

    latest: list[DriftReportSummary]


class TrafficSeries(BaseModel):
    """What a model was asked: the last hours in order, those without a request too; then all of them together.

    `refused` are requests whose rows were not the model's, `failed` those that it could not answer. Times are those of
    answers, in milliseconds, within 5 %; null where there was none.
    """

    model: str
    hours: list[TrafficHour]
    requests: int
    refused: int
    failed: int
    failed_share: float | None


def traffic_series(model: str, shown: Sequence[datetime], told: Sequence[TrafficHour]) -> TrafficSeries:
    by_hour = {each.hour: each for each in told}
    hours = [by_hour.get(hour, TrafficHour(hour=hour)) for hour in shown]
    requests, failed = sum(each.requests for each in hours), sum(each.failed for each in hours)
    return TrafficSeries(
        model=model,
        hours=hours,
        requests=requests,
        refused=sum(each.refused for each in hours),
        failed=failed,
        failed_share=failed / requests if requests else None,
    )


def report_summary(report: DriftSummary | DriftReport) -> DriftReportSummary:
    shared = DriftReportSummary.model_fields.keys() - {"version", "judged", "drifted"}
    version = None if report.number is None else f"{report.model}:{report.number}"
    known: dict[str, Any] = {name: getattr(report, name) for name in shared}
    if isinstance(report, DriftSummary):
        return DriftReportSummary(**known, version=version, judged=report.judged, drifted=report.drifted)
    judged = sum(feature.verdict is not DriftVerdict.SKIPPED for feature in report.features)
    drifted = tuple(feature.feature for feature in report.drifted)
    return DriftReportSummary(**known, version=version, judged=judged, drifted=drifted)


def report_detail(report: DriftReport) -> DriftReportDetail:
    return DriftReportDetail(
        **report_summary(report).model_dump(),
        false_alarm_share=report.false_alarm_share,
        smallest_shift_sd=report.smallest_shift_sd,
        performance=report.performance,
        features=[drifted_feature(each, report.overlays.get(each.feature)) for each in worst_first(report.features)],
    )


def drifted_feature(feature: FeatureDrift, overlay: DriftOverlay | None) -> DriftedFeature:
    return DriftedFeature(**dict(feature), overlay=overlay)


def drift_facts(
    model: RegisteredModel,
    picture: Heatmap,
    told: Sequence[DriftDay],
    report: DriftReport | None,
    feature: str | None,
    counted: DriftSummary | None,
) -> dict[str, Any]:
    """The fields of `Drift`. `report` is the last one that names `feature`, `counted` the one that counted labels."""
    champion = model.aliases.get(CHAMPION)
    return {
        "model": model.name,
        "champion": None if champion is None else f"{model.name}:{champion}",
        "heading": _heading(told),
        "counts": day_counts(told[-1]) if told else None,
        "heatmap": picture,
        "selected": selected_feature(report, feature) if report and feature else None,
        "labels": label_standing(counted),
    }


def selected_name(picture: Heatmap, feature: str | None) -> str | None:
    """The feature asked for, or the worst."""
    return feature or (picture.rows[0].feature if picture.rows else None)


def selected_feature(report: DriftReport, name: str) -> SelectedFeature | None:
    found = next((each for each in report.features if each.feature == name), None)
    if found is None:
        return None
    return SelectedFeature(
        **dict(found),
        overlay=report.overlays.get(name),
        report_id=report.id,
        day=report.day,
        baseline=report.baseline,
        baseline_rows=report.baseline_rows,
        window=report.window,
        window_rows=report.window_rows,
    )


def heatmap(days: Sequence[date], told: Sequence[DriftDay]) -> Heatmap:
    """A column for each of `days`; rows by how bad the last report was, then the ones before it."""
    by_day = {each.day: each for each in told}
    columns = [by_day.get(day) for day in days]
    cells = [{cell.feature: cell for cell in column.cells} if column else {} for column in columns]
    features = {name: cell for column in cells for name, cell in column.items()}
    rows = [
        HeatmapRow(
            feature=name,
            importance_share=latest.importance_share,
            cells=[_cell(column[name]) if name in column else None for column in cells],
        )
        for name, latest in features.items()
    ]
    return Heatmap(
        days=list(days),
        report_ids=[column.report_id if column else None for column in columns],
        verdicts=[column.verdict if column else None for column in columns],
        rows=sorted(rows, key=_badness),
    )


def _cell(cell: DriftCell) -> HeatmapCell:
    share = None if cell.score is None or not cell.threshold else cell.score / cell.threshold
    return HeatmapCell(
        verdict=cell.verdict,
        metric=cell.metric,
        score=cell.score,
        threshold=cell.threshold,
        share=share,
        sentence=cell.sentence,
    )


def _badness(row: HeatmapRow) -> tuple[bool, float, str]:
    """By the last day on which the feature was looked at."""
    last = next((cell for cell in reversed(row.cells) if cell is not None), None)
    drifted = last is not None and last.verdict is DriftVerdict.DRIFT
    return not drifted, -((last.share if last else None) or 0.0), row.feature


def _heading(told: Sequence[DriftDay]) -> str:
    """The screen's answer: how many features drifted on the last day that there is a report about."""
    if not told:
        return "Not checked yet"
    last = told[-1]
    counts = day_counts(last)
    if last.verdict is DriftVerdict.SKIPPED:
        return f"Not judged on {last.day.isoformat()}"
    if counts.drifted:
        return f"{counts.drifted} of {counts.drifted + counts.ok} features drifted on {last.day.isoformat()}"
    return f"Nothing drifted on {last.day.isoformat()}"


def day_counts(told: DriftDay) -> DayCounts:
    def having(verdict: DriftVerdict) -> int:
        return sum(cell.verdict is verdict for cell in told.cells)

    return DayCounts(
        day=told.day,
        drifted=having(DriftVerdict.DRIFT),
        ok=having(DriftVerdict.OK),
        skipped=having(DriftVerdict.SKIPPED),
    )
