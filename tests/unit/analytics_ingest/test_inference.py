from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from millrace.analytics.inference import Evidence, Inferred, infer_contract, observe
from millrace.analytics.records import Batch
from millrace.domain.dataset import ColumnContract, ColumnKind, Constraint
from tests.preparing import NOON, prepare_bytes


def batch_of(**columns: list[str | None]) -> Batch:
    arrays = {name: pa.array(values, pa.string()) for name, values in columns.items()}
    rows = len(next(iter(columns.values())))
    return Batch(arrays, np.arange(2, rows + 2), lambda index: f"row {index}")


def infer(values: list[str | None], constraint: Constraint | None = None) -> Inferred:
    rules = {} if constraint is None else {"x": constraint}
    return infer_contract(observe(batch_of(x=values)), dataset="people", version=1, constraints=rules, at=NOON)


def column(values: list[str | None], constraint: Constraint | None = None) -> ColumnContract:
    found = infer(values, constraint).contract.column("x")
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "2", "-3"], "integer"),
        (["1", "2.5", "3"], "number"),
        (["1e5", "2"], "number"),
        (["1", None, "NA", ""], "integer"),
        (["true", "False", "TRUE"], "boolean"),
        (["yes", "no", "yes"], "category"),
        (["t", "f"], "boolean"),
        (["0", "1", "1"], "integer"),
        (["red", "green", "red"], "category"),
        (["2024-01-31", "2024-02-01"], "date"),
        (["2024-01-31T10:00:00Z", "2024-02-01 11:30"], "timestamp"),
        (["31.01.2024", "01.02.2024"], "date"),
        (["5 Mar 2024", "6 Apr 2024"], "date"),
        (["00123", "04567", "99999"], "category"),
        (["12345678901234567890", "22345678901234567890"], "category"),
        ([None, "NA"], "text"),
        (["2024-02-31", "2024-02-30"], "category"),
        ([f"sentence number {i}" for i in range(100)], "text"),
        (["a" * 300, "b", "a" * 300], "text"),
    ],
)
def test_a_column_has_the_kind_that_its_values_show(values: list[str | None], kind: str) -> None:
    assert column(values).kind == kind


def test_a_few_strays_do_not_make_a_number_column_text() -> None:
    assert column([*map(str, range(96)), "x", "y", "z", "?"]).kind is ColumnKind.INTEGER


def test_too_many_strays_do() -> None:
    assert column([*map(str, range(90)), *"abcdefghij"]).kind is not ColumnKind.INTEGER


def test_one_decimal_makes_integers_numbers() -> None:
    assert column([*map(str, range(500)), "1.5"]).kind is ColumnKind.NUMBER


@pytest.mark.parametrize(
    ("values", "decimal", "thousands", "kind"),
    [
        (["1,5", "2,25"], ",", "", "number"),
        (["1,234.5", "2"], ".", ",", "number"),
        (["1.234,5", "1.234"], ",", ".", "number"),
        (["1,234,567", "1,234"], ".", ",", "integer"),
        (["1 234 567", "1 234"], ".", " ", "integer"),
        (["1'234.5"], ".", "'", "number"),
        (["1.234", "2.345"], ".", "", "number"),
    ],
)
def test_the_style_of_numbers_is_the_one_that_reads_most(
    values: list[str | None], decimal: str, thousands: str, kind: str
) -> None:
    found = column(values)

    assert (found.decimal, found.thousands, found.kind) == (decimal, thousands, kind)


def test_thousands_that_could_be_decimals_are_noted() -> None:
    found = infer(["1,234", "2,345"])

    assert found.contract.columns[0].thousands == ","
    assert "1,234 could be thousands or decimals" in found.notes[0]


