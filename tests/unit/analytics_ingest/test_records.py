from __future__ import annotations

import gzip
import io
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from millrace.analytics import delimited_records, records
from millrace.analytics.records import Batch, read_batches
from millrace.analytics.sections import plan_sections
from millrace.domain.dataset import Dialect, Format
from millrace.errors import DatasetInvalid
from tests.preparing import BytesSource

CSV = Dialect(format=Format.CSV)
LINES = Dialect(format=Format.JSON_LINES)
Row = tuple[int, str, tuple[str | None, ...]]


def rows_of(batches: Iterator[Batch]) -> tuple[list[Row], list[tuple[int, str, tuple[str, ...]]]]:
    """(line, text, values) of the readable records and (line, text, sentences) of the others."""
    good: list[Row] = []
    bad: list[tuple[int, str, tuple[str, ...]]] = []
    for batch in batches:
        cells = [column.to_pylist() for column in batch.columns.values()]
        values = list(zip(*cells, strict=True)) if cells else []
        good += [(line, batch.text_of(i), values[i]) for i, line in enumerate(batch.lines.tolist())]
        bad += [(row.line, row.text, tuple(why.sentence for why in row.reasons)) for row in batch.unreadable]
    return good, bad


def read(text: str | bytes, dialect: Dialect = CSV) -> tuple[list[Row], list[tuple[int, str, tuple[str, ...]]]]:
    body = text if isinstance(text, bytes) else text.encode()
    return rows_of(read_batches(io.BytesIO(body), dialect))


def test_records_keep_their_line_and_their_text() -> None:
    good, bad = read('a,b\n1,"x\ny"\n\n2,z\r\n3\n')

    assert good == [(2, '1,"x\ny"', ("1", "x\ny")), (5, "2,z", ("2", "z"))]
    assert bad == [(6, "3", ("has 1 field, the header names 2",))]


def test_every_kind_of_line_end_counts_as_one_line() -> None:
    good, _ = read("a\n1\r2\r\n3\n")

    assert [line for line, _, _ in good] == [2, 3, 4]


def test_a_quote_that_never_closes_costs_its_own_row_only() -> None:
    good, bad = read('a,b\n1,"open\n2,x\n3,y\n')

    assert [values for _, _, values in good] == [("2", "x"), ("3", "y")]
    assert bad == [(2, '1,"open', ("a quote opens and never closes",))]


def test_a_quote_that_closes_in_the_next_row_does_not_swallow_it() -> None:
    good, bad = read('a,b\n1,"open\n2,"x"\n3,y\n')

    assert [values for _, _, values in good] == [("2", "x"), ("3", "y")]
    assert [line for line, _, _ in bad] == [2]


def test_two_faults_of_one_record_are_both_told() -> None:
    _, bad = read("a,b\n1,x\0,3\n")

    assert bad == [(2, "1,x\0,3", ("has 3 fields, the header names 2", "holds a NUL byte"))]


def test_a_byte_that_is_not_of_the_encoding_sets_its_row_aside_and_is_shown() -> None:
    good, bad = read(b"a,b\n1,caf\xe9\n2,x\n")

    assert [values for _, _, values in good] == [("2", "x")]
    assert bad == [(2, "1,caf\\xe9", ("holds bytes that are not of the file's encoding",))]


def test_names_are_normalised_and_a_column_without_one_is_called_after_its_position() -> None:
    batch = next(read_batches(io.BytesIO(" cafe\u0301 ,,b\n1,2,3\n".encode()), CSV))

    assert list(batch.columns) == ["caf\u00e9", "column_2", "b"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,a\n1,2\n", "'a' twice"),
        ("a, a \n1,2\n", "'a' twice"),
        (",column_1\n1,2\n", "'column_1' twice"),
        ("1,2.5\n3,4\n", "first line holds values"),
        ('a,"b\n', "header line cannot be read"),
        ("\n\n", "no header line"),
    ],
)
def test_a_header_that_names_nothing_clearly_is_refused(text: str, words: str) -> None:
    with pytest.raises(DatasetInvalid, match=words):
        read(text)


def test_a_header_alone_is_a_file_without_records() -> None:
    assert read("a,b\n") == ([], [])


