"""Read the quarantine of a dataset version: the rows that were set aside, page by page, in file order."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import IO, Any, NamedTuple

from millrace.domain.dataset import DatasetVersion
from millrace.errors import InvalidInput
from millrace.ports import ObjectInfo, ObjectStore

_READ_BYTES = 1024 * 1024
_LONGEST_TEXT = 10_000


class QuarantinedRow(NamedTuple):
    """`text` is the row as it came, cut after 10,000 characters (`cut` says so)."""

    line: int
    text: str
    cut: bool
    reasons: Sequence[str]


class QuarantinePage(NamedTuple):
    """`position` is where the next page begins; None when this is the last."""

    rows: Sequence[QuarantinedRow]
    position: str | None


def read_quarantine(
    *, store: ObjectStore, version: DatasetVersion, after: str | None = None, limit: int = 50
) -> QuarantinePage:
    """A version's rows, by `read_quarantined_rows`."""
    return read_quarantined_rows(store, version.quarantine_location, after=after, limit=limit)


def read_quarantined_rows(
    store: ObjectStore, location: str, *, after: str | None = None, limit: int = 50
) -> QuarantinePage:
    """At most `limit` rows from the position `after` on. Raises InvalidInput for a position that there is not.

    A page reads about 1 MB, so very long rows make shorter pages.
    """
    parts = list(store.list(location))
    part, offset = _parsed(after, len(parts))
    rows: list[QuarantinedRow] = []
    read = 0
    while part < len(parts):
        with store.open(parts[part].uri, start=offset) as stream:
            while len(rows) < limit and read < _READ_BYTES and (line := _line(stream, offset, parts[part])):
                rows.append(_row(json.loads(line)))
                offset += len(line)
                read += len(line)
        if offset < parts[part].size_bytes:
            return QuarantinePage(rows, f"{part}:{offset}")
        part, offset = part + 1, 0
        if part < len(parts) and (len(rows) >= limit or read >= _READ_BYTES):
            return QuarantinePage(rows, f"{part}:0")
    return QuarantinePage(rows, None)


def _line(stream: IO[bytes], offset: int, part: ObjectInfo) -> bytes:
    line = stream.readline()
    if line and not line.lstrip().startswith(b"{"):
        raise InvalidInput(f"cursor: there is no row at {offset} of {part.uri.rpartition('/')[2]}")
    return line


def _row(record: dict[str, Any]) -> QuarantinedRow:
    text = str(record["text"])
    return QuarantinedRow(record["line"], text[:_LONGEST_TEXT], len(text) > _LONGEST_TEXT, record["reasons"])


def _parsed(position: str | None, parts: int) -> tuple[int, int]:
    if position is None:
        return 0, 0
    part, _, offset = position.partition(":")
    if not part.isdigit() or not offset.isdigit() or int(part) >= parts:
        raise InvalidInput("cursor: it is not one of this list; begin again without a cursor")
    return int(part), int(offset)
