"""Population stability index over the baseline's bins."""

from __future__ import annotations

import numpy as np

from millrace.analytics.drift.distributions import Feature, Floats
from millrace.analytics.drift.metric import Applies, DriftMetric, values_in

EMPTY_BIN_SHARE = 1e-4  # keeps an empty bin's logarithm finite


def population_stability_index(baseline: Floats, window: Floats) -> float:
    """Both are shares over the same bins (k,)."""
    before, after = np.maximum(baseline, EMPTY_BIN_SHARE), np.maximum(window, EMPTY_BIN_SHARE)
    return float(((after - before) * np.log(after / before)).sum())


def _score(feature: Feature) -> float:
    values = values_in(feature)
    return population_stability_index(values.baseline_bins, values.window_bins)


def _error(feature: Feature) -> float:
    """First order: each bin's share may be off by twice the rank error, on both sides."""
    values = values_in(feature)
    before = np.maximum(values.baseline_bins, EMPTY_BIN_SHARE)
    after = np.maximum(values.window_bins, EMPTY_BIN_SHARE)
    slope = np.abs(np.log(after / before)) + np.abs(after - before) * (1 / before + 1 / after)
    return float(2 * values.rank_error * (slope + values.rank_error * (1 / before + 1 / after)).sum())


METRIC = DriftMetric(
    name="psi",
    title="population stability index",
    applies_to=(Applies.NUMBERS, Applies.CATEGORIES),
    default_threshold=0.2,
    formula="sum over bins of (w - b) ln(w / b)",
    source="Siddiqi (2006), Credit Risk Scorecards, ch. 8; Kullback and Leibler (1951), the divergence J",
    score=_score,
    error=_error,
)
