"""Every task has its metrics, one of which decides."""

from __future__ import annotations

import pytest

from millrace.analytics.evaluation import FORMULAS
from millrace.analytics.measures import MEASURES, measures_for, primary_measure
from millrace.errors import InvalidInput


def test_every_measure_has_a_formula_and_every_formula_a_measure() -> None:
    assert set(MEASURES) == set(FORMULAS)


def test_defaults_are_auc_for_two_classes_log_loss_for_several_and_rmse_for_numbers() -> None:
    assert [primary_measure(t).name for t in ("binary", "multiclass", "regression")] == ["roc_auc", "log_loss", "rmse"]


def test_a_named_metric_of_the_task_is_taken() -> None:
    assert primary_measure("binary", "f1").name == "f1"


@pytest.mark.parametrize(
    ("task", "named"), [("binary", "rmse"), ("regression", "f1"), ("binary", "calibration_error"), ("binary", "auc")]
)
def test_a_metric_that_cannot_decide_is_answered_with_the_choices(task: str, named: str) -> None:
    with pytest.raises(InvalidInput, match=f"a {task} model cannot be chosen by '{named}'; choose one of "):
        primary_measure(task, named)


def test_an_unknown_task_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no task 'ranking'"):
        measures_for("ranking")


def test_losses_are_better_lower_and_scores_better_higher() -> None:
    lower = {name for name, measure in MEASURES.items() if not measure.higher_is_better}
    assert lower == {
        "log_loss", "brier", "calibration_error", "rmse", "mae", "median_absolute_error", "mape",
    }  # fmt: skip
    assert MEASURES["rmse"].sign == -1
    assert MEASURES["roc_auc"].sign == 1
