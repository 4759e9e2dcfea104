"""The profile of a dataset version: what its accepted rows look like, in mergeable form.

`merge` is associative and commutative: exactly for counts, extremes and exact value counts, within rounding for means,
and within the sketches' error (quantiles below 1 % of rank, distinct values about 2 %) where a column has more than
MAX_EXACT_VALUES different values. The same rows in the same batches give the same profile, byte for byte.

profile.json, all keys snake_case:

    {"rows": 4454, "target": "status", "splits": {"train": 3118, …},
     "classes": {"train": {"good": 2240, "bad": 878}, …} | null      of the target, when it has at most MAX_CLASSES
     "columns": {"age": {
        "kind": "integer", "count": 4440, "nulls": 14,                 count: values that are not null
        "mean": 37.1, "m2": 535000.2, "std": 10.98,                    m2: sum of squares of the distances from the
                                                                       mean; null when too large for a float
        "minimum": 18.0, "maximum": 68.0,
        "counts": {"18": 12, …} | null,                                every value with its count, while few
        "quantile_sketch": base64 | null,                              Apache DataSketches t-digest, k = 800
        "distinct_sketch": base64 | null,                              Apache DataSketches HLL, lg_k = 12; optional
        "frequent_sketch": base64 | null,                              Apache DataSketches frequent items (categories)
        "distinct": 51.0, "quantiles": {"0.5": 36.0, …},               derived, for readers
        "histogram": {"edges": [18.0, …], "shares": [0.02, …]}, "top": [["36", 170], …]}}}

Numbers describe themselves; dates and timestamps are seconds since 1970 UTC; booleans are "true" and "false"; for text
the figures describe its length in characters, and no text is kept.
"""

from __future__ import annotations

import base64
import math
import struct
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from millrace.analytics.splitting import SPLITS

MAX_EXACT_VALUES = 1_000
MAX_CLASSES = 100
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
HISTOGRAM_BINS = 20
TOP_VALUES = 20

_DIGEST_K = 800  # measured: at most 0.6 % of rank from 50,000 to 1,000,000 values, merged or not; k = 200 has 2.6 %
_LEAST_CLUSTERED = 8 * _DIGEST_K
_HLL_LG_K = 12
_FREQUENT_LG_K = 12
_COUNTED_TEXT = ("category", "boolean")


