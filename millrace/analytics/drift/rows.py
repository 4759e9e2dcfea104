"""Rows of a window, from Parquet or JSON, as columns that a profile can be made of; and samples of scored rows.

A value that is not of the column's kind is missing; a whole Parquet column of another kind is profiled as what it is,
so that the verdict can say so. Dates and times are not read: no verdict is made of them (time moves on by itself).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from millrace.analytics.drift.baseline import PREDICTION, Output
from millrace.analytics.profiling import ColumnProfile, DatasetProfile, Profiler, Scratch
from millrace.domain.truth import LabelCounts

Hashes = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]

BATCH_ROWS = 1 << 16
_TIME_KINDS = ("date", "timestamp")
_TYPES = {"number": pa.float64(), "integer": pa.float64(), "boolean": pa.bool_(), "category": pa.string()}


class WindowProfiler:
    """Profiles batches of a window. `kinds` are the baseline's; the first batch that has a column settles its kind."""

    def __init__(self, kinds: Mapping[str, str]) -> None:
        self._kinds = dict(kinds)
        self._profilers: dict[str, Profiler] = {}
        self._scratch = Scratch()
        self._rows = 0

    def add(self, rows: pa.Table) -> None:
        """Columns that the baseline does not know are left out."""
        self._rows += rows.num_rows
        splits = np.zeros(rows.num_rows, dtype=np.int64)
        for name, kind in self._kinds.items():
            if name not in rows.column_names:
                continue
            found, values = as_kind(rows.column(name), kind)
            if name not in self._profilers:
                self._profilers[name] = Profiler({name: found}, None, distinct=False, scratch=self._scratch)
            profiler = self._profilers[name]
            settled = profiler.profile.columns[name].kind
            profiler.add(pa.table({name: values if settled == found else as_kind(values, settled)[1]}), splits)

    @property
    def profile(self) -> DatasetProfile:
        columns: dict[str, ColumnProfile] = {
            name: profiler.profile.columns[name] for name, profiler in self._profilers.items()
        }
        return DatasetProfile(columns=columns, rows=self._rows)


def tables_of(
    path: Path, repeated: Collection[str] = (), *, columns: Sequence[str] | None = None
) -> Iterator[pa.Table]:
    """The rows of a Parquet file in batches: all columns, or those of `columns` that there are.

    `repeated` columns of texts come as codes with their dictionary.
    """
    # From a path: reading Parquet from memory may end the process when it exits.
    known = pq.read_metadata(path)
    coded = [name for name in repeated if name in known.schema.names]
    file = pq.ParquetFile(path, metadata=known, read_dictionary=coded)
    for batch in file.iter_batches(
        batch_size=BATCH_ROWS, columns=None if columns is None else list(columns), use_threads=False
    ):
        yield pa.Table.from_batches([batch])


def as_kind(values: pa.ChunkedArray | pa.Array, kind: str) -> tuple[str, pa.Array]:
    """The values as a column of `kind`; when their type does not allow that, the kind they have, and they as that."""
    array = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    if kind in _TIME_KINDS or pa.types.is_null(array.type):
        return kind, pa.nulls(len(array), _TYPES.get(kind, pa.timestamp("us")))
    found = _kind_of(array.type)
    if kind == "category":
        coded = pa.types.is_dictionary(array.type) and pa.types.is_string(array.type.value_type)
        return kind, _without_blanks(array if coded else array.cast(pa.string()))
    if kind == found or {kind, found} <= {"number", "integer"}:
        return kind, _finite(array.cast(_TYPES[kind], safe=False))
    if kind in ("number", "integer") and found == "boolean":
        return kind, array.cast(pa.float64())
    if kind == "boolean" and found in ("number", "integer"):
        return kind, pc.not_equal(array, 0)
    return "category", _without_blanks(array.cast(pa.string()))


