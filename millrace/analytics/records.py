"""Reading an upload of any dialect as bounded batches of records: text columns, exact line numbers, original text.

Every value becomes text here, whatever the file's format: one contract judges CSV, JSON Lines and Parquet alike.
"""

from __future__ import annotations

import gzip
import io
import unicodedata
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any, NamedTuple, TypeAlias, cast

import numpy as np
import pyarrow as pa

from millrace.domain.dataset import Dialect, Format
from millrace.errors import DatasetInvalid

Integers: TypeAlias = "np.ndarray[Any, np.dtype[np.int64]]"

MAX_COLUMNS = 5_000
MAX_LINE_BYTES = 64 << 20
"""A line longer than this is no record of a table, and would not fit in memory beside its neighbours."""

BLOCK_CHARACTERS = 1 << 20
"""How much text is parsed at a time: enough for the vectorised steps; larger blocks leave the cache and are slower."""

_BUFFER_BYTES = 1 << 20


class Reason(NamedTuple):
    """Why a row is set aside. `label` groups reasons of one kind for counting; `sentence` names this row's value."""

    label: str
    sentence: str


class UnreadableRecord(NamedTuple):
    line: int
    text: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Batch:
    """Consecutive records of one upload.

    `columns` maps a name to a pyarrow string array, all as long as `lines`; a column that no record of the batch has is
    absent. `lines` holds 1-based numbers in ascending order (for Parquet: row numbers). `text_of(i)` is the original
    text of row i. `unreadable` are the records that could not be divided into columns, in order.
    """

    columns: dict[str, pa.Array]
    lines: Integers
    text_of: Callable[[int], str]
    unreadable: tuple[UnreadableRecord, ...] = ()

    @property
    def record_count(self) -> int:
        return len(self.lines) + len(self.unreadable)


class Section(NamedTuple):
    """A part of an upload that can be read on its own: bytes [start, end) beginning with record on line `first_line`.

    `end` None means to the end of the object. The first section of a CSV file begins with its header.
    """

    number: int = 0
    start: int = 0
    end: int | None = None
    first_line: int = 1


WHOLE = Section()


def read_batches(
    stream: IO[bytes], dialect: Dialect, *, section: Section = WHOLE, header: Sequence[str] | None = None
) -> Iterator[Batch]:
    """The records of one section, in order; `stream` is forward-only and positioned at the section's start.

    `header` names a CSV section's columns; without it the first record does. Raises DatasetInvalid when the file as a
    whole cannot be read: no header, ends in the middle, columns inside columns.
    """
    from millrace.analytics.delimited_records import read_delimited
    from millrace.analytics.json_records import read_json_lines
    from millrace.analytics.parquet_records import read_parquet

    if dialect.format is Format.PARQUET:
        return read_parquet(stream)
    lines = line_blocks(stream, dialect, section=section)
    if dialect.format is Format.JSON_LINES:
        return read_json_lines(lines)
    return read_delimited(lines, dialect, header)


def clean_names(raw: Sequence[str]) -> tuple[str, ...]:
    """Column names: Unicode NFC, no blanks around; one without a name is called after its position: `column_3`.

    Raises DatasetInvalid when two columns would have one name, or when there are too many.
    """
    named = [unicodedata.normalize("NFC", name.replace("\ufeff", "")).strip() for name in raw]
    names = tuple(name or f"column_{position}" for position, name in enumerate(named, start=1))
    if len(names) > MAX_COLUMNS:
        raise DatasetInvalid(
            f"the file has {len(names)} columns; at most {MAX_COLUMNS} are supported. Upload only the columns you need."
        )
    for position, name in enumerate(names):
        first = names.index(name)
        if first != position:
            raise DatasetInvalid(
                f"the header names {name!r} twice (columns {first + 1} and {position + 1}). "
                "Give every column its own name and upload again."
            )
    return names


class Lines(NamedTuple):
    """Physical lines with their line ends. `final` is True for the last block of the stream."""

    lines: list[str]
    first_line: int
    final: bool


def line_blocks(stream: IO[bytes], dialect: Dialect, *, section: Section = WHOLE) -> Iterator[Lines]:
    """The section's lines, decompressed and decoded as the dialect says, in blocks of about BLOCK_CHARACTERS."""
    return iter(_LineBlocks(stream, dialect, section))


class _LineBlocks:
    def __init__(self, stream: IO[bytes], dialect: Dialect, section: Section) -> None:
        self._line = section.first_line
        self._at_beginning = section.start == 0
        raw: IO[bytes] = io.BufferedReader(_ForwardOnly(stream), _BUFFER_BYTES)
        if dialect.compression == "gzip":
            raw = cast(IO[bytes], gzip.GzipFile(fileobj=raw))
        guarded = io.BufferedReader(_BoundedLines(raw), _BUFFER_BYTES)
        # Undecodable bytes become lone surrogates: the rows that hold them are set aside one by one.
        errors = "surrogateescape" if not dialect.encoding.startswith(("utf-16", "utf-32")) else "replace"
        self._text = io.TextIOWrapper(guarded, encoding=dialect.encoding, errors=errors, newline="")

    def __iter__(self) -> Iterator[Lines]:
        block = self._next_block()
        if block and self._at_beginning:
            block[0] = block[0].removeprefix("\ufeff")
        while block:
            following = self._next_block()
            yield Lines(block, self._line, final=not following)
            self._line += len(block)
            block = following

    def _next_block(self) -> list[str]:
        try:
            return self._text.readlines(BLOCK_CHARACTERS)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            why = "it ends in the middle" if isinstance(error, EOFError) else str(error)
            raise DatasetInvalid(
                f"the gzip file is damaged after line {self._line}: {why}. Nothing of it was used; upload it again."
            ) from None


class _ForwardOnly(io.RawIOBase):
    """Any object with `read(n)` as a raw stream: a network body is not always a full file."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        chunk = self._stream.read(len(view))
        view[: len(chunk)] = chunk
        return len(chunk)


class _BoundedLines(_ForwardOnly):
    """Refuses a stream that goes on for MAX_LINE_BYTES without a line end, before it fills the memory."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__(stream)
        self._since_line_end = 0

    def readinto(self, buffer: object) -> int:
        count = super().readinto(buffer)
        chunk = bytes(memoryview(buffer)[:count])  # type: ignore[arg-type]
        end = max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
        self._since_line_end = count - end if end >= 0 else self._since_line_end + count
        if self._since_line_end > MAX_LINE_BYTES:
            raise DatasetInvalid(
                f"a line is longer than {MAX_LINE_BYTES >> 20} MiB, so this is not a table with one record per line. "
                "Check that the file is CSV or JSON Lines and has line ends."
            )
        return count


def text_problem(text: str) -> Reason | None:
    """Why this text of a record cannot be kept, if so: bytes that are not of the encoding, or NULs."""
    if "\0" in text:
        return Reason("holds a NUL byte", "holds a NUL byte")
    if "\ufffd" in text or any("\ud800" <= character <= "\udfff" for character in text):
        return Reason("not of the file's encoding", "holds bytes that are not of the file's encoding")
    return None


def has_text_problem(text: str) -> bool:
    """Whether any record of this long text has a `text_problem`: fast, so that good blocks are not looked at twice."""
    if "\0" in text:
        return True
    if text.isascii():
        return False
    if "\ufffd" in text:
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def printable(text: str) -> str:
    """Original text in a form that UTF-8 can hold: an undecodable byte is written `\\xe9`."""
    return text.encode("utf-8", errors="surrogateescape").decode("utf-8", errors="backslashreplace")
