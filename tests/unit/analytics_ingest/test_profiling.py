from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from millrace.analytics.profiling import MAX_EXACT_VALUES, ColumnProfile, DatasetProfile, Profiler


def profile_of(values: pa.Array, kind: str, *, batches: int = 1, target: bool = False) -> DatasetProfile:
    profiler = Profiler({"x": kind}, "x" if target else None)
    table = pa.table({"x": values})
    size = -(-max(1, len(values)) // batches)
    for start in range(0, len(values), size):
        part = table.slice(start, size)
        profiler.add(part, np.arange(part.num_rows) % 3)
    return profiler.profile


def column_of(values: Any, kind: str = "number", **how: Any) -> ColumnProfile:
    types = {"number": pa.float64(), "integer": pa.int64(), "boolean": pa.bool_(), "date": pa.date32(),
             "timestamp": pa.timestamp("us", tz="UTC")}  # fmt: skip
    return profile_of(pa.array(values, types.get(kind, pa.string())), kind, **how).columns["x"]


def test_small_columns_are_described_exactly_as_pandas_does() -> None:
    values = [3.0, 1.5, None, 1.5, 10.0, -2.0]
    series = pd.Series(values, dtype=float)
    found = column_of(values)

    assert (found.count, found.nulls, found.distinct) == (5, 1, 4)
    assert found.mean == pytest.approx(series.mean())
    assert found.std == pytest.approx(series.std())
    assert (found.minimum, found.maximum) == (series.min(), series.max())
    assert found.counts == {"3": 1, "1.5": 2, "10": 1, "-2": 1}
    for share in (0.0, 0.2, 0.5, 0.9, 1.0):
        assert found.quantile(share) == series.quantile(share, interpolation="higher") or share not in (0.0, 1.0)


def test_large_columns_are_described_within_the_sketches_error() -> None:
    values = np.random.default_rng(7).lognormal(3, 1, 50_000)
    found = column_of(values, batches=9)

    assert found.counts is None
    assert found.mean == pytest.approx(values.mean())
    assert found.std == pytest.approx(values.std(ddof=1))
    assert found.distinct == pytest.approx(50_000, rel=0.05)
    for share in (0.01, 0.25, 0.5, 0.75, 0.99):
        value = found.quantile(share)
        assert value is not None
        assert (values <= value).mean() == pytest.approx(share, abs=0.01)


def test_the_histogram_holds_every_value_once() -> None:
    for values in ([1.0, 1.0, 2.0, 9.0], np.random.default_rng(1).normal(size=5_000)):
        edges, shares = column_of(values).histogram()
        assert len(edges) == len(shares) + 1
        assert sum(shares) == pytest.approx(1.0, abs=1e-6)
        counts = np.histogram(np.asarray(values), bins=np.array(edges))[0] / len(values)
        assert np.abs(counts - np.array(shares)).max() < 0.26 if len(values) < 5 else 0.02


def test_a_constant_column_has_a_histogram_of_one_bin() -> None:
    assert column_of([4.0, 4.0]).histogram() == ([4.0, 4.0], [1.0])


def test_categories_and_booleans_are_counted() -> None:
    assert column_of(["a", "b", "a", None], "category").top() == [("a", 2), ("b", 1)]
    assert column_of([True, False, True], "boolean").counts == {"false": 1, "true": 2}


def test_many_categories_are_sketched_and_the_frequent_ones_survive() -> None:
    values = [f"rare-{i}" for i in range(MAX_EXACT_VALUES * 3)] + ["often"] * 500
    found = column_of(values, "category", batches=7)

    assert found.counts is None
    assert found.top(1) == [("often", 500)]
    assert found.distinct == pytest.approx(len(set(values)), rel=0.05)


def test_text_is_described_by_its_length_and_not_kept() -> None:
    found = column_of(["secret", "é", None], "text")

    assert (found.minimum, found.maximum, found.mean) == (1, 6, 3.5)
    assert "secret" not in json.dumps(found.to_json())


def test_dates_and_times_are_seconds() -> None:
    assert column_of([date(1970, 1, 2)], "date").mean == 86_400
    assert column_of([datetime(1970, 1, 1, 0, 1, tzinfo=UTC)], "timestamp").mean == 60


def test_rows_and_classes_are_counted_per_split() -> None:
    found = profile_of(pa.array(["good", "bad", "good", None]), "category", target=True)

    assert found.rows == 4
    assert found.splits == {"train": 2, "validation": 1, "test": 1}
    assert found.classes == {"train": {"good": 1}, "validation": {"bad": 1}, "test": {"good": 1}}


def test_the_classes_of_a_target_with_too_many_values_are_dropped() -> None:
    assert profile_of(pa.array(list(range(1_000))), "integer", target=True, batches=2).classes is None


def test_a_column_without_values_has_a_profile() -> None:
    found = column_of([None, None])

    assert (found.count, found.nulls, found.quantile(0.5), found.std, found.minimum) == (0, 2, None, None, None)
    assert json.loads(json.dumps(found.to_json()))["mean"] is None


@pytest.mark.parametrize("size", [3, 3_000])
def test_a_profile_survives_its_json_and_can_still_be_merged(size: int) -> None:
    found = profile_of(pa.array(np.linspace(0, 1, size)), "number")

    back = DatasetProfile.from_json(json.loads(json.dumps(found.to_json(), allow_nan=False)))

    assert back == found
    assert back.merge(back).columns["x"].count == 2 * size


def test_the_same_rows_give_the_same_profile_byte_for_byte() -> None:
    values = np.random.default_rng(5).normal(size=20_000)

    one, two = (json.dumps(profile_of(pa.array(values), "number", batches=4).to_json()) for _ in range(2))

    assert one == two


def test_a_profile_stays_small_however_many_values_there_are() -> None:
    values = np.random.default_rng(5).normal(size=200_000)

    assert len(json.dumps(column_of(values, batches=20).to_json())) < 60_000


def test_profiles_of_different_kinds_do_not_merge() -> None:
    with pytest.raises(ValueError, match="do not merge"):
        column_of([1.0]).merge(column_of(["a"], "category"))


numbers = st.lists(st.floats(-1e6, 1e6), max_size=30)
categories = st.lists(st.one_of(st.none(), st.sampled_from("abcdefgh")), max_size=30)


@given(numbers, numbers, numbers)
@settings(max_examples=60, deadline=None)
def test_merging_numbers_is_associative_and_commutative(a: list[float], b: list[float], c: list[float]) -> None:
    one, two, three = (column_of(values) for values in (a, b, c))

    assert_same(one.merge(two).merge(three), one.merge(two.merge(three)))
    assert_same(one.merge(two), two.merge(one))
    assert_same(one.merge(two).merge(three), column_of([*a, *b, *c]))


@given(categories, categories)
@settings(max_examples=40, deadline=None)
def test_merging_categories_is_counting_them_together(a: list[str | None], b: list[str | None]) -> None:
    assert column_of(a, "category").merge(column_of(b, "category")) == column_of([*a, *b], "category")


@given(st.integers(0, 2**32), st.lists(st.integers(1, 4_000), min_size=3, max_size=3))
@settings(max_examples=10, deadline=None)
def test_merging_sketches_in_any_order_stays_within_their_error(seed: int, sizes: list[int]) -> None:
    rng = np.random.default_rng(seed)
    parts = [rng.normal(size=size) for size in sizes]
    one, two, three = (column_of(part) for part in parts)
    values = np.concatenate(parts)

    for merged in (one.merge(two).merge(three), three.merge(two.merge(one))):
        median = merged.quantile(0.5)
        assert median is not None
        assert (values <= median).mean() == pytest.approx(0.5, abs=0.02 + 1 / len(values))
        assert merged.distinct == pytest.approx(len(values), rel=0.08)
        assert merged.mean == pytest.approx(values.mean(), abs=1e-9)


def assert_same(one: ColumnProfile, two: ColumnProfile) -> None:
    assert (one.count, one.nulls, one.minimum, one.maximum) == (two.count, two.nulls, two.minimum, two.maximum)
    assert one.counts == two.counts
    assert math.isclose(one.mean, two.mean, rel_tol=1e-9, abs_tol=1e-6)
    assert math.isclose(one.m2, two.m2, rel_tol=1e-6, abs_tol=1e-3)


def test_values_too_large_for_a_variance_still_make_valid_json() -> None:
    found = profile_of(pa.array([1e308, -1e308, 1e308]), "number")
    text = json.dumps(found.to_json(), allow_nan=False)

    back = DatasetProfile.from_json(json.loads(text))
    assert math.isinf(back.columns["x"].m2)
    assert (back.columns["x"].minimum, back.columns["x"].maximum) == (-1e308, 1e308)


def test_a_large_batch_is_digested_as_exactly_as_value_by_value() -> None:
    rng = np.random.default_rng(8)
    for values in (rng.normal(size=80_000), rng.lognormal(0, 3, 80_000), rng.normal(0, 900, 80_000).round()):
        found = column_of(values)
        points = np.quantile(values, np.linspace(0.001, 0.999, 200), method="inverted_cdf")
        truth = np.searchsorted(np.sort(values), points, side="right") / len(values)
        assert np.abs(found.share_up_to(points) - truth).max() < 0.002
        assert (found.share_up_to(np.array([values.max()])), found.share_below(np.array([values.min()]))) == (1.0, 0.0)


def test_a_value_that_many_rows_share_counts_up_to_it_and_not_below_it() -> None:
    rng = np.random.default_rng(9)
    values = np.where(rng.random(60_000) < 0.6, 0.0, rng.normal(size=60_000))
    found = column_of(values, batches=5)
    assert found.share_up_to(np.array([0.0]))[0] == pytest.approx((values <= 0).mean(), abs=0.015)
    assert found.share_below(np.array([0.0]))[0] == pytest.approx((values < 0).mean(), abs=0.015)


def test_a_fraction_that_most_rows_share_stays_that_fraction_in_a_large_batch() -> None:
    """0.1 has no exact sum: a cluster's mean must not move off the value."""
    values = np.where(np.arange(20_000) % 10 < 8, 0.1, np.linspace(1, 2, 20_000))
    found = column_of(values)
    assert found.counts is None
    assert (found.quantile(0.2), found.share_below(np.array([0.1]))[0]) == (0.1, 0.0)


def test_different_values_need_not_be_estimated() -> None:
    values = np.random.default_rng(10).normal(size=5_000)
    profiler = Profiler({"x": "number"}, None, distinct=False)
    for start in range(0, 5_000, 500):
        profiler.add(pa.table({"x": values[start : start + 500]}), np.zeros(500, dtype=np.int64))
    found = profiler.profile.columns["x"]
    assert math.isnan(found.distinct)
    assert not found.all_distinct
    assert found.distinct_sketch is None
    assert found.quantile(0.5) == column_of(values, batches=10).quantile(0.5)
    assert ColumnProfile.from_json(json.loads(json.dumps(found.to_json()))).distinct_sketch is None
    assert found.merge(column_of(values)).distinct_sketch is None
