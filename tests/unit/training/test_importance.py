"""Shuffling a column that a model reads costs it; shuffling one it does not read costs nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd

from millrace.analytics.evaluation import Predictions
from millrace.analytics.importance import REPEATS, ROWS, permutation_importance
from millrace.analytics.measures import MEASURES

NO_LABELS = np.empty(0, dtype=np.int64)


def test_columns_come_in_order_of_what_the_model_takes_from_them() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(3000, 3)), columns=["unused", "weak", "strong"])
    truth = (3 * frame["strong"] + frame["weak"]).to_numpy()
    asked: list[int] = []

    def predict(rows: pd.DataFrame) -> Predictions:
        asked.append(len(rows))
        answer = (3 * rows["strong"] + rows["weak"]).to_numpy()
        return Predictions("regression", truth[rows.index], answer, NO_LABELS)

    before = frame.copy()
    found = permutation_importance(predict, frame, list(frame.columns), MEASURES["rmse"], seed=1)

    assert [item.feature for item in found] == ["strong", "weak", "unused"]
    assert found[2].importance == 0
    # Two independent draws of 3 x differ by a standard deviation of 3 sqrt 2.
    assert abs(found[0].importance - 3 * np.sqrt(2)) < 0.3
    assert found[0].deviation > 0
    assert asked == [ROWS] * (1 + 3 * REPEATS)
    assert frame.equals(before)
    assert found == permutation_importance(predict, frame, list(frame.columns), MEASURES["rmse"], seed=1)


def test_importance_is_positive_for_scores_that_should_rise_too() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.random(500)})
    truth = (frame["x"] > 0.5).astype(int).to_numpy()

    def predict(rows: pd.DataFrame) -> Predictions:
        positive = rows["x"].to_numpy()
        scores = np.column_stack([1 - positive, positive])
        return Predictions("binary", truth[rows.index], scores, (positive >= 0.5).astype(np.int64))

    (item,) = permutation_importance(predict, frame, ["x"], MEASURES["roc_auc"], seed=1)
    assert abs(item.importance - 0.5) < 0.1


def test_nothing_is_said_where_the_metric_is_undefined() -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0]})
    predictions = Predictions("binary", np.array([1, 1]), np.full((2, 2), 0.5), np.array([1, 1]))
    assert permutation_importance(lambda _: predictions, frame, ["x"], MEASURES["roc_auc"], seed=1) == []
