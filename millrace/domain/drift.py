"""Drift reports: what changed between a baseline and a window, how sure that is, and what could not have been seen."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from millrace.domain.entity import Entity, Moment


class DriftVerdict(StrEnum):
    """SKIPPED is not OK: nothing was judged, and the reason says why."""

    OK = "OK"
    DRIFT = "DRIFT"
    SKIPPED = "SKIPPED"


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


class DriftReport(DriftJudgement):
    """Immutable. `baseline` and `window` name what was compared, for example a dataset version and a batch."""

    id: str
    model_version: str | None = None
    baseline: str | None
    window: str
    created_at: Moment
