"""A verdict says BETTER seldom when nothing is better, often when something is, and its sentence what was found."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.analytics.comparison import (
    BETTER,
    CONSTANT,
    FIRST,
    NO_DIFFERENCE,
    WORSE,
    Opponent,
    Scored,
    Verdict,
    judge,
    recommended,
)
from millrace.analytics.evaluation import Predictions, metric_value, resampled_metrics
from millrace.analytics.measures import MEASURES

RMSE, AUC, LOG_LOSS = MEASURES["rmse"], MEASURES["roc_auc"], MEASURES["log_loss"]
NO_LABELS = np.empty(0, dtype=np.int64)


def scored(
    truth: np.ndarray, *answers: np.ndarray, metric: str = "rmse", count: int = 400, seed: int = 0
) -> list[Scored]:
    """Each answer on the same resamples."""
    task = "regression" if metric == "rmse" else "binary"
    models = [
        Predictions(task, truth, answer if task == "regression" else np.column_stack([1 - answer, answer]),
                    NO_LABELS if task == "regression" else (answer >= 0.5).astype(np.int64))
        for answer in answers
    ]  # fmt: skip
    drawn = resampled_metrics(models, seed=seed, count=count)
    return [Scored(metric_value(metric, m), d[metric]) for m, d in zip(models, drawn, strict=True)]


def noisy(rows: int, *deviations: float, seed: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """A truth, and answers that miss it independently by these standard deviations."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=rows)
    return truth, [truth + rng.normal(scale=deviation, size=rows) for deviation in deviations]


def verdict_of(candidate: Scored, champion: Scored, rows: int = 300) -> Verdict:
    return judge(RMSE, {"xgboost": candidate}, Opponent("credit:3", champion), test_rows=rows)["xgboost"]


def test_a_clearly_better_candidate_is_better_and_the_sentence_says_by_how_much() -> None:
    truth, (good, bad) = noisy(668, 0.5, 1.0, seed=1)
    verdict = verdict_of(*scored(truth, good, bad), rows=668)

    assert verdict.outcome == BETTER
    assert verdict.metric == "rmse"
    assert verdict.compared_with == "credit:3"
    assert 0 < verdict.low < verdict.gain < verdict.high
    assert verdict.gain == pytest.approx(0.5, abs=0.1)
    assert verdict.sentence == (
        f"xgboost beats credit:3 by {verdict.gain:.3f} rmse (95 % interval of the gain {verdict.low:.3f} to "
        f"{verdict.high:.3f}, 668 test rows); this test set would have shown a gain of "
        f"{verdict.smallest_detectable_gain:.3f}."
    )


def test_a_clearly_worse_candidate_is_worse_by_a_positive_figure() -> None:
    truth, (good, bad) = noisy(300, 0.5, 1.0, seed=1)
    verdict = verdict_of(*scored(truth, bad, good))
    assert verdict.outcome == WORSE
    assert verdict.sentence.startswith(
        f"xgboost is worse than credit:3 by {-verdict.gain:.3f} rmse (95 % interval of the gain -"
    )


def test_a_small_gain_on_few_rows_is_no_difference() -> None:
    truth, (one, other) = noisy(50, 1.0, 1.01, seed=3)
    verdict = verdict_of(*scored(truth, one, other), rows=50)
    assert verdict.outcome == NO_DIFFERENCE
    assert verdict.low < 0 < verdict.high
    assert verdict.sentence.startswith("xgboost shows no real difference from credit:3: gain ")


def test_a_model_does_not_differ_from_itself() -> None:
    truth, (answer,) = noisy(100, 1.0, seed=1)
    verdict = verdict_of(*scored(truth, answer, answer))
    assert (verdict.outcome, verdict.gain, verdict.low, verdict.high) == (NO_DIFFERENCE, 0, 0, 0)
    json.dumps(asdict(verdict), allow_nan=False)


