from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from millrace.analytics.preparation import KeyIndex, KnownRepeats
from millrace.domain.dataset import ColumnKind, Constraint
from millrace.errors import DatasetInvalid
from tests.preparing import Preparation, prepare_bytes

PEOPLE = "id,age,colour,joined\n" + "".join(
    f"{i},{20 + i % 40},{('red', 'green', 'blue')[i % 3]},2024-01-{i % 28 + 1:02}\n" for i in range(200)
)


def prepare(text: str, **how: Any) -> Preparation:
    return prepare_bytes(text.encode(), **how)


def test_a_clean_file_comes_out_whole_and_typed() -> None:
    found = prepare(PEOPLE)
    rows = found.rows_by_first_column()

    assert [row["id"] for row in rows] == list(range(200))
    assert str(rows[3]["joined"]) == "2024-01-04"
    assert found.quality.model_dump(include={"rows_in", "accepted", "quarantined"}) == {
        "rows_in": 200, "accepted": 200, "quarantined": 0,
    }  # fmt: skip
    assert sum(found.quality.split_rows.values()) == 200
    assert found.report.contract is not None
    assert found.report.contract.inferred_from_version == 1


def test_a_row_with_two_faults_is_quarantined_with_both_reasons_its_line_and_its_text() -> None:
    found = prepare(PEOPLE + "200,abc,red,2024-02-31\n")

    assert found.quarantined() == [
        {
            "line": 202,
            "text": "200,abc,red,2024-02-31",
            "reasons": ["age: 'abc' is not an integer", "joined: '2024-02-31' is not a date of the form %Y-%m-%d"],
        }
    ]
    assert found.quality.violations == {"age: not an integer": 1, "joined: not a date of the form %Y-%m-%d": 1}


def test_a_row_without_target_key_or_group_is_set_aside() -> None:
    rows = "".join(f"{i},{i % 5},{i % 2}\n" for i in range(60))
    found = prepare(f"id,home,y\n{rows}60,1,\n,1,1\n62,NA,1\n", target="y", key=("id",), group="home")

    assert found.reasons() == {
        62: ["target 'y' is missing"], 63: ["key 'id' is missing"], 64: ["group 'home' is missing"],
    }  # fmt: skip


@pytest.mark.parametrize("role", ["target", "group"])
def test_settings_that_name_a_column_the_file_lacks_refuse_it(role: str) -> None:
    found = prepare(PEOPLE, **{role: "income"})

    assert found.report.rejection is not None
    assert f"name 'income' as {role}" in found.report.rejection
    assert "id, age, colour, joined" in found.report.rejection


def test_a_repeated_key_is_set_aside_naming_the_first_line() -> None:
    found = prepare(PEOPLE + "5,33,red,2024-01-01\n7,x,red,2024-01-01\n5,34,red,2024-01-01\n", key=("id",))

    assert found.reasons() == {
        202: ["the key (id = 5) was on line 7 already"],
        203: ["age: 'x' is not an integer"],
        204: ["the key (id = 5) was on line 7 already"],
    }
    assert [row["age"] for row in found.rows() if row["id"] == 5] == [25]


def test_a_row_set_aside_for_another_reason_does_not_claim_its_key() -> None:
    found = prepare(PEOPLE + "900,oops,red,2024-01-01\n900,40,red,2024-01-01\n", key=("id",))

    assert list(found.reasons()) == [202]
    assert 900 in [row["id"] for row in found.rows()]


def test_too_many_bad_rows_refuse_the_version_with_counts_and_reasons() -> None:
    found = prepare(PEOPLE + "x,1,red,2024-01-01\n" * 40 + "1,2\n" * 3, max_quarantined_share=0.1,
                    constraints={"id": Constraint(kind=ColumnKind.INTEGER)})  # fmt: skip

    rejection = found.report.rejection or ""
    assert "43 of 243 rows (17.7%)" in rejection
    assert "id: not an integer (40); wrong number of fields (3)" in rejection
    assert "max_quarantined_share" in rejection
    assert found.quality.quarantined == 43
    assert [path for path in found.parts if path.startswith("data/")] == []
    assert len(found.quarantined()) == 43


