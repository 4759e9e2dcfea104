"""Kept counts in the registry table: the transaction that changes something also counts it.

A count is spread over several items that are added up when read, so that changes of different things seldom meet in
one item. What belongs to one thing always lands in the same item.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING

from millrace import names
from millrace.adapters.dynamodb.table import Item, Table
from millrace.domain.run import Run
from millrace.domain.tally import Amounts, DayTally, Tally, day_tally, total

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

_PK = "TALLY"
_TOTAL = "TOTAL#"
_DAY = "DAY#"
_PARTS = 8


class DynamoTallies:
    def __init__(self, table: Table) -> None:
        self._table = table

    def counting(self, thing: str, amounts: Amounts) -> TransactWriteItemTypeDef:
        """What a transaction needs to count a change of `thing`."""
        return self._table.add(_PK, f"{_TOTAL}{_part(thing)}", amounts)

    def counting_run(self, run: Run, amounts: Amounts) -> list[TransactWriteItemTypeDef]:
        """The same for a run, which also counts on the day it started."""
        day = f"{_DAY}{run.started_at.date()}#{_part(run.run_id)}"
        return [self.counting(run.run_id, amounts), self._table.add(_PK, day, amounts)]

    def now(self) -> Tally:
        return total(_amounts(item) for item in self._table.query(_PK, _TOTAL))

    def days(self, first: date, last: date) -> Sequence[DayTally]:
        items = self._table.between(_PK, f"{_DAY}{first}#", f"{_DAY}{last}#\uffff")
        return [day_tally(date.fromisoformat(day), map(_amounts, parts)) for day, parts in groupby(items, key=_day)]


def _part(thing: str) -> int:
    return zlib.crc32(thing.encode()) % _PARTS


def _amounts(item: Item) -> Amounts:
    return {name: value for name, value in item.items() if isinstance(value, int)}


def _day(item: Item) -> str:
    return str(item[names.SORT_KEY]).removeprefix(_DAY).partition("#")[0]
