"""Whether a challenger does as well as the champion on the requests it was given: arithmetic on observations.

The unit is the request, not the row: rows of one request come from one place and are no independent witnesses, so of
each request the first prediction counts. A rollout is looked at several times, and each look could condemn a good
version by bad luck; the looks share one `ALPHA` between them (Bonferroni), and the three questions of each look do too.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from statistics import NormalDist, median
from typing import Any

from millrace.analytics.gamma import upper_gamma_share
from millrace.domain.rollout import DeploymentPolicy, WhenQuiet

ALPHA = 0.01
"""The chance that a challenger which does exactly as well as the champion is rolled back, over a whole rollout."""

_QUESTIONS = 3
_BINS = 10
# Fewer expected predictions than this in a bin: it is counted with the rare ones.
_RARE = 5


class Finding(StrEnum):
    """What a look at a rollout comes to. WORSE ends it; the others matter when the step is over."""

    WORSE = "WORSE"
    FINE = "FINE"
    TOO_FEW = "TOO_FEW"
    TOO_FEW_AND_FAILING = "TOO_FEW_AND_FAILING"


@dataclass(frozen=True)
class Judgement:
    """`sentence` says what was seen, in words that stay in the model's history."""

    finding: Finding
    sentence: str

    def promotes(self, when_quiet: WhenQuiet) -> bool:
        """Whether a step that is over leads on."""
        if self.finding is Finding.TOO_FEW:
            return when_quiet is WhenQuiet.PROMOTE
        return self.finding is Finding.FINE


@dataclass
class Seen:
    """What one version did. `failures` are the reasons of requests it could not answer."""

    latencies_ms: list[float] = field(default_factory=list)
    predictions: list[Any] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def requests(self) -> int:
        return len(self.latencies_ms) + len(self.failures)

    def add(self, *, latency_ms: float, prediction: Any, failure: str | None) -> None:
        if failure is not None:
            self.failures.append(failure)
            return
        self.latencies_ms.append(latency_ms)
        self.predictions.append(prediction)


def judge(challenger: Seen, champion: Seen, policy: DeploymentPolicy) -> Judgement:
    """The challenger against the champion, on the same stretch of time."""
    alpha = ALPHA / policy.looks / _QUESTIONS
    counted = f"the challenger answered {_of(challenger)}, the champion {_of(champion)}"
    for found in (
        _more_failures(challenger, champion, alpha),
        _slower(challenger, champion, policy, alpha),
        _otherwise(challenger, champion, policy, alpha),
    ):
        if found:
            return Judgement(Finding.WORSE, f"{counted}: {found}")
    if min(challenger.requests, champion.requests) < policy.minimum_requests:
        failing = _share(challenger) > _share(champion)
        finding = Finding.TOO_FEW_AND_FAILING if failing else Finding.TOO_FEW
        too_few = f"a judgement needs {policy.minimum_requests} of each"
        last = f", and it failed: {challenger.failures[-1]}" if failing else ""
        seen = counted if challenger.requests + champion.requests else "no traffic was seen"
        return Judgement(finding, f"{seen}; {too_few}{last}")
    low, high = difference_interval(
        len(challenger.failures), challenger.requests, len(champion.failures), champion.requests, alpha
    )
    return Judgement(
        Finding.FINE,
        f"{counted}: no more failures that chance would not explain (difference between {low:+.1%} and {high:+.1%}), "
        f"median {_ms(challenger)} against {_ms(champion)}, predictions alike",
    )


def difference_interval(
    failed: int, requests: int, others_failed: int, others: int, alpha: float
) -> tuple[float, float]:
    """The first share less the second, between these bounds but for a chance of `alpha` on each side.

    Hybrid score interval (Newcombe, 1998, method 10): it holds for shares of none and of all, where Wald's does not.
    """
    one, two = failed / requests if requests else 0.0, others_failed / others if others else 0.0
    one_low, one_high = share_interval(failed, requests, alpha)
    two_low, two_high = share_interval(others_failed, others, alpha)
    return (
        one - two - math.hypot(one - one_low, two_high - two),
        one - two + math.hypot(one_high - one, two - two_low),
    )


def share_interval(hits: int, trials: int, alpha: float) -> tuple[float, float]:
    """Wilson's score interval, with a chance of `alpha` on each side; (0, 1) without trials."""
    if not trials:
        return 0.0, 1.0
    z = NormalDist().inv_cdf(1 - alpha)
    share, scale = hits / trials, 1 + z * z / trials
    middle = share + z * z / (2 * trials)
    width = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    return max(0.0, (middle - width) / scale), min(1.0, (middle + width) / scale)


def median_interval(values: Sequence[float], alpha: float) -> tuple[float, float]:
    """Bounds of the median by order statistics, with a chance of at most about `alpha` beyond each.

    Raises ValueError without values.
    """
    ordered, half = sorted(values), len(values) / 2
    reach = NormalDist().inv_cdf(1 - alpha) * math.sqrt(len(values)) / 2
    low, high = math.floor(half - reach) - 1, math.ceil(half + reach)
    return (
        ordered[low] if low >= 0 else -math.inf,
        ordered[high] if high < len(ordered) else math.inf,
    )


