"""API keys in the registry table. When one was used last is an attribute of its own: noting it touches nothing else."""

from __future__ import annotations

from datetime import datetime

from millrace import names
from millrace.adapters.dynamodb.audit import DynamoAuditTrail
from millrace.adapters.dynamodb.table import BODY, Item, Lost, Table
from millrace.domain import audit
from millrace.domain.api_key import ApiKey
from millrace.errors import Conflict, NotFound
from millrace.ports import Page

_META = "META"
_LISTING = "API_KEYS"
_LAST_USED = "last_used_at"
_NEVER = ""


class DynamoApiKeys:
    def __init__(self, table: Table) -> None:
        self._table = table
        self._trail = DynamoAuditTrail(table)

    def add(self, key: ApiKey) -> None:
        self._table.decide(lambda: self._add_once(key))

    def get(self, key_id: str) -> ApiKey:
        item = self._table.get(_pk(key_id), _META)
        if item is None:
            raise NotFound(f"there is no API key {key_id}")
        return _key(item)

    def page(self, *, owner: str | None = None, after: str | None = None, limit: int = 50) -> Page[ApiKey]:
        index, partition = names.LISTING_INDEX, _LISTING
        if owner is not None:
            index, partition = names.ACTOR_INDEX, _owner_listing(owner)
        items, position = self._table.page(index, partition, after=after, limit=limit, newest_first=True)
        return Page([_key(item) for item in items], position)

    def revoke(self, key_id: str, *, actor: str, at: datetime) -> ApiKey:
        return self._table.decide(lambda: self._revoke_once(key_id, actor, at))

    def note_use(self, key: ApiKey, *, at: datetime) -> None:
        before = _NEVER if key.last_used_at is None else key.last_used_at.isoformat()
        change = self._table.change(_pk(key.key_id), _META, {_LAST_USED: at.isoformat()}, when={_LAST_USED: before})
        try:
            self._table.write(change)
        except Lost:
            return  # another request noted it meanwhile

    def _add_once(self, key: ApiKey) -> None:
        attributes = {
            BODY: _body(key),
            "state": "VALID",
            _LAST_USED: _NEVER,
            "listing": _LISTING,
            "listing_actor": _owner_listing(key.owner),
            "listed_at": f"{key.created_at.isoformat(timespec='microseconds')}#{key.key_id}",
        }
        if self._table.get(_pk(key.key_id), _META) is not None:
            raise Conflict(f"there is an API key {key.key_id} already")
        self._table.write(
            self._table.create(_pk(key.key_id), _META, attributes),
            *self._trail.recording(audit.api_key_created(key)),
        )

    def _revoke_once(self, key_id: str, actor: str, at: datetime) -> ApiKey:
        key = self.get(key_id)
        if key.revoked_at is not None:
            raise Conflict(f"API key {key_id} was revoked by {key.revoked_by} already")
        revoked = key.model_copy(update={"revoked_at": at, "revoked_by": actor})
        self._table.write(
            self._table.change(_pk(key_id), _META, {BODY: _body(revoked), "state": "REVOKED"}, when={"state": "VALID"}),
            *self._trail.recording(audit.api_key_revoked(revoked, actor)),
        )
        return revoked


def _pk(key_id: str) -> str:
    return f"{names.API_KEY_ITEMS}{key_id}"


def _owner_listing(owner: str) -> str:
    return f"{_LISTING}#{owner}"


def _body(key: ApiKey) -> str:
    return key.model_dump_json(exclude={"last_used_at"})


def _key(item: Item) -> ApiKey:
    key = ApiKey.read(item[BODY])
    used = item[_LAST_USED]
    return key if used == _NEVER else key.model_copy(update={"last_used_at": datetime.fromisoformat(used)})
