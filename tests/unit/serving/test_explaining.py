"""An explanation says what the answer would be without one value, and costs no more than a few rows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from millrace.analytics.explanation import explain_rows
from millrace.analytics.onnx_graph import OnnxGraph
from millrace.analytics.serving import Input, ReadRows, Signature, predictions_of, read_rows
from tests.unit.serving.conftest import Exported

INPUTS = (Input("age", "number"), Input("home", "category", frozenset({"own"})))


class Adds:
    """A number: twice the age, and ten for an own home; what is missing counts nothing."""

    def scores(self, rows: ReadRows) -> npt.NDArray[np.float64]:
        ages, homes = rows.columns
        return np.array([
            (0 if math.isnan(age) else 2 * age) + 10 * (home == "own") for age, home in zip(ages, homes, strict=True)
        ])  # fmt: skip


def test_an_effect_is_what_the_score_loses_without_the_value() -> None:
    rows = ReadRows(((30.0, math.nan, 1.0), ("own", "own", "rent")), (), ())
    signature = Signature("regression", INPUTS, (), None)

    found = explain_rows(Adds(), rows, [70.0, 10.0, 2.0], signature)

    assert [each.score for each in found] == [70.0, 10.0, 2.0]
    assert [each.effects for each in found] == [
        {"age": 60.0, "home": 10.0},
        {"home": 10.0, "age": 0},
        {"age": 2.0, "home": 0},
    ]
    assert [*found[0].effects] == ["age", "home"]
    assert [*found[1].effects] == ["home", "age"]


ROWS: list[dict[str, Any]] = [{"age": 30, "home": "own"}, {"age": 70, "home": "rent"}, {"age": None, "home": None}]


@pytest.mark.parametrize("number", range(len(ROWS)))
def test_a_class_is_explained_by_its_own_probability_with_and_without_each_value(number: int, first: Exported) -> None:
    signature = Signature.of(first.document)
    graph = OnnxGraph(first.files["model.onnx"], signature)
    read = read_rows(ROWS, signature)
    told = predictions_of(graph.scores(read).tolist(), signature)

    found = explain_rows(graph, read, [each.prediction for each in told], signature)[number]

    assert found.of == told[number].prediction
    assert found.score == told[number].probabilities[found.of]
    for column, effect in found.effects.items():
        without = read_rows([{**ROWS[number], column: None}], signature)
        (score,) = graph.scores(without)[:, signature.classes.index(found.of)]
        assert effect == pytest.approx(found.score - score, abs=1e-7)
    if ROWS[number]["age"] is None:
        assert set(found.effects.values()) == {0.0}