def test_a_file_without_one_good_row_is_refused_whatever_the_limit() -> None:
    found = prepare("a,b\n1\n2\n", max_quarantined_share=1.0)

    assert found.report.rejection is not None
    assert "none of the 2 rows can be used" in found.report.rejection


def test_a_later_version_is_judged_by_the_contract_of_the_first() -> None:
    contract = prepare(PEOPLE).contract
    later = "id,age,colour,joined\n" + "".join(f"{i},99,pink,2024-01-01\n" for i in range(30)) + "x,1,red,2024-01-01\n"
    found = prepare(later, contract=contract)

    assert found.contract == contract
    assert list(found.reasons()) == [32]
    assert set(found.quality.warnings) >= {
        "age: 30 values above 59, the largest value seen before",
        "colour: 30 values of a category not seen before",
    }
    assert not any("below" in words for words in found.quality.warnings), "the row set aside was warned of as well"


def test_reordered_and_new_columns_are_reported_and_nothing_is_mixed_up() -> None:
    contract = prepare(PEOPLE).contract
    found = prepare("joined,extra,id,colour,age\n" + "2024-01-05,?,7,red,30\n" * 10, contract=contract)

    assert found.rows()[0] == {"id": 7, "age": 30, "colour": "red", "joined": found.rows()[0]["joined"]}
    assert found.quality.schema_changes == (
        "column 'extra' is new: it is ignored until the contract names it",
        "the columns come in another order",
    )


def test_a_missing_column_that_may_be_null_is_reported() -> None:
    contract = prepare(PEOPLE + "500,,red,2024-01-01\n").contract
    found = prepare("id,colour,joined\n" + "7,red,2024-01-01\n" * 5, contract=contract)

    assert found.quality.schema_changes == ("column 'age' is missing: its values count as missing",)
    assert {row["age"] for row in found.rows()} == {None}


@pytest.mark.parametrize("name", ["people.csv", "people.jsonl"])
def test_a_missing_column_that_may_not_be_null_refuses_the_file(name: str) -> None:
    contract = prepare(PEOPLE).contract
    lines = "id,colour,joined\n7,red,2024-01-01\n"
    objects = '{"id": 7, "colour": "red", "joined": "2024-01-01"}\n'
    found = prepare(lines if name == "people.csv" else objects, name=name, contract=contract)

    assert found.report.rejection is not None
    assert "lacks age" in found.report.rejection


def test_declared_rules_refuse_where_seen_ones_warn() -> None:
    rules = {
        "age": Constraint(minimum=21, maximum=58),
        "colour": Constraint(categories=("red", "green")),
        "joined": Constraint(nullable=False),
    }
    found = prepare("id,age,colour,joined\n" + "1,30,red,2024-01-01\n" * 40 + "2,20,blue,\n", constraints=rules)

    assert found.reasons()[42] == [
        "age: '20' is below 21",
        "colour: 'blue' is not one of red, green",
        "joined: a value is missing",
    ]


def test_a_rule_for_a_column_that_does_not_exist_is_told() -> None:
    assert any("'income'" in words for words in prepare(PEOPLE, constraints={"income": Constraint()}).quality.warnings)


def test_bad_values_of_an_excluded_column_are_missing_and_no_reason() -> None:
    found = prepare(PEOPLE + "500,oops,red,2024-01-01\n", exclude=("age",))

    assert found.quarantined() == []
    assert [row["age"] for row in found.rows() if row["id"] == 500] == [None]
    assert "age: 1 value" in found.quality.warnings[0]


def test_the_same_rows_as_csv_json_lines_and_parquet_come_out_alike() -> None:
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [{"id": i, "x": i / 7, "ok": i % 2 == 0, "name": f"n{i % 3}"} for i in range(50)]
    csv = "id,x,ok,name\n" + "".join(f"{r['id']},{r['x']!r},{r['ok']},{r['name']}\n" for r in rows)
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    body = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), body)

    found = [
        prepare(csv), prepare(lines, name="rows.jsonl"), prepare_bytes(body.getvalue(), name="rows.parquet")
    ]  # fmt: skip

    assert [each.rows_by_first_column() for each in found] == [rows] * 3
    assert found[0].contract == found[1].contract == found[2].contract


