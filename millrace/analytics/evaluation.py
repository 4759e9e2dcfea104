"""How good predictions are: metrics with bootstrap intervals, curves and confusion, as arithmetic on arrays.

Every metric is a function of predictions and of `counts`, an array (resamples, rows) that says how often each row is
in each resample. The metric itself is the case of one resample with every count 1, so that a figure and its interval
can never follow different formulas.

The bootstrap draws rows regardless of their class: the share of each class in a future test set is as uncertain as the
rest. A resample in which a metric is undefined (no positive row, say) is left out of that metric's interval.

A metric at the end of its scale is the same in every resample: rows without one error show no other kind. It then gets
the bounds that Wilson's interval gives a share without errors, those of z² more rows that are all wrong, or all right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from millrace.analytics.measures import MEASURES, measures_for

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

RESAMPLES = 2000
CONFIDENCE = 0.95
CALIBRATION_BINS = 10
CURVE_POINTS = 200
# The epsilon of float32, which is what models answer in: a probability of 0 costs 16 nats, not infinity.
SMALLEST_PROBABILITY = float(np.finfo(np.float32).eps)
_CELLS_AT_ONCE = 2_000_000
# z² of Wilson's interval: 3.84 rows at 95 %.
_ROWS_NOT_SEEN = NormalDist().inv_cdf((1 + CONFIDENCE) / 2) ** 2


@dataclass(frozen=True)
class Predictions:
    """What one model said about rows whose truth is known.

    Classes: `truth` and `labels` are class indices (rows,), `scores` probabilities (rows, classes); with two classes
    class 1 is the positive one. Regression: `truth` and `scores` are numbers (rows,), `labels` is empty.
    """

    task: str
    truth: npt.NDArray[Any]
    scores: Floats
    labels: Ints

    @property
    def rows(self) -> int:
        return len(self.truth)

    @property
    def positive(self) -> Floats:
        """Probability of the positive class (rows,)."""
        return self.scores[:, 1]


@dataclass(frozen=True)
class Interval:
    value: float
    low: float
    high: float


Formula = Callable[[Predictions, Floats], Floats]


def labels_of(task: str, scores: Floats, threshold: float | None) -> Ints:
    """Class indices: with two classes by threshold on the positive one, with several the most probable."""
    if task == "regression":
        return np.empty(0, dtype=np.int64)
    if task == "binary" and threshold is not None:
        return (scores[:, 1] >= threshold).astype(np.int64)
    most_probable: Ints = scores.argmax(axis=1)
    return most_probable


# Metrics of rankings


def _ties(scores: Floats) -> tuple[Ints, Ints]:
    """Row order by ascending score, and the positions where a new score starts."""
    order = np.argsort(scores, kind="stable")
    ranked = scores[order]
    starts = np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]]))
    return order.astype(np.int64), starts.astype(np.int64)


def _ranked_counts(positive: npt.NDArray[np.bool_], scores: Floats, counts: Floats) -> tuple[Floats, Floats]:
    """Positives and negatives at each distinct score, ascending: (resamples, distinct scores) each."""
    order, starts = _ties(scores)
    ranked, hit = counts[:, order], positive[order]
    return np.add.reduceat(ranked * hit, starts, axis=1), np.add.reduceat(ranked * ~hit, starts, axis=1)


def _area_under_roc(positive: npt.NDArray[np.bool_], scores: Floats, counts: Floats) -> Floats:
    """Share of (positive, negative) pairs ranked rightly, ties half: the Mann-Whitney statistic. NaN without pairs."""
    hits, misses = _ranked_counts(positive, scores, counts)
    below = np.cumsum(misses, axis=1) - misses
    pairs = hits.sum(axis=1) * misses.sum(axis=1)
    right = (hits * (below + 0.5 * misses)).sum(axis=1)
    return np.divide(right, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)


def _roc_auc(predictions: Predictions, counts: Floats) -> Floats:
    if predictions.task == "binary":
        return _area_under_roc(predictions.truth == 1, predictions.positive, counts)
    per_class = [
        _area_under_roc(predictions.truth == index, predictions.scores[:, index], counts)
        for index in np.unique(predictions.truth)
    ]
    return _mean_of_defined(np.stack(per_class))


def _average_precision(predictions: Predictions, counts: Floats) -> Floats:
    """Sum of precision times gain in recall, from the highest score down, without interpolation."""
    hits, misses = _ranked_counts(predictions.truth == 1, predictions.positive, counts)
    hits, misses = hits[:, ::-1], misses[:, ::-1]
    found, taken = np.cumsum(hits, axis=1), np.cumsum(hits + misses, axis=1)
    precision = np.divide(found, taken, out=np.zeros_like(found), where=taken > 0)
    total = hits.sum(axis=1)
    return np.divide((hits * precision).sum(axis=1), total, out=np.full(len(total), np.nan), where=total > 0)


# Metrics of probabilities


def _log_loss(predictions: Predictions, counts: Floats) -> Floats:
    told = predictions.scores[np.arange(predictions.rows), predictions.truth]
    return _row_mean(-np.log(np.clip(told, SMALLEST_PROBABILITY, 1.0)), counts)


def _brier(predictions: Predictions, counts: Floats) -> Floats:
    return _row_mean((predictions.positive - predictions.truth) ** 2, counts)


def _calibration_error(predictions: Predictions, counts: Floats) -> Floats:
    """Mean |predicted - observed| over ten equally wide bins, weighted by rows (Naeini et al., 2015)."""
    bins = np.minimum((predictions.positive * CALIBRATION_BINS).astype(np.int64), CALIBRATION_BINS - 1)
    excess = np.zeros((predictions.rows, CALIBRATION_BINS))
    excess[np.arange(predictions.rows), bins] = predictions.positive - predictions.truth
    gaps: Floats = np.abs(counts @ excess).sum(axis=1) / counts.sum(axis=1)
    return gaps


# Metrics of labels


def _confusions(predictions: Predictions, counts: Floats) -> Floats:
    """Rows by true and predicted class: (resamples, classes, classes)."""
    classes = predictions.scores.shape[1]
    cells = np.zeros((predictions.rows, classes * classes))
    cells[np.arange(predictions.rows), predictions.truth * classes + predictions.labels] = 1
    return (counts @ cells).reshape(-1, classes, classes)


def _share(part: Floats, whole: Floats, undefined: float) -> Floats:
    return np.divide(part, whole, out=np.full(np.shape(part), undefined), where=whole > 0)


def _accuracy(predictions: Predictions, counts: Floats) -> Floats:
    return _row_mean((predictions.truth == predictions.labels).astype(np.float64), counts)


def _balanced_accuracy(predictions: Predictions, counts: Floats) -> Floats:
    table = _confusions(predictions, counts)
    return _mean_of_defined(_share(np.diagonal(table, axis1=1, axis2=2), table.sum(axis=2), np.nan).T)


def _precision(predictions: Predictions, counts: Floats) -> Floats:
    table = _confusions(predictions, counts)
    return _share(table[:, 1, 1], table[:, :, 1].sum(axis=1), 0.0)


def _recall(predictions: Predictions, counts: Floats) -> Floats:
    table = _confusions(predictions, counts)
    return _share(table[:, 1, 1], table[:, 1, :].sum(axis=1), np.nan)


def _f1_of_classes(predictions: Predictions, counts: Floats) -> Floats:
    """F1 of each class (resamples, classes): 2·tp / (true rows + predicted rows); NaN for a class in neither."""
    table = _confusions(predictions, counts)
    return _share(2 * np.diagonal(table, axis1=1, axis2=2), table.sum(axis=1) + table.sum(axis=2), np.nan)


def _f1(predictions: Predictions, counts: Floats) -> Floats:
    return np.nan_to_num(_f1_of_classes(predictions, counts)[:, 1], nan=0.0)


def _macro_f1(predictions: Predictions, counts: Floats) -> Floats:
    return _mean_of_defined(_f1_of_classes(predictions, counts).T)


# Metrics of numbers


def _rmse(predictions: Predictions, counts: Floats) -> Floats:
    return np.sqrt(_row_mean((predictions.scores - predictions.truth) ** 2, counts))


def _mae(predictions: Predictions, counts: Floats) -> Floats:
    return _row_mean(np.abs(predictions.scores - predictions.truth), counts)


def _r2(predictions: Predictions, counts: Floats) -> Floats:
    # Centred on the mean of all rows: the variance of a resample is then a small difference of small numbers.
    centred = predictions.truth - predictions.truth.mean()
    variance = _row_mean(centred**2, counts) - _row_mean(centred, counts) ** 2
    error = _row_mean((predictions.scores - predictions.truth) ** 2, counts)
    spread = float((centred**2).mean())
    unexplained = np.full(len(error), np.nan)
    np.divide(error, variance, out=unexplained, where=variance > 1e-12 * spread)
    explained: Floats = 1.0 - unexplained
    return explained


def _median_absolute_error(predictions: Predictions, counts: Floats) -> Floats:
    errors = np.abs(predictions.scores - predictions.truth)
    order = np.argsort(errors, kind="stable")
    reached = np.cumsum(counts[:, order], axis=1)
    total = reached[:, -1:]
    lower = errors[order][(reached >= np.ceil(total / 2)).argmax(axis=1)]
    upper = errors[order][(reached >= np.floor(total / 2) + 1).argmax(axis=1)]
    middle: Floats = (lower + upper) / 2
    return middle


def _mape(predictions: Predictions, counts: Floats) -> Floats:
    """NaN when a true value is 0: the percentage of nothing is not defined."""
    if (predictions.truth == 0).any():
        return np.full(len(counts), np.nan)
    return _row_mean(np.abs((predictions.scores - predictions.truth) / predictions.truth), counts)


def _row_mean(values: Floats, counts: Floats) -> Floats:
    mean: Floats = (counts @ values) / counts.sum(axis=1)
    return mean


def _mean_of_defined(values: Floats) -> Floats:
    """Mean over the first axis, of what is not NaN; NaN where nothing is."""
    defined = ~np.isnan(values)
    return _share(np.where(defined, values, 0).sum(axis=0), defined.sum(axis=0).astype(np.float64), np.nan)


ENDS_OF_SCALES = (0.0, 1.0)
FORMULAS: dict[str, Formula] = {
    "roc_auc": _roc_auc,
    "average_precision": _average_precision,
    "log_loss": _log_loss,
    "brier": _brier,
    "f1": _f1,
    "precision": _precision,
    "recall": _recall,
    "macro_f1": _macro_f1,
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "calibration_error": _calibration_error,
    "rmse": _rmse,
    "mae": _mae,
    "r2": _r2,
    "median_absolute_error": _median_absolute_error,
    "mape": _mape,
}


def metric_value(name: str, predictions: Predictions) -> float:
    """The metric on these rows; NaN where it is undefined."""
    return float(FORMULAS[name](predictions, np.ones((1, predictions.rows)))[0])


def metric_values(predictions: Predictions) -> dict[str, float]:
    """Every metric of the task that is defined on these rows."""
    values = {m.name: metric_value(m.name, predictions) for m in measures_for(predictions.task)}
    return {name: value for name, value in values.items() if np.isfinite(value)}


def resamples(rows: int, seed: int, count: int = RESAMPLES) -> Iterator[Floats]:
    """`count` bootstrap resamples of `rows` rows, as counts (some resamples, rows), in blocks that fit in memory."""
    rng = np.random.default_rng(seed)
    block = max(1, min(count, _CELLS_AT_ONCE // rows))
    for start in range(0, count, block):
        size = min(block, count - start)
        drawn = rng.integers(0, rows, size=(size, rows)) + np.arange(size)[:, None] * rows
        yield np.bincount(drawn.ravel(), minlength=size * rows).reshape(size, rows).astype(np.float64)


def resampled_metrics(models: Sequence[Predictions], *, seed: int, count: int = RESAMPLES) -> list[dict[str, Floats]]:
    """For each model each metric of the task on the same resamples: (count,) each, so that differences are paired."""
    names = [measure.name for measure in measures_for(models[0].task)]
    parts: list[dict[str, list[Floats]]] = [{name: [] for name in names} for _ in models]
    for counts in resamples(models[0].rows, seed, count):
        for model, collected in zip(models, parts, strict=True):
            for name in names:
                collected[name].append(FORMULAS[name](model, counts))
    return [{name: np.concatenate(blocks) for name, blocks in collected.items()} for collected in parts]


def intervals(predictions: Predictions, resampled: dict[str, Floats]) -> dict[str, Interval]:
    """Each defined metric with its percentile interval from the bootstrap, at the end of its scale with Wilson's."""
    tail = (1 - CONFIDENCE) / 2
    found: dict[str, Interval] = {}
    for name, value in metric_values(predictions).items():
        defined = resampled[name][np.isfinite(resampled[name])]
        low, high = np.quantile(defined, [tail, 1 - tail])
        if low == high and value in ENDS_OF_SCALES and MEASURES[name].higher_is_better and len(predictions.labels):
            low, high = _bounds_by_rows_not_seen(name, predictions)
        found[name] = Interval(value, float(low), float(high))
    return found


