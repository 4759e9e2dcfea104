from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.analytics.drift import significance
from millrace.analytics.drift.decision import _benjamini_hochberg, judge_drift
from millrace.analytics.drift.distributions import Categories, Numbers, feature_of
from millrace.analytics.profiling import DatasetProfile
from millrace.domain.drift import (
    DriftJudgement,
    DriftKind,
    DriftReport,
    DriftRule,
    DriftSeverity,
    DriftSource,
    DriftVerdict,
    FeatureDrift,
)
from tests.unit.drift.columns import patient, table_profile

OK, DRIFT, SKIPPED = DriftVerdict.OK, DriftVerdict.DRIFT, DriftVerdict.SKIPPED


def sample(rng: np.random.Generator, rows: int = 500, **changed: Any) -> DatasetProfile:
    """Five plain features; `changed` replaces or adds columns."""
    columns = {
        "temp": ("number", rng.normal(50, 10, rows)),
        "wind": ("number", rng.lognormal(1, 0.5, rows)),
        "seats": ("integer", rng.poisson(4, rows)),
        "late": ("boolean", (rng.random(rows) < 0.3).tolist()),
        "carrier": ("category", rng.choice(["AA", "B6", "UA", "DL"], rows, p=[0.4, 0.3, 0.2, 0.1]).tolist()),
    }
    return table_profile(**{**columns, **changed})


def judge(changed: Mapping[str, Any], *, before: Mapping[str, Any] | None = None, **how: Any) -> DriftJudgement:
    rng = np.random.default_rng(21)
    return judge_drift(sample(rng, **(before or {})), sample(rng, **changed), **how)


def entry(judgement: DriftJudgement, name: str) -> FeatureDrift:
    return next(feature for feature in judgement.features if feature.feature == name)


def warm(rows: int = 500, degrees: float = 61.0) -> tuple[str, Any]:
    return ("number", np.random.default_rng(22).normal(degrees, 10, rows))


def test_a_window_like_the_baseline_is_ok_and_says_what_it_would_have_seen() -> None:
    outcome = judge({})
    assert (outcome.verdict, outcome.severity) == (OK, DriftSeverity.NONE)
    assert outcome.smallest_shift_sd is not None
    assert outcome.sentence == (
        f"No drift in 5 features over 500 rows; a shift of {outcome.smallest_shift_sd:.2f} sd in one of them"
        " would have been seen."
    )
    assert outcome.false_alarm_share == pytest.approx(0.012)


def test_a_feature_that_rose_is_named_with_direction_size_and_importance() -> None:
    outcome = judge({"temp": warm()}, importances={"temp": 0.22, "wind": 0.78})
    assert (outcome.verdict, outcome.severity) == (DRIFT, DriftSeverity.MAJOR)
    assert [feature.feature for feature in outcome.drifted] == ["temp"]
    assert entry(outcome, "temp").sentence == "`temp` rose by 1.2 sd; this feature carries 22 % of the model"
    assert outcome.sentence == (
        "Drift in 1 of 5 features over 500 rows: `temp` rose by 1.2 sd; this feature carries 22 % of the model."
    )


def test_what_changed_is_said_in_words() -> None:
    rng = np.random.default_rng(23)
    rows = 500
    cases: list[tuple[str, tuple[str, Any], str]] = [
        ("temp", warm(degrees=44), "`temp` fell by 0.6 sd"),
        ("temp", ("number", rng.normal(50, 24, rows)), "`temp` spreads 2.6 times as wide as before"),
        ("temp", ("number", [50.0] * rows), "`temp` is always 50"),
        ("temp", ("number", [None, 50.0] * 250), "`temp` is missing in 50 % of rows, 0 % before and is always 50"),
        ("temp", ("number", [None] * rows), "`temp` is missing in 100 % of rows, 0 % before"),
        ("carrier", ("category", ["AA"] * 450 + ["B6"] * 50), "`carrier` has 'AA' in 90 % of rows, 4"),
        ("carrier", ("category", ["XX"] * rows), "`carrier` has values never seen before in 100 % of rows"),
    ]  # fmt: skip
    for name, column, said in cases:
        assert entry(judge({name: column}), name).sentence.startswith(said), said


def test_two_humps_are_a_change_of_shape() -> None:
    rng = np.random.default_rng(24)
    humps = 50 + 10 * np.where(rng.random(500) < 0.5, -1, 1) * rng.normal(0.97, 0.24, 500)
    found = entry(judge({"temp": ("number", humps)}), "temp")
    assert found.verdict is DRIFT
    assert "spreads" in found.sentence or "changed its shape" in found.sentence