def _kind_of(arrow: pa.DataType) -> str:
    if pa.types.is_boolean(arrow):
        return "boolean"
    if pa.types.is_floating(arrow) or pa.types.is_integer(arrow) or pa.types.is_decimal(arrow):
        return "number"
    return "category"


def _without_blanks(texts: pa.Array) -> pa.Array:
    """An empty text is a missing category, as models read it."""
    if pa.types.is_dictionary(texts.type):
        blank = texts.dictionary.index("").as_py()
        if blank < 0:
            return texts
        kept = pc.if_else(pc.equal(texts.indices, blank), pa.scalar(None, texts.indices.type), texts.indices)
        return pa.DictionaryArray.from_arrays(kept, texts.dictionary)
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)


def _finite(numbers: pa.Array) -> pa.Array:
    if not pa.types.is_floating(numbers.type):
        return numbers
    finite = pc.is_finite(numbers)
    if pc.all(finite).as_py() is not False:  # nearly always, and then nothing is copied
        return numbers
    return pc.if_else(finite, numbers, pa.scalar(None, numbers.type))


def table_of_records(rows: Sequence[Mapping[str, Any]], kinds: Mapping[str, str]) -> pa.Table:
    """Rows of JSON as columns of `kinds`; a value of another kind is missing."""
    columns = {
        name: pa.nulls(len(rows), pa.timestamp("us"))
        if kind in _TIME_KINDS
        else pa.array([_READERS[kind](row.get(name)) for row in rows], _TYPES[kind])
        for name, kind in kinds.items()
        if any(name in row for row in rows)
    }
    return pa.table(columns) if columns else pa.table({"": pa.nulls(len(rows))})


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _boolean(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _category(value: Any) -> str | None:
    if value is None or value == "":
        return None
    return value if isinstance(value, str) else str(value)


_READERS = {"number": _number, "integer": _number, "boolean": _boolean, "category": _category}


def table_of_predictions(records: Sequence[Mapping[str, Any]], output: Output) -> pa.Table:
    """Inference records as the columns that batch results have: `prediction`, `probability.{class}`."""
    if not output.classes:
        return pa.table({PREDICTION: pa.array([_number(each[PREDICTION]) for each in records], pa.float64())})
    told = [each.get("probabilities") or {} for each in records]
    names = zip(output.probability_columns, output.class_names, strict=True)
    return pa.table(
        {
            PREDICTION: pa.array([label_text(each[PREDICTION]) for each in records], pa.string()),
            **{column: pa.array([_number(each.get(name)) for each in told], pa.float64()) for column, name in names},
        }
    )


def label_text(value: Any) -> str | None:
    """A label as text, however a file or a request wrote it: `true` and 1.0 as JSON does."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def scores_of(table: pa.Table, output: Output) -> Floats:
    """(rows, classes) probabilities, or (rows, 1) numbers; NaN where a column is absent or a value missing."""
    names = output.probability_columns or (PREDICTION,)
    absent = np.full(table.num_rows, np.nan)
    return np.stack(
        [table.column(name).cast(pa.float64()).to_numpy() if name in table.column_names else absent for name in names],
        axis=1,
    )


def hashes_of(ids: Sequence[str]) -> Hashes:
    """64 bits of each record id: two of ten million ids share them with probability 0.000003."""
    raw = b"".join(hashlib.blake2b(each.encode(), digest_size=8).digest() for each in ids)
    return np.frombuffer(raw, dtype=np.uint64)


class Labels:
    """True values by record id. What was known latest about a record counts; at most `limit` records are held.

    All are added before the first is met.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._values: dict[int, str | float] = {}
        self._known_at: dict[int, str] = {}
        self._met: _Met | None = None
        self.truncated = False

    def add(self, record_ids: Sequence[str], values: Sequence[str | float], known_at: Sequence[str]) -> None:
        """`known_at` in ISO 8601 and UTC, so that texts are in the order of times."""
        for key, value, at in zip(hashes_of(record_ids).tolist(), values, known_at, strict=True):
            if key not in self._values and len(self._values) >= self._limit:
                self.truncated = True
                continue
            if at >= self._known_at.get(key, ""):
                self._values[key], self._known_at[key] = value, at

    def __len__(self) -> int:
        return len(self._values)

    def meet(self, hashes: Hashes) -> npt.NDArray[np.bool_]:
        """Which of these predictions have a label; their labels joined the window."""
        return self._meeting.mark(hashes, here=True)

    def meet_elsewhere(self, hashes: Hashes) -> None:
        """Predictions that are not of the window: their labels wait no longer."""
        self._meeting.mark(hashes, here=False)

    @property
    def unmet(self) -> int:
        return int(np.count_nonzero(~self._meeting.anywhere))

    def of(self, hashes: Hashes) -> list[str | float]:
        return [self._values[key] for key in hashes.tolist()]

    def counts(self, *, unlabelled: int, everywhere: bool) -> LabelCounts:
        """`everywhere`: whether every prediction that there may be was met; no matter where no label is left."""
        joined, unmet = int(np.count_nonzero(self._meeting.here)), self.unmet
        known = len(self)
        if self.truncated or (unmet and not everywhere):
            return LabelCounts(known=known, joined=joined, unlabelled=unlabelled)
        oldest = min((self._known_at[key] for key in self._meeting.missed.tolist()), default=None)
        return LabelCounts(
            known=known,
            joined=joined,
            elsewhere=known - joined - unmet,
            waiting=unmet,
            oldest_waiting=None if oldest is None else date.fromisoformat(oldest[:10]),
            unlabelled=unlabelled,
        )

    @property
    def _meeting(self) -> _Met:
        if self._met is None or len(self._met.keys) != len(self._values):
            self._met = _Met(np.sort(np.fromiter(self._values, dtype=np.uint64, count=len(self._values))))
        return self._met


class _Met:
    """Which labels met a prediction: two bytes for each beside its hash."""

    def __init__(self, keys: Hashes) -> None:
        self.keys = keys
        self.here = np.zeros(len(keys), dtype=np.bool_)
        self.anywhere = np.zeros(len(keys), dtype=np.bool_)

    def mark(self, hashes: Hashes, *, here: bool) -> npt.NDArray[np.bool_]:
        if not len(self.keys):
            return np.zeros(len(hashes), dtype=np.bool_)
        places = np.minimum(np.searchsorted(self.keys, hashes), len(self.keys) - 1)
        known: npt.NDArray[np.bool_] = self.keys[places] == hashes
        self.anywhere[places[known]] = True
        if here:
            self.here[places[known]] = True
        return known

    @property
    def missed(self) -> Hashes:
        return self.keys[~self.anywhere]


@dataclass(frozen=True)
class Sampled:
    """Hashes of record ids, ascending, and the scores of each: (rows,) and (rows, columns)."""

    hashes: Hashes
    scores: Floats


class RowSample:
    """At most `limit` rows with distinct record ids: those with the smallest hashes, so a uniform sample.

    Which rows it holds depends neither on their order nor on how they come in batches.
    """

    def __init__(self, limit: int, columns: int) -> None:
        self._limit = limit
        self._hashes: Hashes = np.empty(0, dtype=np.uint64)
        self._scores: Floats = np.empty((0, columns))

    def add(self, hashes: Hashes, scores: Floats) -> None:
        """Rows with a missing score are left out."""
        told = np.isfinite(scores).all(axis=1)
        together = np.concatenate([self._hashes, hashes[told]])
        distinct, first = np.unique(together, return_index=True)
        kept = first[: self._limit]
        self._hashes = distinct[: self._limit]
        self._scores = np.concatenate([self._scores, scores[told]])[kept]

    @property
    def rows(self) -> Sampled:
        return Sampled(self._hashes, self._scores)