def population_stability_index(one: Sequence[float], two: Sequence[float]) -> float:
    """Sum of (a - b) ln(a / b) over the shares of counts; half a count is added to each, so that none is empty."""
    ones, twos = ([count + 0.5 for count in counts] for counts in (one, two))
    pairs = [(a / sum(ones), b / sum(twos)) for a, b in zip(ones, twos, strict=True)]
    return sum((a - b) * math.log(a / b) for a, b in pairs)


def g_test(one: Sequence[float], two: Sequence[float]) -> float:
    """The p-value of two rows of counts being drawn alike (likelihood ratio, with Williams' correction)."""
    totals, rows = [a + b for a, b in zip(one, two, strict=True)], sum(one) + sum(two)
    if len(totals) < 2 or not sum(one) or not sum(two):
        return 1.0
    statistic = 2 * sum(
        count * math.log(count * rows / (total * sum(counts)))
        for counts in (one, two)
        for count, total in zip(counts, totals, strict=True)
        if count
    )
    sides = rows / sum(one) + rows / sum(two) - 1
    correction = 1 + sides * (sum(rows / total for total in totals) - 1) / (6 * rows * (len(totals) - 1))
    return upper_gamma_share((len(totals) - 1) / 2, statistic / correction / 2)


def _more_failures(challenger: Seen, champion: Seen, alpha: float) -> str | None:
    low, high = difference_interval(
        len(challenger.failures), challenger.requests, len(champion.failures), champion.requests, alpha
    )
    if low <= 0 or not challenger.failures:
        return None
    (reason, _) = Counter(challenger.failures).most_common(1)[0]
    return (
        f"{_share(challenger):.0%} failed against {_share(champion):.0%} "
        f"(difference between {low:+.1%} and {min(high, 1.0):+.1%}), most often so: {reason}"
    )


def _slower(challenger: Seen, champion: Seen, policy: DeploymentPolicy, alpha: float) -> str | None:
    if not challenger.latencies_ms or not champion.latencies_ms:
        return None
    low, _ = median_interval(challenger.latencies_ms, alpha)
    _, high = median_interval(champion.latencies_ms, alpha)
    if low <= max(high * policy.max_latency_ratio, policy.tolerated_latency_ms):
        return None
    return f"median {_ms(challenger)} against {_ms(champion)}, more than {policy.max_latency_ratio:g} times as long"


def _otherwise(challenger: Seen, champion: Seen, policy: DeploymentPolicy, alpha: float) -> str | None:
    if min(len(challenger.predictions), len(champion.predictions)) < policy.minimum_requests:
        return None
    mine, theirs = _counts(challenger.predictions, champion.predictions)
    index, p_value = population_stability_index(mine, theirs), g_test(mine, theirs)
    if index <= policy.max_psi or p_value >= alpha:
        return None
    return (
        f"its predictions are distributed otherwise (stability index {index:.2f}, allowed {policy.max_psi:g}; "
        f"by chance once in {1 / max(p_value, 1e-12):.0f})"
    )


def _counts(mine: Sequence[Any], theirs: Sequence[Any]) -> tuple[list[float], list[float]]:
    """Both by class, or by tenths of all numbers together; what is rare counts as one."""
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in [*mine, *theirs])
    if numbers and len({*mine, *theirs}) > _BINS:
        ordered = sorted([*mine, *theirs])
        edges = sorted({ordered[len(ordered) * part // _BINS] for part in range(1, _BINS)})
        mine, theirs = ([bisect_right(edges, value) for value in values] for values in (mine, theirs))
    return _rare_together(Counter(map(str, mine)), Counter(map(str, theirs)))


def _rare_together(mine: Counter[str], theirs: Counter[str]) -> tuple[list[float], list[float]]:
    pooled = mine + theirs
    smaller = min(mine.total(), theirs.total()) / pooled.total()
    common = [value for value, count in pooled.items() if count * smaller >= _RARE]
    found: list[list[float]] = []
    for counts in (mine, theirs):
        kept: list[float] = [counts[value] for value in common]
        found.append([*kept, counts.total() - sum(kept)] if len(common) < len(pooled) else kept)
    return found[0], found[1]


def _share(seen: Seen) -> float:
    return len(seen.failures) / seen.requests if seen.requests else 0.0


def _of(seen: Seen) -> str:
    return f"{seen.requests - len(seen.failures)} of {seen.requests} requests"


def _ms(seen: Seen) -> str:
    return f"{median(seen.latencies_ms):.3g} ms" if seen.latencies_ms else "no answer"


def tell_apart(observations: Iterable[dict[str, Any]], challenger: int) -> tuple[Seen, Seen]:
    """Challenger's and champion's observations; what was told twice counts once."""
    mine, theirs = Seen(), Seen()
    known: set[tuple[str, int]] = set()
    for each in observations:
        key = (each["request_id"], each["number"])
        if key in known:
            continue
        known.add(key)
        seen = mine if each["number"] == challenger else theirs
        seen.add(latency_ms=each["latency_ms"], prediction=each["prediction"], failure=each["failure"])
    return mine, theirs
