"""How good the answers in a window were: measured when labels came, estimated before.

Measured: the primary metric in the window against the one on held-out rows. It decayed when it is worse by more than
chance explains (one-sided normal test at `DECAY_ALARM_SHARE`, with the bootstrap's standard errors of both) and by
more than `LEAST_DECAY`. Labels themselves are judged like a feature: the share of each class, or how numbers lie.

Estimated: what the scores promise about themselves. If of all rows scored 0.8 four fifths are positive, the expected
metric follows from the scores alone (Guillory et al., 2021, ICCV; Garg et al., 2022, ICLR: difference of confidences).
What the same scores promised and did not keep on held-out rows is taken off. It holds while scores are calibrated in
the window as they were there: new inputs, yes; a changed meaning of the same inputs, no. It never makes a verdict.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
import pyarrow as pa

from millrace.analytics.drift.baseline import LABEL, Baseline, Output
from millrace.analytics.drift.decision import judge_drift
from millrace.analytics.drift.rows import Floats, Labels, Sampled, label_text
from millrace.analytics.evaluation import (
    SMALLEST_PROBABILITY,
    Predictions,
    intervals,
    labels_of,
    resampled_metrics,
)
from millrace.analytics.measures import MEASURES
from millrace.analytics.profiling import DatasetProfile, Profiler
from millrace.domain.drift import (
    DriftJudgement,
    DriftRule,
    DriftSeverity,
    DriftVerdict,
    Performance,
)

DECAY_ALARM_SHARE = 0.005
LEAST_DECAY = 0.02
LEAST_RELATIVE_DECAY = 0.05
SEVERE_DECAY = 5 * LEAST_DECAY
RESAMPLES = 200
LEAST_OF_A_CLASS = 10
ASSUMPTION = (
    "scores mean in the window what they meant on held-out rows: inputs may have changed, the share of each class "
    "among rows with the same score may not"
)
# Half of what an input's change must be: every prediction leans on the share of the classes, on an input only some do.
LABEL_RULE = DriftRule(
    thresholds={
        "wasserstein": 0.1,
        "chi_square": 0.1,
        "g_test": 0.1,
        "kolmogorov_smirnov": 0.05,
        "psi": 0.1,
        "jensen_shannon": 0.05,
    }
)
_SEED = 7
_WIDTH_95 = 2 * NormalDist().inv_cdf(0.975)
# Metrics that lie between 0 and 1 whatever the data: a difference of 0.02 means the same everywhere.
_BOUNDED = ("roc_auc", "average_precision", "f1", "precision", "recall", "macro_f1", "accuracy", "balanced_accuracy")


def expected_metrics(output: Output, scores: Floats) -> dict[str, float]:
    """What the scores (rows, classes) promise about themselves; nothing for numbers."""
    if not output.classes or not len(scores):
        return {}
    labels = labels_of(output.task, scores, output.threshold)
    told = np.clip(scores, SMALLEST_PROBABILITY, 1.0)
    expected = {
        "accuracy": float(scores[np.arange(len(scores)), labels].mean()),
        "log_loss": float(-(scores * np.log(told)).sum(axis=1).mean()),
    }
    if output.task != "binary":
        return expected
    positive = scores[:, 1]
    expected["brier"] = float((positive * (1 - positive)).mean())
    return expected | _expected_ranking(positive) | _expected_of_labels(positive, labels == 1)


def _expected_ranking(positive: Floats) -> dict[str, float]:
    """The area under the ROC curve when each row counts as positive with its own probability, ties half."""
    values, place = np.unique(positive, return_inverse=True)
    hits = np.bincount(place, weights=positive, minlength=len(values))
    misses = np.bincount(place, weights=1 - positive, minlength=len(values))
    pairs = hits.sum() * misses.sum()
    if not pairs:
        return {}
    below = np.cumsum(misses) - misses
    return {"roc_auc": float((hits * (below + 0.5 * misses)).sum() / pairs)}


def _expected_of_labels(positive: Floats, called: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> dict[str, float]:
    hits, rows, all_positive = float(positive[called].sum()), int(called.sum()), float(positive.sum())
    found = {} if not rows else {"precision": hits / rows}
    if all_positive:
        found |= {"recall": hits / all_positive, "f1": 2 * hits / (rows + all_positive)}
    return found


def estimate(baseline: Baseline, sample: Sampled) -> tuple[Performance, ...]:
    """The primary metric before labels came, less what the scores promised too much on held-out rows."""
    held_out, name = baseline.held_out, baseline.held_out.primary_metric
    expected = expected_metrics(baseline.output, sample.scores)
    if name not in expected or name not in held_out.expected or name not in held_out.metrics:
        return ()
    actual = float(held_out.metrics[name]["value"])
    window = expected[name] + actual - held_out.expected[name]
    if name in _BOUNDED:
        window = min(1.0, max(0.0, window))
    return (
        Performance(
            metric=name,
            higher_is_better=MEASURES[name].higher_is_better,
            held_out=actual,
            window=window,
            rows=len(sample.scores),
            estimated=True,
            assumption=ASSUMPTION,
        ),
    )


def awaiting_labels(baseline: Baseline, sample: Sampled, window_rows: int, labelled: int) -> tuple[
    DriftJudgement, tuple[Performance, ...]
]:  # fmt: skip
    """Not judged, with what can be estimated meanwhile."""
    rule = DriftRule()
    guess = estimate(baseline, sample)
    why = f"too few labels: {labelled}, need {rule.minimum_rows}" if labelled else "no labels yet"
    said = f"Not judged: {why}."
    if guess:
        said += (
            f" Estimated {guess[0].metric} {guess[0].window:.3f}, {guess[0].held_out:.3f} on held-out rows: an "
            f"estimate that assumes {ASSUMPTION}."
        )
    return _judgement(DriftVerdict.SKIPPED, DriftSeverity.NONE, said, rule, baseline, window_rows), guess


def labelled_predictions(output: Output, sample: Sampled, labels: Labels) -> Predictions:
    """The sampled rows that have a usable label. A class that the version never learnt counts as none of its own."""
    values = labels.of(sample.hashes)
    if not output.classes:
        truth = np.array([float(value) for value in values])
        return Predictions(output.task, truth, sample.scores[:, 0], np.empty(0, dtype=np.int64))
    index = {name: position for position, name in enumerate(output.class_names)}
    places = np.array([index.get(str(label_text(value)), -1) for value in values], dtype=np.int64)
    known = places >= 0
    scores = sample.scores[known]
    return Predictions(output.task, places[known], scores, labels_of(output.task, scores, output.threshold))


def label_profile(output: Output, values: Sequence[str | float]) -> DatasetProfile:
    """The true values of a window, as one column."""
    profiler = Profiler({LABEL: output.label_kind}, None, distinct=False)
    column = (
        pa.array([label_text(value) for value in values], pa.string())
        if output.classes
        else pa.array([float(value) for value in values], pa.float64())
    )
    profiler.add(pa.table({LABEL: column}), np.zeros(len(values), dtype=np.int64))
    return profiler.profile


def judge_performance(
    baseline: Baseline, predictions: Predictions, labels: DatasetProfile
) -> tuple[DriftJudgement, tuple[Performance, ...]]:
    """Measured performance with its verdict. `labels` are the window's true values."""
    rule = LABEL_RULE
    label_rate = judge_drift(baseline.labels, labels, features=[LABEL], rule=rule)
    name = baseline.held_out.primary_metric
    why = _why_not_judged(predictions, rule)
    if why is not None or name not in baseline.held_out.metrics:
        said = f"Not judged: {why or f'no {name} on held-out rows'}."
        return _with_labels(DriftVerdict.SKIPPED, DriftSeverity.NONE, said, label_rate, baseline, labels.rows), ()
    measured = _measured(baseline, predictions)
    decay, decayed = _decay(baseline, measured[0])
    moved = label_rate.verdict is DriftVerdict.DRIFT
    verdict = DriftVerdict.DRIFT if decayed or moved else DriftVerdict.OK
    severe = decayed and decay >= SEVERE_DECAY
    severity = (
        DriftSeverity.SEVERE
        if severe
        else DriftSeverity.MAJOR
        if decayed
        else DriftSeverity.MINOR
        if moved
        else DriftSeverity.NONE
    )
    said = _sentence(measured[0], decayed, label_rate)
    return _with_labels(verdict, severity, said, label_rate, baseline, labels.rows), measured


