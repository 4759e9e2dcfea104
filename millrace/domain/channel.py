"""Channels: where alerts are told, and the deliveries that tell them, each once."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from millrace.domain import identity
from millrace.domain.alert import DRIFT_KINDS, Alert, AlertChange, AlertEvent, AlertKind
from millrace.domain.entity import Entity, Moment

# Seconds after each failed attempt until the next one: sixteen hours in all, then somebody has to look.
PAUSES = (10, 60, 300, 900, 1800, 3600, 7200, 14400, 28800)
# A worker that has said nothing for so long is taken to be gone.
CLAIM = timedelta(seconds=90)


class ChannelKind(StrEnum):
    """TOPIC is the operators' own: whoever subscribes to the environment's notifications."""

    EMAIL = "email"
    WEBHOOK = "webhook"
    SLACK = "slack"
    TOPIC = "topic"


class Channel(Entity):
    """`address` is an e-mail address or a URL, a Slack URL without its secret part. No `kinds` means all of them.

    `subscription` is SNS's, of an e-mail channel.
    """

    channel_id: str
    kind: ChannelKind
    name: str
    address: str
    enabled: bool = True
    kinds: tuple[AlertKind, ...] = ()
    subscription: str | None = None
    created_at: Moment
    created_by: str
    revision: int = 1

    def wants(self, alert: Alert, event: AlertEvent) -> bool:
        """Whether `event` is told here: nothing from before the channel was there, nothing of other kinds."""
        return self.enabled and self.created_at <= event.at and alert.kind in (self.kinds or tuple(AlertKind))


# What runs and alarms tell the topic they tell it themselves, so that it is told even when nothing of ours works.
OPERATORS = Channel(
    channel_id="operators",
    kind=ChannelKind.TOPIC,
    name="Operators",
    address="the environment's notifications",
    kinds=DRIFT_KINDS,
    created_at=datetime.fromisoformat("2026-01-01T00:00:00+00:00"),
    created_by="platform",
)


class DeliveryState(StrEnum):
    """EXHAUSTED: every attempt failed, and the message waits in the dead-letter queue. CANCELLED: nobody to tell."""

    PENDING = "PENDING"
    SENDING = "SENDING"
    DELIVERED = "DELIVERED"
    EXHAUSTED = "EXHAUSTED"
    CANCELLED = "CANCELLED"


ENDED = frozenset({DeliveryState.DELIVERED, DeliveryState.EXHAUSTED, DeliveryState.CANCELLED})


class Delivery(Entity):
    """One thing told to one channel. `body` is the same at every attempt, and so is `delivery_id`."""

    delivery_id: str
    channel_id: str
    event: str
    alert_id: str | None = None
    subject: str
    body: str
    state: DeliveryState = DeliveryState.PENDING
    attempts: int = 0
    due_at: Moment
    claimed_until: Moment | None = None
    status: int | None = None
    reason: str | None = None
    created_at: Moment
    ended_at: Moment | None = None
    revision: int = 1


def delivery_id(alert: Alert, event: AlertEvent, channel: Channel) -> str:
    """One change of one alert is one delivery to a channel, however often it is asked for."""
    return identity.delivery_id(channel.channel_id, alert.alert_id, str(event.sequence))


def event_name(change: AlertChange) -> str:
    return f"alert.{change.lower()}"


def claimed(delivery: Delivery, now: datetime) -> Delivery:
    """About to be sent: nobody else sends it before the claim ends."""
    return delivery.model_copy(
        update={
            "state": DeliveryState.SENDING,
            "attempts": delivery.attempts + 1,
            "claimed_until": now + CLAIM,
            "revision": delivery.revision + 1,
        }
    )


def settled(delivery: Delivery, now: datetime, *, status: int | None, failure: str | None) -> Delivery:
    """After an attempt: DELIVERED without a `failure`, due again after a pause, or EXHAUSTED after the last."""
    changes: dict[str, object] = {"status": status, "reason": failure, "claimed_until": None}
    if failure is None:
        changes |= {"state": DeliveryState.DELIVERED, "ended_at": now}
    elif delivery.attempts > len(PAUSES):
        changes |= {"state": DeliveryState.EXHAUSTED, "ended_at": now}
    else:
        pause = timedelta(seconds=PAUSES[delivery.attempts - 1])
        changes |= {"state": DeliveryState.PENDING, "due_at": now + pause}
    return delivery.model_copy(update={**changes, "revision": delivery.revision + 1})


def cancelled(delivery: Delivery, now: datetime, reason: str) -> Delivery:
    changes = {"state": DeliveryState.CANCELLED, "ended_at": now, "reason": reason, "claimed_until": None}
    return delivery.model_copy(update={**changes, "revision": delivery.revision + 1})
