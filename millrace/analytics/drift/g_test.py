"""The G statistic (log-likelihood ratio) of the two samples' levels, as an effect size that ignores the rows."""

from __future__ import annotations

import numpy as np

from millrace.analytics.drift.chi_square import METRIC as CHI_SQUARE
from millrace.analytics.drift.chi_square import effect_size
from millrace.analytics.drift.distributions import Feature, Floats
from millrace.analytics.drift.metric import Applies, DriftMetric, categories_in


def g_statistic(baseline: Floats, window: Floats) -> float:
    """2 sum observed ln(observed / expected) over the 2 x k table of counts."""
    rows = baseline.sum() + window.sum()
    pooled = baseline + window
    return 2 * sum(_terms(counts, pooled * counts.sum() / rows) for counts in (baseline, window))


def _terms(observed: Floats, expected: Floats) -> float:
    some = observed > 0
    return float((observed[some] * np.log(observed[some] / expected[some])).sum())


def _score(feature: Feature) -> float:
    levels = categories_in(feature)
    statistic = g_statistic(levels.baseline, levels.window)
    return effect_size(statistic, float(levels.baseline.sum()), float(levels.window.sum()))


METRIC = DriftMetric(
    name="g_test",
    title="G-test effect size",
    applies_to=(Applies.CATEGORIES,),
    default_threshold=0.2,
    formula="sqrt(G (1/n_b + 1/n_w)), G = 2 sum observed ln(observed / expected) over the 2 x k table",
    source="Wilks (1938); Sokal and Rohlf (1995), Biometry, ch. 17",
    score=_score,
    error=CHI_SQUARE.error,
)
