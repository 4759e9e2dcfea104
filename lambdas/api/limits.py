"""How often one caller may ask. API Gateway limits all callers together; here nobody uses up what others need.

Counted in each execution environment by itself: a caller that is spread over several gets somewhat more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from millrace.errors import TooManyRequests

REQUESTS_PER_SECOND = 50
BURST = 100
# A prediction takes a fraction of what other requests take.
PREDICTIONS_PER_SECOND = 500
_MOST_CALLERS = 1000


class _Bucket(NamedTuple):
    tokens: float
    at: datetime


class AskedTooOften(TooManyRequests):
    """This caller asks too often."""

    def __init__(self, actor: str, per_second: float, retry_after_seconds: int) -> None:
        super().__init__(f"{actor} may ask {per_second:g} times a second: wait {retry_after_seconds} s")
        self.retry_after_seconds = retry_after_seconds


@dataclass
class RateLimit:
    """A bucket of tokens per caller: a request takes one, time puts them back."""

    per_second: float = REQUESTS_PER_SECOND
    burst: int = BURST
    _buckets: dict[str, _Bucket] = field(default_factory=dict)

    def take(self, actor: str, now: datetime) -> None:
        """Raises AskedTooOften when the bucket is empty."""
        bucket = self._buckets.pop(actor, _Bucket(self.burst, now))
        elapsed = max(0.0, (now - bucket.at).total_seconds())
        tokens = min(float(self.burst), bucket.tokens + elapsed * self.per_second)
        granted = tokens >= 1
        self._remember(actor, _Bucket(tokens - 1 if granted else tokens, now))
        if not granted:
            raise AskedTooOften(actor, self.per_second, max(1, math.ceil((1 - tokens) / self.per_second)))

    def _remember(self, actor: str, bucket: _Bucket) -> None:
        """The caller becomes the latest; of too many the one that has not asked for longest is forgotten."""
        self._buckets[actor] = bucket
        if len(self._buckets) > _MOST_CALLERS:
            del self._buckets[next(iter(self._buckets))]
