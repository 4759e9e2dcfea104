"""What a target asks for: two classes, several, or a number. Inferred when nobody said, and always with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from millrace.domain.dataset import ColumnContract, ColumnKind, Task
from millrace.errors import TrainingImpossible

MAX_CLASSES = 100
_FEW_INTEGERS = 10
_SHOWN = 5
_NUMERIC = (ColumnKind.INTEGER, ColumnKind.NUMBER)
_CLASS_KINDS = (ColumnKind.BOOLEAN, ColumnKind.CATEGORY)


class InferredTask(NamedTuple):
    task: Task
    reason: str


def infer_task(
    column: ColumnContract, counts: Mapping[str, int] | None, *, distinct: float, declared: Task | None
) -> InferredTask:
    """The task of the target `column`. `counts` holds each value with its rows, while there are few; `distinct` says
    how many values there are.

    Raises TrainingImpossible with what to do when nothing can be learnt, or when `declared` does not fit the values.
    """
    if distinct < 2:
        only = f"only {next(iter(counts))!r}" if counts else "no value at all"
        raise TrainingImpossible(
            f"the target {column.name!r} holds {only} in every row, so there is nothing to learn: upload rows with "
            f"other values, or name another target"
        )
    if declared is None:
        task, why = _by_values(column, counts, distinct)
        return InferredTask(task, f"{why}, so {_NAMES[task]}; set `task` in the settings to decide otherwise")
    _check_declared(column, distinct, declared)
    return InferredTask(declared, f"the settings of the dataset say {declared}")


_NAMES = {
    Task.BINARY: "binary classification",
    Task.MULTICLASS: "multi-class classification",
    Task.REGRESSION: "regression",
}


def _by_values(column: ColumnContract, counts: Mapping[str, int] | None, distinct: float) -> tuple[Task, str]:
    exact = counts is not None
    number = round(distinct)
    if column.kind in _NUMERIC:
        if exact and number == 2:
            return Task.BINARY, f"{column.name!r} holds the two numbers {_listed(counts)}"
        if exact and column.kind is ColumnKind.INTEGER and number <= _FEW_INTEGERS:
            return Task.MULTICLASS, f"{column.name!r} holds {number} different integers ({_listed(counts)})"
        return Task.REGRESSION, f"{column.name!r} holds {'' if exact else 'about '}{number:,} different numbers"
    if column.kind not in _CLASS_KINDS:
        raise TrainingImpossible(
            f"the target {column.name!r} is of kind {column.kind}, which no algorithm predicts: name a target that "
            f"holds numbers or categories"
        )
    if number > MAX_CLASSES:
        raise TrainingImpossible(
            f"the target {column.name!r} holds {number:,} different values, more than {MAX_CLASSES} classes: name "
            f"another target, or upload coarser classes"
        )
    task = Task.BINARY if number == 2 else Task.MULTICLASS
    return task, f"{column.name!r} holds {number} classes ({_listed(counts)})"


def _check_declared(column: ColumnContract, distinct: float, declared: Task) -> None:
    number = round(distinct)
    if declared is Task.REGRESSION and column.kind not in _NUMERIC:
        raise TrainingImpossible(
            f"the settings say regression, but the target {column.name!r} is of kind {column.kind}, not a number: "
            f"set `task` to binary or multiclass"
        )
    if declared is Task.BINARY and number != 2:
        raise TrainingImpossible(
            f"the settings say binary, but the target {column.name!r} holds {number:,} different values: set `task` to "
            f"multiclass or regression, or leave it out"
        )
    if declared is Task.MULTICLASS and not 3 <= number <= MAX_CLASSES:
        raise TrainingImpossible(
            f"the settings say multiclass, but the target {column.name!r} holds {number:,} different values: "
            f"3 to {MAX_CLASSES} classes can be told apart"
        )


def _listed(counts: Mapping[str, int] | None) -> str:
    """The most frequent values first: the two that matter are seen."""
    values = sorted(counts or {}, key=lambda value: (-(counts or {})[value], value))
    return ", ".join(values[:_SHOWN]) + (", …" if len(values) > _SHOWN else "")
