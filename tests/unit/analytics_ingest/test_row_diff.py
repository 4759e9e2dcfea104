"""Row by row: against a comparison that holds everything in dictionaries, and where values are of odd kinds."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from millrace.analytics import row_diff
from millrace.analytics.row_diff import EXAMPLES, LONGEST_TEXT, RowDiff, Side, diff_rows

Rows = list[dict[str, Any]]
KINDS = pa.schema([("id", pa.int64()), ("part", pa.string()), ("age", pa.int64()), ("home", pa.string())])
values = st.fixed_dictionaries(
    {
        "id": st.integers(0, 12),
        "part": st.sampled_from(["a", "b", "\x1f", None]),
        "age": st.none() | st.integers(0, 2),
        "home": st.sampled_from([None, "", "own", "rent"]),
    }
)


def side(rows: Rows, schema: pa.Schema = KINDS, batch_rows: int = 5) -> Side:
    table = pa.Table.from_pylist(rows, schema=schema)
    return Side(schema, table.to_batches(max_chunksize=batch_rows), len(rows))


def compared(before: Side, after: Side, key: Sequence[str] = ("id",)) -> tuple[RowDiff, Rows]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        return diff_rows(before, after, key=key, scratch=Path(folder), rows_file=path), pq.read_table(path).to_pylist()


def first_of_each(rows: Rows, key: Sequence[str]) -> dict[tuple[Any, ...], dict[str, Any]]:
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        found.setdefault(tuple(row[name] for name in key), row)
    return found


@settings(max_examples=60, deadline=None)
@given(st.lists(values, max_size=40), st.lists(values, max_size=40), st.integers(1, 7))
def test_it_says_what_dictionaries_say(before: Rows, after: Rows, rows_per_partition: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(row_diff, "ROWS_PER_PARTITION", rows_per_partition)
        diff, rows = compared(side(before), side(after), ("id", "part"))

    known, now = (first_of_each(each, ("id", "part")) for each in (before, after))
    both = known.keys() & now.keys()
    changed = {key for key in both if known[key] != now[key]}
    assert (diff.repeated_before, diff.repeated_after) == (len(before) - len(known), len(after) - len(now))
    assert diff.unchanged == len(both) - len(changed)
    for name in ("age", "home"):
        assert diff.changed_by_column[name] == sum(known[key][name] != now[key][name] for key in both)
    expected = {"ADDED": now.keys() - both, "REMOVED": known.keys() - both, "CHANGED": changed}
    for change, keys in expected.items():
        told = [(int(row["key.id"]), row["key.part"]) for row in rows if row["change"] == change]
        assert (len(told), set(told)) == (len(keys), keys)
    assert [diff.added, diff.removed, diff.changed] == [len(keys) for keys in expected.values()]


def test_rows_are_kept_with_both_sides_and_what_differs() -> None:
    before = [{"id": 1, "part": "a", "age": 3, "home": "own"}, {"id": 2, "part": "a", "age": 3, "home": "own"}]
    after = [{"id": 1, "part": "a", "age": 4, "home": "own"}, {"id": 3, "part": None, "age": None, "home": "rent"}]

    diff, rows = compared(side(before), side(after))

    by_change = {row["change"]: row for row in rows}
    assert by_change["CHANGED"]["changed_columns"] == ["age"]
    assert (by_change["CHANGED"]["before.age"], by_change["CHANGED"]["after.age"]) == (3, 4)
    assert (by_change["REMOVED"]["key.id"], by_change["REMOVED"]["before.home"]) == ("2", "own")
    assert (by_change["REMOVED"]["after.home"], by_change["ADDED"]["before.home"]) == (None, None)
    examples = {example["change"]: example for example in diff.examples}
    assert examples["CHANGED"] == {
        "change": "CHANGED",
        "key": {"id": "1"},
        "changed_columns": ["age"],
        "before": {"age": 3},
        "after": {"age": 4},
    }
    assert examples["ADDED"]["before"] is None
    assert examples["ADDED"]["after"] == {"id": 3, "part": None, "age": None, "home": "rent"}
    assert examples["REMOVED"]["after"] is None


def test_only_columns_of_both_versions_can_differ() -> None:
    wider = pa.schema([*KINDS, ("new", pa.string())])
    row = {"id": 1, "part": "a", "age": 3, "home": "own"}

    diff, rows = compared(side([row]), side([{**row, "new": "x"}], wider))

    assert (diff.unchanged, rows) == (1, [])
    assert set(diff.changed_by_column) == {"part", "age", "home"}


@pytest.mark.parametrize(
    ("old", "new", "differs"),
    [
        (pa.array([1.5]), pa.array([1.5]), False),
        (pa.array([float("nan")]), pa.array([float("nan")]), False),
        (pa.array([float("nan")]), pa.array([1.0]), True),
        (pa.array([None], pa.float64()), pa.array([float("nan")]), True),
        (pa.array([1]), pa.array([1.0]), False),
        (pa.array([1]), pa.array([1.5]), True),
        (pa.array([1]), pa.array(["1"]), False),
        (pa.array([1]), pa.array(["one"]), True),
        (pa.array([True]), pa.array(["true"]), False),
        (pa.array([None], pa.int64()), pa.array([None], pa.string()), False),
    ],
)
def test_values_of_two_kinds_are_compared_as_numbers_or_by_their_text(
    old: pa.Array, new: pa.Array, differs: bool
) -> None:
    before, after = (pa.schema([("id", pa.int64()), ("x", each.type)]) for each in (old, new))

    diff, _ = compared(
        Side(before, [pa.record_batch([pa.array([1]), old], schema=before)], 1),
        Side(after, [pa.record_batch([pa.array([1]), new], schema=after)], 1),
    )

    assert diff.changed == differs


def test_a_key_that_became_text_names_the_same_rows() -> None:
    text = pa.schema([("id", pa.string()), *list(KINDS)[1:]])
    row = {"part": "a", "age": 3, "home": "own"}

    diff, _ = compared(side([{"id": 7, **row}]), side([{"id": "7", **row}], text))

    assert (diff.unchanged, diff.added, diff.removed) == (1, 0, 0)


def test_examples_are_few_and_short() -> None:
    rows = [{"id": number, "part": "a", "age": 1, "home": "x" * 1000} for number in range(100)]

    diff, kept = compared(side([]), side(rows))

    assert len(kept) == 100
    assert len(diff.examples) == EXAMPLES
    assert {len(example["after"]["home"]) for example in diff.examples} == {LONGEST_TEXT}
