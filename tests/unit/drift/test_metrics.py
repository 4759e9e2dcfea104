from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon

from millrace.analytics.drift import DRIFT_METRICS
from millrace.analytics.drift.distributions import Categories, Feature, Numbers, bin_edges
from millrace.analytics.drift.metric import Applies
from tests.unit.drift.columns import column, feature, patient

numbers = st.lists(
    st.one_of(st.integers(-20, 20).map(float), st.floats(-1e6, 1e6, allow_subnormal=False)), min_size=2, max_size=60
)
levels = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=60)
EXACT = {"abs": 1e-9, "rel": 1e-9}


def score(name: str, found: Feature) -> float:
    return DRIFT_METRICS[name].score(found)


def shares_by_definition(values: list[float], edges: Any) -> Any:
    """Bins closed on the right, outer ones open, counted one value at a time."""
    counts = np.zeros(len(edges) + 1)
    for value in values:
        counts[sum(value > edge for edge in edges)] += 1
    return counts / len(values)


@patient
@given(numbers, numbers)
def test_kolmogorov_smirnov_is_scipys(before: list[float], after: list[float]) -> None:
    expected = stats.ks_2samp(before, after, method="asymp").statistic
    assert score("kolmogorov_smirnov", feature(before, after)) == pytest.approx(expected, **EXACT)


@patient
@given(numbers, numbers)
def test_wasserstein_is_scipys_over_the_baselines_standard_deviation(before: list[float], after: list[float]) -> None:
    deviation = np.std(before, ddof=1)
    if deviation > 1e-6 * max(1.0, np.abs(before).max()):
        expected = stats.wasserstein_distance(before, after) / deviation
        assert score("wasserstein", feature(before, after)) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@patient
@given(numbers, numbers)
def test_psi_and_jensen_shannon_of_numbers_are_their_definitions(before: list[float], after: list[float]) -> None:
    edges = bin_edges(column(before))
    base, window = shares_by_definition(before, edges), shares_by_definition(after, edges)
    pairs = [(max(b, 1e-4), max(w, 1e-4)) for b, w in zip(base, window, strict=True)]
    found = feature(before, after)

    assert score("psi", found) == pytest.approx(sum((w - b) * math.log(w / b) for b, w in pairs), **EXACT)
    assert score("jensen_shannon", found) ** 2 == pytest.approx(jensenshannon(base, window, base=2) ** 2, **EXACT)


@patient
@given(levels, levels)
def test_metrics_of_categories_are_scipys_or_their_definitions(before: list[str], after: list[str]) -> None:
    found = feature(before, after, "category")
    names = sorted(set(before) | set(after))
    table = np.array([[values.count(name) for name in names] for values in (before, after)])
    known = [name for name in names if name in before]
    bins = [[values.count(name) / len(values) for name in known] for values in (before, after)]
    bins = [[*shares, max(0.0, 1 - sum(shares))] for shares in bins]
    pairs = [(max(b, 1e-4), max(w, 1e-4)) for b, w in zip(*bins, strict=True)]
    scale = 1 / len(before) + 1 / len(after)

    assert score("psi", found) == pytest.approx(sum((w - b) * math.log(w / b) for b, w in pairs), **EXACT)
    assert score("jensen_shannon", found) ** 2 == pytest.approx(jensenshannon(*bins, base=2) ** 2, **EXACT)
    if len(names) > 1:
        for name, kind in (("chi_square", "pearson"), ("g_test", "log-likelihood")):
            statistic = stats.chi2_contingency(table, correction=False, lambda_=kind).statistic
            assert score(name, found) ** 2 == pytest.approx(statistic * scale, **EXACT)
    new = sum(count for name, count in Counter(after).items() if name not in before) / len(after)
    assert score("new_categories", found) == pytest.approx(new, **EXACT)


@patient
@given(st.lists(st.none() | st.floats(-5, 5), min_size=1), st.lists(st.none() | st.floats(-5, 5), min_size=1))
def test_null_share_is_the_difference_of_the_shares(before: list[float | None], after: list[float | None]) -> None:
    shares = [values.count(None) / len(values) for values in (before, after)]
    assert score("null_share", feature(before, after)) == pytest.approx(abs(shares[1] - shares[0]), **EXACT)


@patient
@given(numbers)
def test_nothing_differs_from_itself_in_numbers(values: list[float]) -> None:
    found = feature(values, values)
    assert [metric.score(found) for metric in DRIFT_METRICS.values() if metric.applies(found)] == [0.0] * 5


