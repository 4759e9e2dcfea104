"""How a batch transform cuts objects into requests, and what DataProcessing makes of CSV records."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

MEBIBYTE = 1 << 20
WHOLE = "$"

_COLUMNS = re.compile(r"\$\[(?P<list>-?\d+(?:,\s*-?\d+)*)\]|\$\[(?P<start>-?\d*):(?P<stop>-?\d*)\]")


class TooLarge(Exception):
    """A record, or an object that is not split, is larger than one request may be."""


def supports(json_path: str) -> bool:
    """Whether a filter is one that CSV records can have: `$`, `$[0,-1]`, `$[1:]`."""
    return json_path == WHOLE or _COLUMNS.fullmatch(json_path) is not None


def choose_columns(json_path: str, columns: Sequence[str]) -> list[str]:
    """The columns that a filter names; a column that is not there is left out, as in JSONPath."""
    if json_path == WHOLE:
        return list(columns)
    match = _COLUMNS.fullmatch(json_path)
    if match is None:
        raise ValueError(f"not a filter of CSV columns: {json_path}")
    if match["list"] is not None:
        indices = [int(index) for index in match["list"].split(",")]
        return [columns[index] for index in indices if -len(columns) <= index < len(columns)]
    return list(columns[_bound(match["start"]) : _bound(match["stop"])])


def _bound(text: str) -> int | None:
    return int(text) if text else None


def filter_record(json_path: str, record: str) -> str:
    """One CSV record with the columns that the filter names."""
    if json_path == WHOLE:
        return record
    return write_record(choose_columns(json_path, next(csv.reader([record]), [])))


def write_record(columns: Sequence[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="").writerow(columns)
    return buffer.getvalue()


def split_lines(body: str) -> list[str]:
    """Records of SplitType Line: without their line ends, empty ones left out."""
    return [line for line in re.split(r"\r?\n", body) if line]


def mini_batches(records: Iterable[str], largest_bytes: int, *, single: bool) -> Iterator[list[str]]:
    """Lists of records that fit into one request together; `single` puts each alone. Raises TooLarge."""
    batch: list[str] = []
    size = 0
    for record in records:
        length = len(record.encode()) + 1
        if length > largest_bytes:
            raise TooLarge(f"a record of {length} bytes is larger than MaxPayloadInMB")
        if batch and (single or size + length > largest_bytes):
            yield batch
            batch, size = [], 0
        batch.append(record)
        size += length
    if batch:
        yield batch
