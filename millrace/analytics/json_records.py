"""JSON Lines as batches of records. Numbers keep the digits that the file has: they are never floats on the way."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from millrace.analytics.records import (
    MAX_COLUMNS,
    Batch,
    Lines,
    Reason,
    UnreadableRecord,
    has_text_problem,
    printable,
    text_problem,
)
from millrace.errors import DatasetInvalid


def read_json_lines(blocks: Iterable[Lines]) -> Iterator[Batch]:
    """Batches in order. A line that is no flat JSON object is set aside; blank lines are no records."""
    for block in blocks:
        suspicious = has_text_problem("".join(block.lines))
        records: list[dict[str, str | None]] = []
        kept: list[int] = []
        unreadable: list[UnreadableRecord] = []
        for index, line in enumerate(block.lines):
            if not line.strip():
                continue
            record = _record(line, suspicious)
            if isinstance(record, Reason):
                text = printable(line.rstrip("\r\n"))
                unreadable.append(UnreadableRecord(block.first_line + index, text, (record,)))
            else:
                records.append(record)
                kept.append(index)
        if records or unreadable:
            yield _batch(block, records, kept, tuple(unreadable))


def _batch(
    block: Lines, records: list[dict[str, str | None]], kept: list[int], unreadable: tuple[UnreadableRecord, ...]
) -> Batch:
    names = list(dict.fromkeys(name for record in records for name in record))
    if len(names) > MAX_COLUMNS:
        raise DatasetInvalid(
            f"the objects have more than {MAX_COLUMNS} different keys. Keys must be column names, not values."
        )
    return Batch(
        columns={name: pa.array([record.get(name) for record in records], pa.string()) for name in names},
        lines=np.asarray(kept, dtype=np.int64) + block.first_line,
        text_of=lambda index: printable(block.lines[kept[index]].rstrip("\r\n")),
        unreadable=unreadable,
    )


class _Unfit(ValueError):
    """A JSON text that is well formed but no record."""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = {unicodedata.normalize("NFC", name).strip(): value for name, value in pairs}
    if len(record) != len(pairs):
        raise _Unfit("names a key twice")
    return record


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_int=str, parse_float=str, parse_constant=str)


def _record(line: str, suspicious: bool) -> dict[str, str | None] | Reason:
    if suspicious:
        problem = text_problem(line)
        if problem:
            return problem
    try:
        record = _DECODER.decode(line.strip())
        if not isinstance(record, dict):
            raise _Unfit("is JSON but not an object")
        if "" in record:
            raise _Unfit("has a key without a name")
        return {name: value if isinstance(value, str) else _scalar_text(name, value) for name, value in record.items()}
    except _Unfit as error:
        return Reason(str(error), str(error))
    except (ValueError, RecursionError) as error:
        return Reason("not valid JSON", f"is not valid JSON: {error}")


def _scalar_text(name: str, value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    raise _Unfit(f"{name}: holds a list or an object: give every value a key of its own")