def _bounds_by_rows_not_seen(name: str, predictions: Predictions) -> tuple[float, float]:
    """The worst and the best the metric becomes when z² rows of one class are added, all told wrongly or all rightly.

    Of accuracy these are Wilson's bounds (Wilson, 1927); of the others the class where it matters most decides.
    """
    classes = np.unique(predictions.truth)
    number = predictions.scores.shape[1]
    truth = np.concatenate([classes, classes])
    told = np.concatenate([classes, (classes + 1) % number])
    extended = Predictions(
        predictions.task,
        np.concatenate([predictions.truth, truth]),
        np.concatenate([predictions.scores, np.eye(number)[told]]),
        np.concatenate([predictions.labels, told]),
    )
    counts = np.column_stack([np.ones((len(truth), predictions.rows)), _ROWS_NOT_SEEN * np.eye(len(truth))])
    values = FORMULAS[name](extended, counts).clip(*ENDS_OF_SCALES)
    return float(np.nanmin(values)), float(np.nanmax(values))


def choose_threshold(predictions: Predictions, metric: str) -> float:
    """The probability from which a row is called positive: the one that maximises `metric` on these rows.

    Meant for validation rows. The metric is f1, accuracy or balanced_accuracy; the last stands in for any other, since
    precision or recall alone is maximal at a degenerate threshold. Of equally good thresholds the one nearest 0.5.
    """
    order, starts = _ties(predictions.positive)
    hit = (predictions.truth == 1)[order].astype(np.float64)
    below_hits = np.concatenate([[0.0], np.cumsum(hit)])[starts]
    below_misses = np.concatenate([[0.0], np.cumsum(1 - hit)])[starts]
    hits, misses = hit.sum(), len(hit) - hit.sum()
    tp, tn = hits - below_hits, below_misses
    goals = {
        "f1": _share(2 * tp, hits + tp + misses - tn, 0.0),
        "accuracy": (tp + tn) / len(hit),
        "balanced_accuracy": (_share(tp, np.full_like(tp, hits), 0.0) + _share(tn, np.full_like(tn, misses), 0.0)) / 2,
    }
    goal = goals.get(metric, goals["balanced_accuracy"])
    ranked = predictions.positive[order][starts]
    # Halfway to the next lower score: as far from both sides as the rows allow.
    cuts = np.concatenate([[ranked[0]], (ranked[1:] + ranked[:-1]) / 2])
    best = np.flatnonzero(goal >= goal.max() - 1e-12)
    return float(cuts[best[np.abs(cuts[best] - 0.5).argmin()]])


