"""Parquet as batches of records. Parquet has no lines: the number of a record is its row, counted from 1."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from millrace.analytics.records import Batch, clean_names
from millrace.errors import DatasetInvalid

_BATCH_ROWS = 20_000
_MEMORY_BYTES = 32 << 20


def read_parquet(stream: IO[bytes]) -> Iterator[Batch]:
    """Batches in order. The stream is spooled to disk first: Parquet is read from its end."""
    with tempfile.SpooledTemporaryFile(max_size=_MEMORY_BYTES) as spooled:
        shutil.copyfileobj(stream, spooled, 1 << 20)
        spooled.seek(0)
        file = _opened(spooled)
        names = clean_names(file.schema_arrow.names)
        _refuse_nested(file.schema_arrow)
        row = 1
        for batch in _record_batches(file, names):
            yield _batch(batch, names, row)
            row += batch.num_rows


def _opened(spooled: IO[bytes]) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(spooled, pre_buffer=False)
    except (pa.ArrowException, OSError) as error:
        raise DatasetInvalid(f"the Parquet file cannot be read ({error}). Write it again and upload it.") from None


def _record_batches(file: pq.ParquetFile, names: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
    rows = max(1, min(_BATCH_ROWS, 400_000 // max(1, len(names))))
    try:
        yield from file.iter_batches(batch_size=rows, use_threads=False)
    except (pa.ArrowException, OSError) as error:
        raise DatasetInvalid(f"the Parquet file is damaged ({error}). Write it again and upload it.") from None


def _refuse_nested(schema: pa.Schema) -> None:
    nested = [field.name for field in schema if pa.types.is_nested(field.type)]
    if nested:
        raise DatasetInvalid(
            f"the columns {', '.join(nested)} hold lists or structures. "
            "Flatten them, one value per column, and upload again."
        )
    opaque = [field.name for field in schema if _is_binary(field.type)]
    if opaque:
        raise DatasetInvalid(f"the columns {', '.join(opaque)} hold bytes. Leave them out or write them as text.")


def _is_binary(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind))


def _batch(batch: pa.RecordBatch, names: tuple[str, ...], first_row: int) -> Batch:
    columns = {name: _as_text(batch.column(index)) for index, name in enumerate(names)}
    return Batch(
        columns=columns,
        lines=np.arange(first_row, first_row + batch.num_rows, dtype=np.int64),
        text_of=lambda row: json.dumps(
            {name: column[row].as_py() for name, column in columns.items()}, ensure_ascii=False
        ),
    )


def _as_text(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _as_text(column.cast(kind.value_type))
    if pa.types.is_float16(kind):
        return _as_text(column.cast(pa.float32()))
    if pa.types.is_floating(kind):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, kind), column)
    if pa.types.is_duration(kind) or pa.types.is_time(kind):
        column = column.cast(pa.int64() if column.type.bit_width == 64 else pa.int32())
    return column.cast(pa.string())
