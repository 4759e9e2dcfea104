"""Channels and their deliveries in the registry table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from millrace import names
from millrace.adapters.dynamodb.audit import DynamoAuditTrail
from millrace.adapters.dynamodb.table import BODY, Lost, Plain, Table
from millrace.domain import audit
from millrace.domain.channel import Channel, Delivery
from millrace.errors import ChangedMeanwhile, Conflict, NotFound
from millrace.ports import Page

_META = "META"
_LISTING = "CHANNELS"
_KEPT = timedelta(days=90)


class DynamoChannelBook:
    def __init__(self, table: Table) -> None:
        self._table = table
        self._trail = DynamoAuditTrail(table)

    def create(self, channel: Channel) -> None:
        listed: dict[str, Plain] = {
            BODY: channel.model_dump_json(),
            "revision": channel.revision,
            names.LISTING_PARTITION_KEY: _LISTING,
            names.LISTING_SORT_KEY: f"{channel.created_at.isoformat(timespec='microseconds')}#{channel.channel_id}",
        }
        try:
            self._table.write(
                self._table.create(_pk(channel.channel_id), _META, listed),
                *self._trail.recording(audit.channel_created(channel)),
            )
        except Lost as lost:
            raise Conflict(f"there is a channel {channel.channel_id} already") from lost

    def get(self, channel_id: str) -> Channel:
        item = self._table.get(_pk(channel_id), _META)
        if item is None:
            raise NotFound(f"there is no channel {channel_id}")
        return Channel.read(item[BODY])

    def list(self) -> Sequence[Channel]:
        return [Channel.read(item[BODY]) for item in self._table.listing(_LISTING)]

    def replace(self, channel: Channel, *, actor: str) -> None:
        before = self.get(channel.channel_id)
        attributes: dict[str, Plain] = {BODY: channel.model_dump_json(), "revision": channel.revision}
        try:
            self._table.write(
                self._table.change(_pk(channel.channel_id), _META, attributes, when={"revision": channel.revision - 1}),
                *self._trail.recording(audit.channel_changed(before, channel, actor)),
            )
        except Lost as lost:
            raise ChangedMeanwhile(f"channel {channel.name} changed meanwhile: look again") from lost

    def delete(self, channel: Channel, *, actor: str) -> None:
        try:
            self._table.write(
                self._table.remove(_pk(channel.channel_id), _META, when={"revision": channel.revision}),
                *self._trail.recording(audit.channel_deleted(channel, actor)),
            )
        except Lost as lost:
            raise ChangedMeanwhile(f"channel {channel.name} changed meanwhile: look again") from lost


class DynamoDeliveryBook:
    """Deliveries go away after ninety days."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def open(self, delivery: Delivery) -> Delivery:
        attributes = _attributes(delivery) | {
            names.LISTING_PARTITION_KEY: f"DELIVERIES#{delivery.channel_id}",
            names.LISTING_SORT_KEY: f"{delivery.created_at.isoformat(timespec='microseconds')}#{delivery.delivery_id}",
            names.EXPIRY_ATTRIBUTE: int((delivery.created_at + _KEPT).timestamp()),
        }
        try:
            self._table.write(self._table.create(_pk(delivery.channel_id), _sk(delivery.delivery_id), attributes))
        except Lost:
            return self.get(delivery.channel_id, delivery.delivery_id)
        return delivery

    def get(self, channel_id: str, delivery_id: str) -> Delivery:
        item = self._table.get(_pk(channel_id), _sk(delivery_id))
        if item is None:
            raise NotFound(f"channel {channel_id} has no delivery {delivery_id}")
        return Delivery.read(item[BODY])

    def replace(self, delivery: Delivery) -> None:
        seen = {"revision": delivery.revision - 1}
        try:
            self._table.write(
                self._table.change(
                    _pk(delivery.channel_id), _sk(delivery.delivery_id), _attributes(delivery), when=seen
                )
            )
        except Lost as lost:
            raise ChangedMeanwhile(f"delivery {delivery.delivery_id} was worked on by somebody else") from lost

    def page(self, channel_id: str, *, after: str | None = None, limit: int = 50) -> Page[Delivery]:
        items, position = self._table.page(
            names.LISTING_INDEX, f"DELIVERIES#{channel_id}", after=after, limit=limit, newest_first=True
        )
        return Page([Delivery.read(item[BODY]) for item in items], position)


def _attributes(delivery: Delivery) -> dict[str, Plain]:
    return {BODY: delivery.model_dump_json(), "revision": delivery.revision}


def _pk(channel_id: str) -> str:
    return f"CHANNEL#{channel_id}"


def _sk(delivery_id: str) -> str:
    return f"DELIVERY#{delivery_id}"
