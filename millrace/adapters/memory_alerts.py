"""Fakes of the ports of alerts, channels and the governor: the same tests as for the real adapters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from threading import RLock
from typing import NamedTuple

from millrace.adapters.memory import InMemoryAuditTrail, _one_at_a_time, _page
from millrace.domain import audit
from millrace.domain.alert import Alert, AlertState
from millrace.domain.channel import Channel, Delivery
from millrace.domain.retraining import RetrainingDecision
from millrace.errors import ChangedMeanwhile, Conflict, InvalidInput, NotFound
from millrace.ports import Page, PostAnswer


class InMemoryAlertBook:
    def __init__(self, trail: InMemoryAuditTrail | None = None) -> None:
        self._lock = RLock()
        self._trail = trail or InMemoryAuditTrail()
        self._alerts: dict[str, Alert] = {}
        self._latest: dict[str, str] = {}

    def get(self, alert_id: str) -> Alert:
        if alert_id not in self._alerts:
            raise NotFound(f"there is no alert {alert_id}")
        return self._alerts[alert_id]

    def latest(self, cause: str) -> Alert | None:
        return self._alerts.get(self._latest.get(cause, ""))

    @_one_at_a_time
    def open(self, alert: Alert, *, following: Alert | None) -> None:
        expected = None if following is None else following.alert_id
        if self._latest.get(alert.cause) != expected or alert.alert_id in self._alerts:
            raise ChangedMeanwhile(f"{alert.cause} opened another alert meanwhile")
        self._latest[alert.cause] = alert.alert_id
        self._alerts[alert.alert_id] = alert
        self._trail.record(audit.alert_changed(None, alert))

    @_one_at_a_time
    def replace(self, alert: Alert) -> None:
        before = self.get(alert.alert_id)
        if before.revision != alert.revision - 1:
            raise ChangedMeanwhile(f"alert {alert.alert_id} changed meanwhile: look again")
        self._alerts[alert.alert_id] = alert
        self._trail.record(audit.alert_changed(before, alert))

    def page(
        self,
        *,
        state: AlertState | None = None,
        model: str | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[Alert]:
        def position(alert: Alert) -> str:
            return f"{alert.opened_at.isoformat(timespec='microseconds')}#{alert.alert_id}"

        kept = [
            alert for alert in self._alerts.values() if state in (None, alert.state) and model in (None, alert.model)
        ]
        return _page(sorted(kept, key=position, reverse=True), position, after, limit, newest_first=True)


class InMemoryChannelBook:
    def __init__(self, trail: InMemoryAuditTrail | None = None) -> None:
        self._lock = RLock()
        self._trail = trail or InMemoryAuditTrail()
        self._channels: dict[str, Channel] = {}

    @_one_at_a_time
    def create(self, channel: Channel) -> None:
        if channel.channel_id in self._channels:
            raise Conflict(f"there is a channel {channel.channel_id} already")
        self._channels[channel.channel_id] = channel
        self._trail.record(audit.channel_created(channel))

    def get(self, channel_id: str) -> Channel:
        if channel_id not in self._channels:
            raise NotFound(f"there is no channel {channel_id}")
        return self._channels[channel_id]

    def list(self) -> Sequence[Channel]:
        return sorted(self._channels.values(), key=lambda channel: (channel.created_at, channel.channel_id))

    @_one_at_a_time
    def replace(self, channel: Channel, *, actor: str) -> None:
        before = self.get(channel.channel_id)
        if before.revision != channel.revision - 1:
            raise ChangedMeanwhile(f"channel {channel.name} changed meanwhile: look again")
        self._channels[channel.channel_id] = channel
        self._trail.record(audit.channel_changed(before, channel, actor))

    @_one_at_a_time
    def delete(self, channel: Channel, *, actor: str) -> None:
        known = self._channels.get(channel.channel_id)
        if known is None or known.revision != channel.revision:
            raise ChangedMeanwhile(f"channel {channel.name} changed meanwhile: look again")
        del self._channels[channel.channel_id]
        self._trail.record(audit.channel_deleted(channel, actor))


class InMemoryDeliveryBook:
    def __init__(self) -> None:
        self._lock = RLock()
        self._deliveries: dict[tuple[str, str], Delivery] = {}

    @_one_at_a_time
    def open(self, delivery: Delivery) -> Delivery:
        return self._deliveries.setdefault((delivery.channel_id, delivery.delivery_id), delivery)

    def get(self, channel_id: str, delivery_id: str) -> Delivery:
        if (channel_id, delivery_id) not in self._deliveries:
            raise NotFound(f"channel {channel_id} has no delivery {delivery_id}")
        return self._deliveries[channel_id, delivery_id]

    @_one_at_a_time
    def replace(self, delivery: Delivery) -> None:
        if self.get(delivery.channel_id, delivery.delivery_id).revision != delivery.revision - 1:
            raise ChangedMeanwhile(f"delivery {delivery.delivery_id} was worked on by somebody else")
        self._deliveries[delivery.channel_id, delivery.delivery_id] = delivery

    def page(self, channel_id: str, *, after: str | None = None, limit: int = 50) -> Page[Delivery]:
        def position(delivery: Delivery) -> str:
            return f"{delivery.created_at.isoformat(timespec='microseconds')}#{delivery.delivery_id}"

        kept = [delivery for delivery in self._deliveries.values() if delivery.channel_id == channel_id]
        return _page(sorted(kept, key=position, reverse=True), position, after, limit, newest_first=True)


class InMemoryRetrainingLog:
    def __init__(self, trail: InMemoryAuditTrail | None = None) -> None:
        self._lock = RLock()
        self._trail = trail or InMemoryAuditTrail()
        self._decisions: dict[tuple[str, str], RetrainingDecision] = {}

    @_one_at_a_time
    def record(self, decision: RetrainingDecision) -> RetrainingDecision:
        key = (decision.model, decision.decision_id)
        if key not in self._decisions:
            self._decisions[key] = decision
            self._trail.record(audit.retraining_decided(decision))
        return self._decisions[key]

    def page(self, model: str, *, after: str | None = None, limit: int = 50) -> Page[RetrainingDecision]:
        def position(decision: RetrainingDecision) -> str:
            return f"{decision.at.isoformat(timespec='microseconds')}#{decision.decision_id}"

        kept = [decision for decision in self._decisions.values() if decision.model == model]
        return _page(sorted(kept, key=position, reverse=True), position, after, limit, newest_first=True)


class QueuedDelivery(NamedTuple):
    channel_id: str
    delivery_id: str
    delay_seconds: float


class InMemoryDeliveryQueue:
    def __init__(self) -> None:
        self.waiting: list[QueuedDelivery] = []

    def send(self, channel_id: str, delivery_id: str, *, delay_seconds: float) -> None:
        self.waiting.append(QueuedDelivery(channel_id, delivery_id, delay_seconds))


class InMemorySecrets:
    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def put(self, name: str, value: str) -> None:
        self.kept[name] = value

    def get(self, name: str) -> str:
        if name not in self.kept:
            raise NotFound(f"there is no secret {name}")
        return self.kept[name]

    def delete(self, name: str) -> None:
        self.kept.pop(name, None)


class InMemorySubscriptions:
    """`subscribed` maps a subscription to the address and the audience."""

    def __init__(self) -> None:
        self.subscribed: dict[str, tuple[str, str]] = {}

    def subscribe(self, address: str, *, audience: str) -> str:
        self.subscribed[f"subscription-{audience}"] = (address, audience)
        return f"subscription-{audience}"

    def unsubscribe(self, subscription: str) -> None:
        self.subscribed.pop(subscription, None)


class Posted(NamedTuple):
    url: str
    body: bytes
    headers: dict[str, str]


class InMemoryPoster:
    """`answer` says what the receiver does; `posted` is what a working one got."""

    def __init__(self, answer: Callable[[], PostAnswer] | None = None) -> None:
        self.answer = answer or (lambda: PostAnswer(204, None))
        self.posted: list[Posted] = []

    def check(self, url: str) -> None:
        if not url.startswith("https://"):
            raise InvalidInput("the address must begin with https:// and name a host")

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> PostAnswer:
        answer = self.answer()
        if answer.failure is None:
            self.posted.append(Posted(url, body, dict(headers)))
        return answer