def _why_not_judged(predictions: Predictions, rule: DriftRule) -> str | None:
    if predictions.rows < rule.minimum_rows:
        return f"too few labels: {predictions.rows}, need {rule.minimum_rows}"
    if predictions.task == "binary":
        fewest = int(np.bincount(predictions.truth, minlength=2).min())
        if fewest < LEAST_OF_A_CLASS:
            return f"too few labels of one class: {fewest}, need {LEAST_OF_A_CLASS}"
    return None


def _measured(baseline: Baseline, predictions: Predictions) -> tuple[Performance, ...]:
    """Every metric known on both sides, the primary one first."""
    held_out = baseline.held_out
    (drawn,) = resampled_metrics([predictions], seed=_SEED, count=RESAMPLES)
    found = [
        Performance(
            metric=name,
            higher_is_better=MEASURES[name].higher_is_better,
            held_out=float(held_out.metrics[name]["value"]),
            window=interval.value,
            low=interval.low,
            high=interval.high,
            rows=predictions.rows,
            estimated=False,
        )
        for name, interval in intervals(predictions, drawn).items()
        if name in held_out.metrics
    ]
    return tuple(sorted(found, key=lambda each: each.metric != held_out.primary_metric))


def _decay(baseline: Baseline, primary: Performance) -> tuple[float, bool]:
    """How much worse the metric is (as a share of the held-out value unless it lies in 0 to 1), and if that counts."""
    told = baseline.held_out.metrics[primary.metric]
    worse = (primary.held_out - primary.window) * (1 if primary.higher_is_better else -1)
    error = np.hypot(told["high"] - told["low"], float(primary.high or 0) - float(primary.low or 0)) / _WIDTH_95
    beyond_chance = worse > NormalDist().inv_cdf(1 - DECAY_ALARM_SHARE) * error
    if primary.metric in _BOUNDED:
        return worse, bool(beyond_chance and worse > LEAST_DECAY)
    share = worse / abs(primary.held_out) if primary.held_out else 0.0
    return share, bool(beyond_chance and share > LEAST_RELATIVE_DECAY)


