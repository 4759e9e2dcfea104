"""Two profiles of one feature, side by side: what every drift metric and every test reads.

Numbers are laid over ordered cells that no metric's bins depend on: the values themselves while both profiles are
exact; with sketches, each sketched side's quantiles as atoms with the gaps between them. A sketched cumulative share
is off by at most SKETCH_RANK_ERROR (the t-digest of millrace.analytics.profiling).

Bins, for the metrics that need them, come from the baseline alone: a window cannot move the ruler it is measured with.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from millrace.analytics.profiling import ColumnProfile

Floats = npt.NDArray[np.float64]

SKETCH_RANK_ERROR = 0.015  # measured: 0.001, but 0.015 at the edge of a value that many rows share
BINS = 10
MAX_SINGLE_VALUE_BINS = 20
OTHER_LEVELS = "(other values)"
_MOST_LEVELS = 5_000
_GRID = 250
_GRID_SHARES = (np.arange(_GRID) + 0.5) / _GRID
_NORMAL_QUARTILES = 1.3489795  # distance of a normal distribution's quartiles, in standard deviations


@dataclass(frozen=True)
class Numbers:
    """Both samples as counts over the same ordered cells (k,), not necessarily whole where sketched.

    `values` (k,) are the cells' upper ends; `baseline_bins` and `window_bins` are shares over the baseline's bins.
    """

    values: Floats
    baseline: Floats
    window: Floats
    baseline_bins: Floats
    window_bins: Floats
    scale: float
    rank_error: float

    @cached_property
    def cumulative(self) -> tuple[Floats, Floats]:
        """Shares up to and including each cell, of the baseline and of the window."""
        return np.cumsum(self.baseline) / self.baseline.sum(), np.cumsum(self.window) / self.window.sum()


@dataclass(frozen=True)
class Categories:
    """Both samples as counts over the same levels (k,); the last is whatever is not among the listed ones.

    `new` counts the window's rows whose level the baseline never had.
    """

    levels: tuple[str, ...]
    baseline: Floats
    window: Floats
    new: float
    rank_error: float

    @property
    def baseline_bins(self) -> Floats:
        """Shares over the baseline's own levels; what the window brought anew is one bin, the last."""
        return self._over_baseline_levels(self.baseline)

    @property
    def window_bins(self) -> Floats:
        return self._over_baseline_levels(self.window)

    def _over_baseline_levels(self, counts: Floats) -> Floats:
        known = self.baseline > 0
        shares: Floats = (counts if known.all() else np.append(counts[known], counts[~known].sum())) / counts.sum()
        return shares


@dataclass(frozen=True)
class Nulls:
    """Missing and present rows of both samples."""

    baseline_nulls: int
    baseline_count: int
    window_nulls: int
    window_count: int

    @property
    def change(self) -> float:
        """The window's share of missing values less the baseline's."""
        return self.window_nulls / (self.window_nulls + self.window_count) - self.baseline_nulls / (
            self.baseline_nulls + self.baseline_count
        )


@dataclass(frozen=True)
class Feature:
    """One feature in baseline and window. `values` is None when one of them has none."""

    values: Numbers | Categories | None
    nulls: Nulls


def feature_of(baseline: ColumnProfile, window: ColumnProfile) -> Feature:
    """Both have rows, and kinds that compare (see millrace.analytics.drift.decision)."""
    nulls = Nulls(baseline.nulls, baseline.count, window.nulls, window.count)
    if not baseline.count or not window.count:
        return Feature(None, nulls)
    if baseline.is_numeric:
        return Feature(numbers_of(baseline, window), nulls)
    return Feature(categories_of(baseline, window), nulls)


def numbers_of(baseline: ColumnProfile, window: ColumnProfile) -> Numbers:
    sketches = sum(column.quantile_sketch is not None for column in (baseline, window))
    if sketches:
        values, (base, current) = _over_grid(baseline, window)
    else:
        values, base, current = _over_values(baseline, window)
    edges = bin_edges(baseline)
    return Numbers(
        values=values,
        baseline=base,
        window=current,
        baseline_bins=_bin_shares(baseline, edges),
        window_bins=_bin_shares(window, edges),
        scale=scale_of(baseline),
        rank_error=sketches * SKETCH_RANK_ERROR,
    )