@pytest.mark.parametrize(
    ("values", "form", "note"),
    [
        (["13/02/2024", "01/02/2024"], "%d/%m/%Y", None),
        (["02/13/2024", "01/02/2024"], "%m/%d/%Y", None),
        (["01/02/2024", "03/04/2024"], "%d/%m/%Y", "no date tells day from month"),
        (["13/02/2024", "14/02/2024", "02/13/2024"], "%d/%m/%Y", "2 dates can only have the day first and 1 only"),
    ],
)
def test_day_and_month_are_told_apart_by_the_values_or_noted(
    values: list[str | None], form: str, note: str | None
) -> None:
    found = infer([*values, *["01/01/2024"] * 30])

    assert found.contract.columns[0].time_formats == (form,)
    assert [note in sentence for sentence in found.notes] == ([] if note is None else [True])


def test_a_column_may_have_dates_in_several_forms() -> None:
    found = column(["2024-01-31", "31/01/2024", "31.01.2024"])

    assert set(found.time_formats) == {"%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y"}


def test_a_question_mark_among_numbers_is_a_missing_value() -> None:
    found = infer(["1", "2", "?", "?", "3"])

    assert found.contract.columns[0].kind is ColumnKind.INTEGER
    assert "?" in found.contract.missing_values


def test_a_question_mark_among_words_is_a_category() -> None:
    assert "?" not in infer(["a", "b", "?"] * 10).contract.missing_values


def test_a_declared_kind_wins_and_keeps_the_forms_seen() -> None:
    assert column(["1,234", "2,345"], Constraint(kind=ColumnKind.NUMBER)).thousands == ","
    assert column(["1", "2"], Constraint(kind=ColumnKind.CATEGORY)).kind is ColumnKind.CATEGORY


messy = st.lists(
    st.sampled_from(["1", "2.5", "1,234", "x", "?", "NA", "yes", "01/02/2024", "13/02/2024", "007", "inf", None]),
    min_size=1, max_size=40,
)  # fmt: skip


@given(messy, st.integers(0, 40), st.integers(0, 40))
@settings(max_examples=100, deadline=None)
def test_evidence_is_the_same_however_the_rows_are_divided(values: list[str | None], i: int, j: int) -> None:
    low, high = sorted((i, j))
    parts = [observe(batch_of(x=part)) for part in (values[:low], values[low:high], values[high:])]
    whole = Evidence().merge(observe(batch_of(x=values)))

    assert parts[0].merge(parts[1]).merge(parts[2]) == whole
    assert parts[0].merge(parts[1].merge(parts[2])) == whole


def test_keys_that_only_some_lines_have_are_missing_elsewhere() -> None:
    merged = observe(batch_of(a=["1", "2"])).merge(observe(batch_of(b=["x"])))

    assert (merged.columns["a"].missing, merged.columns["b"].missing) == (1, 2)


def first_contract(text: str, **settings: Any) -> dict[str, ColumnContract]:
    return {found.name: found for found in prepare_bytes(text.encode(), **settings).contract.columns}


def test_ranges_categories_and_nullability_come_from_the_accepted_rows() -> None:
    rows = "".join(f"{i},{'NA' if i % 5 == 0 else i},{('red', 'blue')[i % 2]}\n" for i in range(40))
    found = first_contract(f"id,x,colour\n{rows}99,oops,pink\n")

    assert (found["id"].minimum, found["id"].maximum, found["id"].nullable) == (0, 39, False)
    assert (found["x"].minimum, found["x"].nullable) == (1, True)
    assert found["colour"].categories == ("blue", "red")


def test_key_and_target_are_suggested_and_never_decided() -> None:
    rows = "".join(f"{i},{i % 7},{('good', 'bad')[i % 2]}\n" for i in range(40))
    found = prepare_bytes(f"customer_id,x,status\n{rows}".encode())

    assert found.contract.key_suggestion == ("customer_id",)
    assert found.contract.target_suggestion == "status"
    assert found.profile is not None
    assert found.profile.target is None


def test_a_column_of_many_values_says_so_however_the_rows_are_divided() -> None:
    values: list[str | None] = [f"{i}.5" for i in range(3_000)] + ["?"] * 10
    halves = observe(batch_of(x=values[:1_500])).merge(observe(batch_of(x=values[1_500:])))

    assert halves == observe(batch_of(x=values))
    assert halves.columns["x"].distinct is None
    assert halves.columns["x"].possibly_missing == {"?": 10}
