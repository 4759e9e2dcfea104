"""The share of the window's values that the baseline never had."""

from __future__ import annotations

from millrace.analytics.drift.distributions import Feature
from millrace.analytics.drift.metric import Applies, DriftMetric, categories_in


def new_category_share(feature: Feature) -> float:
    levels = categories_in(feature)
    return levels.new / float(levels.window.sum())


def _error(feature: Feature) -> float:
    """A level too rare for the baseline's sketch looks new; one too rare for the window's is not seen."""
    levels = categories_in(feature)
    if not levels.rank_error:
        return 0.0
    return min(1.0, max(new_category_share(feature), 1 - float(levels.window[:-1].sum() / levels.window.sum())))


METRIC = DriftMetric(
    name="new_categories",
    title="share of values never seen in the baseline",
    applies_to=(Applies.CATEGORIES,),
    default_threshold=0.05,
    formula="window rows whose level is not in the baseline / window rows with a value",
    source="complement of sample coverage; Good (1953), The population frequencies of species",
    score=new_category_share,
    error=_error,
)
