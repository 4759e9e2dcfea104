"""Answers that were given, by the key that came with the request: asked again, the same is answered again."""

from __future__ import annotations

from datetime import datetime, timedelta

from millrace import names
from millrace.adapters.dynamodb.table import BODY, Item, Lost, Plain, Table
from millrace.errors import Conflict, KeyReused

_META = "META"
_BEGUN, _GIVEN = "BEGUN", "GIVEN"


class DynamoGivenAnswers:
    def __init__(self, table: Table) -> None:
        self._table = table

    def begin(self, key: str, request: str, *, at: datetime, kept: timedelta, worked_on: timedelta) -> str | None:
        return self._table.decide(lambda: self._begin_once(key, request, at, kept, worked_on))

    def finish(self, key: str, answer: str) -> None:
        self._table.write(self._table.change(_pk(key), _META, {"state": _GIVEN, BODY: answer}, when={"state": _BEGUN}))

    def forget(self, key: str) -> None:
        try:
            self._table.write(self._table.remove(_pk(key), _META, when={"state": _BEGUN}))
        except Lost:
            return  # another request took the key over

    def _begin_once(self, key: str, request: str, at: datetime, kept: timedelta, worked_on: timedelta) -> str | None:
        now = int(at.timestamp())
        attributes: dict[str, Plain] = {
            "request": request,
            "state": _BEGUN,
            "begun_at": now,
            names.EXPIRY_ATTRIBUTE: now + int(kept.total_seconds()),
        }
        item = self._table.get(_pk(key), _META)
        if item is None:
            self._table.write(self._table.create(_pk(key), _META, attributes))
            return None
        if item[names.EXPIRY_ATTRIBUTE] <= now or _abandoned(item, now, worked_on, request):
            self._table.write(
                self._table.change(
                    _pk(key), _META, attributes, when={"begun_at": item["begun_at"], "state": item["state"]}
                )
            )
            return None
        if item["request"] != request:
            raise KeyReused("this Idempotency-Key came with another request before: use a new key for a new request")
        if item["state"] == _BEGUN:
            raise Conflict("the same request is being worked on: ask again in a moment for its answer")
        return str(item[BODY])


def _abandoned(item: Item, now: int, worked_on: timedelta, request: str) -> bool:
    """Whether the function that began died over it: nobody works on a request for so long."""
    late = item["state"] == _BEGUN and item["begun_at"] + worked_on.total_seconds() <= now
    return bool(late and item["request"] == request)


def _pk(key: str) -> str:
    return f"REQUEST#{key}"
