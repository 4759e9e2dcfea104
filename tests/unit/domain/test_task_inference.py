"""What a target asks for, and what it does not allow."""

from __future__ import annotations

import pytest

from millrace.domain.dataset import ColumnKind, Task
from millrace.domain.task_inference import infer_task
from millrace.errors import TrainingImpossible
from tests.builders import a_column


def counts_of(*values: str) -> dict[str, int]:
    return {value: 100 - place for place, value in enumerate(values)}


@pytest.mark.parametrize(
    ("kind", "values", "task"),
    [
        (ColumnKind.CATEGORY, ("good", "bad"), Task.BINARY),
        (ColumnKind.CATEGORY, ("Adelie", "Chinstrap", "Gentoo"), Task.MULTICLASS),
        (ColumnKind.BOOLEAN, ("true", "false"), Task.BINARY),
        (ColumnKind.INTEGER, ("0", "1"), Task.BINARY),
        (ColumnKind.INTEGER, ("1", "2", "3", "4", "5"), Task.MULTICLASS),
        (ColumnKind.INTEGER, tuple(str(n) for n in range(11)), Task.REGRESSION),
        (ColumnKind.NUMBER, ("0", "1"), Task.BINARY),
        (ColumnKind.NUMBER, ("0.5", "1.5", "2.5"), Task.REGRESSION),
    ],
)
def test_the_values_tell_the_task(kind: ColumnKind, values: tuple[str, ...], task: Task) -> None:
    inferred = infer_task(a_column("target", kind), counts_of(*values), distinct=len(values), declared=None)

    assert inferred.task is task
    assert "'target' holds" in inferred.reason
    assert "set `task` in the settings" in inferred.reason


def test_more_values_than_are_counted_are_a_number() -> None:
    inferred = infer_task(a_column("price"), None, distinct=4823.4, declared=None)

    assert inferred.task is Task.REGRESSION
    assert "about 4,823 different numbers" in inferred.reason


def test_the_reason_shows_the_values_that_decided() -> None:
    inferred = infer_task(a_column("t", ColumnKind.CATEGORY), {"bad": 1, "good": 9}, distinct=2, declared=None)

    assert "2 classes (good, bad)" in inferred.reason


@pytest.mark.parametrize("kind", list(ColumnKind))
def test_one_value_in_every_row_teaches_nothing(kind: ColumnKind) -> None:
    with pytest.raises(TrainingImpossible, match=r"only 'good'.*name another target"):
        infer_task(a_column("t", kind), {"good": 9}, distinct=1, declared=None)
    with pytest.raises(TrainingImpossible, match="no value at all"):
        infer_task(a_column("t", kind), {}, distinct=0, declared=Task.BINARY)


@pytest.mark.parametrize("kind", [ColumnKind.TEXT, ColumnKind.DATE, ColumnKind.TIMESTAMP])
def test_neither_text_nor_time_is_predicted(kind: ColumnKind) -> None:
    with pytest.raises(TrainingImpossible, match=f"of kind {kind}"):
        infer_task(a_column("t", kind), None, distinct=500, declared=None)


def test_too_many_classes_are_refused() -> None:
    with pytest.raises(TrainingImpossible, match="101 different values"):
        infer_task(a_column("t", ColumnKind.CATEGORY), None, distinct=101, declared=None)


def test_what_is_declared_decides() -> None:
    inferred = infer_task(
        a_column("t", ColumnKind.INTEGER), counts_of("1", "2", "3"), distinct=3, declared=Task.REGRESSION
    )

    assert inferred == (Task.REGRESSION, "the settings of the dataset say regression")


@pytest.mark.parametrize(
    ("declared", "kind", "distinct"),
    [
        (Task.REGRESSION, ColumnKind.CATEGORY, 5),
        (Task.BINARY, ColumnKind.CATEGORY, 3),
        (Task.MULTICLASS, ColumnKind.CATEGORY, 2),
        (Task.MULTICLASS, ColumnKind.INTEGER, 101),
    ],
)
def test_what_is_declared_must_fit_the_values(declared: Task, kind: ColumnKind, distinct: int) -> None:
    with pytest.raises(TrainingImpossible, match=f"the settings say {declared}"):
        infer_task(a_column("t", kind), None, distinct=distinct, declared=declared)


@pytest.mark.parametrize(("declared", "distinct"), [(Task.BINARY, 2), (Task.MULTICLASS, 3), (Task.MULTICLASS, 100)])
def test_what_is_declared_and_fits_is_taken(declared: Task, distinct: int) -> None:
    assert infer_task(a_column("t", ColumnKind.CATEGORY), None, distinct=distinct, declared=declared).task is declared
