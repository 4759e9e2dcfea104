"""Drift reports: what changed between a baseline and a window, how sure that is, and what could not have been seen."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from pydantic import Field

from millrace.domain.entity import Entity, Moment
from millrace.domain.truth import LabelCounts


class DriftVerdict(StrEnum):
    """SKIPPED is not OK: nothing was judged, and the reason says why."""

    OK = "OK"
    DRIFT = "DRIFT"
    SKIPPED = "SKIPPED"


class DriftKind(StrEnum):
    """What was compared: the model's inputs, its answers, or how good they were."""

    DATA = "data"
    PREDICTION = "prediction"
    PERFORMANCE = "performance"


class DriftSource(StrEnum):
    """Where a window's rows come from: a batch job, real-time requests, or a dataset version."""

    BATCH = "batch"
    RECORDS = "records"
    DATASET = "dataset"


class DriftSeverity(StrEnum):
    """How much of the model rests on what drifted; SEVERE also when a feature is destroyed."""

    NONE = "NONE"
    MINOR = "MINOR"
    MAJOR = "MAJOR"
    SEVERE = "SEVERE"


class DriftRule(Entity):
    """When a feature counts as drifted. The default is the rule whose error rates are measured in docs/drift.md.

    A feature drifts when its p-value survives false discovery control at `false_discovery_share` AND at least one
    metric exceeds its threshold (the effect-size floor; `thresholds` replaces defaults by metric name). A feature is
    destroyed when at least `destroyed_share` of its distribution moved and its p-value passes Bonferroni at
    `destroyed_alarm_share`: this path ignores importances and the other features.
    """

    false_discovery_share: float = Field(default=0.011, gt=0, lt=1)
    destroyed_alarm_share: float = Field(default=0.001, gt=0, lt=1)
    destroyed_share: float = Field(default=0.5, gt=0, le=1)
    minimum_rows: int = Field(default=100, ge=30)
    importance_pull: float = Field(default=0.5, ge=0, lt=1)
    thresholds: dict[str, float] = Field(default_factory=dict)

    @property
    def false_alarm_share(self) -> float:
        """At most this share of windows in which nothing changed gets a DRIFT verdict, over all features together."""
        return self.false_discovery_share + self.destroyed_alarm_share


class DriftScore(Entity):
    """One metric on one feature. `error` bounds what sketches may add to or take from the score; 0 is exact."""

    metric: str
    score: float
    threshold: float
    error: float = 0.0


class FeatureDrift(Entity):
    """One feature. `smallest_shift_sd` is the least shift seen in 80 of 100 such windows.

    It is in standard deviations of the feature, or for categories of the indicator of one level. `shift_sd` is the
    difference of the means in standard deviations of the baseline.
    """

    feature: str
    kind: str
    verdict: DriftVerdict
    sentence: str
    reason: str | None = None
    p_value: float | None = None
    scores: tuple[DriftScore, ...] = ()
    destroyed: bool = False
    shift_sd: float | None = None
    smallest_shift_sd: float | None = None
    importance_share: float | None = None


class DriftJudgement(Entity):
    """The outcome of one comparison, before anybody says what was compared."""

    verdict: DriftVerdict
    severity: DriftSeverity
    sentence: str
    rule: DriftRule
    false_alarm_share: float
    smallest_shift_sd: float | None
    baseline_rows: int
    window_rows: int
    features: tuple[FeatureDrift, ...]

    @property
    def drifted(self) -> tuple[FeatureDrift, ...]:
        return tuple(feature for feature in self.features if feature.verdict is DriftVerdict.DRIFT)


class DriftOverlay(Entity):
    """Baseline and window over the same at most 30 bins: shares of the values that are there.

    `edges` (one more than bins) for numbers, `levels` for categories; the other is empty. What lies outside the edges
    of numbers is in the outermost bins.
    """

    edges: tuple[float, ...] = ()
    levels: tuple[str, ...] = ()
    baseline: tuple[float, ...]
    window: tuple[float, ...]


class Performance(Entity):
    """One metric in the window beside the held-out rows. `low` and `high` bound the window's at 95 %.

    An estimate rests on `assumption` and has no bounds: nobody has seen a label.
    """

    metric: str
    higher_is_better: bool
    held_out: float
    window: float
    low: float | None = None
    high: float | None = None
    rows: int
    estimated: bool
    assumption: str | None = None


