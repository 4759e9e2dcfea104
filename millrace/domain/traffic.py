"""What a model was asked, hour by hour: how many requests, how many it could not answer, how long answers took.

Times are counted in classes of a logarithmic scale, so that hours and functions add up whatever the number of requests:
a percentile is known within 5 % of its value.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum

from millrace.domain.entity import Entity, Moment, Name

EVERY_MODEL = "*"
"""Whose hours are those of all models together: no model has such a name."""

_CLASSES_PER_DOUBLING = 8
# Over two hours: nothing waits so long.
_LAST_CLASS = 23 * _CLASSES_PER_DOUBLING
_TIMES = "ms"


class AskedOutcome(StrEnum):
    """REFUSED: the rows could not be read as the model's, which its caller was told. FAILED: we are to blame."""

    ANSWERED = "answered"
    REFUSED = "refused"
    FAILED = "failed"


class Asked(Entity):
    """One request to a model, as the function that predicts saw it."""

    model: Name
    at: Moment
    outcome: AskedOutcome
    latency_ms: float


class TrafficHour(Entity):
    """`requests` are all of them; the percentiles are of those answered, null when none was."""

    hour: Moment
    requests: int = 0
    refused: int = 0
    failed: int = 0
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None


TrafficCounts = Mapping[str, int]
"""What is added up: requests by outcome, and answers by class of time."""


def hour_of(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def counts_of(requests: Iterable[Asked]) -> TrafficCounts:
    found: Counter[str] = Counter()
    for each in requests:
        found[each.outcome.value] += 1
        if each.outcome is AskedOutcome.ANSWERED:
            found[f"{_TIMES}{_class_of(each.latency_ms)}"] += 1
    return found


def added(first: TrafficCounts, second: TrafficCounts) -> TrafficCounts:
    return Counter(first) + Counter(second)


def traffic_hour(hour: datetime, counts: TrafficCounts) -> TrafficHour:
    outcomes = {outcome: counts.get(outcome, 0) for outcome in AskedOutcome}
    times = sorted((int(name.removeprefix(_TIMES)), count) for name, count in counts.items() if name.startswith(_TIMES))
    return TrafficHour(
        hour=hour,
        requests=sum(outcomes.values()),
        refused=outcomes[AskedOutcome.REFUSED],
        failed=outcomes[AskedOutcome.FAILED],
        p50_ms=_percentile(times, 0.5),
        p95_ms=_percentile(times, 0.95),
        p99_ms=_percentile(times, 0.99),
    )


def _class_of(latency_ms: float) -> int:
    """The least class whose upper end is not exceeded; the ends are 1 ms, 1.09 ms, 1.19 ms, …"""
    if latency_ms <= 1:
        return 0
    return min(_LAST_CLASS, math.ceil(_CLASSES_PER_DOUBLING * math.log2(latency_ms)))


def _percentile(times: list[tuple[int, int]], share: float) -> float | None:
    """The middle (geometric) of the class that holds the answer at rank ceil(share * answers): nearest-rank method."""
    wanted = math.ceil(share * sum(count for _, count in times))
    seen = 0
    for found, count in times:
        seen += count
        if seen >= wanted:
            return float(2 ** ((found - 0.5) / _CLASSES_PER_DOUBLING))
    return None