def test_a_split_without_rows_is_an_empty_table_and_a_warning() -> None:
    found = prepare("id,x\n1,2\n2,3\n")
    empty = [split for split, rows in found.quality.split_rows.items() if rows == 0]

    assert empty
    for split in empty:
        assert found.split(split).num_rows == 0
        assert any(f"split {split}" in words for words in found.quality.warnings)


def test_what_an_earlier_attempt_left_is_removed() -> None:
    from millrace.analytics.detection import detect_dialect
    from millrace.analytics.preparation import prepare as prepare_upload
    from tests.preparing import BytesSource, MemorySink, a_request

    sink = MemorySink({"data/split=train/part-99999-000.parquet": b"old", "quarantine/part-99999-000.jsonl": b"old"})
    body = PEOPLE.encode()
    prepare_upload(a_request(detect_dialect(body, "x.csv", len(body))), BytesSource(body), sink)

    assert not [path for path in sink.parts if "99999" in path]


def test_sections_change_neither_the_rows_nor_the_report() -> None:
    text = (
        PEOPLE
        + '500,"abc",red,2024-01-01\n5,33,"re\nd",2024-01-01\n'
        + "".join(f"{i},30,red,2024-01-01\n" for i in range(600, 900))
    )
    whole = prepare(text, key=("id",))
    cut = prepare(text, key=("id",), section_bytes=1_000)

    assert len({path.split("/")[-1][:10] for path in cut.parts}) >= 1
    assert cut.rows_by_first_column() == whole.rows_by_first_column()
    assert cut.quarantined() == whole.quarantined()
    assert cut.report.model_copy(update={"seconds": 0}) == whole.report.model_copy(update={"seconds": 0})


def test_repeats_found_beforehand_equal_those_found_on_the_way() -> None:
    import numpy as np

    keys, lines = [b"a", b"b", b"a", b"a"], np.array([2, 3, 4, 9])
    known = KnownRepeats.of(np.array([9, 4]), np.array([2, 2]))

    assert KeyIndex().first_lines(keys, lines) == known.first_lines(keys, lines) == {2: 2, 3: 2}


cell = st.one_of(
    st.integers(-99, 99).map(str), st.floats().map(str), st.text(alphabet='a1,;"\n\r é\0.-/', max_size=8),
    st.sampled_from(["NA", "", "2024-01-01", "31/12/2024", "yes", "1,234", "inf"]),
)  # fmt: skip
hostile = st.lists(st.lists(cell, min_size=1, max_size=4).map(",".join), max_size=25).map("\n".join)


@given(hostile, st.booleans())
@settings(max_examples=200, deadline=None)
def test_no_record_is_lost_whatever_the_file_holds(text: str, with_contract: bool) -> None:
    contract = prepare("a,b,c\n1,x,2024-01-01\n2,y,2024-01-02\n").contract if with_contract else None
    try:
        found = prepare("a,b,c\n" + text, contract=contract, max_quarantined_share=1.0)
    except DatasetInvalid:
        return
    if found.report.quality is None or found.report.rejection:
        return
    lines = [row["line"] for row in found.quarantined()]
    assert lines == sorted(lines)
    assert len(lines) == found.quality.quarantined
    assert len(found.rows()) == found.quality.accepted
    assert found.quality.rows_in == found.quality.accepted + found.quality.quarantined


@given(st.lists(st.tuples(st.integers(-1000, 1000), st.text(alphabet='ab,"\nü', min_size=1, max_size=6)), min_size=1,
                max_size=30))  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_every_good_row_survives_between_bad_ones(rows: list[tuple[int, str]]) -> None:
    def quoted(text: str) -> str:
        return '"' + text.replace('"', '""') + '"'

    good = [f"{i},{number},{quoted('t' + text)}" for i, (number, text) in enumerate(rows)]
    text = "i,n,t\n" + "\nbad\n".join(good) + "\n"
    found = prepare(text, max_quarantined_share=1.0, constraints={"t": Constraint(kind=ColumnKind.TEXT)})

    assert [(row["i"], row["n"], row["t"]) for row in found.rows_by_first_column()] == [
        (i, number, "t" + words) for i, (number, words) in enumerate(rows)
    ]
    assert [row["text"] for row in found.quarantined()] == ["bad"] * (len(rows) - 1)