# Curves


def roc_points(positive: npt.NDArray[np.bool_], scores: Floats) -> list[dict[str, float | None]]:
    """From (0, 0) to (1, 1), at most `CURVE_POINTS`. A row is positive from `threshold` up; None: no row is."""
    hits, misses = (part[0, ::-1] for part in _ranked_counts(positive, scores, np.ones((1, len(scores)))))
    if not hits.sum() or not misses.sum():
        return []
    recall = np.concatenate([[0], np.cumsum(hits) / hits.sum()])
    false_share = np.concatenate([[0], np.cumsum(misses) / misses.sum()])
    thresholds = [None, *np.unique(scores)[::-1].tolist()]
    return [
        {
            "false_positive_rate": float(false_share[i]),
            "true_positive_rate": float(recall[i]),
            "threshold": thresholds[i],
        }
        for i in _spread(recall + false_share)
    ]


def precision_recall_points(positive: npt.NDArray[np.bool_], scores: Floats) -> list[dict[str, float]]:
    """From the highest threshold down, at most `CURVE_POINTS`."""
    hits, misses = (part[0, ::-1] for part in _ranked_counts(positive, scores, np.ones((1, len(scores)))))
    if not hits.sum():
        return []
    found, taken = np.cumsum(hits), np.cumsum(hits + misses)
    recall, thresholds = found / hits.sum(), np.unique(scores)[::-1]
    return [
        {"recall": float(recall[i]), "precision": float(found[i] / taken[i]), "threshold": float(thresholds[i])}
        for i in _spread(recall + taken / taken[-1])
    ]