@dataclass(frozen=True)
class ColumnProfile:
    """One column. `counts` holds every value while there are few; afterwards the sketches take over."""

    kind: str
    count: int = 0
    nulls: int = 0
    mean: float = 0.0
    m2: float = 0.0
    minimum: float | None = None
    maximum: float | None = None
    counts: Mapping[str, int] | None = field(default_factory=dict)
    quantile_sketch: bytes | None = None
    distinct_sketch: bytes | None = None
    frequent_sketch: bytes | None = None

    @property
    def is_numeric(self) -> bool:
        """Whether mean, extremes and quantiles mean anything (for text: of its length)."""
        return self.kind not in _COUNTED_TEXT

    @property
    def std(self) -> float | None:
        """Sample standard deviation."""
        return math.sqrt(self.m2 / (self.count - 1)) if self.count > 1 and self.is_numeric else None

    @property
    def distinct(self) -> float:
        """How many different values: exact while they are counted, an estimate afterwards; NaN if not estimated."""
        if self.counts is not None:
            return float(len(self.counts))
        if self.distinct_sketch is None:
            return math.nan
        return float(_hll(self.distinct_sketch).get_estimate())

    @property
    def all_distinct(self) -> bool:
        """Whether no value repeats: exactly while values are counted, otherwise as far as the sketch can tell."""
        if self.counts is not None:
            return len(self.counts) == self.count
        return self.distinct_sketch is not None and bool(_hll(self.distinct_sketch).get_upper_bound(2) >= self.count)

    def quantile(self, share: float) -> float | None:
        """The smallest value that at least `share` of the values do not exceed; None without values."""
        found = self.quantiles([share])
        return float(found[0]) if len(found) else None

    def quantiles(self, shares: Sequence[float]) -> np.ndarray[Any, Any]:
        """`quantile` of each share (ascending or not); empty without values."""
        if not self.count or not self.is_numeric:
            return np.empty(0)
        if self.quantile_sketch is not None:
            digest = _digest(self.quantile_sketch)
            return np.array([digest.get_quantile(float(share)) for share in shares])
        values, weights = self.exact_values
        places = np.searchsorted(np.cumsum(weights), np.asarray(shares) * self.count, side="left")
        found: np.ndarray[Any, Any] = values[places.clip(max=len(values) - 1)]
        return found

    def share_up_to(self, edges: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """The share of values ≤ each edge."""
        if self.quantile_sketch is not None:
            # At a value that many rows share, the digest's rank is the middle of its rows: ask just above it.
            return self._digest_ranks(np.nextafter(edges, np.inf))
        return self._exact_shares(edges, side="right")

    def share_below(self, edges: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """The share of values < each edge."""
        if self.quantile_sketch is not None:
            return self._digest_ranks(np.nextafter(edges, -np.inf))
        return self._exact_shares(edges, side="left")

    def _digest_ranks(self, points: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        digest = _digest(self.quantile_sketch)
        least, most = self.minimum or 0.0, self.maximum or 0.0
        return np.array([0.0 if x < least else 1.0 if x > most else digest.get_rank(float(x)) for x in points])

    def _exact_shares(self, edges: np.ndarray[Any, Any], *, side: Literal["left", "right"]) -> np.ndarray[Any, Any]:
        values, weights = self.exact_values
        totals = np.concatenate([[0], np.cumsum(weights)])
        shares: np.ndarray[Any, Any] = totals[np.searchsorted(values, edges, side=side)] / max(1, self.count)
        return shares

    @cached_property
    def exact_values(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Sorted values and their counts, while values are counted."""
        pairs = sorted((float(value), count) for value, count in (self.counts or {}).items())
        return np.array([value for value, _ in pairs]), np.array([count for _, count in pairs], dtype=np.int64)

    def histogram(self, bins: int = HISTOGRAM_BINS) -> tuple[list[float], list[float]]:
        """Edges (bins + 1) of equal width from minimum to maximum, and the share of values in each bin."""
        if not self.count or self.minimum is None or self.maximum is None or math.isinf(self.maximum - self.minimum):
            return [], []
        if self.minimum == self.maximum:
            return [self.minimum, self.maximum], [1.0]
        edges = np.linspace(self.minimum, self.maximum, bins + 1)
        shares = np.diff(self.share_up_to(edges), prepend=0.0)
        return edges.tolist(), [float(shares[0] + shares[1]), *shares[2:].tolist()]

    def top(self, limit: int = TOP_VALUES) -> list[tuple[str, int]]:
        """The most frequent values with their counts (estimates once sketched), ties by value."""
        if self.counts is not None:
            pairs = list(self.counts.items())
        elif self.frequent_sketch is not None:
            import datasketches

            sketch = datasketches.frequent_strings_sketch.deserialize(self.frequent_sketch)
            error = datasketches.frequent_items_error_type.NO_FALSE_NEGATIVES
            pairs = [(str(value), int(estimate)) for value, estimate, _, _ in sketch.get_frequent_items(error)]
        else:
            return []
        return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))[:limit]

    def merge(self, other: ColumnProfile) -> ColumnProfile:
        """Both together. Mean and m2 by Chan, Golub and LeVeque (1979)."""
        if self.kind != other.kind:
            raise ValueError(f"a profile of {self.kind} and one of {other.kind} do not merge")
        count = self.count + other.count
        delta = other.mean - self.mean
        share = other.count / count if count else 0.0
        counts, quantile, distinct, frequent = _merge_values(self, other)
        return ColumnProfile(
            kind=self.kind,
            count=count,
            nulls=self.nulls + other.nulls,
            mean=self.mean + delta * share,
            m2=self.m2 + other.m2 + delta * delta * self.count * share,
            minimum=_extreme(min, self.minimum, other.minimum),
            maximum=_extreme(max, self.maximum, other.maximum),
            counts=counts,
            quantile_sketch=quantile,
            distinct_sketch=distinct,
            frequent_sketch=frequent,
        )

    def to_json(self) -> dict[str, Any]:
        edges, shares = self.histogram() if self.is_numeric else ([], [])
        numeric = self.is_numeric and self.count > 0
        return {
            "kind": self.kind,
            "count": self.count,
            "nulls": self.nulls,
            "mean": _finite(self.mean) if numeric else None,
            "m2": _finite(self.m2) if numeric else None,
            "std": _finite(self.std),
            "minimum": self.minimum,
            "maximum": self.maximum,
            "counts": None if self.counts is None else dict(sorted(self.counts.items())),
            "quantile_sketch": _encoded(self.quantile_sketch),
            "distinct_sketch": _encoded(self.distinct_sketch),
            "frequent_sketch": _encoded(self.frequent_sketch),
            "distinct": _finite(self.distinct),
            "quantiles": {str(share): self.quantile(share) for share in QUANTILES} if numeric else {},
            "histogram": {"edges": edges, "shares": shares},
            "top": [list(pair) for pair in self.top()],
        }

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> ColumnProfile:
        return cls(
            kind=state["kind"],
            count=state["count"],
            nulls=state["nulls"],
            mean=_moment(state, "mean"),
            m2=_moment(state, "m2"),
            minimum=state["minimum"],
            maximum=state["maximum"],
            counts=state["counts"],
            quantile_sketch=_decoded(state["quantile_sketch"]),
            distinct_sketch=_decoded(state["distinct_sketch"]),
            frequent_sketch=_decoded(state["frequent_sketch"]),
        )


@dataclass(frozen=True)
class DatasetProfile:
    """All columns of the accepted rows, rows per split, and the target's classes per split (None when too many)."""

    columns: Mapping[str, ColumnProfile]
    rows: int = 0
    target: str | None = None
    splits: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(SPLITS, 0))
    classes: Mapping[str, Mapping[str, int]] | None = None

    @property
    def null_share(self) -> float:
        """Nulls among all accepted cells."""
        cells = self.rows * len(self.columns)
        return sum(column.nulls for column in self.columns.values()) / cells if cells else 0.0

    def merge(self, other: DatasetProfile) -> DatasetProfile:
        return DatasetProfile(
            columns={name: column.merge(other.columns[name]) for name, column in self.columns.items()},
            rows=self.rows + other.rows,
            target=self.target,
            splits=_sum(self.splits, other.splits),
            classes=_merge_classes(self.classes, other.classes),
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "target": self.target,
            "splits": dict(self.splits),
            "classes": self.classes,
            "columns": {name: column.to_json() for name, column in self.columns.items()},
        }

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> DatasetProfile:
        return cls(
            columns={name: ColumnProfile.from_json(column) for name, column in state["columns"].items()},
            rows=state["rows"],
            target=state["target"],
            splits=state["splits"],
            classes=state["classes"],
        )


class Scratch:
    """Room for the numbers of a batch, twice, used again for every column: to be given new pages by the system for each
    of them takes as long as to sort what is in them. Not for several threads.
    """

    def __init__(self) -> None:
        self._room = np.empty((2, 0))

    def of(self, rows: int) -> np.ndarray[Any, Any]:
        """(2, rows), with anything in it."""
        if self._room.shape[1] < rows:
            self._room = np.empty((2, rows))
        return self._room[:, :rows]


class Profiler:
    """Profiles batches as they come. `kinds` maps each column to its contract kind, `target` names the target.

    Without `distinct` the different values of numbers and texts are not estimated once they are many: that takes most
    of the time, and a window that is only compared with a baseline does not need it. Several that take turns may share
    their `scratch`.
    """

    def __init__(
        self, kinds: Mapping[str, str], target: str | None, *, distinct: bool = True, scratch: Scratch | None = None
    ) -> None:
        self._distinct = distinct
        self._scratch = scratch or Scratch()
        self._classes_of = target if target is not None and kinds.get(target) in _CLASS_KINDS else None
        self.profile = DatasetProfile(
            columns={name: ColumnProfile(kind=kind) for name, kind in kinds.items()},
            target=target,
            classes={split: {} for split in SPLITS} if self._classes_of else None,
        )

    def add(self, rows: pa.Table, splits: np.ndarray[Any, Any]) -> None:
        """`rows` has all columns; `splits` is the index into SPLITS of each row."""
        seen = self.profile
        columns = {
            name: _profile_column(
                rows.column(name).combine_chunks(),
                column.kind,
                exact=column.counts is not None,
                distinct=self._distinct,
                scratch=self._scratch,
            )
            for name, column in seen.columns.items()
        }
        sizes = np.bincount(splits, minlength=len(SPLITS))
        self.profile = seen.merge(
            DatasetProfile(
                columns=columns,
                rows=rows.num_rows,
                target=seen.target,
                splits=dict(zip(SPLITS, sizes.tolist(), strict=True)),
                classes=self._class_counts(rows, splits) if seen.classes is not None else None,
            )
        )

    def _class_counts(self, rows: pa.Table, splits: np.ndarray[Any, Any]) -> dict[str, dict[str, int]]:
        target = rows.column(self._classes_of).combine_chunks()
        return {split: _counted(target.filter(pa.array(splits == index))) for index, split in enumerate(SPLITS)}


_CLASS_KINDS = ("category", "boolean", "integer")


def _profile_column(values: pa.Array, kind: str, *, exact: bool, distinct: bool, scratch: Scratch) -> ColumnProfile:
    present = values.drop_null()
    nulls, count = len(values) - len(present), len(present)
    if not count:
        return ColumnProfile(kind=kind, nulls=nulls)
    if kind == "text":
        lengths = pc.utf8_length(present).cast(pa.float64()).to_numpy(zero_copy_only=False)
        estimated = _hll_of(present.to_pylist()) if distinct else None
        return _numeric(lengths, *_in_order(lengths, scratch), nulls, kind, counts=None, distinct=estimated)
    if kind in _COUNTED_TEXT:
        counted = _counted(present)
        if len(counted) <= MAX_EXACT_VALUES:
            return ColumnProfile(kind=kind, count=count, nulls=nulls, counts=counted)
        return ColumnProfile(
            kind=kind,
            count=count,
            nulls=nulls,
            counts=None,
            distinct_sketch=_hll_of(list(counted)),
            frequent_sketch=_frequent_of(counted),
        )
    numbers = _seconds(present).to_numpy(zero_copy_only=False)
    ordered, room = _in_order(numbers, scratch)
    counts = _exact_counts(ordered) if exact else None
    estimated = _hll_of(numbers.tolist()) if distinct and counts is None else None
    return _numeric(numbers, ordered, room, nulls, kind, counts=counts, distinct=estimated)


def _in_order(numbers: np.ndarray[Any, Any], scratch: Scratch) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """The numbers, sorted once for everything that needs their order; and as much room for other work."""
    ordered, room = scratch.of(len(numbers))
    ordered[:] = numbers
    ordered.sort()
    return ordered, room


def _numeric(
    numbers: np.ndarray[Any, Any],
    ordered: np.ndarray[Any, Any],
    room: np.ndarray[Any, Any],
    nulls: int,
    kind: str,
    *,
    counts: dict[str, int] | None,
    distinct: bytes | None,
) -> ColumnProfile:
    sketched = counts is None
    with np.errstate(over="ignore", invalid="ignore"):  # values near 1e308: mean and m2 may be infinite, and say so
        mean = float(numbers.mean())
        apart = np.subtract(numbers, mean, out=room)
        m2 = float(np.square(apart, out=apart).sum())
    return ColumnProfile(
        kind=kind,
        count=len(numbers),
        nulls=nulls,
        mean=mean,
        m2=m2,
        minimum=float(ordered[0]),
        maximum=float(ordered[-1]),
        counts=counts,
        quantile_sketch=_digest_of(numbers, ordered) if sketched else None,
        distinct_sketch=distinct,
    )


def _exact_counts(ordered: np.ndarray[Any, Any]) -> dict[str, int] | None:
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    if len(starts) > MAX_EXACT_VALUES:
        return None
    counts = np.diff(starts, append=len(ordered))
    return {_key(value): count for value, count in zip(ordered[starts].tolist(), counts.tolist(), strict=True)}


def _key(number: float) -> str:
    """The shortest text that reads back as this number: `3` rather than `3.0`."""
    return str(int(number)) if number.is_integer() and abs(number) < 2**53 else repr(number)


def _seconds(values: pa.Array) -> pa.Array:
    """Numbers as they are, dates and timestamps as seconds since 1970, all float64."""
    if pa.types.is_date32(values.type):
        return pc.multiply(values.cast(pa.int32()).cast(pa.int64()), 86_400).cast(pa.float64())
    if pa.types.is_timestamp(values.type):
        return pc.divide(values.cast(pa.int64()).cast(pa.float64(), safe=False), 1e6)
    return values.cast(pa.float64(), safe=False)


def _counted(values: pa.Array) -> dict[str, int]:
    """Every value as text with its count, by text. Values that come with their dictionary are counted by its codes."""
    present = values.drop_null()
    if pa.types.is_dictionary(values.type):
        names, counts = present.dictionary, np.bincount(present.indices.to_numpy(), minlength=len(present.dictionary))
    else:
        counted = pc.value_counts(present.cast(pa.string()))
        names, counts = counted.field("values"), counted.field("counts").to_numpy()
    pairs = zip(names.cast(pa.string()).to_pylist(), counts.tolist(), strict=True)
    return {name: count for name, count in sorted(pairs) if count}


def _merge_values(
    one: ColumnProfile, two: ColumnProfile
) -> tuple[dict[str, int] | None, bytes | None, bytes | None, bytes | None]:
    """Exact counts while both have them and few values; otherwise (None, quantiles, distinct values, frequent ones)."""
    if one.counts is not None and two.counts is not None:
        counts = _sum(one.counts, two.counts)
        if len(counts) <= MAX_EXACT_VALUES:
            return counts, None, None, None
    frequent = _merge_frequent(one, two) if one.kind in _COUNTED_TEXT else None
    quantile = _merge_digests(one, two) if one.is_numeric else None
    return None, quantile, _merge_hlls(one, two), frequent


def _merge_digests(one: ColumnProfile, two: ColumnProfile) -> bytes:
    digest = _digest(_digest_bytes(one))
    digest.merge(_digest(_digest_bytes(two)))
    return bytes(digest.serialize())


def _digest_bytes(column: ColumnProfile) -> bytes | None:
    if column.quantile_sketch is not None or not column.count:
        return column.quantile_sketch
    values, weights = column.exact_values
    repeated = np.repeat(values, weights)
    return _digest_of(repeated, repeated)


def _digest_of(numbers: np.ndarray[Any, Any], ordered: np.ndarray[Any, Any]) -> bytes:
    """The digest of a batch. A large one is clustered here from its order, ten times as fast as value by value.

    The clusters are the t-digest's own (Dunning and Ertl, 2019: scale function k2), written in the layout that
    DataSketches reads: preamble, number of clusters and of buffered values, extremes, then mean and weight of each.
    """
    if len(numbers) < _LEAST_CLUSTERED:
        digest = _digest(None)
        digest.update(np.array(numbers, dtype=np.float64))  # it takes no read-only array
        return bytes(digest.serialize())
    starts, weights = _clusters(len(ordered))
    clusters = np.empty(len(starts), dtype=[("mean", "<f8"), ("weight", "<u8")])
    with np.errstate(over="ignore"):  # sums of values near 1e308; the mean stays within its cluster all the same
        means = np.add.reduceat(ordered, starts) / weights
    clusters["mean"] = np.clip(means, ordered[starts], ordered[starts + weights - 1])
    clusters["weight"] = weights
    head = struct.pack("<BBBHBHIIdd", 2, 1, 20, _DIGEST_K, 0, 0, len(starts), 0, ordered[0], ordered[-1])
    return head + clusters.tobytes()


@lru_cache(maxsize=16)
def _clusters(rows: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """First place and size of each cluster of `rows` sorted values: twice as fine as the digest keeps them."""
    compression = 2 * _DIGEST_K
    ranks = (np.arange(rows) + 0.5) / rows
    scaled = compression / (4 * math.log(rows / compression) + 24) * np.log(ranks / (1 - ranks))
    starts = np.flatnonzero(np.diff(np.floor(scaled), prepend=-np.inf))
    return starts, np.diff(starts, append=rows)


def _digest(state: bytes | None) -> Any:
    import datasketches

    return datasketches.tdigest_double(_DIGEST_K) if state is None else datasketches.tdigest_double.deserialize(state)


def _merge_hlls(one: ColumnProfile, two: ColumnProfile) -> bytes | None:
    """None when one of them has many values that were not estimated."""
    import datasketches

    if any(column.counts is None and column.distinct_sketch is None for column in (one, two)):
        return None
    union = datasketches.hll_union(_HLL_LG_K)
    for column in (one, two):
        if column.distinct_sketch is not None:
            union.update(_hll(column.distinct_sketch))
        elif column.counts:
            numeric = column.is_numeric
            union.update(_hll(_hll_of([float(value) if numeric else value for value in column.counts])))
    return bytes(union.get_result(datasketches.tgt_hll_type.HLL_4).serialize_compact())


def _hll_of(values: list[Any]) -> bytes:
    sketch = _hll(None)
    deque(map(sketch.update, values), maxlen=0)
    return bytes(sketch.serialize_compact())


def _hll(state: bytes | None) -> Any:
    import datasketches

    return datasketches.hll_sketch(_HLL_LG_K) if state is None else datasketches.hll_sketch.deserialize(state)


def _merge_frequent(one: ColumnProfile, two: ColumnProfile) -> bytes:
    import datasketches

    merged = datasketches.frequent_strings_sketch(_FREQUENT_LG_K)
    for column in (one, two):
        state = column.frequent_sketch or _frequent_of(column.counts or {})
        merged.merge(datasketches.frequent_strings_sketch.deserialize(state))
    return bytes(merged.serialize())


def _frequent_of(counts: Mapping[str, int]) -> bytes:
    import datasketches

    sketch = datasketches.frequent_strings_sketch(_FREQUENT_LG_K)
    for value, count in sorted(counts.items()):
        sketch.update(value, count)
    return bytes(sketch.serialize())


def _merge_classes(
    one: Mapping[str, Mapping[str, int]] | None, two: Mapping[str, Mapping[str, int]] | None
) -> dict[str, dict[str, int]] | None:
    if one is None or two is None:
        return None
    merged = {split: _sum(one[split], two[split]) for split in one}
    return merged if all(len(classes) <= MAX_CLASSES for classes in merged.values()) else None


def _sum(one: Mapping[str, int], two: Mapping[str, int]) -> dict[str, int]:
    total = dict(one)
    for key, count in two.items():
        total[key] = total.get(key, 0) + count
    return total


def _extreme(choose: Any, one: float | None, two: float | None) -> float | None:
    if one is None or two is None:
        return two if one is None else one
    return float(choose(one, two))


def _finite(number: float | None) -> float | None:
    """JSON has no infinity."""
    return number if number is not None and math.isfinite(number) else None


def _moment(state: Mapping[str, Any], name: str) -> float:
    """0 for no values; infinite where the values' squares were too large for a float."""
    if state[name] is not None:
        return float(state[name])
    return math.inf if state["count"] and state["kind"] not in _COUNTED_TEXT else 0.0


def _encoded(state: bytes | None) -> str | None:
    return None if state is None else base64.b64encode(state).decode()


def _decoded(state: str | None) -> bytes | None:
    return None if state is None else base64.b64decode(state)
