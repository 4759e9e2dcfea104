"""Make, change and delete schedules. The registry says what is meant; the timer is made to agree with it.

A timer without a schedule does nothing when it is due. So it is set before a schedule is made, and taken away before
one is deleted: what fails half way is done again, and no schedule is left that nothing will ever wake.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from millrace.domain import identity
from millrace.domain.place import check_name
from millrace.domain.schedule import Schedule, ScheduledAction, first_time
from millrace.domain.schedule_times import canonical, due_times
from millrace.errors import ChangedMeanwhile, InvalidInput
from millrace.ports import Clock, Schedules, Timer

CHANGEABLE = frozenset({"name", "about", "expression", "timezone", "starts_at", "state"})


def create_schedule(
    *,
    schedules: Schedules,
    timer: Timer,
    clock: Clock,
    name: str,
    action: ScheduledAction,
    about: str,
    expression: str,
    timezone: str = "UTC",
    starts_at: datetime | None = None,
    actor: str,
) -> Schedule:
    """Raises InvalidInput for an expression or zone that cannot be read."""
    now = clock.now()
    schedule = Schedule(
        schedule_id=identity.schedule_id(name, actor, now),
        name=name.strip(),
        action=action,
        about=check_name(about),
        expression=canonical(expression),
        timezone=timezone,
        starts_at=first_time(expression, starts_at, now),
        created_at=now,
        created_by=actor,
    )
    timer.set(schedule, begin_at=_begin(schedule, now))
    return schedules.add(schedule)


def change_schedule(
    *,
    schedules: Schedules,
    timer: Timer,
    clock: Clock,
    schedule_id: str,
    changes: Mapping[str, Any],
    actor: str,
    revision: int | None = None,
) -> Schedule:
    """What `changes` names is set, the rest stays; state PAUSED pauses. `revision` is the one that the person saw.

    A rate that is given anew counts from now, unless `starts_at` says otherwise. The timer is set in any case, so that
    repeating a change that failed half way repairs it. Raises NotFound, InvalidInput, ChangedMeanwhile.
    """
    unknown = changes.keys() - CHANGEABLE
    if unknown:
        raise InvalidInput(f"{', '.join(sorted(unknown))} cannot be changed: make another schedule")
    seen, now = schedules.get(schedule_id), clock.now()
    if revision is not None and revision != seen.revision:
        raise ChangedMeanwhile(f"schedule {schedule_id} changed since you looked at it: look again")
    changed = _changed(seen, changes, now)
    begin_at = _begin(changed, now)
    if changed != seen:
        changed = schedules.change(changed, actor=actor)
    timer.set(changed, begin_at=begin_at)
    return changed


def delete_schedule(*, schedules: Schedules, timer: Timer, schedule_id: str, actor: str) -> Schedule:
    """Its runs stay. Raises NotFound."""
    schedules.get(schedule_id)
    timer.remove(schedule_id)
    return schedules.delete(schedule_id, actor=actor)


def _changed(seen: Schedule, changes: Mapping[str, Any], now: datetime) -> Schedule:
    facts = {**seen.model_dump(), **changes, "last_firing": seen.last_firing}
    facts["about"] = check_name(facts["about"])
    facts["expression"] = canonical(facts["expression"])
    if facts["expression"] != seen.expression or "starts_at" in changes:
        facts["starts_at"] = first_time(facts["expression"], changes.get("starts_at"), now)
    return Schedule.model_validate(facts)


def _begin(schedule: Schedule, now: datetime) -> datetime | None:
    """From when on the timer counts: the service wants no time that has passed. None: from now. Raises InvalidInput."""
    upcoming = due_times(schedule.expression, schedule.timezone, after=now, starts_at=schedule.starts_at)
    first = next(upcoming, None)
    if first is None:
        raise InvalidInput(f"{schedule.expression} is not due in the coming years")
    return first if schedule.starts_at is not None else None
