from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from millrace.analytics.drift import significance
from millrace.analytics.drift.distributions import Categories, Nulls, Numbers
from millrace.analytics.gamma import upper_gamma_share
from tests.unit.drift.columns import feature, patient


def numbers_of(before: object, after: object) -> Numbers:
    values = feature(before, after).values
    assert isinstance(values, Numbers)
    return values


def categories_of(before: object, after: object) -> Categories:
    values = feature(before, after, "category").values
    assert isinstance(values, Categories)
    return values


@patient
@given(st.floats(0.01, 3_000), st.floats(0.01, 3_000))
def test_the_gamma_share_is_scipys(shape: float, point: float) -> None:
    assert upper_gamma_share(shape, point) == pytest.approx(stats.gamma.sf(point, shape), abs=1e-10)


@patient
@given(st.floats(-6, 12), st.floats(-3, 3))
def test_the_tail_of_a_skewed_distribution_is_scipys(distance: float, skewness: float) -> None:
    expected = stats.pearson3.sf(distance, skewness if abs(skewness) >= 0.005 else 0.0)
    assert significance.upper_share(distance, skewness) == pytest.approx(expected, abs=1e-9)


def test_a_gamma_tail_is_right_far_out() -> None:
    assert upper_gamma_share(5, 60) == pytest.approx(stats.gamma.sf(60, 5), rel=1e-9)


def test_on_normal_data_the_location_test_agrees_with_a_t_test() -> None:
    rng = np.random.default_rng(5)
    before, after = rng.normal(size=400), rng.normal(0.25, 1, 300)
    expected = stats.ttest_ind(before, after).pvalue
    assert math.log(significance.location_test(numbers_of(before, after))) == pytest.approx(math.log(expected), rel=0.1)


def test_the_spread_test_sees_what_the_location_test_cannot() -> None:
    rng = np.random.default_rng(6)
    before, after = rng.normal(size=500), rng.normal(0, 1.6, 500)
    found = numbers_of(before, after)
    assert significance.spread_test(found) < 1e-6
    assert significance.location_test(found) > 0.01


def test_the_shape_test_sees_two_humps_with_the_same_location_and_spread() -> None:
    rng = np.random.default_rng(7)
    before = rng.normal(size=900)
    after = np.where(rng.random(900) < 0.5, -1, 1) * rng.normal(0.97, 0.24, 900)
    assert significance.shape_test(numbers_of(before, after)) < 1e-6


def test_the_shape_test_is_never_bolder_than_the_exact_one() -> None:
    rng = np.random.default_rng(8)
    for _ in range(20):
        before, after = rng.normal(size=120), rng.normal(0.3, 1, 90)
        exact = stats.ks_2samp(before, after, method="exact").pvalue
        assert exact * 0.999 <= significance.shape_test(numbers_of(before, after)) <= 4 * exact + 0.2


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 30), st.integers(1, 300), st.integers(0, 30), st.integers(1, 300))
def test_missing_values_are_judged_about_as_by_the_exact_test(a: int, b: int, c: int, d: int) -> None:
    p_value = significance.nulls_test(Nulls(a, b, c, d))
    exact = stats.fisher_exact([[a, b], [c, d]]).pvalue
    if a + c == 0:
        assert p_value == 1.0
    elif exact > 1e-12:
        # Twice the smaller tail is the other convention of two-sidedness: at most twice as cautious.
        assert exact / 2.6 <= p_value + 1e-3 * exact + 1e-6
        assert p_value <= 6 * exact + 0.05


def test_rare_values_do_not_cry_wolf_in_the_tail() -> None:
    """One row in a hundred is not zero: a normal approximation calls 6 of 100 a one-in-a-million event."""
    before = np.array([99_000.0, 1_000.0])
    after = np.array([94.0, 6.0])
    exact = stats.hypergeom.sf(5, 100_100, 1_006, 100)
    p_value = significance.score_test(np.array([0.0, 1.0]), before, after, step=1.0)
    assert exact <= p_value / 2 <= 2.2 * exact
    assert 2 * stats.norm.sf(5.0) < exact / 500


