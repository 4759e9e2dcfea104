"""Which metrics judge which task: names, directions and the default. Standard library only: Lambdas use it."""

from __future__ import annotations

from dataclasses import dataclass

from millrace.errors import InvalidInput


@dataclass(frozen=True)
class Measure:
    """One metric. `of_labels` metrics depend on the decision threshold, the others on scores alone."""

    name: str
    title: str
    tasks: tuple[str, ...]
    higher_is_better: bool
    of_labels: bool = False

    @property
    def sign(self) -> int:
        """Multiplies a difference so that positive is better."""
        return 1 if self.higher_is_better else -1


_BINARY = ("binary",)
_CLASSES = ("binary", "multiclass")
_NUMBERS = ("regression",)

MEASURES: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        Measure("roc_auc", "area under the ROC curve (several classes: mean of one-vs-rest)", _CLASSES, True),
        Measure("average_precision", "average precision", _BINARY, True),
        Measure("log_loss", "logarithmic loss", _CLASSES, False),
        Measure("brier", "Brier score", _BINARY, False),
        Measure("f1", "F1 of the positive class", _BINARY, True, of_labels=True),
        Measure("precision", "precision of the positive class", _BINARY, True, of_labels=True),
        Measure("recall", "recall of the positive class", _BINARY, True, of_labels=True),
        Measure("macro_f1", "mean F1 of the classes", ("multiclass",), True, of_labels=True),
        Measure("accuracy", "accuracy", _CLASSES, True, of_labels=True),
        Measure("balanced_accuracy", "mean recall of the classes", _CLASSES, True, of_labels=True),
        Measure("calibration_error", "expected calibration error", _BINARY, False),
        Measure("rmse", "root mean squared error", _NUMBERS, False),
        Measure("mae", "mean absolute error", _NUMBERS, False),
        Measure("r2", "share of variance explained", _NUMBERS, True),
        Measure("median_absolute_error", "median absolute error", _NUMBERS, False),
        Measure("mape", "mean absolute percentage error, as a share", _NUMBERS, False),
    )
}

# roc_auc does not depend on a threshold or on the share of positives. With several classes log_loss: it is a proper
# score of the whole probability vector, and a mean over rows, so that it exists for rare classes and small test sets.
DEFAULT_PRIMARY = {"binary": "roc_auc", "multiclass": "log_loss", "regression": "rmse"}

# Calibration alone is no goal: a constant prediction is perfectly calibrated.
_NOT_PRIMARY = ("calibration_error",)


def measures_for(task: str) -> tuple[Measure, ...]:
    """Raises InvalidInput for an unknown task."""
    if task not in DEFAULT_PRIMARY:
        raise InvalidInput(f"there is no task {task!r}; choose one of {', '.join(DEFAULT_PRIMARY)}")
    return tuple(measure for measure in MEASURES.values() if task in measure.tasks)


def deciding_measures(task: str) -> tuple[Measure, ...]:
    """Those that may choose between models. Raises InvalidInput for an unknown task."""
    return tuple(measure for measure in measures_for(task) if measure.name not in _NOT_PRIMARY)


def primary_measure(task: str, named: str | None = None) -> Measure:
    """The metric that decides: the one `named`, or the task's default. Raises InvalidInput with the choices."""
    choices = [measure.name for measure in deciding_measures(task)]
    name = DEFAULT_PRIMARY[task] if named is None else named
    if name not in choices:
        raise InvalidInput(f"a {task} model cannot be chosen by {name!r}; choose one of {', '.join(choices)}")
    return MEASURES[name]
