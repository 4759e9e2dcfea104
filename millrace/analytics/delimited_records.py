"""CSV, TSV and their relatives as batches of records.

Python's `csv` in strict mode decides what a record is. Of a record that is not well formed the first line alone is set
aside, and reading resumes on the next line: a quote that never closes costs one row, not the rest of the file.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from millrace.analytics.records import (
    Batch,
    Lines,
    Reason,
    UnreadableRecord,
    clean_names,
    has_text_problem,
    printable,
    text_problem,
)
from millrace.domain.dataset import Dialect
from millrace.errors import DatasetInvalid

MAX_FIELD_CHARACTERS = 1 << 20
MAX_RECORD_CHARACTERS = 4 << 20
"""The most that a record over several lines may hold: what a quote that never closes can cost in time and memory."""


def read_delimited(blocks: Iterable[Lines], dialect: Dialect, header: Sequence[str] | None) -> Iterator[Batch]:
    """Batches of one section. Without `header` its first record names the columns."""
    csv.field_size_limit(MAX_FIELD_CHARACTERS)
    names = tuple(header) if header is not None else None
    carried: list[str] = []
    for block in blocks:
        lines, first_line = carried + block.lines, block.first_line - len(carried)
        parsed = _parse(lines, dialect, final=block.final)
        carried = lines[parsed.consumed :]
        if names is None and (parsed.rows or block.final):
            names = _take_header(parsed, lines)
        if names is not None and (parsed.rows or parsed.faults):
            yield _batch(parsed, lines, first_line, names)
    if names is None:
        raise DatasetInvalid("the file has no header line. Put the column names on the first line and upload again.")


def read_header(blocks: Iterable[Lines], dialect: Dialect) -> tuple[str, ...]:
    """The column names of a CSV file, from its beginning."""
    csv.field_size_limit(MAX_FIELD_CHARACTERS)
    carried: list[str] = []
    for block in blocks:
        lines = carried + block.lines
        parsed = _parse(lines, dialect, final=block.final)
        if parsed.rows or block.final:
            return _take_header(parsed, lines)
        carried = lines[parsed.consumed :]
    raise DatasetInvalid("the file has no header line. Put the column names on the first line and upload again.")


def record_lines(lines: list[str], dialect: Dialect) -> int:
    """How many of `lines`, which go on elsewhere, may be cut off: whole records that no later line has a say in."""
    csv.field_size_limit(MAX_FIELD_CHARACTERS)
    return _parse(lines, dialect, final=False).severable


_TOO_LONG = "record over several lines is too long"


@dataclass
class _Parsed:
    """Records of one block: row i is lines[starts[i]:ends[i]]. `faults` are positions of single lines with a reason.

    `consumed` lines are dealt with. Up to `severable` the outcome would be the same if the file ended there: the lines
    after a broken record that were looked at in vain lie before it too.
    """

    rows: list[list[str]] = field(default_factory=list)
    starts: Sequence[int] = ()
    ends: Sequence[int] = ()
    faults: list[tuple[int, Reason]] = field(default_factory=list)
    consumed: int = 0
    severable: int = 0


def _parse(lines: list[str], dialect: Dialect, *, final: bool) -> _Parsed:
    """At full speed when every line turns out to be one record; otherwise record by record."""
    try:
        rows = list(_reader(lines, dialect))
    except csv.Error:
        return _parse_carefully(lines, dialect, final=final)
    count = len(lines)
    if len(rows) == count:
        return _Parsed(rows, range(count), range(1, count + 1), [], count, count)
    return _parse_carefully(lines, dialect, final=final)


def _parse_carefully(lines: list[str], dialect: Dialect, *, final: bool) -> _Parsed:
    """Record by record, so that the lines of each are known and a broken one can be stepped over."""
    rows: list[list[str]] = []
    starts: list[int] = []
    ends: list[int] = []
    faults: list[tuple[int, Reason]] = []
    position = reached = severable = 0
    while position < len(lines):
        reader, base = _reader(_lines_from(lines, position), dialect), position
        try:
            for row in reader:
                end = base + reader.line_num
                if end - position > 1 and _size(lines[position:end]) > MAX_RECORD_CHARACTERS:
                    raise csv.Error(_TOO_LONG)
                rows.append(row)
                starts.append(position)
                ends.append(end)
                position = end
                severable = end if end >= reached else severable
        except csv.Error as error:
            unfinished = base + reader.line_num == len(lines) and not final
            if unfinished and _size(lines[position:]) <= MAX_RECORD_CHARACTERS:
                break
            faults.append((position, _fault(str(error))))
            reached = max(reached, base + reader.line_num)
            position += 1
            severable = position if position >= reached else severable
    return _Parsed(rows, starts, ends, faults, position, severable)


def _lines_from(lines: list[str], position: int) -> Iterator[str]:
    return iter(lines) if position == 0 else (lines[index] for index in range(position, len(lines)))


def _reader(lines: Iterable[str], dialect: Dialect) -> Any:
    return csv.reader(
        lines,
        delimiter=dialect.delimiter,
        quotechar=dialect.quote or None,
        quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
        escapechar=dialect.escape or None,
        doublequote=not dialect.escape,
        skipinitialspace=dialect.delimiter != "\t",
        strict=True,
    )


def _size(lines: list[str]) -> int:
    return sum(map(len, lines))


def _fault(error: str) -> Reason:
    if "field larger" in error or error == _TOO_LONG:
        sentence = f"a field is longer than {MAX_FIELD_CHARACTERS:,} characters, or a quote opens and never closes"
        return Reason("a field is too long", sentence)
    if "unexpected end" in error:
        return Reason("a quote never closes", "a quote opens and never closes")
    return Reason("a quote closes in the middle of a field", "a quote closes in the middle of a field")


def _take_header(parsed: _Parsed, lines: list[str]) -> tuple[str, ...]:
    """Removes the first record from `parsed` and makes names of it."""
    first = next((index for index, row in enumerate(parsed.rows) if row), None)
    fault = parsed.faults[0] if parsed.faults else None
    if fault is not None and (first is None or fault[0] < parsed.starts[first]):
        raise DatasetInvalid(
            f"the header line cannot be read: {fault[1].sentence}: {printable(lines[fault[0]])[:200].rstrip()!r}. "
            "Correct it and upload again."
        )
    if first is None:
        raise DatasetInvalid("the file has no header line. Put the column names on the first line and upload again.")
    header = parsed.rows[first]
    if has_text_problem("".join(header)):
        raise DatasetInvalid(
            "the header line holds bytes that are not of the file's encoding. Save the file as UTF-8 and upload again."
        )
    parsed.rows = parsed.rows[first + 1 :]
    parsed.starts, parsed.ends = parsed.starts[first + 1 :], parsed.ends[first + 1 :]
    _refuse_values_as_names(header)
    return clean_names(header)


def _refuse_values_as_names(header: list[str]) -> None:
    if all(_is_number(name) for name in header):
        raise DatasetInvalid(
            f"the first line holds values ({', '.join(header[:3])}), not column names. "
            "Put the column names on the first line and upload again."
        )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _batch(parsed: _Parsed, lines: list[str], first_line: int, names: tuple[str, ...]) -> Batch:
    def text_between(start: int, end: int) -> str:
        return printable("".join(lines[start:end]).rstrip("\r\n"))

    rows, starts, ends = parsed.rows, parsed.starts, parsed.ends
    unreadable = [
        (at, UnreadableRecord(first_line + at, text_between(at, at + 1), (why,))) for at, why in parsed.faults
    ]
    suspicious = has_text_problem("".join(lines))
    if suspicious or set(map(len, rows)) - {len(names)}:
        good: list[int] = []
        for index, row in enumerate(rows):
            reasons = _shape_problems(row, names, suspicious)
            if reasons:
                start, end = starts[index], ends[index]
                record = UnreadableRecord(first_line + start, text_between(start, end), reasons)
                unreadable.append((start, record))
            elif row:
                good.append(index)
        rows = [rows[index] for index in good]
        starts, ends = [starts[index] for index in good], [ends[index] for index in good]
    unreadable.sort(key=lambda entry: entry[0])
    kept_starts, kept_ends = starts, ends
    return Batch(
        columns=_columns(rows, names),
        lines=np.asarray(kept_starts, dtype=np.int64) + first_line,
        text_of=lambda index: text_between(kept_starts[index], kept_ends[index]),
        unreadable=tuple(record for _, record in unreadable),
    )


def _shape_problems(row: list[str], names: tuple[str, ...], suspicious: bool) -> tuple[Reason, ...]:
    """A blank line is no record, so it has no problem either."""
    if not row:
        return ()
    reasons: list[Reason] = []
    if len(row) != len(names):
        fields = f"{len(row)} field" + "s" * (len(row) != 1)
        reasons.append(Reason("wrong number of fields", f"has {fields}, the header names {len(names)}"))
    problem = text_problem("".join(row)) if suspicious else None
    return (*reasons, problem) if problem else tuple(reasons)


def _columns(rows: list[list[str]], names: tuple[str, ...]) -> dict[str, pa.Array]:
    if not rows:
        return {name: pa.array([], pa.string()) for name in names}
    return {name: pa.array(column, pa.string()) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
