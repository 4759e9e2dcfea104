"""Traffic in the registry table: an item for each hour of a model, to which deliveries of the queue add."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from millrace import names
from millrace.adapters.dynamodb.table import Lost, Table
from millrace.domain.traffic import TrafficCounts, TrafficHour, hour_of, traffic_hour

_HOUR = "HOUR#"
_DELIVERY = "DELIVERY#"
# The queue keeps a message for two weeks, and its dead letters as long.
_REMEMBERED = timedelta(days=30)


class DynamoTraffic:
    def __init__(self, table: Table) -> None:
        self._table = table

    def add(self, model: str, hour: datetime, counts: TrafficCounts, *, delivery: str) -> None:
        expires_at = int((self._table.now() + _REMEMBERED).timestamp())
        once = self._table.create(
            _pk(model), f"{_DELIVERY}{delivery}#{_said(hour)}", {names.EXPIRY_ATTRIBUTE: expires_at}
        )
        try:
            self._table.write(once, self._table.add(_pk(model), f"{_HOUR}{_said(hour)}", counts))
        except Lost:
            return  # counted already

    def hours(self, model: str, first: datetime, last: datetime) -> Sequence[TrafficHour]:
        items = self._table.between(_pk(model), f"{_HOUR}{_said(first)}", f"{_HOUR}{_said(last)}")
        return [
            traffic_hour(
                datetime.fromisoformat(str(item[names.SORT_KEY]).removeprefix(_HOUR)),
                {name: value for name, value in item.items() if isinstance(value, int)},
            )
            for item in items
        ]


def _pk(model: str) -> str:
    return f"{names.TRAFFIC_ITEMS}{model}"


def _said(hour: datetime) -> str:
    return hour_of(hour).isoformat()