def calibration_points(truth: Floats, predicted: Floats) -> list[dict[str, float]]:
    """Mean prediction and mean truth in ten equally filled bins, ascending."""
    order = np.argsort(predicted, kind="stable")
    return [
        {"predicted": float(predicted[part].mean()), "observed": float(truth[part].mean()), "rows": len(part)}
        for part in np.array_split(order, CALIBRATION_BINS)
        if len(part)
    ]


def curves(predictions: Predictions, classes: Sequence[Any]) -> dict[str, list[dict[str, Any]]]:
    """ROC, precision-recall and calibration. One curve for the positive class of two, one per class of several.

    Regression has calibration alone: mean prediction against mean truth, from the lowest predictions to the highest.
    """
    if predictions.task == "regression":
        points = calibration_points(predictions.truth, predictions.scores)
        return {"roc": [], "precision_recall": [], "calibration": [{"class": None, "points": points}]}
    drawn: dict[str, list[dict[str, Any]]] = {"roc": [], "precision_recall": [], "calibration": []}
    for index in [1] if predictions.task == "binary" else range(len(classes)):
        positive, scores = predictions.truth == index, predictions.scores[:, index]
        told = classes[index]
        drawn["roc"].append({"class": told, "points": roc_points(positive, scores)})
        drawn["precision_recall"].append({"class": told, "points": precision_recall_points(positive, scores)})
        drawn["calibration"].append({"class": told, "points": calibration_points(positive.astype(np.float64), scores)})
    return drawn


