"""Wasserstein distance in standard deviations of the baseline: a pure shift by 1 sd scores 1."""

from __future__ import annotations

import numpy as np

from millrace.analytics.drift.distributions import Feature, Numbers
from millrace.analytics.drift.metric import Applies, DriftMetric, numbers_in


def normed_wasserstein_distance(numbers: Numbers) -> float:
    """Area between the two cumulative distributions, over the scale of the baseline.

    Exact distributions are level between two values; sketched ones are taken to rise evenly between two points.
    """
    before, after = numbers.cumulative
    apart = np.abs(before - after)
    heights = (apart[:-1] + apart[1:]) / 2 if numbers.rank_error else apart[:-1]
    return float((heights * np.diff(numbers.values / numbers.scale)).sum())


def _score(feature: Feature) -> float:
    return normed_wasserstein_distance(numbers_in(feature))


def _error(feature: Feature) -> float:
    """The rank error times the breadth of the values (tails excepted: there the digest's error shrinks with rank)."""
    numbers = numbers_in(feature)
    if not numbers.rank_error:
        return 0.0
    total = np.cumsum(numbers.baseline + numbers.window)
    low, high = np.interp([0.005, 0.995], total / total[-1], numbers.values)
    return float(numbers.rank_error * (high - low) / numbers.scale)


METRIC = DriftMetric(
    name="wasserstein",
    title="Wasserstein distance, in standard deviations of the baseline",
    applies_to=(Applies.NUMBERS,),
    default_threshold=0.2,
    formula="integral of |F_b(x) - F_w(x)| dx / sd(b)",
    source="Vallender (1974), Calculation of the Wasserstein distance between probability distributions on the line",
    score=_score,
    error=_error,
)
