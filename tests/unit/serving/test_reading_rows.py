"""What rows of a request become, and that it is what training made of the same rows."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.algorithms.features import Feature, model_frame
from millrace.analytics.serving import (
    MAX_FAULTS,
    Input,
    Prediction,
    Signature,
    class_name,
    predictions_of,
    read_rows,
)
from millrace.errors import RowsInvalid
from sagemaker_scripts.artefact import frame_of

SIGNATURE = Signature(
    "binary",
    (Input("age", "integer"), Input("income", "number"), Input("home", "category", frozenset({"own", "rent"}))),
    ("bad", "good"),
    0.4,
)
ROW = {"age": 41, "income": 1500.5, "home": "rent"}


def one(kind: str, value: Any) -> Any:
    """What one value of a kind becomes."""
    signature = Signature("regression", (Input("x", kind, frozenset({"known"})),), (), None)
    return read_rows([{"x": value}], signature).columns[0][0]


def fault(kind: str, value: Any) -> str:
    with pytest.raises(RowsInvalid) as refused:
        one(kind, value)
    return str(refused.value)


def test_columns_come_in_the_signatures_order_whatever_the_rows_order() -> None:
    turned = dict(reversed(ROW.items()))

    assert read_rows([ROW, turned], SIGNATURE).columns == ((41, 41), (1500.5, 1500.5), ("rent", "rent"))


def test_null_is_missing_and_no_notice() -> None:
    read = read_rows([dict.fromkeys(ROW)], SIGNATURE)

    assert math.isnan(read.columns[0][0])
    assert math.isnan(read.columns[1][0])
    assert read.columns[2] == ("",)
    assert read.notices == ()


def test_an_unknown_category_is_answered_with_a_notice_that_names_it() -> None:
    read = read_rows([ROW, ROW | {"home": "castle"}], SIGNATURE)

    assert read.columns[2] == ("rent", "castle")
    (notice,) = read.notices
    assert (notice.row, notice.column) == (1, "home")
    assert '"castle"' in notice.reason


def test_columns_that_the_model_does_not_read_are_named_once_and_ignored() -> None:
    read = read_rows([ROW | {"id": 1}, ROW | {"id": 2, "remarks": "x"}], SIGNATURE)

    assert read.ignored_columns == ("id", "remarks")
    assert len(read.columns) == 3


def test_an_absent_column_refuses_the_request_naming_row_and_column() -> None:
    with pytest.raises(RowsInvalid) as refused:
        read_rows([ROW, {"age": 3, "home": "own"}], SIGNATURE)

    (fault,) = refused.value.faults
    assert (fault.row, fault.column) == (1, "income")
    assert "null" in fault.reason


def test_every_fault_is_named_in_the_order_of_the_rows_up_to_a_limit() -> None:
    rows = [{"age": "old", "income": 1, "home": []} for _ in range(50)]

    with pytest.raises(RowsInvalid) as refused:
        read_rows(rows, SIGNATURE)

    assert [fault.row for fault in refused.value.faults] == [row // 2 for row in range(MAX_FAULTS)]
    assert "and 80 more" in str(refused.value)


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("integer", "3", "a number is needed"),
        ("integer", 3.5, "a whole number"),
        ("integer", True, "a number is needed"),
        ("number", {"a": 1}, "a number is needed"),
        ("number", 10**400, "too large"),
        ("boolean", 1, "true or false"),
        ("boolean", "true", "true or false"),
        ("category", 1.5, "a category is a text"),
        ("category", True, "a category is a text"),
        ("date", "20.11.2026", "a date such as"),
        ("date", "2026-02-30", "no such date"),
        ("timestamp", "2026-11-20T25:00:00", "no such date"),
        ("timestamp", "1066-10-14", "a year from"),
        ("timestamp", [], "a number is needed"),
    ],
)
def test_a_value_of_another_kind_is_refused_with_what_is_needed(kind: str, value: Any, words: str) -> None:
    assert words in fault(kind, value)


def test_a_refusal_does_not_repeat_a_value_of_any_length() -> None:
    assert len(fault("number", "x" * 10_000)) < 200


def test_whole_numbers_may_be_written_with_a_point_and_categories_as_integers() -> None:
    assert one("integer", 3.0) == 3
    assert one("category", 7) == "7"


def test_infinity_is_missing() -> None:
    assert math.isnan(one("number", math.inf))
    assert math.isnan(one("integer", -math.inf))


def as_trained(kind: str, value: Any) -> Any:
    """What the training's conversion makes of the same JSON value."""
    return model_frame(frame_of([{"x": value}], ["x"]), [Feature("x", kind)])["x"].iloc[0]


def equal(served: Any, trained: Any) -> bool:
    if isinstance(served, str):
        return bool(served == trained)
    return bool(np.array_equal(np.float32(served), trained, equal_nan=True))


MOMENTS = st.datetimes(min_value=dt.datetime(1700, 1, 1, tzinfo=dt.UTC).replace(tzinfo=None)).filter(
    lambda d: d.year < 2262
)
VALUES = {
    "integer": st.integers(-(2**80), 2**80) | st.none(),
    "number": st.floats() | st.integers(-(2**60), 2**60) | st.none(),
    "boolean": st.booleans() | st.none(),
    "category": st.text() | st.none() | st.integers(),
    "date": st.dates(max_value=dt.date(2200, 1, 1)).filter(lambda d: d.year >= 1700).map(str),
    "timestamp": MOMENTS.map(lambda d: d.isoformat()) | MOMENTS.map(lambda d: d.isoformat() + "+05:30"),
}


@pytest.mark.parametrize("kind", VALUES)
def test_a_value_is_read_as_training_read_it(kind: str) -> None:
    @given(VALUES[kind])
    def agrees(value: Any) -> None:
        assert equal(one(kind, value), as_trained(kind, value))

    agrees()


@given(st.lists(st.fixed_dictionaries({"age": VALUES["integer"], "income": VALUES["number"], "home": st.text()})))
def test_as_many_rows_come_out_as_went_in_and_in_their_order(rows: list[dict[str, Any]]) -> None:
    read = read_rows(rows, SIGNATURE)

    assert [len(column) for column in read.columns] == [len(rows)] * 3
    assert list(read.columns[2]) == [row["home"] for row in rows]


def test_with_two_classes_the_threshold_decides() -> None:
    told = predictions_of([[0.61, 0.39], [0.6, 0.4]], SIGNATURE)

    assert told == [
        Prediction("bad", {"bad": 0.61, "good": 0.39}),
        Prediction("good", {"bad": 0.6, "good": 0.4}),
    ]


def test_with_several_classes_the_most_probable_wins_and_labels_keep_their_type() -> None:
    signature = Signature("multiclass", SIGNATURE.inputs, (10, 20, 30), None)

    (told,) = predictions_of([[0.3, 0.5, 0.2]], signature)

    assert told == Prediction(20, {"10": 0.3, "20": 0.5, "30": 0.2})


def test_a_number_has_no_probabilities() -> None:
    signature = Signature("regression", SIGNATURE.inputs, (), None)

    assert predictions_of([1.5], signature) == [Prediction(1.5, {})]


def test_a_label_that_is_no_text_is_written_as_json_writes_it() -> None:
    assert [class_name(label) for label in ("yes", True, 3)] == ["yes", "true", "3"]