def test_too_few_rows_are_skipped_not_ok() -> None:
    rng = np.random.default_rng(25)
    outcome = judge_drift(sample(rng), sample(rng, 41))
    assert (outcome.verdict, outcome.features) == (SKIPPED, ())
    assert outcome.sentence == "Not judged: too few rows: 41, need 100."
    small = judge_drift(sample(rng, 60), sample(rng))
    assert small.sentence == "Not judged: too few rows in the baseline: 60, need 100."


def test_no_baseline_is_skipped() -> None:
    outcome = judge_drift(None, sample(np.random.default_rng(26)))
    assert (outcome.verdict, outcome.sentence) == (SKIPPED, "Not judged: no baseline.")
    assert (outcome.baseline_rows, outcome.window_rows) == (0, 500)


def test_features_that_cannot_be_judged_are_skipped_each_with_its_reason() -> None:
    rows, start = 500, date(2024, 1, 1)
    ids = {"id": ("category", [f"id-{n}" for n in range(rows)])}
    days = {"day": ("date", [start + timedelta(days=n % 90) for n in range(rows)])}
    flat = {"flat": ("number", [3.0] * rows)}
    rare = {"rare": ("number", [float(n) if n < 41 else None for n in range(rows)])}
    empty = {"empty": ("number", [None] * rows)}
    extra = ids | days | flat | rare | empty
    outcome = judge(extra, before=extra)

    reasons = {feature.feature: feature.reason for feature in outcome.features if feature.verdict is SKIPPED}
    assert reasons == {
        "id": "nearly every value is another one, as in an identifier",
        "day": "time moves on by itself",
        "flat": "constant",
        "rare": "too few values: 41, need 100",
        "empty": "no values in the baseline",
    }
    assert outcome.verdict is OK
    assert outcome.sentence.endswith("would have been seen; 5 skipped.")


def test_a_window_in_which_nothing_can_be_judged_is_skipped() -> None:
    flat = {"flat": ("number", [3.0] * 200)}
    outcome = judge_drift(table_profile(**flat), table_profile(**flat))
    assert (outcome.verdict, outcome.sentence) == (SKIPPED, "Not judged: no feature could be compared.")


def test_a_constant_that_becomes_another_constant_drifts() -> None:
    outcome = judge({"flat": ("number", [4.0] * 500)}, before={"flat": ("number", [3.0] * 500)})
    assert entry(outcome, "flat").verdict is DRIFT


def test_a_feature_that_fills_up_with_nulls_drifts_though_too_few_values_are_left() -> None:
    outcome = judge({"temp": ("number", [50.0 + n if n < 41 else None for n in range(500)])})
    assert entry(outcome, "temp").verdict is DRIFT
    assert entry(outcome, "temp").destroyed
    assert outcome.severity is DriftSeverity.SEVERE


def test_a_column_that_is_gone_or_has_another_kind_drifts() -> None:
    rng = np.random.default_rng(27)
    window = sample(rng, wind=("category", ["calm"] * 500))
    columns = {name: column for name, column in window.columns.items() if name != "temp"}
    outcome = judge_drift(sample(rng), DatasetProfile(columns=columns, rows=500))
    assert entry(outcome, "temp").sentence == "`temp`: missing from the window"
    assert entry(outcome, "wind").sentence == "`wind`: its kind changed from number to category"
    assert outcome.severity is DriftSeverity.SEVERE


def test_whole_numbers_and_numbers_compare() -> None:
    rng = np.random.default_rng(28)
    window = sample(rng, seats=("number", rng.poisson(4, 500).astype(float)))
    assert entry(judge_drift(sample(rng), window), "seats").verdict is OK


def test_only_the_named_features_are_judged() -> None:
    outcome = judge({"temp": warm()}, features=["wind", "unknown"])
    assert [(feature.feature, feature.verdict) for feature in outcome.features] == [("wind", OK), ("unknown", SKIPPED)]
    assert entry(outcome, "unknown").reason == "not in the baseline"


def test_the_target_is_no_feature_unless_named() -> None:
    rng = np.random.default_rng(29)
    baseline = sample(rng)
    baseline = DatasetProfile(columns=baseline.columns, rows=baseline.rows, target="late")
    assert "late" not in {feature.feature for feature in judge_drift(baseline, sample(rng)).features}
    assert judge_drift(baseline, sample(rng), features=["late"]).features[0].verdict is OK


def test_a_real_but_tiny_change_is_below_the_floor_whatever_the_rows() -> None:
    rng = np.random.default_rng(30)
    baseline, window = (table_profile(batches=4, x=("number", rng.normal(middle, 1, 60_000))) for middle in (0.0, 0.08))
    judged = judge_drift(baseline, window)
    assert judged.verdict is OK
    lowered = {"wasserstein": 0.01}
    exact = [table_profile(x=("integer", rng.binomial(40, share, 60_000))) for share in (0.5, 0.507)]
    assert judge_drift(*exact).verdict is OK
    assert judge_drift(*exact, rule=DriftRule(thresholds=lowered)).verdict is DRIFT


