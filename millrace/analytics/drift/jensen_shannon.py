"""Jensen-Shannon distance over the baseline's bins, in base 2: 0 for equal shares, 1 for disjoint ones."""

from __future__ import annotations

import math

import numpy as np

from millrace.analytics.drift.distributions import Feature, Floats
from millrace.analytics.drift.metric import Applies, DriftMetric, values_in


def jensen_shannon_distance(baseline: Floats, window: Floats) -> float:
    """Both are shares over the same bins (k,)."""
    middle = (baseline + window) / 2
    divergence = (_bits(baseline, middle) + _bits(window, middle)) / 2
    return math.sqrt(max(0.0, divergence))


def _bits(shares: Floats, middle: Floats) -> float:
    some = shares > 0
    return float((shares[some] * np.log2(shares[some] / middle[some])).sum())


def _score(feature: Feature) -> float:
    values = values_in(feature)
    return jensen_shannon_distance(values.baseline_bins, values.window_bins)


def _error(feature: Feature) -> float:
    """It is a metric, and shares that differ by t in total variation are at most sqrt(t) apart (Lin, 1991)."""
    values = values_in(feature)
    return math.sqrt(min(1.0, values.rank_error * len(values.baseline_bins)))


METRIC = DriftMetric(
    name="jensen_shannon",
    title="Jensen-Shannon distance",
    applies_to=(Applies.NUMBERS, Applies.CATEGORIES),
    default_threshold=0.1,
    formula="sqrt((KL(b || m) + KL(w || m)) / 2), m = (b + w) / 2, logarithms to base 2",
    source="Lin (1991), Divergence measures based on the Shannon entropy; Endres and Schindelin (2003)",
    score=_score,
    error=_error,
)
