from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.analytics import time_formats
from millrace.analytics.casting import TYPES, cast
from millrace.domain.dataset import ColumnContract, ColumnKind


def casted(kind: str, *texts: str | None, **form: Any) -> tuple[list[Any], dict[int, str]]:
    found = cast(pa.array(texts, pa.string()), ColumnContract(name="x", kind=ColumnKind(kind), **form))
    assert found.values.type == TYPES[ColumnKind(kind)]
    return found.values.to_pylist(), found.wrong


def test_integers_in_all_their_spellings() -> None:
    values, wrong = casted("integer", "1", "+2", "-3", "4.0", "5e2", None, "007")

    assert (values, wrong) == ([1, 2, -3, 4, 500, None, 7], {})


@pytest.mark.parametrize("text", ["1.5", "abc", "0x1F", "1_000", "1e999", "²", "--1", "9223372036854775808"])
def test_what_is_no_integer_is_wrong_and_null_alone(text: str) -> None:
    values, wrong = casted("integer", "1", text, "2")

    assert values == [1, None, 2]
    assert list(wrong) == [1]


def test_the_largest_integers_keep_their_digits() -> None:
    assert casted("integer", "x", "9223372036854775807")[0] == [None, 9223372036854775807]


@pytest.mark.parametrize(
    ("text", "form", "value"),
    [
        ("1,234.5", {"thousands": ","}, 1234.5),
        ("1.234,5", {"thousands": ".", "decimal": ","}, 1234.5),
        ("1 234,5", {"thousands": " ", "decimal": ","}, 1234.5),
        ("1\u00a0234,5", {"thousands": " ", "decimal": ","}, 1234.5),
        ("1'234", {"thousands": "'"}, 1234.0),
        ("12,5", {"decimal": ","}, 12.5),
        ("-.5e-3", {}, -0.0005),
    ],
)
def test_numbers_are_read_in_the_columns_style(text: str, form: dict[str, str], value: float) -> None:
    assert casted("number", text, **form) == ([value], {})


@pytest.mark.parametrize(("text", "what"), [("inf", "is not a finite number"), ("1e999", "is not a finite number"),
                                           ("1,23", "is not a number"), ("0x1F", "is not a number")])  # fmt: skip
def test_numbers_that_are_none_say_why(text: str, what: str) -> None:
    assert casted("number", "1", text) == ([1.0, None], {1: what})


def test_groups_of_two_digits_are_no_thousands() -> None:
    assert casted("number", "1,23", thousands=",")[1] == {0: "is not a number"}


def test_booleans_know_the_columns_words_and_true_and_false() -> None:
    values, wrong = casted("boolean", "YES", "no", "True", "false", "si", true_values=("yes",), false_values=("no",))

    assert values == [True, False, True, False, None]
    assert wrong == {4: "is neither yes nor no"}


def test_dates_in_several_forms_and_midnights() -> None:
    formats = ("%d/%m/%Y", "%d %b %Y")
    values, wrong = casted(
        "date", "31/01/2024", "5 Mar 2024", "2024-02-29", "2024-03-01 00:00:00", "31/02/2024", "2024-03-01 10:00:00",
        time_formats=formats,
    )  # fmt: skip

    assert values[:4] == [date(2024, 1, 31), date(2024, 3, 5), date(2024, 2, 29), date(2024, 3, 1)]
    assert values[4:] == [None, None]
    assert wrong[4] == "is not a date of the form %d/%m/%Y or %d %b %Y"


def test_timestamps_are_utc_whatever_their_zone() -> None:
    values, wrong = casted("timestamp", "2024-01-01T12:00:00+02:00", "2024-01-01 10:00", "2024-01-01T10:00:00.25Z",
                           "2024-01-01", "2024-01-01T25:00:00")  # fmt: skip

    ten = datetime(2024, 1, 1, 10, tzinfo=UTC)
    assert values == [ten, ten, ten.replace(microsecond=250_000), datetime(2024, 1, 1, tzinfo=UTC), None]
    assert list(wrong) == [4]


@given(st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)))  # noqa: DTZ001  the zone is in the text
def test_any_moment_survives_its_text(moment: datetime) -> None:
    text = moment.isoformat(timespec="microseconds") + "Z"

    assert casted("timestamp", text)[0] == [moment.replace(tzinfo=UTC)]


@given(st.sampled_from(time_formats.DATE_FORMATS), st.dates(min_value=date(1000, 1, 1)))
def test_any_date_survives_every_form(form: str, day: date) -> None:
    micros, valid = time_formats.microseconds(pa.array([day.strftime(form)]), form)

    assert valid.all()
    assert date(1970, 1, 1).toordinal() + int(micros[0] // 86_400_000_000) == day.toordinal()


@given(st.integers(1, 31), st.integers(0, 14), st.integers(1890, 2110))
def test_only_days_of_the_calendar_are_dates(day: int, month: int, year: int) -> None:
    valid = bool(time_formats.microseconds(pa.array([f"{day}/{month}/{year}"]), "%d/%m/%Y")[1][0])
    try:
        date(year, month, day)
        exists = True
    except ValueError:
        exists = False

    assert valid == exists


@given(st.lists(st.one_of(st.none(), st.text(max_size=12), st.floats().map(str), st.integers().map(str)), max_size=30),
       st.sampled_from(list(ColumnKind)))  # fmt: skip
def test_no_text_breaks_a_cast_and_each_is_a_value_or_wrong(texts: list[str | None], kind: ColumnKind) -> None:
    trimmed = [None if text is None else text.encode("utf-8", "replace").decode().strip() for text in texts]
    found = cast(pa.array(trimmed, pa.string()), ColumnContract(name="x", kind=kind))

    nulls = set(np.flatnonzero(found.values.is_null().to_numpy(zero_copy_only=False)).tolist())
    assert nulls == {i for i, text in enumerate(trimmed) if text is None} | set(found.wrong)