def test_a_large_score_without_evidence_is_no_drift() -> None:
    """100 rows of 40 levels: distances are far beyond their thresholds by chance alone."""
    rng = np.random.default_rng(31)
    baseline, window = (table_profile(x=("category", rng.integers(0, 40, 100).astype(str).tolist())) for _ in "ab")
    judged = judge_drift(baseline, window)
    assert judged.verdict is OK
    assert any(score.score > score.threshold for score in judged.features[0].scores)


def test_importance_decides_what_the_evidence_must_be() -> None:
    """A borderline change is found where the model leans on the feature and not where it does not."""
    rng = np.random.default_rng(32)
    base = {f"x{n}": ("number", rng.normal(size=300)) for n in range(20)}
    moved = {**{f"x{n}": ("number", rng.normal(size=300)) for n in range(20)}, "x0": ("number", rng.normal(size=300))}
    found = None
    for step in range(10, 60):
        shifted = {**moved, "x0": ("number", np.asarray(moved["x0"][1]) + step / 100)}
        profiles = table_profile(**base), table_profile(**shifted)
        verdicts = [
            entry(judge_drift(*profiles, importances=importances), "x0").verdict
            for importances in ({"x0": 1.0}, None, {"x1": 1.0})
        ]
        if verdicts[0] is DRIFT and found is None:
            found = verdicts
    assert found == [DRIFT, OK, OK]
    assert verdicts == [DRIFT, DRIFT, DRIFT]


def test_a_destroyed_feature_is_found_though_the_model_does_not_use_it() -> None:
    outcome = judge({"temp": ("number", [50.0] * 500)}, importances={"wind": 1.0})
    assert entry(outcome, "temp").destroyed
    assert outcome.severity is DriftSeverity.SEVERE


def test_drift_in_features_that_carry_little_is_minor() -> None:
    importances = {"temp": 0.02, "wind": 0.98}
    assert judge({"temp": warm(degrees=56)}, importances=importances).severity is DriftSeverity.MINOR
    assert judge({"temp": warm(degrees=56)}).severity is DriftSeverity.MAJOR
    heavy = {"temp": 0.6, "wind": 0.4}
    assert judge({"temp": warm(degrees=56)}, importances=heavy).severity is DriftSeverity.SEVERE


def test_the_worst_feature_is_named_first_and_the_others_counted() -> None:
    outcome = judge({"temp": warm(), "wind": ("number", [None] * 500)}, importances={"temp": 0.7, "wind": 0.1})
    assert outcome.sentence.startswith("Drift in 2 of 5 features over 500 rows: `temp` rose by 1.2 sd")
    assert outcome.sentence.endswith(" And 1 more.")


def test_more_features_and_fewer_rows_see_less() -> None:
    rng = np.random.default_rng(33)

    def smallest(features: int, rows: int) -> float:
        columns = {f"x{n}": ("number", rng.normal(size=rows)) for n in range(features)}
        found = judge_drift(table_profile(**columns), table_profile(**columns)).smallest_shift_sd
        assert found is not None
        return found

    assert smallest(2, 300) < smallest(20, 300) < smallest(20, 100)


@pytest.mark.parametrize("kind", ["number", "category"])
def test_the_smallest_shift_is_found_in_about_80_of_100_windows(kind: str) -> None:
    rng = np.random.default_rng(34)
    rule = DriftRule(false_discovery_share=0.001)  # as if there were ten features more
    found, rows, smallest = 0, 200, 0.0

    def draw(shift: float) -> DatasetProfile:
        if kind == "number":
            return table_profile(x=("number", rng.normal(shift, 1, rows)))
        return table_profile(x=("category", np.where(rng.random(rows) < 0.5 + shift / 2, "a", "b").tolist()))

    for _ in range(150):
        baseline = draw(0.0)
        smallest = judge_drift(baseline, draw(0.0), rule=rule).smallest_shift_sd or smallest
        found += judge_drift(baseline, draw(smallest), rule=rule).verdict is DRIFT
    assert 0.68 <= found / 150 <= 0.93


@patient
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_false_discovery_control_is_the_published_procedure(p_values: list[float]) -> None:
    from scipy.stats import false_discovery_control

    expected = false_discovery_control(p_values) <= 0.1
    found = np.array(_benjamini_hochberg(p_values, 0.1))
    near = np.abs(false_discovery_control(p_values) - 0.1) < 1e-12
    assert (found == expected)[~near].all()


