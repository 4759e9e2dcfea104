"""Work on one delivery: send it when it is due, once, and try again later when the receiver does not take it."""

from __future__ import annotations

from datetime import datetime

from millrace.domain.channel import (
    ENDED,
    OPERATORS,
    PAUSES,
    Channel,
    ChannelKind,
    Delivery,
    DeliveryState,
    cancelled,
    claimed,
    settled,
)
from millrace.domain.page import SETTINGS, alert_page
from millrace.domain.webhook import signed_headers
from millrace.errors import ChangedMeanwhile, NotFound
from millrace.ports import ChannelBook, Clock, DeliveryBook, DeliveryQueue, Notifier, PostAnswer, Poster, Secrets


def deliver_alert(
    *,
    channels: ChannelBook,
    deliveries: DeliveryBook,
    queue: DeliveryQueue,
    secrets: Secrets,
    notifier: Notifier,
    poster: Poster,
    clock: Clock,
    channel_id: str,
    delivery_id: str,
) -> Delivery:
    """The delivery after this attempt, or as it is when it is not due or somebody else is at it.

    A claim in the registry comes before each attempt, so of two workers one sends. A worker that dies between sending
    and recording leaves a claim that ends, and the receiver gets the same id again: that is why there is one.
    """
    known = deliveries.get(channel_id, delivery_id)
    now = clock.now()
    if known.state in ENDED:
        return known
    waits_until = max(known.due_at, known.claimed_until or known.due_at)
    if now < waits_until:
        queue.send(channel_id, delivery_id, delay_seconds=(waits_until - now).total_seconds())
        return known
    try:
        channel = OPERATORS if channel_id == OPERATORS.channel_id else channels.get(channel_id)
    except NotFound:
        return _kept(deliveries, cancelled(known, now, "the channel was deleted"))
    mine = claimed(known, now)
    try:
        deliveries.replace(mine)
    except ChangedMeanwhile:
        return deliveries.get(channel_id, delivery_id)  # somebody else was first, and their message goes on
    answer = _sent(mine, channel, now, secrets, notifier, poster)
    after = _kept(deliveries, settled(mine, clock.now(), status=answer.status, failure=answer.failure))
    if after.state is DeliveryState.PENDING:
        queue.send(channel_id, delivery_id, delay_seconds=PAUSES[after.attempts - 1])
    return after


def _sent(
    delivery: Delivery, channel: Channel, now: datetime, secrets: Secrets, notifier: Notifier, poster: Poster
) -> PostAnswer:
    body = delivery.body.encode()
    try:
        if channel.kind is ChannelKind.WEBHOOK:
            headers = signed_headers(secrets.get(channel.channel_id), delivery.delivery_id, now, body)
            return poster.post(channel.address, body, headers)
        if channel.kind is ChannelKind.SLACK:
            return poster.post(secrets.get(channel.channel_id), body, {})
        personal = channel.kind is ChannelKind.EMAIL
        audience = f"channel:{channel.channel_id}" if personal else "alerts"
        notifier.notify(
            subject=delivery.subject,
            message=delivery.body,
            path=alert_page(delivery.alert_id) if delivery.alert_id else SETTINGS,
            attributes={"kind": "channel" if personal else "alert", "audience": audience, "event": delivery.event},
        )
    except Exception as error:  # whatever a service says, the delivery is tried again and keeps the reason
        return PostAnswer(None, f"it could not be sent: {type(error).__name__}: {error}")
    return PostAnswer(None, None)


def _kept(deliveries: DeliveryBook, delivery: Delivery) -> Delivery:
    deliveries.replace(delivery)
    return delivery