@patient
@given(levels)
def test_nothing_differs_from_itself_in_categories(values: list[str]) -> None:
    found = feature(values, values, "category")
    scores = [metric.score(found) for metric in DRIFT_METRICS.values() if metric.applies(found)]
    assert scores == pytest.approx([0.0] * 6, abs=1e-7)


@patient
@given(numbers, numbers)
def test_scores_are_finite_and_not_negative(before: list[float], after: list[float]) -> None:
    found = feature(before, after)
    scores = [metric.score(found) for metric in DRIFT_METRICS.values() if metric.applies(found)]
    assert all(0 <= value < math.inf for value in scores)


@patient
@given(numbers, numbers, numbers)
def test_bins_come_from_the_baseline_alone(before: list[float], one: list[float], other: list[float]) -> None:
    values = [feature(before, window).values for window in (one, other)]
    assert all(isinstance(value, Numbers) for value in values)
    assert np.array_equal(values[0].baseline_bins, values[1].baseline_bins)  # type: ignore[union-attr]


def test_bins_are_tenths_or_single_values_while_these_are_few() -> None:
    assert bin_edges(column([1.0, 2.0, 2.0, 5.0])).tolist() == [1, 2, 5]
    assert bin_edges(column(list(range(100)), "integer")).tolist() == [9, 19, 29, 39, 49, 59, 69, 79, 89]
    assert bin_edges(column([0.0] * 75 + list(range(1, 26)))).tolist() == [0, 5, 15]


def test_a_value_beyond_the_baseline_falls_in_the_outer_bins() -> None:
    values = feature(list(range(100)), [-1000.0, 1000.0], "number").values
    assert values is not None
    assert values.window_bins.tolist() == [0.5, *[0.0] * 8, 0.5]


def test_a_pure_shift_by_one_standard_deviation_scores_one() -> None:
    values = np.random.default_rng(1).normal(size=500)
    assert score("wasserstein", feature(values, values + values.std(ddof=1))) == pytest.approx(1.0)


def test_a_constant_baseline_measures_in_its_own_size() -> None:
    assert score("wasserstein", feature([4.0] * 9, [6.0] * 9)) == 0.5
    assert score("wasserstein", feature([0.0] * 9, [3.0] * 9)) == 3.0


def test_values_too_large_for_a_variance_are_measured_by_their_quartiles() -> None:
    before = [1e300 * place for place in range(9)]
    assert score("wasserstein", feature(before, [value + 4e300 for value in before])) == pytest.approx(1.3489795)


@pytest.mark.parametrize("rows", [3_000, 40_000])
@pytest.mark.parametrize("shift", [0.0, 0.15, 0.6, 2.0])
@pytest.mark.parametrize("draw", ["normal", "lognormal", "standard_exponential", "zero_inflated", "rounded"])
def test_sketched_scores_are_within_their_stated_error(draw: str, shift: float, rows: int) -> None:
    rng = np.random.default_rng(3)

    def sample() -> Any:
        if draw == "zero_inflated":
            return np.where(rng.random(rows) < 0.6, 0.0, rng.lognormal(size=rows))
        if draw == "rounded":
            return rng.normal(0, 400, rows).round()
        return getattr(rng, draw)(size=rows)

    before, after = sample(), sample()
    after = np.where(after == 0, 0.0, after + shift * before.std())
    sketched = feature(before, after, batches=4)
    assert isinstance(sketched.values, Numbers)
    assert sketched.values.rank_error > 0

    edges = np.unique(np.quantile(before, np.arange(1, 10) / 10, method="inverted_cdf"))
    base, window = shares_by_numpy(before, edges), shares_by_numpy(after, edges)
    truth = {
        "kolmogorov_smirnov": stats.ks_2samp(before, after, method="asymp").statistic,
        "wasserstein": stats.wasserstein_distance(before, after) / before.std(ddof=1),
        "psi": float(((window - base) * np.log(np.maximum(window, 1e-4) / np.maximum(base, 1e-4))).sum()),
        "jensen_shannon": jensenshannon(base, window, base=2),
    }
    for name, expected in truth.items():
        metric = DRIFT_METRICS[name]
        assert metric.score(sketched) == pytest.approx(expected, abs=metric.error(sketched)), name
    assert DRIFT_METRICS["kolmogorov_smirnov"].error(sketched) < 0.045
    assert DRIFT_METRICS["wasserstein"].error(sketched) < 0.3


