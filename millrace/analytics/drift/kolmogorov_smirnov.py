"""Kolmogorov-Smirnov distance: the largest difference of the two cumulative distributions."""

from __future__ import annotations

import numpy as np

from millrace.analytics.drift.distributions import Feature, Numbers
from millrace.analytics.drift.metric import Applies, DriftMetric, numbers_in


def kolmogorov_smirnov_distance(numbers: Numbers) -> float:
    before, after = numbers.cumulative
    return float(np.abs(before - after).max())


def _score(feature: Feature) -> float:
    return kolmogorov_smirnov_distance(numbers_in(feature))


def _error(feature: Feature) -> float:
    """The rank error; between two points of the grid as much again as a cell holds is unseen."""
    numbers = numbers_in(feature)
    if not numbers.rank_error:
        return 0.0
    gaps = np.maximum(numbers.baseline / numbers.baseline.sum(), numbers.window / numbers.window.sum())[0::2]
    return float(numbers.rank_error + gaps.max())


METRIC = DriftMetric(
    name="kolmogorov_smirnov",
    title="Kolmogorov-Smirnov distance",
    applies_to=(Applies.NUMBERS,),
    default_threshold=0.1,
    formula="max over x of |F_b(x) - F_w(x)|",
    source="Smirnov (1939); Massey (1951), The Kolmogorov-Smirnov test for goodness of fit",
    score=_score,
    error=_error,
)
