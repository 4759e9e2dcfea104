"""Dividing a large file into sections that can be read at the same time, without changing what is read.

A CSV file may be cut only where a record ends, and a line end inside quotes is no such place. Blocks whose quotes are
plainly regular are checked whole; the others are read as the reader would read them, so the cuts are exact.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import IO, NamedTuple, Protocol

import numpy as np

from millrace.analytics.delimited_records import read_header, record_lines
from millrace.analytics.records import WHOLE, Section, line_blocks
from millrace.domain.dataset import Dialect, Format

_BLOCK_BYTES = 4 << 20
# One byte per ASCII character, and no ASCII byte inside another character.
_CUTTABLE_ENCODINGS = ("utf-8", "latin-1", "cp1250", "cp1251", "cp1252", "cp1253", "cp1254")


class Openable(Protocol):
    @property
    def size_bytes(self) -> int: ...

    def open(self, start: int = 0, length: int | None = None) -> IO[bytes]: ...


class Plan(NamedTuple):
    """`header` holds a CSV file's column names when there are several sections: only the first has the header line."""

    sections: Sequence[Section]
    header: tuple[str, ...] | None


def plan_sections(source: Openable, dialect: Dialect, section_bytes: int, *, block_bytes: int = _BLOCK_BYTES) -> Plan:
    """Sections of about `section_bytes`; one for a file that is small, compressed or cannot be cut."""
    if source.size_bytes <= section_bytes or not _can_be_cut(dialect):
        return Plan((WHOLE,), None)
    sections: list[Section] = []
    start, first_line = 0, 1
    for position, line in _cuts(source.open(), dialect, block_bytes):
        if position - start >= section_bytes and position < source.size_bytes:
            sections.append(Section(len(sections), start, position, first_line))
            start, first_line = position, line
    sections.append(Section(len(sections), start, source.size_bytes, first_line))
    header = read_header(line_blocks(source.open(), dialect), dialect) if dialect.format is Format.CSV else None
    return Plan(tuple(sections), header)


def _can_be_cut(dialect: Dialect) -> bool:
    """An escape character can hide a quote or a line end, so such files stay whole."""
    plain = dialect.compression == "none" and dialect.encoding in _CUTTABLE_ENCODINGS
    return plain and dialect.format is not Format.PARQUET and not dialect.escape


def _cuts(stream: IO[bytes], dialect: Dialect, block_bytes: int) -> Iterator[tuple[int, int]]:
    """Ascending places where a record ends: byte offset, and the number of the line that begins there."""
    position, line, carried = 0, 1, b""
    while chunk := stream.read(block_bytes):
        block = carried + chunk
        end = _record_end(block, dialect)
        carried = block[end:]
        position, line = position + end, line + _line_count(block[:end])
        if end:
            yield position, line


def _record_end(block: bytes, dialect: Dialect) -> int:
    """The length of the whole records at the beginning of `block`, which begins with one."""
    # A carriage return at the very end may be half of a line end.
    end = max(block.rfind(b"\n"), block.rfind(b"\r", 0, len(block) - 1)) + 1
    if dialect.format is Format.JSON_LINES or not end:
        return end
    quote, delimiter = dialect.quote.encode(), dialect.delimiter.encode()
    if not quote or _is_plainly_regular(block[:end], quote, delimiter):
        return end
    text = io.TextIOWrapper(io.BytesIO(block[:end]), dialect.encoding, errors="surrogateescape", newline="")
    lines = text.readlines()
    rest = "".join(lines[record_lines(lines, dialect) :])
    return end - len(rest.encode(dialect.encoding, errors="surrogateescape"))


def _is_plainly_regular(block: bytes, quote: bytes, delimiter: bytes) -> bool:
    """Whether every line of `block` is surely one record: its quotes come in pairs that open where a field begins."""
    codes = np.frombuffer(block, dtype=np.uint8)
    quotes = np.flatnonzero(codes == quote[0])
    if not len(quotes):
        return True
    ends = np.flatnonzero((codes == 10) | (codes == 13))
    line_of_quote = np.searchsorted(ends, quotes)
    first_of_line = np.searchsorted(line_of_quote, line_of_quote)
    odd = (np.arange(len(quotes)) - first_of_line) % 2 == 0
    last_of_line = np.append(line_of_quote[1:] != line_of_quote[:-1], True)
    if (odd & last_of_line).any():
        return False
    opening = quotes[odd]
    before = np.where(opening > 0, codes[opening - 1], 10)
    return bool(np.isin(before, [10, 13, delimiter[0], quote[0]]).all())


def _line_count(block: bytes) -> int:
    return block.count(b"\n") + block.count(b"\r") - block.count(b"\r\n")
