"""How long endpoints were in service, in one partition of the registry table: as they ended, those that go on last.

So one query finds what a month needs, however many there were before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from millrace import names
from millrace.adapters.dynamodb.table import BODY, Item, Table
from millrace.domain.endpoint_use import EndpointUse

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

_PK = names.ENDPOINT_USE_ITEMS
# In this order: a range from a moment on ends with all that are open.
_ENDED, _OPEN = "ENDED#", "OPEN#"


class DynamoEndpointUses:
    def __init__(self, table: Table) -> None:
        self._table = table

    def find(self, model: str, number: int) -> EndpointUse | None:
        item = self._item(model, number)
        return None if item is None else _use(item)

    def begin(self, use: EndpointUse) -> None:
        self._table.decide(lambda: self._begin_once(use))

    def end(self, model: str, number: int, *, at: datetime) -> None:
        self._table.decide(lambda: self._end_once(model, number, at))

    def since(self, moment: datetime) -> Sequence[EndpointUse]:
        return [_use(item) for item in self._table.between(_PK, f"{_ENDED}{_said(moment)}", f"{_OPEN}\uffff")]

    def open(self) -> Sequence[EndpointUse]:
        return [_use(item) for item in self._table.query(_PK, _OPEN)]

    def _begin_once(self, use: EndpointUse) -> None:
        item, key = self._item(use.model, use.number), _open(use.model, use.number)
        if item is None:
            self._table.write(self._table.create(_PK, key, _attributes(use)))
        elif _use(item).by_the_hour != use.by_the_hour:
            replacing = self._table.put(_PK, key, _attributes(use), when={BODY: item[BODY]})
            self._table.write(replacing, self._putting_ended(_use(item), use.since))
        elif (grown := _use(item).grown(use)) is not None:
            self._table.write(self._table.put(_PK, key, _attributes(grown), when={BODY: item[BODY]}))

    def _end_once(self, model: str, number: int, at: datetime) -> None:
        item = self._item(model, number)
        if item is not None:
            removing = self._table.remove(_PK, _open(model, number), when={BODY: item[BODY]})
            self._table.write(removing, self._putting_ended(_use(item), at))

    def _item(self, model: str, number: int) -> Item | None:
        return self._table.get(_PK, _open(model, number))

    def _putting_ended(self, use: EndpointUse, at: datetime) -> TransactWriteItemTypeDef:
        ended = use.ended(at)
        return self._table.put(
            _PK, f"{_ENDED}{_said(ended.until or at)}#{_name(use.model, use.number)}", _attributes(ended)
        )


def _open(model: str, number: int) -> str:
    return f"{_OPEN}{_name(model, number)}"


def _name(model: str, number: int) -> str:
    return f"{model}#{number:08}"


def _said(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds")


def _attributes(use: EndpointUse) -> dict[str, str]:
    return {BODY: use.model_dump_json()}


def _use(item: Item) -> EndpointUse:
    return EndpointUse.read(item[BODY])