def shares_by_numpy(values: Any, edges: Any) -> Any:
    return np.bincount(np.searchsorted(edges, values, side="left"), minlength=len(edges) + 1) / len(values)


def test_sketched_categories_are_within_their_stated_error() -> None:
    rng = np.random.default_rng(4)
    shares = 1 / np.arange(1, 3_001) ** 1.2
    before, after = (
        np.array([f"level-{place}" for place in rng.choice(3_000, 50_000, p=weights / weights.sum())])
        for weights in (shares, np.where(np.arange(3_000) == 2, 8 * shares, shares))
    )
    found = feature(before, after, "category", batches=5)
    assert isinstance(found.values, Categories)
    assert found.values.rank_error > 0
    counts = [Counter(values.tolist()) for values in (before, after)]
    table = np.array([[count[name] for name in counts[0] | counts[1]] for count in counts])
    expected = math.sqrt(stats.chi2_contingency(table, correction=False).statistic * 2 / 50_000)
    assert score("chi_square", found) == pytest.approx(expected, abs=DRIFT_METRICS["chi_square"].error(found))


def test_exact_profiles_have_no_error() -> None:
    for found in (feature([1.0, 2.0], [2.0, 3.0]), feature(["a"], ["b"], "category")):
        assert [metric.error(found) for metric in DRIFT_METRICS.values() if metric.applies(found)].count(0.0) >= 5


def test_every_metric_says_what_it_is() -> None:
    for name, metric in DRIFT_METRICS.items():
        assert metric.name == name
        assert metric.title
        assert metric.formula
        assert metric.source
        assert metric.default_threshold > 0


def test_metrics_apply_to_their_own_kind_of_values() -> None:
    of_numbers = {metric.name for metric in DRIFT_METRICS.values() if metric.applies(feature([1.0], [2.0]))}
    of_categories = {
        metric.name for metric in DRIFT_METRICS.values() if metric.applies(feature(["a"], ["b"], "category"))
    }
    of_nothing = {metric.name for metric in DRIFT_METRICS.values() if metric.applies(feature([None], [1.0]))}
    assert of_numbers == {"wasserstein", "kolmogorov_smirnov", "psi", "jensen_shannon", "null_share"}
    assert of_categories == {"psi", "jensen_shannon", "chi_square", "g_test", "new_categories", "null_share"}
    assert of_nothing == {"null_share"}
    assert DRIFT_METRICS["null_share"].applies_to == (Applies.NULLS,)


@settings(max_examples=40, deadline=None)
@given(numbers, numbers, st.integers(0, 50))
def test_scores_do_not_depend_on_how_rows_were_batched(before: list[float], after: list[float], cut: int) -> None:
    whole = feature(before, after)
    one, two = column(after[:cut]), column(after[cut:])
    from millrace.analytics.drift.distributions import feature_of

    merged = feature_of(column(before), one.merge(two))
    for metric in DRIFT_METRICS.values():
        if metric.applies(whole):
            assert metric.score(merged) == pytest.approx(metric.score(whole), **EXACT)


@pytest.mark.parametrize("seed", range(4))
def test_cells_of_sketches_hold_every_row_once(seed: int) -> None:
    """Also where a point of the grid lies one float beside a value that most rows share."""
    rng = np.random.default_rng(seed)
    one, other = (np.where(rng.random(5_000) < 0.6, 0.0, rng.lognormal(size=5_000)) for _ in "ab")
    values = feature(one, other + 0.5 * other.std(), batches=3).values
    assert isinstance(values, Numbers)
    for counts in (values.baseline, values.window):
        assert counts.min() >= 0
        assert counts.sum() == pytest.approx(5_000)


def test_sketched_distributions_rise_between_the_points_of_their_grid() -> None:
    rng = np.random.default_rng(5)
    before, after = rng.lognormal(size=40_000), 2 * rng.lognormal(size=40_000)
    expected = stats.wasserstein_distance(before, after) / before.std(ddof=1)
    assert score("wasserstein", feature(before, after, batches=3)) == pytest.approx(expected, abs=0.02)


def test_levels_too_many_to_list_are_counted_as_others() -> None:
    before, after = ([f"{side}-{place}" for place in range(6_000)] * 2 for side in "ab")
    values = feature(before, after, "category", batches=2).values
    assert isinstance(values, Categories)
    assert (values.baseline.sum(), values.window.sum()) == (12_000, 12_000)
    assert len(values.levels) == len(values.baseline) == len(values.window)
