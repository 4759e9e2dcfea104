"""Rollouts: how the requests of a model go over from its champion to a challenger, step by step."""

from __future__ import annotations

import hashlib
import math
from datetime import timedelta
from enum import StrEnum

from pydantic import Field

from millrace.domain.entity import Entity, Moment

# A step is looked at so many times; between two looks lie at most MOST_SECONDS, so that what is broken is seen soon.
_LOOKS_PER_STEP = 10
_LEAST_SECONDS, _MOST_SECONDS = 2, 60
# Step Functions ends an execution at 25,000 events, and a look has nine: a long rollout is looked at less often.
_MOST_LOOKS = 2000
LONGEST, MOST_STEPS = timedelta(days=14), 100


class Strategy(StrEnum):
    """How a version comes into service beside a champion. The first version of a model takes everything at once."""

    ALL_AT_ONCE = "all_at_once"
    CANARY = "canary"
    LINEAR = "linear"
    SHADOW = "shadow"


class ServedBy(StrEnum):
    """What answers for a version: a function with its ONNX graph, or a SageMaker endpoint with the pipeline itself."""

    LAMBDA = "lambda"
    SERVERLESS = "serverless"
    REALTIME = "realtime"


class WhenQuiet(StrEnum):
    """What becomes of a version that nobody asked often enough to judge it."""

    PROMOTE = "promote"
    ROLL_BACK = "roll_back"


class DeploymentPolicy(Entity):
    """How approved versions come into service.

    `share` of the requests go to the challenger (canary), or so many more with each step (linear). A step is watched
    for `step_seconds`. `minimum_requests` of each version are needed for a judgement. The challenger may take
    `max_latency_ratio` times as long as the champion, or `tolerated_latency_ms`; its predictions may lie `max_psi`
    apart. `served_by` says what answers; a version whose graph is refused is served by a serverless endpoint instead of
    a function.
    """

    served_by: ServedBy = ServedBy.LAMBDA
    strategy: Strategy = Strategy.ALL_AT_ONCE
    share: float = Field(default=0.1, gt=0, le=0.5)
    step_seconds: int = Field(default=600, ge=1, le=86_400)
    minimum_requests: int = Field(default=30, ge=1, le=100_000)
    when_quiet: WhenQuiet = WhenQuiet.PROMOTE
    max_latency_ratio: float = Field(default=3.0, ge=1)
    tolerated_latency_ms: float = Field(default=250.0, ge=0)
    max_psi: float = Field(default=0.25, gt=0)

    @property
    def steps(self) -> int:
        """Steps before the challenger has everything: linear by 0.3 is 0.3, 0.6, 0.9."""
        return math.ceil(round(1 / self.share, 9)) - 1 if self.strategy is Strategy.LINEAR else 1

    @property
    def takes(self) -> timedelta:
        """How long it is watched before the challenger has everything."""
        return timedelta(seconds=self.steps * self.step_seconds)

    @property
    def look_seconds(self) -> int:
        """From one look at a rollout to the next."""
        wanted = math.ceil(self.step_seconds / _LOOKS_PER_STEP)
        rarest = math.ceil(self.takes.total_seconds() / _MOST_LOOKS)
        return max(min(max(wanted, _LEAST_SECONDS), _MOST_SECONDS), rarest)

    @property
    def looks(self) -> int:
        """How often a rollout is looked at in all: each look is a chance to condemn a good version by bad luck."""
        return self.steps * math.ceil(self.step_seconds / self.look_seconds)

    def share_at(self, step: int) -> float:
        """The challenger's share of the requests in a step; the first is 1."""
        return 0.0 if self.strategy is Strategy.SHADOW else round(self.share * step, 9)


class Rollout(Entity):
    """A challenger on its way, as `policy` was when it began. `passed`: nothing speaks against the promotion."""

    run_id: str
    number: int
    champion: int
    policy: DeploymentPolicy
    step: int = 1
    passed: bool = False
    started_at: Moment
    step_started_at: Moment

    @property
    def share(self) -> float:
        return self.policy.share_at(self.step)

    @property
    def shadows(self) -> bool:
        """The challenger answers each request too, and nobody is given its answer."""
        return self.policy.strategy is Strategy.SHADOW

    def takes(self, key: str) -> bool:
        """Whether the challenger answers the request of this key: the same key always gets the same version.

        What a challenger took at a smaller share it keeps at a larger one.
        """
        place = int.from_bytes(hashlib.sha256(f"{self.run_id}\x00{key}".encode()).digest()[:8], "big") / 2**64
        return place < self.share
