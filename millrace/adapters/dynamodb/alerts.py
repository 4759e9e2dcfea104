"""Alerts in the registry table. An item per cause names its latest alert, so that two notices open one."""

from __future__ import annotations

from millrace import names
from millrace.adapters.dynamodb.audit import DynamoAuditTrail
from millrace.adapters.dynamodb.table import BODY, Lost, Plain, Table
from millrace.domain import audit
from millrace.domain.alert import Alert, AlertState
from millrace.errors import ChangedMeanwhile, NotFound
from millrace.ports import Page

_META = "META"
_LISTING = "ALERTS"
_LATEST = "alert_id"


class DynamoAlertBook:
    def __init__(self, table: Table) -> None:
        self._table = table
        self._trail = DynamoAuditTrail(table)

    def get(self, alert_id: str) -> Alert:
        item = self._table.get(_pk(alert_id), _META)
        if item is None:
            raise NotFound(f"there is no alert {alert_id}")
        return Alert.read(item[BODY])

    def latest(self, cause: str) -> Alert | None:
        item = self._table.get(_cause(cause), _META)
        return None if item is None else self.get(item[_LATEST])

    def open(self, alert: Alert, *, following: Alert | None) -> None:
        pointer = {_LATEST: alert.alert_id}
        if following is None:
            pointing = self._table.create(_cause(alert.cause), _META, pointer)
        else:
            pointing = self._table.change(_cause(alert.cause), _META, pointer, when={_LATEST: following.alert_id})
        listed: dict[str, Plain] = {
            names.LISTING_PARTITION_KEY: _LISTING,
            names.LISTING_SORT_KEY: f"{alert.opened_at.isoformat(timespec='microseconds')}#{alert.alert_id}",
        }
        if alert.model is not None:
            listed[names.DATASET_PARTITION_KEY] = _model_listing(alert.model)
        try:
            self._table.write(
                pointing,
                self._table.create(_pk(alert.alert_id), _META, _attributes(alert) | listed),
                *self._trail.recording(audit.alert_changed(None, alert)),
            )
        except Lost as lost:
            raise ChangedMeanwhile(f"{alert.cause} opened another alert meanwhile") from lost

    def replace(self, alert: Alert) -> None:
        before = self.get(alert.alert_id)
        seen = {"revision": alert.revision - 1}
        try:
            self._table.write(
                self._table.change(_pk(alert.alert_id), _META, _attributes(alert), when=seen),
                *self._trail.recording(audit.alert_changed(before, alert)),
            )
        except Lost as lost:
            raise ChangedMeanwhile(f"alert {alert.alert_id} changed meanwhile: look again") from lost

    def page(
        self,
        *,
        state: AlertState | None = None,
        model: str | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[Alert]:
        where: dict[str, Plain] = {}
        index, partition = names.LISTING_INDEX, _LISTING
        if model is not None:
            index, partition = names.DATASET_INDEX, _model_listing(model)
            where = {} if state is None else {"state": state.value}
        elif state is not None:
            index, partition = names.STATE_INDEX, _state_listing(state)
        items, position = self._table.page(index, partition, after=after, limit=limit, newest_first=True, where=where)
        return Page([Alert.read(item[BODY]) for item in items], position)


def _attributes(alert: Alert) -> dict[str, Plain]:
    return {
        BODY: alert.model_dump_json(),
        "state": alert.state.value,
        "revision": alert.revision,
        names.STATE_PARTITION_KEY: _state_listing(alert.state),
    }


def _pk(alert_id: str) -> str:
    return f"ALERT#{alert_id}"


def _cause(cause: str) -> str:
    return f"ALERT_CAUSE#{cause}"


def _state_listing(state: AlertState) -> str:
    return f"{_LISTING}#{state.value}"


def _model_listing(model: str) -> str:
    return f"{_LISTING}#{model}"