def test_without_a_champion_the_outcome_is_first_and_the_sentence_says_why() -> None:
    truth, (answer,) = noisy(300, 0.5, seed=1)
    candidate, constant = scored(truth, answer, np.zeros(300))
    opponent = Opponent(CONSTANT, constant, "There is no champion yet.")
    verdict = judge(RMSE, {"linear": candidate}, opponent, test_rows=300)["linear"]
    assert verdict.outcome == FIRST
    assert verdict.compared_with == "a constant prediction"
    assert verdict.sentence.startswith("There is no champion yet. linear beats a constant prediction by 0.")


@given(st.integers(0, 10**6))
def test_exchanging_candidate_and_champion_turns_the_verdict_around(seed: int) -> None:
    truth, answers = noisy(60, 1.0, 1.2, seed=seed)
    one, other = scored(truth, *answers, count=200, seed=seed)
    forth, back = verdict_of(one, other), verdict_of(other, one)

    assert forth.gain == pytest.approx(-back.gain)
    assert (forth.low, forth.high) == (pytest.approx(-back.high), pytest.approx(-back.low))
    assert forth.smallest_detectable_gain == pytest.approx(back.smallest_detectable_gain)
    mirrored = {BETTER: WORSE, WORSE: BETTER, NO_DIFFERENCE: NO_DIFFERENCE}
    assert forth.outcome == mirrored[back.outcome]


@given(seed=st.integers(0, 10**6), scale=st.floats(1e-3, 1e4))
def test_measuring_in_other_units_changes_the_figures_and_not_the_outcome(seed: int, scale: float) -> None:
    truth, answers = noisy(60, 1.0, 1.2, seed=seed)
    here = verdict_of(*scored(truth, *answers, count=200, seed=seed))
    there = verdict_of(*scored(truth * scale, *(answer * scale for answer in answers), count=200, seed=seed))
    assert there.outcome == here.outcome
    assert there.gain == pytest.approx(here.gain * scale, rel=1e-6)
    assert there.high == pytest.approx(here.high * scale, rel=1e-6)


def test_a_gain_is_positive_when_a_score_rises_and_when_a_loss_falls() -> None:
    drawn = np.linspace(0, 1, 50)
    high, low = Scored(0.9, drawn), Scored(0.8, drawn[::-1])
    assert judge(AUC, {"a": high}, Opponent("m:1", low), test_rows=9)["a"].gain == pytest.approx(0.1)
    assert judge(LOG_LOSS, {"a": high}, Opponent("m:1", low), test_rows=9)["a"].gain == pytest.approx(-0.1)


def test_resamples_in_which_the_metric_is_undefined_are_left_out() -> None:
    rng = np.random.default_rng(1)
    drawn = rng.normal(0.9, 0.01, 300)
    holed = np.where(np.arange(300) % 10 == 0, np.nan, drawn)
    opponent = Scored(0.8, rng.normal(0.8, 0.01, 300))
    verdict = judge(AUC, {"a": Scored(0.9, holed)}, Opponent("m:1", opponent), test_rows=9)["a"]
    assert verdict.outcome == BETTER
    assert np.isfinite([verdict.low, verdict.high, verdict.smallest_detectable_gain]).all()


# Honesty, by simulation


def share_better(candidates: int, deviation: float, *, runs: int, rows: int = 120) -> float:
    """How often one of so many candidates, whose errors have this deviation against the champion's 1, is BETTER."""
    found = 0
    for seed in range(runs):
        truth, answers = noisy(rows, 1.0, *[deviation] * candidates, seed=seed)
        champion, *others = scored(truth, *answers, count=200, seed=seed)
        names = {f"candidate {number}": other for number, other in enumerate(others)}
        verdicts = judge(RMSE, names, Opponent("m:1", champion), test_rows=rows)
        found += any(verdict.outcome == BETTER for verdict in verdicts.values())
    return found / runs


def test_an_equally_good_candidate_is_called_better_in_at_most_one_of_twenty_runs() -> None:
    assert 0.0 < share_better(1, 1.0, runs=400) <= 0.05


def test_the_best_of_five_equally_good_candidates_is_called_better_no_more_often() -> None:
    assert 0.0 < share_better(5, 1.0, runs=300) <= 0.05


