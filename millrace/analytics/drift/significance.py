"""How surprising a difference is when nothing changed: p-values for two finite samples.

Baseline and window are both samples. Every test is conditional on the two together: if nothing changed, which of the
pooled rows came in the window is pure chance (a permutation), so a small baseline costs certainty exactly as a small
window does, and ties and rare values are accounted for.

Sums of scores over the window's rows (`score_test`) are compared with their permutation distribution through its first
three moments (Pearson type III): with rare values it is skewed, and a normal approximation would cry wolf a hundred
times too often in the tail where many features are judged. For the same reason levels are judged by G with Williams'
correction: against a large baseline Pearson's statistic passes a limit of 1 in 10,000 twenty times too often.

No SciPy: the functions that judge windows run where it is not installed.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from millrace.analytics.drift.distributions import Categories, Floats, Nulls, Numbers
from millrace.analytics.drift.g_test import g_statistic
from millrace.analytics.drift.kolmogorov_smirnov import kolmogorov_smirnov_distance
from millrace.analytics.gamma import upper_gamma_share

RARE_ROWS = 5  # of both samples together; and RARE_EXPECTED_ROWS are expected in the smaller one
RARE_EXPECTED_ROWS = 2

_NORMAL = NormalDist()
_TABLE_SHARES = np.linspace(0.0, 1.0, 4_001)[1:-1]
_TABLE_SCORES = np.array([_NORMAL.inv_cdf(share) for share in _TABLE_SHARES])
_LEAST_SKEWNESS = 0.005  # below it the distribution is normal to 1 % of the tail at five standard deviations


def location_test(numbers: Numbers) -> float:
    """Rank test with normal scores (van der Waerden, 1952): on normal data as strong as a t-test, else stronger."""
    return score_test(_normal_scores(numbers), numbers.baseline, numbers.window, rank_error=numbers.rank_error)


def spread_test(numbers: Numbers) -> float:
    """Rank test with squared normal scores (Klotz, 1962)."""
    return score_test(_normal_scores(numbers) ** 2, numbers.baseline, numbers.window, rank_error=numbers.rank_error)


def shape_test(numbers: Numbers) -> float:
    """Kolmogorov-Smirnov with the bound 2 exp(-2 D² n m / (n + m)) (Massart, 1990; Wei and Dudley, 2012)."""
    distance = max(0.0, kolmogorov_smirnov_distance(numbers) - numbers.rank_error)
    before, after = numbers.baseline.sum(), numbers.window.sum()
    return min(1.0, 2 * math.exp(-2 * distance**2 * before * after / (before + after)))


def nulls_test(nulls: Nulls) -> float:
    """Whether missing values became more or fewer: the 2 x 2 table of missing and present rows."""
    before = np.array([nulls.baseline_count, nulls.baseline_nulls], dtype=np.float64)
    after = np.array([nulls.window_count, nulls.window_nulls], dtype=np.float64)
    return score_test(np.array([0.0, 1.0]), before, after, step=1.0)


def levels_test(categories: Categories) -> float:
    """G-test over the levels; rare ones (see RARE_ROWS) count as one level together.

    Pooling by the sum of both samples, which no permutation changes, favours neither. A swarm of values never seen
    before shows as an excess of the rare level.
    """
    before, after = _rare_as_one(categories)
    if len(before) < 2:
        return 1.0
    correction = _williams(before + after, float(before.sum()), float(after.sum()))
    return upper_gamma_share((len(before) - 1) / 2, g_statistic(before, after) / correction / 2)


def level_test(categories: Categories) -> float:
    """Whether one level became more or less frequent, the others in proportion: the strongest when one level moves.

    The least p-value over the levels, each divided by its share of both samples together (weighted Bonferroni).
    """
    before, after = _rare_as_one(categories)
    shares: list[float] = ((before + after) / (before + after).sum()).tolist()
    return min(1.0, *(_one_level(before, after, place) / share for place, share in enumerate(shares)))


def _one_level(before: Floats, after: Floats, place: int) -> float:
    tables = [np.array([counts.sum() - counts[place], counts[place]]) for counts in (before, after)]
    return score_test(np.array([0.0, 1.0]), tables[0], tables[1], step=1.0)


def degrees_of_freedom(categories: Categories) -> int:
    """Levels that are judged by themselves, less one."""
    return len(_rare_as_one(categories)[0]) - 1


def score_test(
    scores: Floats, baseline: Floats, window: Floats, *, rank_error: float = 0.0, step: float = 0.0
) -> float:
    """Two-sided p-value of the window's sum of `scores` (k,), given both samples' counts in the same cells (k,).

    `rank_error` bounds the error of any cumulative share of counts: what it could add to the sum is taken off first.
    `step` is the distance of neighbouring possible sums, for the continuity correction.
    """
    pooled = baseline + window
    before, after, rows = float(baseline.sum()), float(window.sum()), float(pooled.sum())
    centred = scores - float((pooled * scores).sum()) / rows
    second, third = (float((pooled * centred**power).sum()) / rows for power in (2, 3))
    if second <= 0 or rows < 3:
        return 1.0
    doubt = rank_error * after * before / rows * float(np.abs(np.diff(scores)).sum()) + step / 2
    total = float((window * centred).sum())
    total = math.copysign(max(0.0, abs(total) - doubt), total)
    variance = after * before / (rows - 1) * second
    skewed = after * before * (before - after) / ((rows - 1) * (rows - 2)) * third
    return min(1.0, 2 * upper_share(math.copysign(1, total) * total / math.sqrt(variance),
                                    math.copysign(1, total) * skewed / variance**1.5))  # fmt: skip


def upper_share(distance: float, skewness: float) -> float:
    """P(Z ≥ distance) of a Pearson type III variable with mean 0, variance 1 and this skewness."""
    if abs(skewness) < _LEAST_SKEWNESS:
        return math.erfc(distance / math.sqrt(2)) / 2
    shape = 4 / skewness**2
    point = shape + math.copysign(distance, skewness * distance) * math.sqrt(shape)
    upper = upper_gamma_share(shape, max(0.0, point))
    return upper if skewness > 0 else 1 - upper


def _normal_scores(numbers: Numbers) -> Floats:
    pooled = numbers.baseline + numbers.window
    middles = (np.cumsum(pooled) - pooled / 2) / pooled.sum()
    return np.interp(middles, _TABLE_SHARES, _TABLE_SCORES)


def _rare_as_one(categories: Categories) -> tuple[Floats, Floats]:
    pooled = categories.baseline + categories.window
    smaller_share = min(categories.baseline.sum(), categories.window.sum()) / pooled.sum()
    rare = pooled < max(RARE_ROWS, RARE_EXPECTED_ROWS / smaller_share)
    found = []
    for counts in (categories.baseline, categories.window):
        found.append(np.append(counts[~rare], counts[rare].sum()) if rare.any() else counts)
    return found[0], found[1]


def _williams(pooled: Floats, before: float, after: float) -> float:
    """What the mean of G exceeds its degrees of freedom by, as a factor (Williams, 1976)."""
    rows = before + after
    sides = rows / before + rows / after - 1
    return 1 + sides * (float((rows / pooled).sum()) - 1) / (6 * rows * (len(pooled) - 1))
