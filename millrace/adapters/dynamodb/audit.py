"""The audit trail in the registry table: a chain per thing, written by the transactions that change the thing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from millrace import names
from millrace.adapters.dynamodb.table import BODY, Item, Plain, Table
from millrace.domain.audit import AuditEntry, ChainHead, Deed, following_entry
from millrace.ports import Page

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

_HEAD = "HEAD"
_ENTRIES = "ENTRY#"
_CHAINS_LISTING = "AUDIT_CHAINS"
_LISTING = "ACTIVITY"


class DynamoAuditTrail:
    def __init__(self, table: Table) -> None:
        self._table = table

    def recording(self, deed: Deed) -> list[TransactWriteItemTypeDef]:
        """What a transaction needs to record `deed`. It is Lost when the chain moved on meanwhile: decide again."""
        pk, item = _pk(deed.subject), self._table.get(_pk(deed.subject), _HEAD)
        entry = following_entry(deed, None if item is None else _head(item), self._table.now())
        end: dict[str, Plain] = {"sequence": entry.sequence, "hash": entry.hash}
        if item is None:
            moved = self._table.create(pk, _HEAD, {**end, "listing": _CHAINS_LISTING, "listed_at": deed.subject})
        else:
            moved = self._table.change(pk, _HEAD, end, when={"sequence": item["sequence"]})
        listed_at = f"{entry.at.isoformat(timespec='microseconds')}#{entry.subject}#{entry.sequence:08}"
        attributes: dict[str, Plain] = {
            BODY: entry.model_dump_json(),
            "listing": _LISTING,
            "listing_actor": _actor_listing(entry.actor),
            "listed_at": listed_at,
        }
        return [moved, self._table.create(pk, f"{_ENTRIES}{entry.sequence:08}", attributes)]

    def page(self, *, actor: str | None = None, after: str | None = None, limit: int = 50) -> Page[AuditEntry]:
        index, partition = names.LISTING_INDEX, _LISTING
        if actor is not None:
            index, partition = names.ACTOR_INDEX, _actor_listing(actor)
        items, position = self._table.page(index, partition, after=after, limit=limit, newest_first=True)
        return Page([_entry(item) for item in items], position)

    def page_of(self, subject: str, *, after: str | None = None, limit: int = 50) -> Page[AuditEntry]:
        items, position = self._table.part(_pk(subject), _ENTRIES, after=after, limit=limit, newest_first=True)
        return Page([_entry(item) for item in items], position)

    def subjects(self) -> Iterator[str]:
        for item in self._table.listing(_CHAINS_LISTING):
            yield str(item["listed_at"])

    def chain(self, subject: str) -> Iterator[AuditEntry]:
        return map(_entry, self._table.query(_pk(subject), _ENTRIES))

    def head(self, subject: str) -> ChainHead | None:
        item = self._table.get(_pk(subject), _HEAD)
        return None if item is None else _head(item)


def _pk(subject: str) -> str:
    return f"AUDIT#{subject}"


def _actor_listing(actor: str) -> str:
    return f"{_LISTING}#{actor}"


def _head(item: Item) -> ChainHead:
    return ChainHead(item["sequence"], item["hash"])


def _entry(item: Item) -> AuditEntry:
    return AuditEntry.model_validate_json(item[BODY])
