"""How a batch transform cuts its input into requests."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.jobs.batches import TooLarge, choose_columns, filter_record, mini_batches, split_lines, supports

RECORDS = st.lists(st.text("abc,", min_size=1, max_size=20), max_size=40)


@given(RECORDS, st.integers(21, 100), st.booleans())
def test_batches_hold_every_record_once_in_order_and_fit(records: list[str], largest: int, single: bool) -> None:
    batches = list(mini_batches(records, largest, single=single))

    assert [record for batch in batches for record in batch] == records
    assert all(sum(len(record) + 1 for record in batch) <= largest for batch in batches)
    assert not single or all(len(batch) == 1 for batch in batches)


def test_a_record_that_fits_into_no_request_is_refused() -> None:
    with pytest.raises(TooLarge):
        list(mini_batches(["x" * 100], 50, single=False))


@pytest.mark.parametrize(
    ("json_path", "columns"),
    [
        ("$", ["id", "a", "b"]),
        ("$[1:]", ["a", "b"]),
        ("$[:-1]", ["id", "a"]),
        ("$[0,-1]", ["id", "b"]),
        ("$[2]", ["b"]),
        ("$[7]", []),
    ],
)
def test_filters_choose_columns(json_path: str, columns: list[str]) -> None:
    assert choose_columns(json_path, ["id", "a", "b"]) == columns


def test_a_quoted_column_stays_one_column() -> None:
    assert filter_record("$[1:]", '7,"a, b",c') == '"a, b",c'
    assert filter_record("$", '7,"a, b",c') == '7,"a, b",c'


def test_only_filters_of_columns_are_supported() -> None:
    assert supports("$[0,-1]")
    assert not supports("$.features")
    with pytest.raises(ValueError, match=r"\$\.features"):
        choose_columns("$.features", ["a"])


def test_lines_are_split_whatever_their_end() -> None:
    assert split_lines("a\r\nb\nc") == ["a", "b", "c"]
    assert split_lines("") == []
