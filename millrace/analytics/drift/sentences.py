"""What changed, in words: direction, size, and how much of the model rests on it."""

from __future__ import annotations

import numpy as np

from millrace.analytics.drift.distributions import Categories, Feature, Floats, Numbers
from millrace.domain.drift import FeatureDrift

_TELLING_SHIFT_SD = 0.1
_TELLING_SPREAD = 1.25
_TELLING_NULLS = 0.05


def sentence_of(name: str, feature: Feature, shift_sd: float | None, importance_share: float | None) -> str:
    """For example: `temp` rose by 1.2 sd; this feature carries 22 % of the model."""
    said = [_nulls_in_words(feature)] if abs(feature.nulls.change) >= _TELLING_NULLS else []
    if isinstance(feature.values, Numbers):
        said.append(_numbers_in_words(feature.values, shift_sd))
    elif isinstance(feature.values, Categories):
        said.append(_categories_in_words(feature.values))
    elif not said:
        said.append("has no values to compare")
    return f"`{name}` {' and '.join(said)}{_importance_in_words(importance_share)}"


def overall_sentence(
    drifted: list[FeatureDrift], *, judged: int, skipped: int, rows: int, smallest: float | None
) -> str:
    """`drifted` begins with the worst."""
    aside = f"; {skipped} skipped" if skipped else ""
    if drifted:
        more = "" if len(drifted) == 1 else f" And {len(drifted) - 1} more."
        return f"Drift in {len(drifted)} of {judged} features over {rows:,} rows{aside}: {drifted[0].sentence}.{more}"
    seen = "" if smallest is None else f"; a shift of {smallest:.2f} sd in one of them would have been seen"
    return f"No drift in {judged} features over {rows:,} rows{seen}{aside}."


def _nulls_in_words(feature: Feature) -> str:
    before, after = (
        feature.nulls.baseline_nulls / (feature.nulls.baseline_nulls + feature.nulls.baseline_count),
        feature.nulls.window_nulls / (feature.nulls.window_nulls + feature.nulls.window_count),
    )
    return f"is missing in {percent(after)} of rows, {percent(before)} before"


def _numbers_in_words(numbers: Numbers, shift_sd: float | None) -> str:
    if np.count_nonzero(numbers.window) == 1 and np.count_nonzero(numbers.baseline) > 1:
        return f"is always {float(numbers.values[numbers.window > 0][0]):g}"
    if shift_sd is not None and abs(shift_sd) >= _TELLING_SHIFT_SD:
        return f"{'rose' if shift_sd > 0 else 'fell'} by {abs(shift_sd):.1f} sd"
    before, after = (_middle_half(numbers.values, counts) for counts in (numbers.baseline, numbers.window))
    if before and after and max(after / before, before / after) >= _TELLING_SPREAD:
        return f"spreads {after / before:.1f} times as wide as before"
    moved = float(np.abs(numbers.cumulative[0] - numbers.cumulative[1]).max())
    return f"changed its shape: {percent(moved)} of its values moved"


def _middle_half(values: Floats, counts: Floats) -> float:
    low, high = np.searchsorted(np.cumsum(counts), [0.25 * counts.sum(), 0.75 * counts.sum()])
    return float(values[min(high, len(values) - 1)] - values[low])


def _categories_in_words(levels: Categories) -> str:
    before, after = levels.baseline / levels.baseline.sum(), levels.window / levels.window.sum()
    new = levels.new / float(levels.window.sum())
    place = int(np.argmax(np.abs(after - before)))
    if new >= abs(float(after[place] - before[place])):
        return f"has values never seen before in {percent(new)} of rows"
    now, then = percent(float(after[place])), percent(float(before[place]))
    return f"has {levels.levels[place]!r} in {now} of rows, {then} before"


def _importance_in_words(share: float | None) -> str:
    return "" if share is None else f"; this feature carries {percent(share)} of the model"


def percent(share: float) -> str:
    return f"{share:.0%}".replace("%", " %") if share >= 0.095 or share == 0 else f"{share:.1%}".replace("%", " %")