def test_a_line_without_end_is_refused_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MAX_LINE_BYTES", 1 << 16)

    with pytest.raises(DatasetInvalid, match="line is longer"):
        read(b"a\n" + b"x" * (1 << 22))


def test_a_gzip_file_that_ends_early_is_refused_whole() -> None:
    body = gzip.compress(b"".join(b"%d,%d\n" % (i, i * 7919 % 1009) for i in range(50_000)))[:-2_000]

    with pytest.raises(DatasetInvalid, match=r"ends in the middle.*upload it again"):
        read(body, CSV.model_copy(update={"compression": "gzip"}))


def test_json_numbers_keep_their_digits() -> None:
    good, _ = read('{"a": 1.50, "b": 12345678901234567890, "c": true, "d": null}\n', LINES)

    assert good[0][2] == ("1.50", "12345678901234567890", "true", None)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("nonsense", "not valid JSON"),
        ("[1]", "not an object"),
        ('{"a": {"b": 1}}', "a: holds a list or an object"),
        ('{"a": 1, "a": 2}', "names a key twice"),
        ('{"": 1}', "key without a name"),
        ("[" * 100_000, "not valid JSON"),
    ],
)
def test_a_line_that_is_no_flat_object_is_set_aside(line: str, words: str) -> None:
    good, bad = read(f'{{"a": 1}}\n{line}\n{{"b": 2}}\n', LINES)

    assert [number for number, _, _ in good] == [1, 3]
    assert [number for number, _, _ in bad] == [2]
    assert words in bad[0][2][0]


hostile_csv = st.text(alphabet='ab1,"\n\r é;\0', max_size=200)


@given(hostile_csv, st.integers(1, 40), st.booleans())
@settings(max_examples=300, deadline=None)
def test_cutting_a_file_changes_nothing_that_is_read(text: str, block: int, quoted_start: bool) -> None:
    body = ('a,b\n"x\ny",1\n' if quoted_start else "a,b\n").encode() + text.encode()
    source = BytesSource(body)
    whole = rows_of(read_batches(source.open(), CSV))

    plan = plan_sections(source, CSV, 1, block_bytes=block)

    good, bad = [], []
    for section in plan.sections:
        stream = source.open(section.start, None if section.end is None else section.end - section.start)
        header = None if section.start == 0 else plan.header
        found = rows_of(read_batches(stream, CSV, section=section, header=header))
        good += found[0]
        bad += found[1]
    assert (good, bad) == whole


@given(hostile_csv, st.integers(1, 60))
@settings(max_examples=200, deadline=None)
def test_the_size_of_blocks_changes_nothing_that_is_read(text: str, characters: int) -> None:
    body = "a,b\n" + text
    whole = read(body)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "BLOCK_CHARACTERS", characters)
        assert read(body) == whole


def test_a_large_file_is_cut_in_several_sections() -> None:
    body = b"a,b\n" + b'1,"x, ""y"""\n' * 1_000

    plan = plan_sections(BytesSource(body), CSV, 2_000, block_bytes=500)

    assert len(plan.sections) > 3
    assert plan.header == ("a", "b")
    assert [section.number for section in plan.sections] == list(range(len(plan.sections)))
    assert plan.sections[1].first_line == body[: plan.sections[1].start].count(b"\n") + 1


@pytest.mark.parametrize("change", [{"compression": "gzip"}, {"encoding": "utf-16-le"}, {"escape": "\\"}])
def test_a_file_that_cannot_be_cut_safely_stays_whole(change: dict[str, str]) -> None:
    plan = plan_sections(BytesSource(b"a,b\n" + b"1,2\n" * 1_000), CSV.model_copy(update=change), 100)

    assert len(plan.sections) == 1


def test_a_record_over_several_lines_may_not_be_endless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited_records, "MAX_RECORD_CHARACTERS", 20)

    good, bad = read('a,b\n1,"' + "x\n" * 30 + '"\n2,y\n')

    assert ("2", "y") in [values for _, _, values in good]
    assert bad[0][0] == 2
    assert "quote opens and never closes" in bad[0][2][0]