def _sentence(primary: Performance, decayed: bool, label_rate: DriftJudgement) -> str:
    bounds = f"{primary.low:.3f} to {primary.high:.3f}"
    said = (
        f"{primary.metric} is {primary.window:.3f} ({bounds}) over {primary.rows:,} labelled rows, "
        f"{primary.held_out:.3f} on held-out rows: "
    )
    said += "it decayed" if decayed else "no decay beyond chance"
    if label_rate.verdict is DriftVerdict.DRIFT:
        said += f"; {label_rate.features[0].sentence}"
    return f"{said}."


def _judgement(
    verdict: DriftVerdict,
    severity: DriftSeverity,
    sentence: str,
    rule: DriftRule,
    baseline: Baseline,
    window_rows: int,
) -> DriftJudgement:
    return DriftJudgement(
        verdict=verdict,
        severity=severity,
        sentence=sentence,
        rule=rule,
        false_alarm_share=rule.false_alarm_share + DECAY_ALARM_SHARE,
        smallest_shift_sd=None,
        baseline_rows=baseline.held_out.rows,
        window_rows=window_rows,
        features=(),
    )


def _with_labels(
    verdict: DriftVerdict,
    severity: DriftSeverity,
    sentence: str,
    label_rate: DriftJudgement,
    baseline: Baseline,
    rows: int,
) -> DriftJudgement:
    judged = _judgement(verdict, severity, sentence, label_rate.rule, baseline, rows)
    return judged.model_copy(
        update={"features": label_rate.features, "smallest_shift_sd": label_rate.smallest_shift_sd}
    )