def bin_edges(baseline: ColumnProfile) -> Floats:
    """Inner edges (ascending) of the baseline's bins, each closed on the right; the outer bins are open.

    Tenths of the baseline; fewer where one value fills several of them; every value by itself while there are few.
    """
    if baseline.counts is not None and len(baseline.counts) <= MAX_SINGLE_VALUE_BINS:
        return baseline.exact_values[0]
    tenths: Floats = np.unique(baseline.quantiles([step / BINS for step in range(1, BINS)]))
    return tenths


def scale_of(baseline: ColumnProfile) -> float:
    """The standard deviation; where it is 0 or infinite the quartiles' distance as of a normal; else size, or 1."""
    deviation = baseline.std
    if deviation is not None and math.isfinite(deviation) and deviation > 0:
        return deviation
    low, high = baseline.quantiles([0.25, 0.75])
    if math.isfinite(high - low) and high > low:
        return float((high - low) / _NORMAL_QUARTILES)
    return abs(float(low)) or 1.0


def categories_of(baseline: ColumnProfile, window: ColumnProfile) -> Categories:
    """All levels while both are counted; otherwise those the sketches still know, the others as one."""
    base, current = dict(baseline.top(_MOST_LEVELS)), dict(window.top(_MOST_LEVELS))
    levels = sorted(base.keys() | current.keys(), key=lambda level: (-base.get(level, 0), level))
    counts = [np.array([float(found.get(level, 0)) for level in levels]) for found in (base, current)]
    rest = [
        max(0.0, column.count - float(known.sum())) for column, known in zip((baseline, window), counts, strict=True)
    ]
    exact = baseline.counts is not None and window.counts is not None
    new = float(sum(count for level, count in current.items() if level not in base))
    if any(rest):
        levels, counts = (
            [*levels, OTHER_LEVELS],
            [np.append(known, left) for known, left in zip(counts, rest, strict=True)],
        )
    return Categories(tuple(levels), counts[0], counts[1], new, 0.0 if exact else SKETCH_RANK_ERROR)


def _over_values(baseline: ColumnProfile, window: ColumnProfile) -> tuple[Floats, Floats, Floats]:
    (ours, weights), (theirs, current) = baseline.exact_values, window.exact_values
    values = np.union1d(ours, theirs)
    found = np.zeros((2, len(values)))
    found[0, np.searchsorted(values, ours)] = weights
    found[1, np.searchsorted(values, theirs)] = current
    return values, found[0], found[1]


def _over_grid(baseline: ColumnProfile, window: ColumnProfile) -> tuple[Floats, tuple[Floats, Floats]]:
    """Cells ("below a point, above the one before") and ("exactly this point") in turn, so that ties stay ties."""
    points = np.union1d(_points(baseline), _points(window))
    values = np.repeat(points, 2)
    return values, (_over_points(baseline, points), _over_points(window, points))


def _points(column: ColumnProfile) -> Floats:
    quantiles = column.quantiles(_GRID_SHARES.tolist())
    points: Floats = np.unique(np.concatenate([quantiles, [column.minimum or 0.0, column.maximum or 0.0]]))
    return points


def _over_points(column: ColumnProfile, points: Floats) -> Floats:
    shares = np.empty(2 * len(points))
    shares[0::2], shares[1::2] = column.share_below(points), column.share_up_to(points)
    counts: Floats = np.diff(np.maximum.accumulate(shares), prepend=0.0)
    return counts * float(column.count)


def _bin_shares(column: ColumnProfile, edges: Floats) -> Floats:
    shares: Floats = np.diff(np.concatenate([[0.0], column.share_up_to(edges), [1.0]]))
    return shares
