"""How far the share of missing values moved, in either direction. Counts of nulls are always exact."""

from __future__ import annotations

from millrace.analytics.drift.distributions import Feature
from millrace.analytics.drift.metric import Applies, DriftMetric, exact


def null_share_change(feature: Feature) -> float:
    return abs(feature.nulls.change)


METRIC = DriftMetric(
    name="null_share",
    title="change of the share of missing values",
    applies_to=(Applies.NULLS,),
    default_threshold=0.05,
    formula="|nulls_w / rows_w - nulls_b / rows_b|",
    source="difference of two proportions",
    score=null_share_change,
    error=exact,
)
