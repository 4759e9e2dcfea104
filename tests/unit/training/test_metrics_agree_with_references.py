"""Our metrics equal scikit-learn's and scipy's, for whole rows and for any resample of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from millrace.analytics.evaluation import (
    CURVE_POINTS,
    FORMULAS,
    SMALLEST_PROBABILITY,
    Predictions,
    calibration_points,
    choose_threshold,
    confusion,
    curves,
    intervals,
    labels_of,
    metric_value,
    metric_values,
    precision_recall_points,
    resampled_metrics,
    resamples,
    roc_points,
)


def binary(rows: int = 400, seed: int = 0, ties: bool = False, threshold: float = 0.4) -> Predictions:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, rows)
    positive = 1 / (1 + np.exp(-(1.5 * (truth - 0.5) + rng.normal(size=rows))))
    if ties:
        positive = np.round(positive, 1).clip(0.05, 0.95)
    scores = np.column_stack([1 - positive, positive])
    return Predictions("binary", truth, scores, labels_of("binary", scores, threshold))


def multiclass(rows: int = 400, seed: int = 0, classes: int = 4) -> Predictions:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, rows)
    logits = rng.normal(size=(rows, classes)) + 1.5 * np.eye(classes)[truth]
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return Predictions("multiclass", truth, scores, labels_of("multiclass", scores, None))


def regression(rows: int = 400, seed: int = 0) -> Predictions:
    rng = np.random.default_rng(seed)
    truth = rng.normal(50, 10, rows)
    return Predictions("regression", truth, truth + rng.normal(1, 4, rows), np.empty(0, dtype=np.int64))


CASES = {
    "binary": binary(),
    "tied scores": binary(ties=True),
    "multiclass": multiclass(),
    "regression": regression(),
    "odd rows": regression(rows=401),
}


def reference(name: str, p: Predictions) -> float:
    if p.task == "multiclass" and name == "roc_auc":
        return float(sk.roc_auc_score(p.truth, p.scores, multi_class="ovr", average="macro"))
    classes = p.scores if p.task == "multiclass" else p.scores[:, -1] if p.task == "binary" else p.scores
    functions: dict[str, Callable[[], Any]] = {
        "roc_auc": lambda: sk.roc_auc_score(p.truth, classes),
        "average_precision": lambda: sk.average_precision_score(p.truth, classes),
        "log_loss": lambda: sk.log_loss(p.truth, p.scores, labels=np.arange(p.scores.shape[1])),
        "brier": lambda: sk.brier_score_loss(p.truth, classes),
        "f1": lambda: sk.f1_score(p.truth, p.labels),
        "precision": lambda: sk.precision_score(p.truth, p.labels),
        "recall": lambda: sk.recall_score(p.truth, p.labels),
        "macro_f1": lambda: sk.f1_score(p.truth, p.labels, average="macro"),
        "accuracy": lambda: sk.accuracy_score(p.truth, p.labels),
        "balanced_accuracy": lambda: sk.balanced_accuracy_score(p.truth, p.labels),
        "calibration_error": lambda: calibration_error_by_loops(p),
        "rmse": lambda: sk.root_mean_squared_error(p.truth, p.scores),
        "mae": lambda: sk.mean_absolute_error(p.truth, p.scores),
        "r2": lambda: sk.r2_score(p.truth, p.scores),
        "median_absolute_error": lambda: sk.median_absolute_error(p.truth, p.scores),
        "mape": lambda: sk.mean_absolute_percentage_error(p.truth, p.scores),
    }
    return float(functions[name]())


def calibration_error_by_loops(p: Predictions) -> float:
    total = 0.0
    for number in range(10):
        inside = [
            i for i, s in enumerate(p.positive) if number / 10 <= s < (number + 1) / 10 or (number == 9 and s == 1)
        ]
        if inside:
            total += len(inside) * abs(np.mean(p.positive[inside]) - np.mean(p.truth[inside]))
    return total / p.rows


@pytest.mark.parametrize("case", sorted(CASES))
def test_every_metric_equals_its_reference(case: str) -> None:
    values = metric_values(CASES[case])
    assert values
    for name, value in values.items():
        assert value == pytest.approx(reference(name, CASES[case]), abs=1e-9), name


@pytest.mark.parametrize("case", sorted(CASES))
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_resample_by_counts_is_the_same_as_the_rows_repeated(case: str, seed: int) -> None:
    predictions = CASES[case]
    drawn = np.random.default_rng(seed).integers(0, predictions.rows, predictions.rows)
    counts = np.bincount(drawn, minlength=predictions.rows)[None, :].astype(float)
    labels = predictions.labels[drawn] if predictions.task != "regression" else predictions.labels
    repeated = Predictions(predictions.task, predictions.truth[drawn], predictions.scores[drawn], labels)
    for name, value in metric_values(repeated).items():
        assert FORMULAS[name](predictions, counts)[0] == pytest.approx(value, abs=1e-9), name


def test_auc_equals_the_mann_whitney_statistic() -> None:
    p = binary(ties=True)
    u = stats.mannwhitneyu(p.positive[p.truth == 1], p.positive[p.truth == 0]).statistic
    assert metric_value("roc_auc", p) == pytest.approx(u / ((p.truth == 1).sum() * (p.truth == 0).sum()))


def test_a_certain_and_wrong_prediction_costs_a_bounded_log_loss() -> None:
    scores = np.array([[1.0, 0.0], [1.0, 0.0]])
    p = Predictions("binary", np.array([1, 0]), scores, np.array([0, 0]))
    assert metric_value("log_loss", p) == pytest.approx(-np.log(SMALLEST_PROBABILITY) / 2)


def test_metrics_that_are_undefined_are_left_out() -> None:
    scores = np.array([[0.4, 0.6], [0.3, 0.7]])
    one_class = Predictions("binary", np.array([0, 0]), scores, np.array([1, 1]))
    assert {"roc_auc", "average_precision", "recall"} & set(metric_values(one_class)) == set()
    with_zero = Predictions("regression", np.array([0.0, 1.0]), np.array([1.0, 1.0]), np.empty(0, dtype=np.int64))
    assert "mape" not in metric_values(with_zero)
    constant = Predictions("regression", np.array([2.0, 2.0]), np.array([1.0, 1.0]), np.empty(0, dtype=np.int64))
    assert "r2" not in metric_values(constant)
    assert np.isnan(metric_value("r2", constant))


@given(shift=st.floats(-5, 5), scale=st.floats(0.1, 10))
def test_auc_depends_on_the_order_of_scores_alone(shift: float, scale: float) -> None:
    p = binary()
    logit = np.log(p.positive / (1 - p.positive)) * scale + shift
    moved = 1 / (1 + np.exp(-logit / 20))
    other = Predictions("binary", p.truth, np.column_stack([1 - moved, moved]), p.labels)
    assert metric_value("roc_auc", other) == pytest.approx(metric_value("roc_auc", p), abs=1e-9)


@given(scale=st.floats(0.01, 1000))
def test_errors_scale_with_the_target_and_r2_does_not(scale: float) -> None:
    p = regression()
    scaled = Predictions("regression", p.truth * scale, p.scores * scale, p.labels)
    for name in ("rmse", "mae", "median_absolute_error"):
        assert metric_value(name, scaled) == pytest.approx(metric_value(name, p) * scale, rel=1e-9)
    for name in ("r2", "mape"):
        assert metric_value(name, scaled) == pytest.approx(metric_value(name, p), rel=1e-9)


def test_flipping_the_labels_turns_auc_around() -> None:
    p = binary()
    flipped = Predictions("binary", 1 - p.truth, p.scores, p.labels)
    assert metric_value("roc_auc", flipped) == pytest.approx(1 - metric_value("roc_auc", p))


# Bootstrap


def test_resamples_are_seeded_and_each_draws_as_many_rows_as_there_are() -> None:
    first, again = (np.concatenate(list(resamples(50, seed=3, count=40))) for _ in range(2))
    assert first.shape == (40, 50)
    assert (first.sum(axis=1) == 50).all()
    assert (first == again).all()
    assert (first != np.concatenate(list(resamples(50, seed=4, count=40)))).any()
    assert len({tuple(row) for row in first}) == 40


def test_many_rows_are_resampled_in_blocks_that_bound_memory() -> None:
    blocks = list(resamples(500_000, seed=3, count=6))
    assert [len(block) for block in blocks] == [4, 2]
    assert all((block.sum(axis=1) == 500_000).all() for block in blocks)


@pytest.mark.parametrize("case", sorted(CASES))
def test_intervals_hold_the_value_of_every_metric_and_are_seeded(case: str) -> None:
    predictions = CASES[case]
    (drawn,) = resampled_metrics([predictions], seed=1)
    (again,) = resampled_metrics([predictions], seed=1)
    found = intervals(predictions, drawn)
    assert found == intervals(predictions, again)
    assert set(found) == set(metric_values(predictions))
    for name, interval in found.items():
        if name != "calibration_error":  # noise alone makes bins disagree: the bootstrap's errors are biased upwards
            assert interval.low < interval.value < interval.high, name


def test_the_interval_of_a_mean_is_that_of_the_normal_approximation() -> None:
    p = regression(rows=1000)
    (drawn,) = resampled_metrics([p], seed=1)
    errors = np.abs(p.scores - p.truth)
    half = 1.96 * errors.std() / np.sqrt(len(errors))
    found = intervals(p, drawn)["mae"]
    assert found.low == pytest.approx(errors.mean() - half, abs=0.15 * half)
    assert found.high == pytest.approx(errors.mean() + half, abs=0.15 * half)


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    # The true AUC of two normals a distance d apart is Phi(d / sqrt 2).
    truth_value = stats.norm.cdf(1.0 / np.sqrt(2))
    covered = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        truth = rng.integers(0, 2, 200)
        positive = stats.norm.cdf(truth + rng.normal(size=200))
        scores = np.column_stack([1 - positive, positive])
        p = Predictions("binary", truth, scores, labels_of("binary", scores, 0.5))
        (drawn,) = resampled_metrics([p], seed=seed, count=300)
        found = intervals(p, drawn)["roc_auc"]
        covered += found.low <= truth_value <= found.high
    assert 0.90 <= covered / 200 <= 0.99


def test_a_resample_without_positives_is_left_out_of_the_interval() -> None:
    truth = np.zeros(30, dtype=np.int64)
    truth[0] = 1
    positive = np.linspace(0.9, 0.1, 30)
    p = Predictions("binary", truth, np.column_stack([1 - positive, positive]), (positive >= 0.5).astype(np.int64))
    (drawn,) = resampled_metrics([p], seed=1)
    assert np.isnan(drawn["roc_auc"]).any()
    assert np.nanmax(drawn["roc_auc"]) == 1.0


def perfect(rows_of_classes: list[int]) -> Predictions:
    truth = np.repeat(np.arange(len(rows_of_classes)), rows_of_classes)
    scores = np.eye(len(rows_of_classes))[truth] * 0.8 + 0.1
    return Predictions("binary" if len(rows_of_classes) == 2 else "multiclass", truth, scores, truth)


@given(st.lists(st.integers(1, 200), min_size=2, max_size=5))
def test_a_perfect_accuracy_has_wilsons_interval(rows_of_classes: list[int]) -> None:
    p = perfect(rows_of_classes)
    (drawn,) = resampled_metrics([p], seed=1, count=50)
    found = intervals(p, drawn)
    wilson = stats.binomtest(p.rows, p.rows).proportion_ci(method="wilson")
    assert found["accuracy"].low == pytest.approx(wilson.low)
    assert found["accuracy"].high == 1.0


@pytest.mark.parametrize("rows_of_classes", [[27, 12, 17], [50, 4], [1, 1]])
def test_no_figure_without_an_error_is_shown_as_certain(rows_of_classes: list[int]) -> None:
    p = perfect(rows_of_classes)
    (drawn,) = resampled_metrics([p], seed=1)
    found = intervals(p, drawn)
    for name in {"accuracy", "balanced_accuracy", "macro_f1", "roc_auc", "f1", "recall"} & set(found):
        assert found[name].value == found[name].high == 1.0, name
        assert 0 <= found[name].low < 1, name
    rarest = min(rows_of_classes)
    recall = rarest / (rarest + stats.norm.ppf(0.975) ** 2)
    assert found["balanced_accuracy"].low == pytest.approx(1 - (1 - recall) / len(rows_of_classes))


def test_finding_none_of_few_positives_is_not_certain_either() -> None:
    truth = np.array([1, 1, 1] + [0] * 60)
    positive = np.linspace(0.1, 0.3, 63)
    p = Predictions("binary", truth, np.column_stack([1 - positive, positive]), np.zeros(63, dtype=np.int64))
    (drawn,) = resampled_metrics([p], seed=1)
    recall = intervals(p, drawn)["recall"]
    assert (recall.value, recall.low) == (0.0, 0.0)
    assert recall.high == pytest.approx(stats.binomtest(0, 3).proportion_ci(method="wilson").high)


def test_a_figure_that_no_row_could_change_keeps_its_point() -> None:
    truth = np.arange(40) % 2
    p = Predictions("binary", truth, np.full((40, 2), 0.5), np.ones(40, dtype=np.int64))
    (drawn,) = resampled_metrics([p], seed=1)
    auc = intervals(p, drawn)["roc_auc"]
    assert (auc.low, auc.value, auc.high) == (0.5, 0.5, 0.5)


# Thresholds, curves, confusion


def test_labels_come_from_the_threshold_or_from_the_most_probable_class() -> None:
    scores = np.array([[0.7, 0.3], [0.6, 0.4], [0.2, 0.8]])
    assert labels_of("binary", scores, 0.4).tolist() == [0, 1, 1]
    assert labels_of("binary", scores, None).tolist() == [0, 0, 1]
    assert labels_of("multiclass", np.array([[0.2, 0.5, 0.3]]), None).tolist() == [1]
    assert labels_of("regression", np.array([1.0]), None).size == 0


@pytest.mark.parametrize("metric", ["f1", "accuracy", "balanced_accuracy", "roc_auc"])
def test_no_threshold_is_better_than_the_chosen_one(metric: str) -> None:
    rng = np.random.default_rng(5)
    truth = (rng.random(300) < 0.15).astype(np.int64)
    positive = np.round(1 / (1 + np.exp(-(truth * 1.5 - 2 + rng.normal(size=300)))), 2)
    scores = np.column_stack([1 - positive, positive])
    goal = "balanced_accuracy" if metric == "roc_auc" else metric

    def at(threshold: float) -> float:
        return metric_value(goal, Predictions("binary", truth, scores, labels_of("binary", scores, threshold)))

    chosen = choose_threshold(Predictions("binary", truth, scores, labels_of("binary", scores, None)), metric)
    assert at(chosen) == pytest.approx(max(at(cut) for cut in np.unique(positive)))


def test_of_equally_good_thresholds_the_one_nearest_a_half_is_taken() -> None:
    scores = np.array([[0.95, 0.05], [0.9, 0.1], [0.1, 0.9]])
    p = Predictions("binary", np.array([0, 0, 1]), scores, np.array([0, 0, 1]))
    assert choose_threshold(p, "accuracy") == pytest.approx(0.5)


def test_the_roc_curve_goes_from_corner_to_corner_and_its_area_is_the_auc() -> None:
    p = binary(rows=5000)
    points = roc_points(p.truth == 1, p.positive)
    x, y = ([point[name] for point in points] for name in ("false_positive_rate", "true_positive_rate"))
    assert len(points) <= CURVE_POINTS
    assert (x[0], y[0], points[0]["threshold"]) == (0, 0, None)
    assert (x[-1], y[-1]) == (1, 1)
    assert x == sorted(x)
    assert y == sorted(y)
    assert sk.auc(x, y) == pytest.approx(metric_value("roc_auc", p), abs=0.002)
    for point in points[1:]:
        chosen = p.positive >= point["threshold"]
        assert point["true_positive_rate"] == pytest.approx(chosen[p.truth == 1].mean())
        assert point["false_positive_rate"] == pytest.approx(chosen[p.truth == 0].mean())


def test_every_precision_recall_point_is_what_its_threshold_gives() -> None:
    p = binary(rows=3000)
    points = precision_recall_points(p.truth == 1, p.positive)
    assert len(points) <= CURVE_POINTS
    assert points[-1]["recall"] == 1
    for point in points:
        chosen = p.positive >= point["threshold"]
        assert point["precision"] == pytest.approx(p.truth[chosen].mean())
        assert point["recall"] == pytest.approx(chosen[p.truth == 1].mean())


def test_curves_of_one_class_are_empty() -> None:
    positive = np.array([False, False])
    assert roc_points(positive, np.array([0.1, 0.2])) == []
    assert precision_recall_points(positive, np.array([0.1, 0.2])) == []


def test_calibration_points_hold_every_row_once_and_rise() -> None:
    p = binary(rows=1003)
    points = calibration_points(p.truth.astype(float), p.positive)
    assert sum(point["rows"] for point in points) == 1003
    predicted = [point["predicted"] for point in points]
    assert predicted == sorted(predicted)
    assert sum(point["observed"] * point["rows"] for point in points) == pytest.approx(p.truth.sum())


def test_curves_come_for_the_positive_class_for_each_class_or_as_calibration_of_numbers() -> None:
    assert [curve["class"] for curve in curves(binary(), ["bad", "good"])["roc"]] == ["good"]
    assert [curve["class"] for curve in curves(multiclass(), list("abcd"))["precision_recall"]] == list("abcd")
    of_numbers = curves(regression(), [])
    assert (of_numbers["roc"], of_numbers["precision_recall"]) == ([], [])
    assert len(of_numbers["calibration"][0]["points"]) == 10


def test_the_confusion_matrix_has_true_classes_down_and_predicted_across() -> None:
    p = binary()
    found = confusion(p, ["bad", "good"], 0.4)
    assert found["classes"] == ["bad", "good"]
    assert [matrix["threshold"] for matrix in found["matrices"]] == [0.4, 0.5]
    for matrix in found["matrices"]:
        expected = sk.confusion_matrix(p.truth, p.positive >= matrix["threshold"])
        assert matrix["rows"] == expected.tolist()
    assert confusion(regression(), [], None) == {}
    several = multiclass()
    (matrix,) = confusion(several, list("abcd"), None)["matrices"]
    assert matrix["rows"] == sk.confusion_matrix(several.truth, several.labels).tolist()
