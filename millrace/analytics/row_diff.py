"""What differs between two versions row by row: rows with one key are matched, and their values compared.

Both sides are first dealt into partitions on disk by a hash of the key, so that rows with one key meet; then one
partition at a time is in memory. Memory is bounded by the size of a partition, not by that of the versions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from millrace.analytics.splitting import digest_rows

ROWS_PER_PARTITION = 100_000
MOST_PARTITIONS = 256
EXAMPLES = 20
LONGEST_TEXT = 200
_DIGEST_BYTES = 16
_DIGEST = "\x00digest"
_PURPOSE = b"millrace diff 1"
ADDED, REMOVED, CHANGED = "ADDED", "REMOVED", "CHANGED"


class Side(NamedTuple):
    """One version: its rows in batches, all of one schema, and about how many they are."""

    schema: pa.Schema
    batches: Iterable[pa.RecordBatch]
    rows: int


@dataclass
class RowDiff:
    """Counts and some examples.

    `repeated_before` and `repeated_after` are rows whose key an earlier row of the same version has: only the first is
    compared. `changed_by_column` counts the changed rows by the columns in which they differ; it holds the columns of
    both versions that are not in the key.
    """

    changed_by_column: dict[str, int]
    added: int = 0
    removed: int = 0
    changed: int = 0
    unchanged: int = 0
    repeated_before: int = 0
    repeated_after: int = 0
    examples: list[dict[str, Any]] = field(default_factory=list)


def diff_rows(before: Side, after: Side, *, key: Sequence[str], scratch: Path, rows_file: Path) -> RowDiff:
    """Compare two versions; every row that differs goes to `rows_file` (Parquet), and `scratch` is for work.

    `rows_file` has `change`, `changed_columns`, `key.{name}` as text, and `before.{name}`, `after.{name}` for every
    column. Both schemas must have the key's columns. Of two kinds of values the texts are compared.
    """
    partitions = min(MOST_PARTITIONS, max(1, -(-max(before.rows, after.rows) // ROWS_PER_PARTITION)))
    places = [_dealt(side, key, scratch / name, partitions) for name, side in (("before", before), ("after", after))]
    both = [name for name in before.schema.names if name in after.schema.names and name not in key]
    diff = RowDiff(changed_by_column=dict.fromkeys(both, 0))
    with pq.ParquetWriter(rows_file, _rows_schema(before.schema, after.schema, key)) as writer:
        for known, now in zip(*places, strict=True):
            _compare(_read(known), _read(now), key, both, diff, writer)
    return diff


def _dealt(side: Side, key: Sequence[str], folder: Path, partitions: int) -> list[Path]:
    """The side's rows with the digests of their keys, dealt into files by digest."""
    folder.mkdir(parents=True)
    schema = side.schema.append(pa.field(_DIGEST, pa.binary(_DIGEST_BYTES)))
    paths = [folder / f"{number:03}.arrow" for number in range(partitions)]
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    writers = [pa.ipc.new_file(path, schema, options=options) for path in paths]
    try:
        for batch in side.batches:
            _deal(batch, key, schema, writers)
    finally:
        for writer in writers:
            writer.close()
    return paths


def _deal(batch: pa.RecordBatch, key: Sequence[str], schema: pa.Schema, writers: Sequence[Any]) -> None:
    if not batch.num_rows:
        return
    digests = digest_rows(pa.Table.from_batches([batch]), key, size=_DIGEST_BYTES, purpose=_PURPOSE)
    whole = pa.record_batch([*batch.columns, pa.array(digests, pa.binary(_DIGEST_BYTES))], schema=schema)
    numbers = np.frombuffer(b"".join(digests), dtype=">u8")[::2] % len(writers)
    for number in np.unique(numbers).tolist():
        writers[number].write_batch(whole.take(pa.array(np.flatnonzero(numbers == number))))


def _read(path: Path) -> pa.Table:
    with pa.memory_map(str(path)) as source:
        return pa.ipc.open_file(source).read_all()


def _compare(
    before: pa.Table, after: pa.Table, key: Sequence[str], both: Sequence[str], diff: RowDiff, writer: pq.ParquetWriter
) -> None:
    known, now = _places(before), _places(after)
    diff.repeated_before += before.num_rows - len(known)
    diff.repeated_after += after.num_rows - len(now)
    removed = [place for digest, place in known.items() if digest not in now]
    added = [place for digest, place in now.items() if digest not in known]
    matched = [(known[digest], place) for digest, place in now.items() if digest in known]
    old = before.take(pa.array([place for place, _ in matched], pa.int64()))
    new = after.take(pa.array([place for _, place in matched], pa.int64()))
    differ = {name: _differ(old.column(name), new.column(name)) for name in both}
    changed = np.logical_or.reduce([*differ.values(), np.zeros(len(matched), dtype=bool)])
    for name, mask in differ.items():
        diff.changed_by_column[name] += int(mask.sum())
    diff.added += len(added)
    diff.removed += len(removed)
    diff.changed += int(changed.sum())
    diff.unchanged += len(matched) - int(changed.sum())
    places = pa.array(np.flatnonzero(changed))
    columns = [[name for name in both if differ[name][place]] for place in places.to_pylist()]
    for found in (
        _rows(CHANGED, old.take(places), new.take(places), columns, key, writer.schema),
        _rows(ADDED, None, after.take(pa.array(added, pa.int64())), None, key, writer.schema),
        _rows(REMOVED, before.take(pa.array(removed, pa.int64())), None, None, key, writer.schema),
    ):
        if found.num_rows:
            writer.write_table(found)
            _remember(found, key, diff)


