"""Pearson's chi-square of the two samples' levels, and its effect size, which does not grow with the rows."""

from __future__ import annotations

import math

import numpy as np

from millrace.analytics.drift.distributions import Feature, Floats
from millrace.analytics.drift.metric import Applies, DriftMetric, categories_in


def chi_square(baseline: Floats, window: Floats) -> float:
    """The statistic of the 2 x k table of counts, without continuity correction."""
    before, after, rows = baseline.sum(), window.sum(), (baseline + window).sum()
    some = baseline + window > 0
    expected = (baseline + window)[some] * after / rows
    return float((np.square(window[some] - expected) / expected).sum() * rows / before)


def effect_size(statistic: float, baseline_rows: float, window_rows: float) -> float:
    """Cohen's w between two samples: sqrt(sum (w - b)² / pooled share). An indicator moved by its sd scores 1."""
    return math.sqrt(max(0.0, statistic) * (1 / baseline_rows + 1 / window_rows))


def _score(feature: Feature) -> float:
    levels = categories_in(feature)
    statistic = chi_square(levels.baseline, levels.window)
    return effect_size(statistic, float(levels.baseline.sum()), float(levels.window.sum()))


def _error(feature: Feature) -> float:
    """First order: what the frequent-items sketch may miss of a level, relative to that level."""
    levels = categories_in(feature)
    if not levels.rank_error:
        return 0.0
    shares = (levels.baseline + levels.window) / (levels.baseline + levels.window).sum()
    return float(math.sqrt(2 * levels.rank_error**2 * (1 / shares[shares > 0]).sum()))


METRIC = DriftMetric(
    name="chi_square",
    title="chi-square effect size (Cohen's w)",
    applies_to=(Applies.CATEGORIES,),
    default_threshold=0.2,
    formula="sqrt(X² (1/n_b + 1/n_w)), X² = sum (observed - expected)² / expected over the 2 x k table",
    source="Pearson (1900); Cohen (1988), Statistical Power Analysis, ch. 7",
    score=_score,
    error=_error,
)
