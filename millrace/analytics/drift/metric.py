"""What a drift metric is: a named function of one feature in baseline and window, with its limit and its source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from millrace.analytics.drift.distributions import Categories, Feature, Numbers


class Applies(StrEnum):
    """What a metric can compare. Dates and times count as numbers, booleans as categories, text by its length."""

    NUMBERS = "numbers"
    CATEGORIES = "categories"
    NULLS = "missing values"


@dataclass(frozen=True)
class DriftMetric:
    """`score` is 0 where nothing differs and grows with the difference; it is never given what it does not apply to.

    `error` bounds how far sketches can move the score: it is given the feature, and answers 0 for exact profiles.
    """

    name: str
    title: str
    applies_to: tuple[Applies, ...]
    default_threshold: float
    formula: str
    source: str
    score: Callable[[Feature], float]
    error: Callable[[Feature], float]

    def applies(self, feature: Feature) -> bool:
        if Applies.NULLS in self.applies_to:
            return True
        kinds = {Numbers: Applies.NUMBERS, Categories: Applies.CATEGORIES}
        return feature.values is not None and kinds[type(feature.values)] in self.applies_to


def numbers_in(feature: Feature) -> Numbers:
    if not isinstance(feature.values, Numbers):
        raise TypeError("this metric compares numbers")
    return feature.values


def categories_in(feature: Feature) -> Categories:
    if not isinstance(feature.values, Categories):
        raise TypeError("this metric compares categories")
    return feature.values


def values_in(feature: Feature) -> Numbers | Categories:
    if feature.values is None:
        raise TypeError("this metric compares values, and one side has none")
    return feature.values


def exact(_feature: Feature) -> float:
    """The error of metrics that read counts no sketch stands for."""
    return 0.0
