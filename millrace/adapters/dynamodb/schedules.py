"""Schedules in the registry table. What came of the last time is an attribute of its own: nobody changed it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from millrace import names
from millrace.adapters.dynamodb.audit import DynamoAuditTrail
from millrace.adapters.dynamodb.table import BODY, Item, Plain, Table
from millrace.domain import audit
from millrace.domain.schedule import Firing, Schedule
from millrace.errors import ChangedMeanwhile, NotFound
from millrace.ports import Page

_META = "META"
_LISTING = "SCHEDULES"
_FIRINGS = "FIRING#"
_LAST = "last_firing"
_NONE = ""


class DynamoSchedules:
    def __init__(self, table: Table) -> None:
        self._table = table
        self._trail = DynamoAuditTrail(table)

    def add(self, schedule: Schedule) -> Schedule:
        return self._table.decide(lambda: self._add_once(schedule))

    def get(self, schedule_id: str) -> Schedule:
        return _schedule(self._item(schedule_id))

    def page(self, *, after: str | None = None, limit: int = 50) -> Page[Schedule]:
        items, position = self._table.page(names.LISTING_INDEX, _LISTING, after=after, limit=limit, newest_first=True)
        return Page([_schedule(item) for item in items], position)

    def change(self, changed: Schedule, *, actor: str) -> Schedule:
        return self._table.decide(lambda: self._change_once(changed, actor))

    def delete(self, schedule_id: str, *, actor: str) -> Schedule:
        return self._table.decide(lambda: self._delete_once(schedule_id, actor))

    def record(self, firing: Firing) -> Firing:
        return self._table.decide(lambda: self._record_once(firing))

    def firing(self, schedule_id: str, due_at: datetime) -> Firing | None:
        item = self._table.get(_pk(schedule_id), _firing_sk(due_at))
        return None if item is None else Firing.read(item[BODY])

    def firings(self, schedule_id: str, *, limit: int) -> Sequence[Firing]:
        items, _ = self._table.part(_pk(schedule_id), _FIRINGS, after=None, limit=limit, newest_first=True)
        return [Firing.read(item[BODY]) for item in items]

    def _item(self, schedule_id: str) -> Item:
        item = self._table.get(_pk(schedule_id), _META)
        if item is None:
            raise NotFound(f"there is no schedule {schedule_id}")
        return item

    def _add_once(self, schedule: Schedule) -> Schedule:
        stored = self._table.get(_pk(schedule.schedule_id), _META)
        if stored is not None:
            return _schedule(stored)
        attributes: dict[str, Plain] = {
            BODY: _body(schedule),
            "revision": schedule.revision,
            _LAST: _NONE,
            "listing": _LISTING,
            "listed_at": f"{schedule.created_at.isoformat(timespec='microseconds')}#{schedule.schedule_id}",
        }
        self._table.write(
            self._table.create(_pk(schedule.schedule_id), _META, attributes),
            *self._trail.recording(audit.schedule_created(schedule)),
        )
        return schedule

    def _change_once(self, changed: Schedule, actor: str) -> Schedule:
        seen = self.get(changed.schedule_id)
        if seen.revision != changed.revision:
            raise ChangedMeanwhile(f"schedule {changed.schedule_id} changed since you looked at it: look again")
        after = changed.model_copy(update={"revision": seen.revision + 1, "last_firing": seen.last_firing})
        self._table.write(
            self._table.change(
                _pk(after.schedule_id),
                _META,
                {BODY: _body(after), "revision": after.revision},
                when={"revision": seen.revision},
            ),
            *self._trail.recording(audit.schedule_changed(seen, after, actor)),
        )
        return after

    def _delete_once(self, schedule_id: str, actor: str) -> Schedule:
        seen = self.get(schedule_id)
        self._table.write(
            self._table.remove(_pk(schedule_id), _META, when={"revision": seen.revision}),
            *self._trail.recording(audit.schedule_deleted(seen, actor)),
        )
        return seen

    def _record_once(self, firing: Firing) -> Firing:
        known = self.firing(firing.schedule_id, firing.due_at)
        if known is not None:
            return known
        item = self._item(firing.schedule_id)
        body = firing.model_dump_json()
        self._table.write(
            self._table.change(_pk(firing.schedule_id), _META, {_LAST: body}, when={_LAST: item[_LAST]}),
            self._table.create(_pk(firing.schedule_id), _firing_sk(firing.due_at), {BODY: body}),
            *self._trail.recording(audit.schedule_fired(firing)),
        )
        return firing


def _pk(schedule_id: str) -> str:
    return f"SCHEDULE#{schedule_id}"


def _firing_sk(due_at: datetime) -> str:
    return f"{_FIRINGS}{due_at.isoformat(timespec='microseconds')}"


def _body(schedule: Schedule) -> str:
    return schedule.model_dump_json(exclude={"last_firing"})


def _schedule(item: Item) -> Schedule:
    schedule = Schedule.read(item[BODY])
    last = item[_LAST]
    return schedule if last == _NONE else schedule.model_copy(update={_LAST: Firing.read(last)})