def test_the_levels_test_is_right_in_the_tail_of_all_permutations_even_with_rare_levels() -> None:
    """Pearson's statistic would be called a 1-in-20,000 event ten times too often here."""
    pooled, after = np.array([90_000, 6_000, 2_500, 2_400, 2_300]), 100
    names = tuple("abcde")
    rng = np.random.default_rng(9)
    windows = rng.multivariate_hypergeometric(pooled, after, size=4_000).astype(float)
    p_values = np.array(
        [significance.levels_test(Categories(names, pooled - window, window, 0.0, 0.0)) for window in windows]
    )
    assert (p_values <= 0.01).mean() == pytest.approx(0.01, abs=0.005)
    assert (p_values <= 0.001).mean() <= 0.003


def test_with_many_rows_per_level_the_levels_test_is_scipys_g_test() -> None:
    before, after = ["a"] * 500 + ["b"] * 300 + ["c"] * 200, ["a"] * 450 + ["b"] * 330 + ["c"] * 220
    expected = stats.chi2_contingency([[500, 300, 200], [450, 330, 220]], lambda_="log-likelihood").pvalue
    assert significance.levels_test(categories_of(before, after)) == pytest.approx(expected, rel=0.02)


def test_a_swarm_of_values_never_seen_is_significant_though_each_is_rare() -> None:
    before = ["a"] * 200 + ["b"] * 200
    after = ["a"] * 100 + ["b"] * 100 + [f"new-{place}" for place in range(60)]
    assert significance.levels_test(categories_of(before, after)) < 1e-9


def test_values_that_are_nearly_all_different_say_nothing() -> None:
    found = categories_of([f"a{place}" for place in range(200)], [f"b{place}" for place in range(200)])
    assert significance.levels_test(found) == 1.0


def test_one_level_that_moves_is_seen_sooner_than_by_all_levels_together() -> None:
    rng = np.random.default_rng(10)
    names = np.array([f"l{place:02}" for place in range(30)])
    shares = np.array([0.4, *[0.6 / 29] * 29])
    after = np.where(rng.random(300) < 0.25, "l00", rng.choice(names, 300, p=shares))
    found = categories_of(rng.choice(names, 300, p=shares), after)
    assert significance.level_test(found) < significance.levels_test(found) / 10


@pytest.mark.parametrize("kind", ["number", "category"])
def test_p_values_of_unchanged_features_are_uniform_or_above(kind: str) -> None:
    rng = np.random.default_rng(11)
    found: dict[str, list[float]] = {}
    for _ in range(300):
        drawn = [rng.poisson(2, rows) for rows in (150, 120)]
        if kind == "number":
            numbers = numbers_of(*[sample.astype(float) for sample in drawn])
            for test in (significance.location_test, significance.spread_test, significance.shape_test):
                found.setdefault(test.__name__, []).append(test(numbers))
        else:
            levels = categories_of(*[sample.astype(str) for sample in drawn])
            for judge in (significance.levels_test, significance.level_test):
                found.setdefault(judge.__name__, []).append(judge(levels))
    for name, p_values in found.items():
        for limit in (0.01, 0.05, 0.2):
            count = int((np.array(p_values) <= limit).sum())
            assert stats.binom.sf(count - 1, 300, limit) > 1e-3, (name, limit, count)


def test_both_samples_being_finite_counts() -> None:
    """The same window against ten times fewer baseline rows is less certain."""
    rng = np.random.default_rng(12)
    before, after = rng.normal(size=1_000), rng.normal(0.5, 1, 200)
    assert significance.location_test(numbers_of(before[:100], after)) > 100 * significance.location_test(
        numbers_of(before, after)
    )


def test_g_is_corrected_as_williams_published_it() -> None:
    before, after = np.array([30.0, 20.0, 10.0]), np.array([10.0, 10.0, 15.0])
    statistic = stats.chi2_contingency([before, after], correction=False, lambda_="log-likelihood").statistic
    rows, columns, total = [60.0, 35.0], [40.0, 30.0, 25.0], 95.0
    factor = 1 + (sum(total / r for r in rows) - 1) * (sum(total / c for c in columns) - 1) / (6 * total * 1 * 2)
    found = significance.levels_test(Categories(("a", "b", "c"), before, after, 0.0, 0.0))
    assert found == pytest.approx(stats.chi2.sf(statistic / factor, 2), rel=1e-9)


def test_what_sketches_could_have_added_is_no_evidence() -> None:
    rng = np.random.default_rng(13)
    values = feature(rng.normal(size=60_000), rng.normal(0.03, 1, 60_000), batches=3).values
    assert isinstance(values, Numbers)
    exact = dataclasses.replace(values, rank_error=0.0)
    for test in (significance.location_test, significance.shape_test):
        assert test(exact) < 1e-3
        assert test(values) == 1.0
