"""Which split a row belongs to: a hash decides, so a row keeps its split as the data grows and a group stays together.

The hash is BLAKE2b over a canonical text that no library version can change: integers in decimal digits, floats as the
digits of their 64 bits, times as microseconds, text as it is, with the three characters escaped that divide cells.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:  # a window is profiled without them, and they take longer to import than to profile it
    from millrace.domain.dataset import DatasetSettings, SplitShares

SPLITS = ("train", "validation", "test")
_SPAN = 2**64
_BETWEEN, _NULL, _ESCAPE = "\x1f", "\x00", "\x1b"


def split_columns(settings: DatasetSettings, names: Sequence[str]) -> tuple[str, ...]:
    """The columns whose values decide: the group, else the key, else all of them in alphabetical order."""
    if settings.group is not None:
        return (settings.group,)
    return settings.key or tuple(sorted(names))


def assign_splits(table: pa.Table, columns: Sequence[str], shares: SplitShares) -> np.ndarray[Any, Any]:
    """The index into SPLITS of each row (int8)."""
    digests = digest_rows(table, columns, size=8, purpose=b"millrace split 1")
    points = np.frombuffer(b"".join(digests), dtype=">u8").astype(np.float64) / _SPAN
    edges = np.array([shares.train, shares.train + shares.validation])
    return np.searchsorted(edges, points, side="right").astype(np.int8)


def digest_rows(table: pa.Table, columns: Sequence[str], *, size: int, purpose: bytes) -> list[bytes]:
    """A BLAKE2b digest of `size` bytes of each row's values in `columns`; other purposes give other digests."""
    texts = canonical_rows(table, columns)
    ends = np.frombuffer(texts.buffers()[1], dtype=np.int32)[texts.offset : texts.offset + len(texts) + 1].tolist()
    data = memoryview(texts.buffers()[2] or b"")
    hashed = hashlib.blake2b
    return [
        hashed(data[start:end], digest_size=size, person=purpose).digest() for start, end in itertools.pairwise(ends)
    ]


def canonical_rows(table: pa.Table, columns: Sequence[str]) -> pa.StringArray:
    """The canonical text of each row's values in `columns`. Equal rows have equal texts, others different ones."""
    cells = [pc.fill_null(_canonical_texts(table.column(name).combine_chunks()), _NULL) for name in columns]
    return pc.binary_join_element_wise(*cells, _BETWEEN) if cells else pa.array([""] * table.num_rows)


def _canonical_texts(values: pa.Array) -> pa.Array:
    kind = values.type
    if pa.types.is_string(kind):
        return _escaped(values)
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


def _escaped(texts: pa.Array) -> pa.Array:
    for place, character in enumerate((_ESCAPE, _BETWEEN, _NULL)):
        if pc.any(pc.match_substring(texts, character)).as_py():
            texts = pc.replace_substring(texts, character, f"{_ESCAPE}{place}")
    return texts