def test_an_equally_good_classifier_is_called_better_in_at_most_one_of_twenty_runs() -> None:
    better = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        truth = (rng.random(150) < 0.3).astype(np.int64)
        answers = [1 / (1 + np.exp(-(truth * 1.2 + rng.normal(size=150)))) for _ in range(2)]
        one, other = scored(truth, *answers, metric="roc_auc", count=200, seed=seed)
        better += judge(AUC, {"a": one}, Opponent("m:1", other), test_rows=150)["a"].outcome == BETTER
    assert better / 300 <= 0.05


def test_a_gain_of_the_smallest_detectable_size_is_found_in_about_four_of_five_runs() -> None:
    # The smallest detectable gain near deviation 1 on 120 rows, then a candidate that is better by just that.
    truth, answers = noisy(120, 1.0, 1.0, seed=5)
    detectable = verdict_of(*scored(truth, *answers, count=1000)).smallest_detectable_gain
    assert 0.65 <= share_better(1, 1.0 - detectable, runs=200) <= 0.95


def test_the_smallest_detectable_gain_is_2_8_standard_errors_for_one_candidate() -> None:
    rng = np.random.default_rng(0)
    candidate = Scored(0.80, rng.normal(0.80, 0.02, 20_000))
    champion = Scored(0.80, np.full(20_000, 0.80))
    verdict = judge(AUC, {"a": candidate}, Opponent("m:1", champion), test_rows=9)["a"]
    assert verdict.smallest_detectable_gain == pytest.approx((1.96 + 0.84) * 0.02, rel=0.02)
    assert verdict.high - verdict.gain == pytest.approx(1.96 * 0.02, rel=0.02)


def test_more_candidates_widen_every_interval_and_the_sentence_says_so() -> None:
    truth, (champion, *answers) = noisy(300, 1.0, 0.9, 0.9, 0.9, 0.9, seed=2)
    other, *models = scored(truth, champion, *answers, count=2000)
    names = dict(zip("abcd", models, strict=True))
    together = judge(RMSE, names, Opponent("m:1", other), test_rows=300)
    alone = judge(RMSE, {"a": models[0]}, Opponent("m:1", other), test_rows=300)
    assert together["a"].gain == alone["a"].gain
    assert together["a"].high - together["a"].low > 1.15 * (alone["a"].high - alone["a"].low)
    assert together["a"].smallest_detectable_gain > alone["a"].smallest_detectable_gain
    assert "for 4 candidates at once" in together["a"].sentence
    assert "at once" not in alone["a"].sentence


def test_the_same_candidate_twice_needs_no_correction() -> None:
    truth, answers = noisy(300, 1.0, 0.9, seed=2)
    other, model = scored(truth, *answers, count=2000)
    twice = judge(RMSE, {"a": model, "b": model}, Opponent("m:1", other), test_rows=300)
    alone = judge(RMSE, {"a": model}, Opponent("m:1", other), test_rows=300)
    assert twice["a"].low == pytest.approx(alone["a"].low)


# Recommendation


def a_verdict(outcome: str, gain: float, low: float) -> Verdict:
    return Verdict(outcome, "roc_auc", gain, low, 2 * gain - low, 0.01, "m:1", 100, "")


def test_the_largest_real_gain_is_recommended() -> None:
    verdicts = {"a": a_verdict(BETTER, 0.02, 0.01), "b": a_verdict(BETTER, 0.03, 0.001), "c": a_verdict(WORSE, -1, -2)}
    assert recommended(verdicts) == "b"


def test_nothing_is_recommended_without_a_real_difference() -> None:
    assert recommended({"a": a_verdict(NO_DIFFERENCE, 0.5, -0.1), "b": a_verdict(WORSE, -0.1, -0.2)}) is None


def test_a_first_version_is_recommended_only_when_it_beats_a_constant() -> None:
    first = a_verdict(FIRST, 0.2, 0.1)
    assert recommended({"a": first}) == "a"
    assert recommended({"a": replace(first, low=-0.01)}) is None