class DriftRequest(Entity):
    """One check, as the state machine gets it. Everything the result depends on is here, so repeating it is harmless.

    `baseline_uri` is a version's baseline.json, or a dataset version's profile.json for two dataset versions; None when
    there is none. `window_uri` is a batch's results, a dataset version's profile.json, or the model's records, of which
    those from `first` on and before `until` count. `label_uris` are results of batches whose rows labels may be about
    instead; None: the window is not all of what was predicted lately, so no label is said to wait for its prediction.
    """

    run_id: str
    model: str
    number: int | None
    source: DriftSource
    baseline: str | None
    baseline_uri: str | None
    window: str
    window_uri: str
    first: Moment | None = None
    until: Moment | None = None
    features: tuple[str, ...] | None = None
    label_uris: tuple[str, ...] | None = None
    requested_at: Moment


class DriftReport(DriftJudgement):
    """Immutable. `baseline` and `window` name what was compared, for example a model version and a batch.

    `performance` holds measured metrics when labels came, an estimate before; for other kinds it is empty. `labels` are
    counted for performance alone; None: not counted.
    """

    id: str
    run_id: str
    model: str
    number: int | None
    kind: DriftKind
    source: DriftSource
    baseline: str | None
    window: str
    day: date
    created_at: Moment
    performance: tuple[Performance, ...] = ()
    labels: LabelCounts | None = None
    overlays: dict[str, DriftOverlay] = Field(default_factory=dict)

    @property
    def model_version(self) -> str | None:
        return None if self.number is None else f"{self.model}:{self.number}"


class DriftSummary(Entity):
    """What the registry keeps of a report; the rest lies at `report_uri`, and as a page at `html_uri`."""

    id: str
    run_id: str
    model: str
    number: int | None
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
    labels: LabelCounts | None = None
    report_uri: str
    html_uri: str
    created_at: Moment


class DriftCell(Entity):
    """One feature on one day. `score` and `threshold` are of the metric that exceeds its threshold most."""

    feature: str
    verdict: DriftVerdict
    metric: str | None = None
    score: float | None = None
    threshold: float | None = None
    importance_share: float | None = None
    sentence: str


class DriftDay(Entity):
    """The heatmap's column: what the latest report that judged one day said of each feature, else the latest."""

    model: str
    kind: DriftKind
    day: date
    report_id: str
    created_at: Moment
    verdict: DriftVerdict
    severity: DriftSeverity
    sentence: str
    window_rows: int
    cells: tuple[DriftCell, ...]


def summary_of(report: DriftReport, report_uri: str, html_uri: str) -> DriftSummary:
    kept: dict[str, Any] = {name: getattr(report, name) for name in DriftSummary.model_fields if hasattr(report, name)}
    judged = sum(feature.verdict is not DriftVerdict.SKIPPED for feature in report.features)
    drifted = tuple(feature.feature for feature in report.drifted)
    return DriftSummary(**kept | {"judged": judged, "drifted": drifted}, report_uri=report_uri, html_uri=html_uri)


def day_of(report: DriftReport) -> DriftDay:
    return DriftDay(
        model=report.model,
        kind=report.kind,
        day=report.day,
        report_id=report.id,
        created_at=report.created_at,
        verdict=report.verdict,
        severity=report.severity,
        sentence=report.sentence,
        window_rows=report.window_rows,
        cells=tuple(cell_of(feature) for feature in report.features),
    )


def outranks(day: DriftDay, told: DriftDay) -> bool:
    """Whether `day` is to be told instead of `told`: what was judged before what was not, then the later report."""

    def rank(each: DriftDay) -> tuple[bool, datetime, str]:
        return each.verdict is not DriftVerdict.SKIPPED, each.created_at, each.report_id

    return rank(day) > rank(told)


def counts_better(summary: DriftSummary, told: DriftSummary) -> bool:
    """Whether `summary` tells more of a model's labels than `told`: what looked for all of them, then the later one."""

    def rank(each: DriftSummary) -> tuple[bool, bool, datetime, str]:
        counted = each.labels is not None
        return counted, each.labels is not None and each.labels.waiting is not None, each.created_at, each.id

    return rank(summary) > rank(told)


def cell_of(feature: FeatureDrift) -> DriftCell:
    leading = max(feature.scores, key=lambda score: score.score / score.threshold, default=None)
    return DriftCell(
        feature=feature.feature,
        verdict=feature.verdict,
        metric=None if leading is None else leading.metric,
        score=None if leading is None else leading.score,
        threshold=None if leading is None else leading.threshold,
        importance_share=feature.importance_share,
        sentence=feature.sentence,
    )


def worst_first(features: tuple[FeatureDrift, ...]) -> list[FeatureDrift]:
    """Drifted features before the others, then by how far the leading score exceeds its threshold."""

    def badness(feature: FeatureDrift) -> tuple[int, float]:
        order = (DriftVerdict.DRIFT, DriftVerdict.OK, DriftVerdict.SKIPPED)
        return order.index(feature.verdict), -max((each.score / each.threshold for each in feature.scores), default=0.0)

    return sorted(features, key=badness)
