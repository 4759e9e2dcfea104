"""How long an endpoint was in service, and what that cost: whoever asks it or not, its machine bills by the hour."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Self

from millrace.domain.cost import usd_per_hour
from millrace.domain.entity import Entity, Moment, Name


class EndpointUse(Entity):
    """The time of one version's endpoint. While `until` is None it goes on.

    `machine` is None for a serverless endpoint, which bills by what it answers. One machine is counted, also where the
    endpoint may grow to `most_machines`.
    """

    model: Name
    number: int
    machine: str | None
    region: str
    since: Moment
    until: Moment | None = None
    most_machines: int = 1

    def hours(self, first: datetime, last: datetime) -> float:
        """Of its time those from `first` to `last`; one that goes on goes on until `last`."""
        begin, end = max(self.since, first), min(self.until or last, last)
        return max(0.0, (end - begin).total_seconds() / 3600)

    def ended(self, at: datetime) -> Self:
        """Clocks differ a little: nothing ends before it began."""
        return self.model_copy(update={"until": max(self.since, at)})

    def grown(self, seen: EndpointUse) -> Self | None:
        """The same use that may now have more machines, as `seen` says; None when it may not."""
        if seen.most_machines <= self.most_machines:
            return None
        return self.model_copy(update={"most_machines": seen.most_machines})

    @property
    def by_the_hour(self) -> bool:
        return self.machine is not None

    @property
    def usd_per_hour(self) -> float | None:
        """None where the machine has no list price, and where there is none."""
        return None if self.machine is None else usd_per_hour(self.machine, self.region)

    @property
    def may_cost_more(self) -> bool:
        """What is reckoned is the least it cost."""
        return self.by_the_hour and (self.most_machines > 1 or self.usd_per_hour is None)


def cost_of_endpoint(use: EndpointUse, first: datetime, last: datetime) -> float | None:
    """US dollars from `first` to `last`, of one machine by its list price. None where there is no such price."""
    price = use.usd_per_hour
    return None if price is None else use.hours(first, last) * price


def cost_of_endpoints(uses: Iterable[EndpointUse], first: datetime, last: datetime) -> float:
    """Those with a known price together."""
    return sum(cost_of_endpoint(use, first, last) or 0.0 for use in uses)
