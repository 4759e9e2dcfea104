"""Is a candidate really better than what serves? A paired bootstrap on the same test rows, and a plain sentence.

Each resample scores every candidate and the opponent on the same rows, so what makes a row easy or hard cancels out.

Several candidates against one opponent are several chances to win by luck. The intervals are therefore simultaneous:
one critical value, the 95 % quantile over resamples of the largest |gain* - gain| / SE among all candidates, serves
them all (single-step max-|t|; Westfall and Young, 1993; Romano and Wolf, 2005). With one candidate it is about 1.96.
All true gains lie in their intervals together with 95 % probability, so "the best is better" holds at that level.

The smallest detectable gain is the true gain found in 80 of 100 such test sets: (critical value + 0.84) · SE, with one
candidate (1.96 + 0.84) · SE (minimum detectable effect; Bloom, 1995).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from millrace.analytics.evaluation import CONFIDENCE
from millrace.analytics.measures import Measure

Floats = npt.NDArray[np.float64]

FIRST, BETTER, NO_DIFFERENCE, WORSE = "FIRST", "BETTER", "NO_DIFFERENCE", "WORSE"
CONSTANT = "a constant prediction"
NORMAL_CRITICAL_VALUE = 1.959964  # two-sided, 5 %
NORMAL_POWER_VALUE = 0.841621  # one-sided, 80 %


@dataclass(frozen=True)
class Scored:
    """One model's primary metric on the test rows, and on each resample of them (resamples,)."""

    value: float
    resampled: Floats


@dataclass(frozen=True)
class Opponent:
    """What candidates are compared with: the champion by its id or, where none can serve, a constant prediction.

    `preamble` says why there is no champion to compare with; it is empty when there is.
    """

    name: str
    scored: Scored
    preamble: str = ""

    @property
    def is_champion(self) -> bool:
        return not self.preamble


@dataclass(frozen=True)
class Verdict:
    """`gain`, `low`, `high`: positive is better, in units of the metric. FIRST: there was no champion to beat."""

    outcome: str
    metric: str
    gain: float
    low: float
    high: float
    smallest_detectable_gain: float
    compared_with: str
    test_rows: int
    sentence: str


@dataclass(frozen=True)
class _Gain:
    gain: float
    low: float
    high: float
    smallest_detectable: float


def judge(
    measure: Measure, candidates: Mapping[str, Scored], opponent: Opponent, *, test_rows: int
) -> dict[str, Verdict]:
    """A verdict for each candidate by name."""
    gains = _simultaneous_gains(measure, candidates, opponent.scored)
    return {
        name: _verdict(name, gain, measure, opponent, test_rows=test_rows, rivals=len(gains))
        for name, gain in gains.items()
    }


def recommended(verdicts: Mapping[str, Verdict]) -> str | None:
    """The candidate with the largest gain among those that really gain something; None when none does."""
    winners = [name for name, verdict in verdicts.items() if verdict.outcome in (FIRST, BETTER) and verdict.low > 0]
    return max(winners, key=lambda name: verdicts[name].gain, default=None)


def _simultaneous_gains(measure: Measure, candidates: Mapping[str, Scored], opponent: Scored) -> dict[str, _Gain]:
    gains = np.array([measure.sign * (scored.value - opponent.value) for scored in candidates.values()])
    drawn = np.stack([measure.sign * (scored.resampled - opponent.resampled) for scored in candidates.values()])
    drawn = drawn[:, np.isfinite(drawn).all(axis=0)]
    errors = drawn.std(axis=1, ddof=1)
    critical = _critical_value(gains, drawn, errors)
    return {
        name: _Gain(
            gain=float(gain),
            low=float(gain - critical * error),
            high=float(gain + critical * error),
            smallest_detectable=float((critical + NORMAL_POWER_VALUE) * error),
        )
        for name, gain, error in zip(candidates, gains, errors, strict=True)
    }


def _critical_value(gains: Floats, drawn: Floats, errors: Floats) -> float:
    """Candidates that never differ from the opponent (SE 0) say nothing about luck and are left out."""
    varies = errors > 1e-12 * np.maximum(np.abs(drawn).max(axis=1), np.finfo(np.float64).tiny)
    if not varies.any():
        return NORMAL_CRITICAL_VALUE
    distances = np.abs(drawn[varies] - gains[varies, None]) / errors[varies, None]
    return float(np.quantile(distances.max(axis=0), CONFIDENCE))


def _verdict(name: str, gain: _Gain, measure: Measure, opponent: Opponent, *, test_rows: int, rivals: int) -> Verdict:
    outcome = BETTER if gain.low > 0 else WORSE if gain.high < 0 else NO_DIFFERENCE
    return Verdict(
        outcome=outcome if opponent.is_champion else FIRST,
        metric=measure.name,
        gain=gain.gain,
        low=gain.low,
        high=gain.high,
        smallest_detectable_gain=gain.smallest_detectable,
        compared_with=opponent.name,
        test_rows=test_rows,
        sentence=_sentence(name, outcome, gain, measure, opponent, test_rows=test_rows, rivals=rivals),
    )


def _sentence(
    name: str, outcome: str, gain: _Gain, measure: Measure, opponent: Opponent, *, test_rows: int, rivals: int
) -> str:
    decimals = _decimals((gain.high - gain.low) / 2, gain.gain)

    def figure(value: float) -> str:
        return f"{value:.{decimals}f}"

    claim = {
        BETTER: f"{name} beats {opponent.name} by {figure(gain.gain)} {measure.name}",
        WORSE: f"{name} is worse than {opponent.name} by {figure(-gain.gain)} {measure.name}",
        NO_DIFFERENCE: f"{name} shows no real difference from {opponent.name}: gain {figure(gain.gain)} {measure.name}",
    }[outcome]
    together = f" for {rivals} candidates at once" if rivals > 1 else ""
    bounds = f"95 % interval of the gain {figure(gain.low)} to {figure(gain.high)}{together}, {test_rows} test rows"
    power = f"this test set would have shown a gain of {figure(gain.smallest_detectable)}"
    return f"{opponent.preamble} {claim} ({bounds}); {power}.".strip()


def _decimals(half_width: float, gain: float) -> int:
    """Two significant digits of the uncertainty: more would pretend, fewer would hide."""
    scale = half_width or abs(gain)
    return min(6, max(0, 1 - math.floor(math.log10(scale)))) if scale else 3
