"""How good answers were: measured with labels, estimated without, and a year of real flights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from millrace.analytics.drift.baseline import LABEL, Baseline, HeldOut, Output
from millrace.analytics.drift.decision import judge_drift
from millrace.analytics.drift.performance import (
    awaiting_labels,
    expected_metrics,
    judge_performance,
    label_profile,
    labelled_predictions,
)
from millrace.analytics.drift.rows import Labels, RowSample, Sampled, WindowProfiler, hashes_of, tables_of
from millrace.analytics.evaluation import RESAMPLES, Predictions, intervals, labels_of, resampled_metrics
from millrace.analytics.profiling import DatasetProfile
from millrace.domain.drift import DriftVerdict
from tests.unit.drift.test_flights import CATEGORIES, NOT_FEATURES, flights, profile_of

OUTPUT = Output("binary", ("no", "yes"), 0.5)
SIGNATURE = {"inputs": [], "output": {"task": "binary", "classes": ["no", "yes"], "threshold": 0.5}}
EMPTY = DatasetProfile(columns={})


def sampled(positive: Sequence[float] | np.ndarray[Any, Any], prefix: str = "r") -> Sampled:
    sample = RowSample(100_000, 2)
    scores = np.asarray(positive, dtype=np.float64)
    sample.add(
        hashes_of([f"{prefix}-{number}" for number in range(len(scores))]), np.stack([1 - scores, scores], axis=1)
    )
    return sample.rows


def labelled(positive: Any, truth: Any) -> tuple[Sampled, Labels]:
    labels = Labels(100_000)
    ids = [f"r-{number}" for number in range(len(truth))]
    labels.add(ids, ["yes" if each else "no" for each in truth], ["2026-01-01"] * len(truth))
    return sampled(positive), labels


def baseline_of(positive: Any, truth: Any) -> Baseline:
    scores = np.stack([1 - np.asarray(positive), np.asarray(positive)], axis=1)
    predictions = Predictions("binary", np.asarray(truth, dtype=np.int64), scores, labels_of("binary", scores, 0.5))
    (drawn,) = resampled_metrics([predictions], seed=1, count=RESAMPLES // 10)
    found = intervals(predictions, drawn)
    metrics = {name: {**vars(each), "higher_is_better": True} for name, each in found.items()}
    held_out = HeldOut(len(truth), "roc_auc", metrics, expected_metrics(OUTPUT, scores))
    labels = label_profile(OUTPUT, ["yes" if each else "no" for each in truth])
    return Baseline(SIGNATURE, EMPTY, EMPTY, labels, {}, held_out)


def world(rng: np.random.Generator, rows: int, *, separation: float = 1.5) -> tuple[Any, Any]:
    """Calibrated probabilities and the truths they are about."""
    positive = 1 / (1 + np.exp(-rng.normal(-0.5, separation, rows)))
    return positive, rng.random(rows) < positive


def judged(baseline: Baseline, positive: Any, truth: Any) -> Any:
    sample, labels = labelled(positive, truth)
    profile = label_profile(OUTPUT, labels.of(sample.hashes))
    return judge_performance(baseline, labelled_predictions(OUTPUT, sample, labels), profile)


def test_a_calibrated_classifier_promises_what_it_keeps() -> None:
    positive, truth = world(np.random.default_rng(1), 40_000)
    scores = np.stack([1 - positive, positive], axis=1)

    expected = expected_metrics(OUTPUT, scores)

    assert expected["roc_auc"] == pytest.approx(roc_auc_score(truth, positive), abs=0.01)
    assert expected["accuracy"] == pytest.approx(((positive >= 0.5) == truth).mean(), abs=0.01)
    assert expected["brier"] == pytest.approx(((positive - truth) ** 2).mean(), abs=0.01)


def test_an_estimate_follows_scores_that_became_less_sure_and_says_what_it_assumes() -> None:
    rng = np.random.default_rng(2)
    baseline = baseline_of(*world(rng, 4000))
    positive, truth = world(rng, 4000, separation=0.5)

    judgement, (guess,) = awaiting_labels(baseline, sampled(positive), 4000, 0)

    assert judgement.verdict is DriftVerdict.SKIPPED
    assert "an estimate that assumes scores mean in the window what they meant" in judgement.sentence
    assert guess.estimated
    assert guess.low is None
    assert guess.window == pytest.approx(roc_auc_score(truth, positive), abs=0.04)
    assert guess.window < guess.held_out - 0.1


def test_a_model_that_lost_its_grip_is_drift_with_the_loss_in_the_sentence() -> None:
    rng = np.random.default_rng(3)
    baseline = baseline_of(*world(rng, 2000))
    positive, truth = world(rng, 1000)

    judgement, measured = judged(baseline, positive, rng.permutation(truth))

    assert judgement.verdict is DriftVerdict.DRIFT
    assert measured[0].metric == "roc_auc"
    assert measured[0].window == pytest.approx(0.5, abs=0.06)
    assert "it decayed" in judgement.sentence


def test_performance_that_did_not_change_is_called_drift_hardly_ever() -> None:
    rng = np.random.default_rng(4)
    alarms = 0
    for _ in range(60):
        judgement, _ = judged(baseline_of(*world(rng, 600)), *world(rng, 400))
        alarms += judgement.verdict is DriftVerdict.DRIFT
    assert alarms <= 3  # at 1.7 % of windows, more than 3 of 60 come once in 70 such tests


def test_more_positive_labels_are_named_with_their_share() -> None:
    rng = np.random.default_rng(5)
    positive, truth = world(rng, 2000)
    more = np.concatenate([truth, np.ones(1500, dtype=bool)])
    judgement, _ = judged(baseline_of(positive, truth), np.concatenate([positive, rng.random(1500) ** 0.3]), more)

    (label,) = judgement.features
    assert (label.feature, label.verdict) == (LABEL, DriftVerdict.DRIFT)
    assert "`label` has" in label.sentence


def test_few_labels_are_not_judged_and_the_sentence_says_how_many_it_takes() -> None:
    rng = np.random.default_rng(6)
    baseline = baseline_of(*world(rng, 600))
    judgement, measured = judged(baseline, *world(rng, 41))

    assert (judgement.verdict, measured) == (DriftVerdict.SKIPPED, ())
    assert "too few labels: 41, need 100" in judgement.sentence


@cache
def winter_model() -> tuple[Any, pd.DataFrame]:
    """A model of winter flights, and the winter rows it never saw."""
    winter = flights("flights.csv").sample(frac=1, random_state=1)
    learnt, unseen = winter[:4000], winter[4000:]
    names = [name for name in learnt.columns if name not in NOT_FEATURES]
    numbers = [name for name in names if name not in CATEGORIES]
    model = make_pipeline(
        make_column_transformer(
            (StandardScaler(), numbers), (OneHotEncoder(handle_unknown="ignore", min_frequency=20), list(CATEGORIES))
        ),
        LogisticRegression(max_iter=500),
    )
    return model.fit(filled(learnt), learnt["late"] == "yes"), unseen


def filled(rows: pd.DataFrame) -> pd.DataFrame:
    names = [name for name in rows.columns if name not in NOT_FEATURES]
    numbers = [name for name in names if name not in CATEGORIES]
    return rows[names].assign(
        **{name: rows[name].fillna(0.0).astype(float) for name in numbers},
        **{name: rows[name].fillna("none").astype(str) for name in CATEGORIES},
    )


def test_a_winter_model_in_july_reports_weather_drift_the_label_rate_and_the_lost_auc() -> None:
    model, unseen = winter_model()
    july = flights("flights_july.csv")
    scores = {name: model.predict_proba(filled(rows))[:, 1] for name, rows in (("winter", unseen), ("july", july))}
    baseline = baseline_of(scores["winter"], unseen["late"] == "yes")

    inputs = judge_drift(profile_of(unseen), profile_of(july))
    judgement, measured = judged(baseline, scores["july"], july["late"] == "yes")

    drifted = {feature.feature for feature in inputs.drifted}
    assert {"temp", "dewp"} <= drifted
    assert drifted.isdisjoint({"sched_dep_hour", "distance"})
    assert judgement.verdict is DriftVerdict.DRIFT
    assert measured[0].window == pytest.approx(roc_auc_score(july["late"] == "yes", scores["july"]), abs=1e-9)
    assert measured[0].held_out == pytest.approx(roc_auc_score(unseen["late"] == "yes", scores["winter"]), abs=1e-9)
    assert measured[0].window < measured[0].held_out - 0.03
    assert f"{measured[0].held_out:.3f} on held-out rows" in judgement.sentence
    (label,) = judgement.features
    assert label.verdict is DriftVerdict.DRIFT
    assert "`label` has 'no' in 69 % of rows, 77 % before" in judgement.sentence


def test_a_window_is_the_same_however_it_comes_in_batches_and_each_record_counts_once() -> None:
    rng = np.random.default_rng(7)
    ids, scores = [f"r-{number}" for number in range(500)], rng.random((500, 2))
    whole, parts = RowSample(100, 2), RowSample(100, 2)
    whole.add(hashes_of(ids), scores)
    for start in range(0, 500, 70):
        parts.add(hashes_of(ids[start : start + 70]), scores[start : start + 70])
        parts.add(hashes_of(ids[start : start + 30]), scores[start : start + 30])

    assert (whole.rows.hashes == parts.rows.hashes).all()
    assert (whole.rows.scores == parts.rows.scores).all()
    assert len(whole.rows.hashes) == 100


def test_the_latest_truth_about_a_record_holds_whatever_order_truths_come_in() -> None:
    labels = Labels(10)
    labels.add(["a", "b"], ["yes", "no"], ["2026-01-02", "2026-01-02"])
    labels.add(["a"], ["no"], ["2026-01-01"])
    labels.add(["b"], ["yes"], ["2026-01-03"])

    assert labels.of(hashes_of(["a", "b"])) == ["yes", "yes"]


IDS = st.lists(st.integers(0, 30), max_size=40)


@given(labelled_ids=IDS, here=IDS, elsewhere=IDS, everywhere=st.booleans())
def test_each_label_joined_here_or_elsewhere_or_waits(
    labelled_ids: list[int], here: list[int], elsewhere: list[int], everywhere: bool
) -> None:
    labels = Labels(100)
    labels.add([str(each) for each in labelled_ids], ["yes"] * len(labelled_ids), ["2026-01-02"] * len(labelled_ids))

    known = labels.meet(hashes_of([str(each) for each in here]))
    labels.meet_elsewhere(hashes_of([str(each) for each in elsewhere]))
    counts = labels.counts(unlabelled=int((~known).sum()), everywhere=everywhere)

    told, waiting = set(labelled_ids), set(labelled_ids) - set(here) - set(elsewhere)
    assert known.tolist() == [each in told for each in here]
    assert (counts.known, counts.joined) == (len(told), len(told & set(here)))
    if everywhere or not waiting:
        assert (counts.waiting, counts.elsewhere) == (len(waiting), len(told & set(elsewhere) - set(here)))
    else:
        assert (counts.waiting, counts.elsewhere, counts.oldest_waiting) == (None, None, None)


def test_of_more_labels_than_are_held_it_is_not_said_which_wait() -> None:
    labels = Labels(2)
    labels.add(["a", "b", "c"], ["yes"] * 3, ["2026-01-02"] * 3)

    counts = labels.counts(unlabelled=0, everywhere=True)

    assert (counts.known, counts.waiting) == (2, None)


def test_a_column_of_another_kind_is_profiled_as_what_it_is() -> None:
    profiler = WindowProfiler({"age": "integer", "home": "category", "old": "boolean", "at": "timestamp"})
    profiler.add(
        pa.table(
            {"age": ["thirty", "40"], "home": ["own", ""], "old": [True, None], "at": ["2026", "2027"], "x": [1, 2]}
        )
    )

    columns = profiler.profile.columns
    assert {name: column.kind for name, column in columns.items()} == {
        "age": "category",
        "home": "category",
        "old": "boolean",
        "at": "timestamp",
    }
    assert (columns["home"].nulls, columns["old"].nulls, profiler.profile.rows) == (1, 1, 2)


@pytest.mark.parametrize("numbers", [[1.0, None, 2.5], [1.0, math.nan, math.inf], [None, None, None]])
def test_a_file_read_by_its_dictionaries_is_profiled_as_its_rows_are(
    numbers: list[float | None], tmp_path: Path
) -> None:
    """Columns that the file lacks, or keeps as another type, are none of its dictionaries."""
    table = pa.table({"home": ["own", "", None], "sold": [1, 2, 2], "price": pa.array(numbers, pa.float64())})
    pq.write_table(table, tmp_path / "rows.parquet")
    kinds = {"home": "category", "sold": "category", "price": "number", "absent": "category"}
    plain, coded = WindowProfiler(kinds), WindowProfiler(kinds)

    plain.add(table)
    for read in tables_of(tmp_path / "rows.parquet", ["home", "sold", "absent"]):
        assert pa.types.is_dictionary(read.schema.field("home").type)
        coded.add(read)

    assert coded.profile.to_json() == plain.profile.to_json()
    assert coded.profile.columns["home"].counts == {"own": 1}
    assert coded.profile.columns["home"].nulls == 2
    assert coded.profile.columns["sold"].counts == {"1": 1, "2": 2}
    assert coded.profile.columns["price"].nulls == sum(not math.isfinite(x or 0) or x is None for x in numbers)


def test_categories_that_a_file_keeps_as_codes_of_numbers_are_texts_like_others() -> None:
    coded = pa.array([7, 8, 7, None]).dictionary_encode()
    profiler = WindowProfiler({"home": "category"})

    profiler.add(pa.table({"home": coded}))

    assert profiler.profile.columns["home"].counts == {"7": 2, "8": 1}
    assert profiler.profile.columns["home"].nulls == 1
