"""Which split a row belongs to: a hash decides, so a row keeps its split as the data grows and a group stays together.

The hash is BLAKE2b over a canonical text that no library version can change: integers in decimal digits, floats as the
digits of their 64 bits, times as microseconds, text as it is; every cell prefixed with its length.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from millrace.domain.dataset import DatasetSettings, SplitShares

SPLITS = ("train", "validation", "test")
_SALT = b"millrace split 1"
_SPAN = 2**64


def split_columns(settings: DatasetSettings, names: Sequence[str]) -> tuple[str, ...]:
    """The columns whose values decide: the group, else the key, else all of them in alphabetical order."""
    if settings.group is not None:
        return (settings.group,)
    return settings.key or tuple(sorted(names))


def assign_splits(table: pa.Table, columns: Sequence[str], shares: SplitShares) -> np.ndarray[Any, Any]:
    """The index into SPLITS of each row (int8)."""
    digests = [hashlib.blake2b(text, digest_size=8, key=_SALT).digest() for text in canonical_rows(table, columns)]
    points = np.frombuffer(b"".join(digests), dtype=">u8").astype(np.float64) / _SPAN
    edges = np.array([shares.train, shares.train + shares.validation])
    return np.searchsorted(edges, points, side="right").astype(np.int8)


def canonical_rows(table: pa.Table, columns: Sequence[str]) -> list[bytes]:
    """The canonical text of each row's values in `columns`. Equal rows have equal texts, others different ones."""
    if not columns:
        return [b""] * table.num_rows
    cells = [_canonical_cells(table.column(name).combine_chunks()) for name in columns]
    return [bytes(row) for row in pc.binary_join_element_wise(*cells, "").cast(pa.binary()).to_pylist()]


def _canonical_cells(values: pa.Array) -> pa.Array:
    """Each value as `length:text`, null as `-`."""
    texts = _canonical_texts(values)
    sizes = pc.binary_length(texts).cast(pa.string())
    return pc.fill_null(pc.binary_join_element_wise(sizes, texts, ":"), "-")


def _canonical_texts(values: pa.Array) -> pa.Array:
    kind = values.type
    if pa.types.is_string(kind):
        return values
    if pa.types.is_floating(kind):
        # Adding zero makes one zero of two.
        bits = pc.add(values, 0.0).cast(pa.float64()).view(pa.int64())
        return bits.cast(pa.string())
    if pa.types.is_date32(kind):
        return values.cast(pa.int32()).cast(pa.string())
    if pa.types.is_timestamp(kind):
        return values.cast(pa.int64()).cast(pa.string())
    if pa.types.is_boolean(kind):
        return values.cast(pa.int8()).cast(pa.string())
    return values.cast(pa.int64()).cast(pa.string())