def _places(table: pa.Table) -> dict[bytes, int]:
    """The first row of each key."""
    places: dict[bytes, int] = {}
    for place, digest in enumerate(table.column(_DIGEST).to_pylist()):
        places.setdefault(digest, place)
    return places


def _differ(old: pa.ChunkedArray, new: pa.ChunkedArray) -> np.ndarray[Any, Any]:
    """Where two columns differ. Missing equals missing; not-a-number equals itself."""
    if old.type != new.type:
        old, new = (_comparable(values, old.type, new.type) for values in (old, new))
    missing = pc.xor(pc.is_null(old), pc.is_null(new))
    apart = pc.fill_null(pc.not_equal(old, new), False)
    if pa.types.is_floating(old.type):
        neither = pc.fill_null(pc.and_(pc.is_nan(old), pc.is_nan(new)), False)
        apart = pc.and_not(apart, neither)
    found: np.ndarray[Any, Any] = pc.or_(missing, apart).to_numpy(zero_copy_only=False)
    return found.astype(bool)


def _comparable(values: pa.ChunkedArray, *kinds: pa.DataType) -> pa.ChunkedArray:
    """Whole numbers and others are compared as numbers, everything else by its text."""
    if all(pa.types.is_integer(kind) or pa.types.is_floating(kind) for kind in kinds):
        return values.cast(pa.float64(), safe=False)
    return values.cast(pa.string())


def _rows_schema(before: pa.Schema, after: pa.Schema, key: Sequence[str]) -> pa.Schema:
    return pa.schema(
        [
            pa.field("change", pa.string()),
            pa.field("changed_columns", pa.list_(pa.string())),
            *(pa.field(f"key.{name}", pa.string()) for name in key),
            *(pa.field(f"before.{each.name}", each.type) for each in before),
            *(pa.field(f"after.{each.name}", each.type) for each in after),
        ]
    )


def _rows(
    change: str,
    before: pa.Table | None,
    after: pa.Table | None,
    columns: list[list[str]] | None,
    key: Sequence[str],
    schema: pa.Schema,
) -> pa.Table:
    """Rows of one kind of change, as they are kept. At least one side is there."""
    sides = {"before": before, "after": after}
    there = next(side for side in (after, before) if side is not None)
    found: dict[str, Any] = {"change": [change] * there.num_rows, "changed_columns": columns or [None] * there.num_rows}
    for name in key:
        found[f"key.{name}"] = there.column(name).cast(pa.string())
    for part in schema.names[2 + len(key) :]:
        prefix, _, name = part.partition(".")
        side = sides[prefix]
        found[part] = pa.nulls(there.num_rows, schema.field(part).type) if side is None else side.column(name)
    return pa.table(found, schema=schema)


def _remember(rows: pa.Table, key: Sequence[str], diff: RowDiff) -> None:
    """Some rows of one kind of change, as examples."""
    change = rows.column("change")[0].as_py()
    left = EXAMPLES - sum(example["change"] == change for example in diff.examples)
    for row in rows.slice(0, left).to_pylist():
        diff.examples.append(
            {
                "change": change,
                "key": {name: row[f"key.{name}"] for name in key},
                "changed_columns": row["changed_columns"] or [],
                "before": _shown(row, "before", change),
                "after": _shown(row, "after", change),
            }
        )


def _shown(row: Mapping[str, Any], side: str, change: str) -> dict[str, Any] | None:
    """The values of one side: of a changed row those that differ, of others all; None where there is none."""
    if change == {"before": ADDED, "after": REMOVED}[side]:
        return None
    prefix = f"{side}."
    names = (part.removeprefix(prefix) for part in row if part.startswith(prefix))
    wanted = row["changed_columns"] if change == CHANGED else names
    return {name: _plain(row[f"{prefix}{name}"]) for name in wanted}


def _plain(value: Any) -> Any:
    """As JSON has it; long texts are cut."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if np.isfinite(value) else str(value)
    return str(value)[:LONGEST_TEXT]


def batches_of(paths: Iterable[Path], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The rows of Parquet files that have this schema, file after file."""
    for path in paths:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=ROWS_PER_PARTITION):
                yield pa.record_batch(batch.columns, schema=schema)