def test_the_judgement_does_not_depend_on_the_order_of_features() -> None:
    rng = np.random.default_rng(35)
    baseline, window = sample(rng), sample(rng, temp=warm())
    turned = [DatasetProfile(columns=dict(reversed(p.columns.items())), rows=p.rows) for p in (baseline, window)]
    plain, reversed_ = judge_drift(baseline, window), judge_drift(*turned)
    assert {f.feature: f for f in plain.features} == {f.feature: f for f in reversed_.features}


def test_a_report_survives_json() -> None:
    outcome = judge({"temp": warm(), "wind": ("number", [None] * 500)}, importances={"temp": 1.0})
    report = DriftReport(
        **dict(outcome),
        id="d-1",
        run_id="drift-1",
        model="flights",
        number=1,
        kind=DriftKind.DATA,
        source=DriftSource.BATCH,
        baseline="flights:1",
        window="batch-7",
        day=date(2024, 5, 1),
        created_at=datetime(2024, 5, 1, tzinfo=UTC),
    )
    assert DriftReport.model_validate_json(report.model_dump_json()) == report
    assert [feature.feature for feature in report.drifted] == ["temp", "wind"]


def test_profiles_that_travelled_as_json_are_judged_the_same() -> None:
    rng = np.random.default_rng(36)
    baseline, window = sample(rng, 3_000), sample(rng, 3_000, temp=warm(3_000))
    travelled = [DatasetProfile.from_json(profile.to_json()) for profile in (baseline, window)]
    assert judge_drift(*travelled) == judge_drift(baseline, window)


def test_the_p_value_is_the_least_of_its_tests_each_by_its_weight() -> None:
    """With no missing values on either side their weight goes to the other tests."""
    rng = np.random.default_rng(37)
    plain = rng.normal(size=400)
    humps = np.where(rng.random(400) < 0.5, -1, 1) * rng.normal(0.97, 0.24, 400)
    cases = [
        (significance.location_test, 0.7, plain, rng.normal(0.3, 1, 400)),
        (significance.spread_test, 0.075, plain, rng.normal(0, 1.5, 400)),
        (significance.shape_test, 0.15, plain, humps),
    ]
    for test, weight, before, after in cases:
        profiles = table_profile(x=("number", before)), table_profile(x=("number", after))
        values = feature_of(profiles[0].columns["x"], profiles[1].columns["x"]).values
        assert isinstance(values, Numbers)
        assert entry(judge_drift(*profiles), "x").p_value == pytest.approx(test(values) * 0.925 / weight), test.__name__


def test_the_p_value_of_categories_is_the_lesser_of_one_level_and_all() -> None:
    names = [f"l{place}" for place in range(8)]
    even = sorted(names * 50)
    moved = ["l0"] * 120 + sorted(names[1:] * 40)
    tilted = [name for place, name in enumerate(names) for _ in range(25 if place % 2 else 75)]
    for test, weight, after in ((significance.level_test, 0.6, moved), (significance.levels_test, 0.325, tilted)):
        profiles = table_profile(x=("category", even)), table_profile(x=("category", after))
        values = feature_of(profiles[0].columns["x"], profiles[1].columns["x"]).values
        assert isinstance(values, Categories)
        assert entry(judge_drift(*profiles), "x").p_value == pytest.approx(test(values) * 0.925 / weight), test.__name__


def test_a_destroyed_feature_needs_no_place_among_the_discoveries() -> None:
    strict = DriftRule(false_discovery_share=1e-300)
    assert entry(judge({"temp": ("number", [50.0] * 500)}, rule=strict), "temp").verdict is DRIFT
    assert entry(judge({"temp": warm()}, rule=strict), "temp").verdict is OK


def test_what_lies_elsewhere_by_chance_is_not_destroyed() -> None:
    rng = np.random.default_rng(38)
    baseline, window = (table_profile(x=("category", rng.integers(0, 40, 100).astype(str).tolist())) for _ in "ab")
    judged = judge_drift(baseline, window, rule=DriftRule(destroyed_share=0.2))
    assert judged.verdict is OK
    assert not judged.features[0].destroyed


def test_an_effect_within_the_sketches_error_of_its_threshold_is_no_drift() -> None:
    rng = np.random.default_rng(39)
    baseline, window = (table_profile(batches=3, x=("number", rng.normal(middle, 1, 60_000))) for middle in (0.0, 0.22))
    judged = judge_drift(baseline, window).features[0]
    assert judged.p_value is not None
    assert judged.p_value < 1e-12
    assert judged.scores[0].score > judged.scores[0].threshold
    assert judged.verdict is OK


def test_no_shift_below_the_effect_size_floor_is_promised() -> None:
    rng = np.random.default_rng(40)
    baseline, window = (table_profile(x=("integer", rng.poisson(3, 50_000))) for _ in "ab")
    smallest = judge_drift(baseline, window).smallest_shift_sd
    assert smallest is not None
    assert 0.2 < smallest < 0.22
