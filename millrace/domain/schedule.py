"""Schedules: what the platform does by the clock, and what came of it each time."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice

from pydantic import Field

from millrace.domain.entity import Entity, Moment, Name
from millrace.domain.schedule_times import Rate, due_before, due_times, parse_expression


class ScheduledAction(StrEnum):
    TRAIN = "train"
    SCORE = "score"
    CHECK_DRIFT = "check_drift"


class ScheduleState(StrEnum):
    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"


class FiringOutcome(StrEnum):
    """STARTED: there is a run. REFUSED: it could not be started as things were; the next time may go well."""

    STARTED = "STARTED"
    REFUSED = "REFUSED"


class Firing(Entity):
    """One time that a schedule was due, or that a person ran it. Its actor is the schedule, or the person."""

    schedule_id: str
    due_at: Moment
    fired_at: Moment
    actor: str
    outcome: FiringOutcome
    run_id: str | None = None
    reason: str | None = None


class Schedule(Entity):
    """`about` is the dataset to train on, or the model to score with or to watch.

    `starts_at` is when a rate is due for the first time, and before which a cron is not. `revision` counts changes by
    people; `last_firing` is no change.
    """

    schedule_id: str
    name: str = Field(min_length=1, max_length=80)
    action: ScheduledAction
    about: Name
    expression: str
    timezone: str = "UTC"
    starts_at: Moment | None = None
    state: ScheduleState = ScheduleState.ACTIVE
    created_at: Moment
    created_by: str
    revision: int = 1
    last_firing: Firing | None = None

    @property
    def actor(self) -> str:
        """Who acts when nobody asks."""
        return f"schedule:{self.schedule_id}"

    def next_times(self, after: datetime, count: int = 1) -> list[datetime]:
        """When it is due next, up to `count` times; never while it is paused."""
        if self.state is ScheduleState.PAUSED:
            return []
        return list(islice(due_times(self.expression, self.timezone, after=after, starts_at=self.starts_at), count))

    def window(self, until: datetime, *, at_most: timedelta) -> tuple[datetime, datetime]:
        """The time that it stands for when it is due at `until`: since it was due before, and `at_most` so long."""
        before = due_before(self.expression, self.timezone, moment=until, at_most=at_most)
        return before or until - at_most, until


def first_time(expression: str, starts_at: datetime | None, now: datetime) -> datetime | None:
    """When a schedule starts to count: a rate one step from now, unless said otherwise. Raises InvalidInput."""
    found = parse_expression(expression)
    first = starts_at or (now + found.every if isinstance(found, Rate) else None)
    # The service counts whole seconds.
    return first and first.replace(microsecond=0)
