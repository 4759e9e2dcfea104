"""Baseline and window of one column over the same few bins, for people to look at: verdicts never read this."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from millrace.analytics.profiling import ColumnProfile, DatasetProfile
from millrace.domain.drift import DriftOverlay

MAX_BINS = 30
OTHERS = "(others)"
_MIDDLE_SHARES = (0.005, 0.995)


def overlays_of(baseline: DatasetProfile, window: DatasetProfile, names: list[str]) -> dict[str, DriftOverlay]:
    """Those of the columns that have values on both sides, in kinds that compare."""
    found: dict[str, DriftOverlay | None] = {
        name: overlay(baseline.columns[name], window.columns[name])
        for name in names
        if name in baseline.columns and name in window.columns
    }
    return {name: each for name, each in found.items() if each is not None}


def overlay(baseline: ColumnProfile, window: ColumnProfile) -> DriftOverlay | None:
    if not baseline.count or not window.count or baseline.is_numeric != window.is_numeric:
        return None
    return _of_numbers(baseline, window) if baseline.is_numeric else _of_levels(baseline, window)


def _of_numbers(baseline: ColumnProfile, window: ColumnProfile) -> DriftOverlay | None:
    """Equal bins over the middle 99 % of both; the outermost also hold what lies beyond."""
    ends = [each.quantiles(_MIDDLE_SHARES) for each in (baseline, window)]
    low, high = float(min(e[0] for e in ends)), float(max(e[1] for e in ends))
    if not np.isfinite(high - low):
        return None
    bins = min(MAX_BINS, _few_values(baseline, window, low, high))
    edges = np.linspace(low, high, bins + 1) if high > low else np.array([low, low])
    shares = [_shares(each, edges) for each in (baseline, window)]
    return DriftOverlay(edges=tuple(edges.tolist()), baseline=shares[0], window=shares[1])


def _few_values(baseline: ColumnProfile, window: ColumnProfile, low: float, high: float) -> int:
    """No more bins than different values between the ends: a column of five numbers has no use for thirty."""
    if baseline.counts is None or window.counts is None:
        return MAX_BINS
    values = np.union1d(baseline.exact_values[0], window.exact_values[0])
    return max(1, int(((values >= low) & (values <= high)).sum()))


def _shares(column: ColumnProfile, edges: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[float, ...]:
    inner = column.share_up_to(edges[1:-1])
    return tuple(np.clip(np.diff(np.concatenate([[0.0], inner, [1.0]])), 0.0, 1.0).tolist())


def _of_levels(baseline: ColumnProfile, window: ColumnProfile) -> DriftOverlay:
    """The most frequent levels of both together, and the rest as one."""
    before, after = dict(baseline.top(MAX_BINS * 4)), dict(window.top(MAX_BINS * 4))
    weight = {
        level: before.get(level, 0) / baseline.count + after.get(level, 0) / window.count
        for level in before.keys() | after.keys()
    }
    levels = sorted(weight, key=lambda level: (-weight[level], level))
    rest = len(levels) > MAX_BINS or baseline.counts is None or window.counts is None
    shown = levels[: MAX_BINS - 1] if rest else levels
    return DriftOverlay(
        levels=(*shown, OTHERS) if rest else tuple(shown),
        baseline=_level_shares(before, baseline.count, shown, rest),
        window=_level_shares(after, window.count, shown, rest),
    )


def _level_shares(counts: Mapping[str, int], total: int, shown: list[str], rest: bool) -> tuple[float, ...]:
    shares = [min(1.0, counts.get(level, 0) / total) for level in shown]
    return (*shares, max(0.0, 1 - sum(shares))) if rest else tuple(shares)