def confusion(predictions: Predictions, classes: Sequence[Any], threshold: float | None) -> dict[str, Any]:
    """Rows by true (down) and predicted (across) class: at the model's threshold and, with two classes, at 0.5."""
    if predictions.task == "regression":
        return {}
    cuts = [threshold] if threshold is None or threshold == 0.5 else [threshold, 0.5]
    matrices = []
    for cut in cuts:
        labels = labels_of(predictions.task, predictions.scores, cut)
        at_cut = Predictions(predictions.task, predictions.truth, predictions.scores, labels)
        table = _confusions(at_cut, np.ones((1, predictions.rows)))[0]
        matrices.append({"threshold": cut, "rows": table.astype(np.int64).tolist()})
    return {"classes": list(classes), "matrices": matrices}


def _spread(progress: Floats) -> Ints:
    """At most `CURVE_POINTS` positions, both ends among them, evenly along `progress`, which never falls."""
    if len(progress) <= CURVE_POINTS:
        return np.arange(len(progress))
    wanted = np.linspace(progress[0], progress[-1], CURVE_POINTS - 1)
    chosen = np.searchsorted(progress, wanted).clip(0, len(progress) - 1)
    positions: Ints = np.unique(np.concatenate([chosen, [len(progress) - 1]]))
    return positions
