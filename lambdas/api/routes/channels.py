"""Channels: where alerts are told, and what was told there."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from lambdas.api.manners import etag_matches, etag_of
from lambdas.api.paging import Cursor, Limit, PageOf, from_cursor, page_of
from lambdas.api.resource import Resource, answer
from lambdas.api.shapes import alert_examples as examples
from lambdas.api.shapes.alerts import (
    ChannelAnswer,
    ChannelChange,
    CreatedChannel,
    DeliveryAnswer,
    NewChannelRequest,
    channel_answer,
    delivery_answer,
)
from lambdas.api.shapes.names import ChannelId
from millrace import bootstrap, errors
from millrace.domain.channel import OPERATORS
from millrace.domain.role import ADMINS, EVERYONE
from millrace.use_cases.manage_channels import change_channel, create_channel, delete_channel, try_channel

resource = Resource("channels")
POLL_SECONDS = 15


@resource.endpoint("GET", "/channels", allow=EVERYONE, example=examples.CHANNELS)
def list_channels() -> Response[list[ChannelAnswer]]:
    """Every channel, in the order in which they were made. There are at most fifty."""
    found = bootstrap.platform().channels.list()
    etag = resource.unless_unchanged(*(f"{channel.channel_id}.{channel.revision}" for channel in found))
    return answer([channel_answer(channel) for channel in found], etag=etag)


@resource.endpoint("GET", "/channels/<channel_id>", allow=EVERYONE, raises=[errors.NotFound], example=examples.CHANNEL)
def get_channel(channel_id: ChannelId) -> Response[ChannelAnswer]:
    """One channel, without its secret."""
    channel = bootstrap.platform().channels.get(channel_id)
    return answer(channel_answer(channel), etag=resource.unless_unchanged(channel.revision))


# An answer that is kept for its Idempotency-Key would keep the secret.
@resource.endpoint(
    "POST",
    "/channels",
    allow=ADMINS,
    raises=[errors.Conflict],
    status=201,
    keyed=False,
    example=examples.CREATED,
)
def add_channel(new: Annotated[NewChannelRequest, Body()]) -> Response[CreatedChannel]:
    """Tell alerts somewhere else, too: an e-mail address, a signed webhook, or Slack.

    A webhook's messages are signed as Standard Webhooks are; the secret is in this answer and nowhere else. An e-mail
    address gets a message that asks its owner to confirm.
    """
    platform = bootstrap.platform()
    made = create_channel(
        channels=platform.channels,
        secrets=platform.channel_secrets,
        subscriptions=platform.subscriptions,
        poster=platform.poster,
        clock=platform.clock,
        actor=resource.caller.actor,
        **new.model_dump(),
    )
    shown = CreatedChannel(**channel_answer(made.channel).model_dump(), secret=made.secret)
    location = f"/channels/{made.channel.channel_id}"
    return answer(shown, status=201, etag=etag_of(made.channel.revision), location=location)


@resource.endpoint(
    "PATCH",
    "/channels/<channel_id>",
    allow=ADMINS,
    raises=[errors.NotFound, errors.Conflict, errors.ChangedMeanwhile],
    example=examples.CHANNEL,
)
def edit_channel(channel_id: ChannelId, change: Annotated[ChannelChange, Body()]) -> Response[ChannelAnswer]:
    """Rename a channel, switch it off or on, or choose what it hears."""
    platform = bootstrap.platform()
    known, given = platform.channels.get(channel_id), resource.if_match()
    if given is not None and not etag_matches(given, etag_of(known.revision)):
        raise errors.ChangedMeanwhile(f"channel {known.name} changed since you looked at it: look again")
    changed = change_channel(
        channels=platform.channels,
        channel_id=channel_id,
        changes=change.changes(),
        actor=resource.caller.actor,
        revision=None if given is None else known.revision,
    )
    return answer(channel_answer(changed), etag=etag_of(changed.revision))


@resource.endpoint("DELETE", "/channels/<channel_id>", allow=ADMINS, raises=[errors.NotFound], example=examples.CHANNEL)
def remove_channel(channel_id: ChannelId) -> Response[ChannelAnswer]:
    """Tell nothing there any more, not even what waits. Its secret is deleted."""
    platform = bootstrap.platform()
    channel = platform.channels.get(channel_id)
    delete_channel(
        channels=platform.channels,
        secrets=platform.channel_secrets,
        subscriptions=platform.subscriptions,
        channel_id=channel_id,
        actor=resource.caller.actor,
    )
    return answer(channel_answer(channel))


@resource.endpoint(
    "POST",
    "/channels/<channel_id>/test",
    allow=ADMINS,
    raises=[errors.NotFound],
    status=202,
    example=examples.DELIVERY,
)
def test_channel(channel_id: ChannelId) -> Response[DeliveryAnswer]:
    """Send a message that says it is a test. What became of it is in the channel's deliveries."""
    platform = bootstrap.platform()
    delivery = try_channel(
        channels=platform.channels,
        deliveries=platform.deliveries,
        queue=platform.delivery_queue,
        clock=platform.clock,
        channel_id=channel_id,
        actor=resource.caller.actor,
    )
    return answer(delivery_answer(delivery), status=202, location=f"/channels/{channel_id}/deliveries")


@resource.endpoint(
    "GET",
    "/channels/<channel_id>/deliveries",
    allow=EVERYONE,
    raises=[errors.NotFound],
    example=examples.DELIVERIES,
)
def list_deliveries(
    channel_id: ChannelId, cursor: Cursor = None, limit: Limit = 50
) -> Response[PageOf[DeliveryAnswer]]:
    """What was told there, latest first: attempts, answers, and what waits. `operators` is the environment's topic."""
    platform, scope = bootstrap.platform(), f"deliveries {channel_id}"
    if channel_id != OPERATORS.channel_id:
        platform.channels.get(channel_id)
    found = platform.deliveries.page(channel_id, after=from_cursor(cursor, scope), limit=limit)
    etag = resource.unless_unchanged(*(f"{each.delivery_id}.{each.revision}" for each in found.items), found.position)
    return answer(page_of(found, scope, delivery_answer), etag=etag, poll_after=POLL_SECONDS)
