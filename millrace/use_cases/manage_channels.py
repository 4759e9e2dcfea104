"""Channels: made, changed, tried, taken away. Secrets are kept apart, and shown when they are made and never again."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from millrace.domain import identity
from millrace.domain.alert import AlertKind
from millrace.domain.channel import Channel, ChannelKind, Delivery
from millrace.domain.webhook import new_secret
from millrace.errors import ChangedMeanwhile, Conflict, InvalidInput
from millrace.ports import ChannelBook, Clock, DeliveryBook, DeliveryQueue, Poster, Secrets, Subscriptions
from millrace.use_cases.announce_alert import slack_text

MOST_CHANNELS = 50
_EMAIL = re.compile(r"[^@\s,;<>\"]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


class NewChannel(NamedTuple):
    """`secret` is the signing secret of a webhook, which nobody can read again; None for other kinds."""

    channel: Channel
    secret: str | None


def create_channel(
    *,
    channels: ChannelBook,
    secrets: Secrets,
    subscriptions: Subscriptions,
    poster: Poster,
    clock: Clock,
    kind: ChannelKind,
    name: str,
    address: str,
    kinds: Sequence[AlertKind],
    actor: str,
) -> NewChannel:
    """Raises InvalidInput for an address that nothing is sent to, Conflict for a name that is taken."""
    known = channels.list()
    if len(known) >= MOST_CHANNELS:
        raise Conflict(f"there are {MOST_CHANNELS} channels already: delete one first")
    if any(channel.name == name for channel in known):
        raise Conflict(f"there is a channel {name!r} already")
    now = clock.now()
    channel_id = identity.channel_id(name, actor, now)
    secret: str | None = None
    subscription: str | None = None
    shown = address
    if kind is ChannelKind.EMAIL:
        if not _EMAIL.fullmatch(address):
            raise InvalidInput("address: an e-mail address is needed")
        subscription = subscriptions.subscribe(address, audience=f"channel:{channel_id}")
    elif kind is ChannelKind.WEBHOOK:
        poster.check(address)
        secret = new_secret()
        secrets.put(channel_id, secret)
    elif kind is ChannelKind.SLACK:
        poster.check(address)
        # Whoever has the whole address can write into the Slack channel.
        secrets.put(channel_id, address)
        shown = f"https://{urlsplit(address).hostname}/…{address[-4:]}"
    else:
        raise InvalidInput("kind: email, webhook or slack")
    channel = Channel(
        channel_id=channel_id,
        kind=kind,
        name=name,
        address=shown,
        kinds=tuple(kinds),
        subscription=subscription,
        created_at=now,
        created_by=actor,
    )
    channels.create(channel)
    return NewChannel(channel, secret)


def change_channel(
    *, channels: ChannelBook, channel_id: str, changes: dict[str, Any], actor: str, revision: int | None = None
) -> Channel:
    """Change name, kinds or whether it is enabled. Raises NotFound, Conflict, ChangedMeanwhile."""
    known = channels.get(channel_id)
    if revision is not None and known.revision != revision:
        raise ChangedMeanwhile(f"channel {known.name} changed since you looked at it: look again")
    if any(each.name == changes.get("name") and each.channel_id != channel_id for each in channels.list()):
        raise Conflict(f"there is a channel {changes['name']!r} already")
    changed = known.model_copy(update={**changes, "revision": known.revision + 1})
    if changed.model_copy(update={"revision": known.revision}) == known:
        return known
    channels.replace(changed, actor=actor)
    return changed


def delete_channel(
    *, channels: ChannelBook, secrets: Secrets, subscriptions: Subscriptions, channel_id: str, actor: str
) -> None:
    """What still waits to be told here is told to nobody. Raises NotFound."""
    known = channels.get(channel_id)
    channels.delete(known, actor=actor)
    secrets.delete(channel_id)
    if known.subscription is not None:
        subscriptions.unsubscribe(known.subscription)


def try_channel(
    *, channels: ChannelBook, deliveries: DeliveryBook, queue: DeliveryQueue, clock: Clock, channel_id: str, actor: str
) -> Delivery:
    """Send a message that says it is a test, the way alerts go. Raises NotFound."""
    channel, now = channels.get(channel_id), clock.now()
    said = f"{actor} tries the channel {channel.name}."
    event = {"type": "channel.test", "timestamp": now.isoformat(), "data": {"channel_id": channel_id, "reason": said}}
    bodies = {ChannelKind.WEBHOOK: event, ChannelKind.SLACK: {"text": slack_text(["Test of Millrace", said])}}
    body = json.dumps(bodies[channel.kind], ensure_ascii=False) if channel.kind in bodies else f"{said}\n"
    delivery = deliveries.open(
        Delivery(
            delivery_id=identity.delivery_id(channel_id, "test", now.isoformat()),
            channel_id=channel_id,
            event="channel.test",
            subject=f"Millrace: test of {channel.name}",
            body=body,
            due_at=now,
            created_at=now,
        )
    )
    queue.send(channel_id, delivery.delivery_id, delay_seconds=0)
    return delivery
