"""Schedules: what the platform does by the clock."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from lambdas.api.manners import etag_of
from lambdas.api.paging import Cursor, Limit, PageOf, from_cursor, page_of
from lambdas.api.resource import Resource, answer
from lambdas.api.shapes import schedule_examples as examples
from lambdas.api.shapes.schedules import (
    FiringAnswer,
    NewSchedule,
    ScheduleChanges,
    ScheduleDetail,
    ScheduleId,
    ScheduleSummary,
    firing_answer,
    schedule_detail,
    schedule_summary,
)
from millrace import bootstrap, errors
from millrace.domain.role import EVERYONE, SCIENTISTS
from millrace.domain.schedule import Schedule
from millrace.use_cases import keep_schedule
from millrace.use_cases.fire_schedule import Means, run_now

resource = Resource("schedules")
POLL_SECONDS = 30
SHOWN_FIRINGS = 20


@resource.endpoint(
    "POST",
    "/schedules",
    allow=SCIENTISTS,
    status=201,
    example=examples.DETAIL,
    links={"schedule": {"operationId": "get_schedule", "parameters": {"schedule_id": "$response.body#/schedule_id"}}},
)
def create_schedule(new: Annotated[NewSchedule, Body()]) -> Response[ScheduleDetail]:
    """Make a schedule: what to do, and when. What a run needs is looked at when it is due."""
    platform = bootstrap.platform()
    made = keep_schedule.create_schedule(
        schedules=platform.schedules,
        timer=platform.timer,
        clock=platform.clock,
        actor=resource.caller.actor,
        **new.model_dump(),
    )
    return _shown(made, status=201, location=f"/schedules/{made.schedule_id}")


@resource.endpoint("GET", "/schedules", allow=EVERYONE, example=examples.PAGE)
def list_schedules(cursor: Cursor = None, limit: Limit = 50) -> Response[PageOf[ScheduleSummary]]:
    """Schedules, newest first: when each is due next, and what came of its last time."""
    platform, scope = bootstrap.platform(), "schedules"
    found, now = platform.schedules.page(after=from_cursor(cursor, scope), limit=limit), platform.clock.now()
    etag = resource.unless_unchanged(*((each.schedule_id, *_revisions(each)) for each in found.items), found.position)
    page = page_of(found, scope, lambda schedule: schedule_summary(schedule, now))
    return answer(page, etag=etag, poll_after=POLL_SECONDS)


@resource.endpoint("GET", "/schedules/<schedule_id>", allow=EVERYONE, raises=[errors.NotFound], example=examples.DETAIL)
def get_schedule(schedule_id: ScheduleId) -> Response[ScheduleDetail]:
    """One schedule: its next times, and what came of the latest ones."""
    schedule = bootstrap.platform().schedules.get(schedule_id)
    resource.unless_unchanged(*_revisions(schedule))
    return _shown(schedule)


@resource.endpoint(
    "PATCH",
    "/schedules/<schedule_id>",
    allow=SCIENTISTS,
    raises=[errors.NotFound, errors.ChangedMeanwhile],
    example=examples.DETAIL,
)
def change_schedule(schedule_id: ScheduleId, changes: Annotated[ScheduleChanges, Body()]) -> Response[ScheduleDetail]:
    """Change, pause or resume a schedule. Say with `If-Match` which one you have seen."""
    platform = bootstrap.platform()
    seen = platform.schedules.get(schedule_id)
    _check_seen(seen)
    changed = keep_schedule.change_schedule(
        schedules=platform.schedules,
        timer=platform.timer,
        clock=platform.clock,
        schedule_id=schedule_id,
        changes=changes.model_dump(exclude_unset=True),
        actor=resource.caller.actor,
        revision=seen.revision,
    )
    return _shown(changed)


@resource.endpoint(
    "DELETE", "/schedules/<schedule_id>", allow=SCIENTISTS, raises=[errors.NotFound], example=examples.SUMMARY
)
def delete_schedule(schedule_id: ScheduleId) -> Response[ScheduleSummary]:
    """Delete a schedule. The runs that it started stay."""
    platform = bootstrap.platform()
    deleted = keep_schedule.delete_schedule(
        schedules=platform.schedules, timer=platform.timer, schedule_id=schedule_id, actor=resource.caller.actor
    )
    return answer(schedule_summary(deleted, platform.clock.now()))


@resource.endpoint(
    "POST",
    "/schedules/<schedule_id>/run",
    allow=SCIENTISTS,
    raises=[errors.NotFound],
    example=examples.FIRING,
    links={"run": {"operationId": "get_run", "parameters": {"run_id": "$response.body#/run_id"}}},
)
def run_schedule(schedule_id: ScheduleId) -> Response[FiringAnswer]:
    """Do now what the schedule does, also while it is paused. `outcome` says whether there is a run."""
    platform = bootstrap.platform()
    means = Means(
        catalog=platform.catalog,
        registry=platform.registry,
        ledger=platform.ledger,
        pipelines=platform.pipelines,
        store=platform.store,
        clock=platform.clock,
        data_bucket=platform.settings.require("data_bucket"),
    )
    firing = run_now(schedules=platform.schedules, means=means, schedule_id=schedule_id, actor=resource.caller.actor)
    return answer(firing_answer(firing))


def _shown(schedule: Schedule, *, status: int = 200, location: str | None = None) -> Response[ScheduleDetail]:
    platform = bootstrap.platform()
    firings = list(platform.schedules.firings(schedule.schedule_id, limit=SHOWN_FIRINGS))
    body = schedule_detail(schedule, firings, platform.clock.now())
    return answer(body, status=status, etag=_etag(schedule), poll_after=POLL_SECONDS, location=location)


def _etag(schedule: Schedule) -> str:
    return etag_of(*_revisions(schedule))


def _revisions(schedule: Schedule) -> tuple[object, ...]:
    """What people changed, what came of the last time, and, which time alone moves, when it is due next."""
    last = schedule.last_firing
    upcoming = schedule.next_times(bootstrap.platform().clock.now())
    times = [last.due_at if last else None, *upcoming]
    return (schedule.revision, *("" if moment is None else int(moment.timestamp()) for moment in times))


def _check_seen(schedule: Schedule) -> None:
    """That it was due since, or is due at another time now, is no reason to refuse a change."""
    seen = resource.if_match()
    if seen in (None, "*") or str(seen).removeprefix("W/").strip('"').partition("-")[0] == str(schedule.revision):
        return
    raise errors.ChangedMeanwhile(f"schedule {schedule.schedule_id} changed since you looked at it: look again")
