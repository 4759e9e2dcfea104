"""What the API says of schedules."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from millrace.domain.schedule import Firing, FiringOutcome, Schedule, ScheduledAction, ScheduleState

ScheduleId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$", description="A schedule's id.")]
UPCOMING = 5

_NAME = r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$"
_EXPRESSION = "`rate(12 hours)`, or `cron(0 6 ? * MON-FRI *)`: minutes, hours, day of month, month, day of week, year."
_ABOUT = "The dataset to train on, or the model to score with or to watch."


class NewSchedule(BaseModel):
    """What to do, and when. A rate counts from `starts_at`, or one step from now."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "name": "Every Monday morning",
                    "action": "train",
                    "about": "credit",
                    "expression": "cron(0 6 ? * MON *)",
                    "timezone": "Europe/Berlin",
                }
            ]
        },
    )

    name: str = Field(min_length=1, max_length=80, pattern=r"\S")
    action: ScheduledAction
    about: str = Field(pattern=_NAME, description=_ABOUT)
    expression: str = Field(min_length=1, max_length=256, description=_EXPRESSION)
    timezone: str = Field(
        default="UTC", max_length=50, description="Of the IANA database, for example `Europe/Berlin`."
    )
    starts_at: AwareDatetime | None = None


class ScheduleChanges(BaseModel):
    """What is named changes, the rest stays. State PAUSED pauses, ACTIVE goes on."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"state": "PAUSED"}]})

    name: str = Field(default="", min_length=1, max_length=80, pattern=r"\S")
    about: str = Field(default="", pattern=_NAME, description=_ABOUT)
    expression: str = Field(default="", min_length=1, max_length=256, description=_EXPRESSION)
    timezone: str = Field(default="", min_length=1, max_length=50)
    starts_at: AwareDatetime | None = None
    state: ScheduleState = ScheduleState.ACTIVE


class FiringAnswer(BaseModel):
    """What came of one time: a run, or why there is none. `actor` is the schedule, or who ran it by hand."""

    due_at: datetime
    fired_at: datetime
    actor: str
    outcome: FiringOutcome
    run_id: str | None
    reason: str | None


class ScheduleSummary(BaseModel):
    """A schedule in a list. `next_at` is null while it is paused."""

    schedule_id: str
    name: str
    action: ScheduledAction
    about: str
    expression: str
    timezone: str
    starts_at: datetime | None
    state: ScheduleState
    created_at: datetime
    created_by: str
    next_at: datetime | None
    last_firing: FiringAnswer | None


class ScheduleDetail(ScheduleSummary):
    """`next_times` are the times at which it is due next; `firings` what came of the latest ones, latest first."""

    next_times: list[datetime]
    firings: list[FiringAnswer]


def schedule_summary(schedule: Schedule, now: datetime) -> ScheduleSummary:
    return ScheduleSummary(**_facts(schedule), next_at=next(iter(schedule.next_times(now)), None))


def schedule_detail(schedule: Schedule, firings: list[Firing], now: datetime) -> ScheduleDetail:
    upcoming = schedule.next_times(now, UPCOMING)
    return ScheduleDetail(
        **_facts(schedule),
        next_at=next(iter(upcoming), None),
        next_times=upcoming,
        firings=[firing_answer(firing) for firing in firings],
    )


def firing_answer(firing: Firing) -> FiringAnswer:
    return FiringAnswer(**firing.model_dump(exclude={"schedule_id"}))


def _facts(schedule: Schedule) -> dict[str, object]:
    last = schedule.last_firing
    facts = schedule.model_dump(exclude={"revision", "last_firing"})
    return {**facts, "last_firing": None if last is None else firing_answer(last)}
