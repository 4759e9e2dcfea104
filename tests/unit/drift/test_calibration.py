"""A bounded run of benchmarks/drift_calibration.py; limits leave room for the luck of few windows."""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import pairwise
from typing import Any

import pytest
from scipy import stats

from benchmarks import drift_calibration as calibration
from benchmarks.drift_calibration import DESTRUCTIONS, DISTRIBUTIONS, MIXED, UNSEEN, Design
from benchmarks.pages import DRIFT_PAGE, between_marks
from millrace.domain.drift import DriftRule

NAMES = [*DISTRIBUTIONS, MIXED]


@pytest.fixture(scope="module")
def published() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(calibration.RESULTS.read_text())
    return found


@pytest.mark.parametrize("name", NAMES)
def test_windows_in_which_nothing_changed_are_rarely_flagged(name: str) -> None:
    """At a true rate of 2 % a count beyond the limit has a chance of 1 in 10,000 in each of the sizes."""
    for seed, size, windows in ((1, (5, 300, 100), 60), (2, (20, 300, 100), 20), (3, (5, 2_000, 200), 20)):
        flagged = calibration.false_alarms(seed, Design(name, *size), windows)
        assert flagged <= stats.binom.isf(1e-4, windows, 0.02), size


@pytest.mark.parametrize("name", NAMES)
def test_half_a_standard_deviation_in_one_feature_of_twenty_is_found(name: str) -> None:
    windows = 25
    assert calibration.found(4, Design(name, 20, 300, 300), windows, calibration.shifted_by(0.5)) >= windows - 2


@pytest.mark.parametrize("change", DESTRUCTIONS)
@pytest.mark.parametrize("name", NAMES)
def test_a_destroyed_feature_is_always_found(name: str, change: str) -> None:
    if (change, name) not in UNSEEN:
        assert calibration.found(5, Design(name, 20, 300, 100), 8, DESTRUCTIONS[change][1]) == 8


def test_two_hundred_features_neither_cry_wolf_nor_hide_a_destroyed_one() -> None:
    design = Design(MIXED, 200, 300, 100)
    assert calibration.false_alarms(6, design, 4) <= 1
    assert calibration.found(7, design, 2, DESTRUCTIONS["stuck"][1]) == 2


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_the_score_grows_with_the_shift(name: str) -> None:
    """Categories cannot move further than to one level only, so their last two shifts are the same."""
    scores = calibration.mean_scores(name, 3)
    first = scores["chi_square" if DISTRIBUTIONS[name].kind == "category" else "wasserstein"]
    steps = [after - before for before, after in pairwise(first)]
    assert min(steps[:-1]) > 0
    assert steps[-1] >= 0


def test_the_page_shows_the_results_of_the_full_run(published: dict[str, Any]) -> None:
    page = DRIFT_PAGE.read_text()
    assert between_marks(page, calibration.BEGIN, calibration.END) == calibration.tables(published)


@pytest.mark.parametrize("name", ["categorical", "integer", "sparse"])
def test_the_published_scores_are_what_the_code_of_now_gives(name: str, published: dict[str, Any]) -> None:
    """To the last digit: whoever changes what the figures are of is told to measure them again."""
    assert calibration.mean_scores(name, calibration.SCORED_WINDOWS) == published["scores"][name]


@pytest.mark.parametrize("section", ["unchanged", "destroyed"])
def test_a_published_rate_is_what_the_code_of_now_gives(section: str, published: dict[str, Any]) -> None:
    """Of each section the cheapest, by its own seed."""
    steps = list(enumerate(calibration.plan(published["share"])))
    mine = [(place, step) for place, step in steps if step[0] == section]
    place, (_, design, change, windows) = min(
        mine, key=lambda each: each[1][1].features * each[1][3] * (each[1][1].window_rows + each[1][1].baseline_rows)
    )
    rate = calibration.measure(calibration.SEED + place, design, change, windows)

    number = [known for known, _ in mine].index(place)
    assert asdict(rate) == published[section][number]


def test_the_published_figures_are_those_of_the_shipped_rule_and_meet_the_promises(published: dict[str, Any]) -> None:
    assert published["rule"] == DriftRule().model_dump()
    assert {rate["distribution"] for rate in published["unchanged"]} == set(NAMES)
    windows, flagged = (sum(rate[key] for rate in published["unchanged"]) for key in ("windows", "flagged"))
    assert calibration.wilson(flagged, windows)[1] <= 0.02
    for rate in published["unchanged"]:
        assert stats.binom.sf(rate["flagged"] - 1, rate["windows"], 0.02) > 1e-3, rate
    for rate in published["shifted"]:
        assert stats.binom.cdf(rate["flagged"], rate["windows"], 0.99) > 1e-3, rate
    assert all(rate["flagged"] == rate["windows"] for rate in published["destroyed"])
    for name, scores in published["scores"].items():
        first = scores["chi_square" if DISTRIBUTIONS[name].kind == "category" else "wasserstein"]
        assert first == sorted(first)


def test_the_interval_of_a_share_is_wilsons() -> None:
    expected = stats.binomtest(7, 300).proportion_ci(method="wilson")
    assert calibration.wilson(7, 300) == pytest.approx((expected.low, expected.high), rel=1e-4)
