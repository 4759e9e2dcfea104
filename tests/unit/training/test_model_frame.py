"""Raw values of any storage become the same float32 numbers and texts."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest

from millrace.algorithms.features import MAX_CATEGORIES, Feature, empty_features, learn_categories, model_frame
from millrace.errors import InvalidInput


def converted(values: Any, kind: str) -> list[Any]:
    column = model_frame(pd.DataFrame({"x": values}), [Feature("x", kind)])["x"]
    assert column.dtype == (object if kind == "category" else np.float32)
    return [None if isinstance(value, float) and np.isnan(value) else value for value in column.tolist()]


@pytest.mark.parametrize(
    "values",
    [
        pd.array([1, None], dtype="Int64"),
        pd.array([1.0, np.nan]),
        pd.Series([1, None], dtype=object),
        pd.Series([np.int32(1), np.nan], dtype=object),
    ],
)
def test_numbers_are_float32_and_missing_ones_nan_however_they_were_stored(values: Any) -> None:
    assert converted(values, "integer") == [1.0, None]


def test_infinities_are_missing_and_huge_numbers_stay_finite() -> None:
    assert converted([np.inf, -np.inf, 1e300], "number") == [None, None, float(np.finfo(np.float32).max)]


@pytest.mark.parametrize(
    "values",
    [pd.array([True, False, None], dtype="boolean"), pd.Series([True, False, None], dtype=object), [1.0, 0.0, np.nan]],
)
def test_booleans_are_one_and_zero(values: Any) -> None:
    assert converted(values, "boolean") == [1.0, 0.0, None]


@pytest.mark.parametrize(
    "values",
    [
        pd.to_datetime(["1970-01-02", None]),
        pd.to_datetime(["1970-01-02", None]).tz_localize("UTC"),
        pd.Series(["1970-01-02", None], dtype=object),
        pd.Series(["1970-01-02T00:00:00+00:00", None], dtype=object),
        pd.Series([dt.date(1970, 1, 2), None], dtype=object),
        pd.Series([86400, None], dtype=object),
    ],
)
def test_moments_are_seconds_since_1970_however_they_were_stored(values: Any) -> None:
    assert converted(values, "timestamp") == [86400.0, None]


def test_missing_categories_are_the_empty_text_and_numbers_their_digits() -> None:
    assert converted(pd.Series(["rent", None, np.nan, 3], dtype=object), "category") == ["rent", "", "", "3"]


def test_a_missing_column_is_named() -> None:
    with pytest.raises(InvalidInput, match="lack the columns b, c"):
        model_frame(pd.DataFrame({"a": [1]}), [Feature(name, "integer") for name in "abc"])


def test_text_in_a_number_column_is_named() -> None:
    with pytest.raises(InvalidInput, match="column 'x' is not of kind number"):
        converted(["many"], "number")


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(InvalidInput, match="feature 'x' has kind 'text'"):
        Feature("x", "text")


def test_only_the_most_frequent_categories_get_a_column_and_ties_are_broken_by_name() -> None:
    names = [f"c{number:03}" for number in range(MAX_CATEGORIES + 10)]
    frame = pd.DataFrame({"x": [*names[::-1], names[-1]]})
    (learnt,) = learn_categories(frame, [Feature("x", "category")])
    assert learnt.categories == (*names[: MAX_CATEGORIES - 1], names[-1])


def test_a_number_learns_no_categories() -> None:
    number = Feature("x", "integer")
    assert learn_categories(pd.DataFrame({"x": [1.0]}), [number]) == (number,)


def test_features_without_any_value_are_found() -> None:
    features = [Feature("a", "number"), Feature("b", "category"), Feature("c", "number"), Feature("d", "category")]
    frame = pd.DataFrame({"a": [np.nan, np.nan], "b": ["", ""], "c": [np.nan, 1.0], "d": ["", "x"]})
    assert empty_features(frame, features) == ("a", "b")
