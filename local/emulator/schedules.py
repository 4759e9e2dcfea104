"""EventBridge Scheduler: due within a second, in the schedule's time zone, with the time it was due in the input.

ministack looks every ten seconds, reads every cron as UTC, fills in no context attributes and forgets with its process
what it has fired.
"""

import json
import logging
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ministack.core import iam_actions
from ministack.core.responses import request_scope
from ministack.services import eventbridge, scheduler

from local.context import EmulatorContext
from local.emulator import permissions
from local.emulator.permissions import Needed
from local.emulator.persistence import mark_changed

logger = logging.getLogger("local.schedules")

Record = dict[str, Any]

TICK_SECONDS = 0.5
# Our own mark in a schedule's record, which is saved with it: the latest time that was fired, in seconds since 1970.
FIRED = "LocalFiredUntil"
# Of the times that were missed while nothing ran the latest is made up for, if it is not older than this.
DEFAULT_AGE_SECONDS = 86400


def install(_context: EmulatorContext) -> None:
    """Replace the sweep over due schedules, and say which group a request's schedule is in: policies name it."""
    scheduler._SCHEDULE_TICK_INTERVAL = TICK_SECONDS
    scheduler._tick_schedules = tick
    iam_actions.extract_resource_arn = _with_group(iam_actions.extract_resource_arn)


def tick() -> None:
    """Fire every enabled schedule that has become due."""
    now = time.time()
    for (account_id, region, name), record in list(scheduler._schedules.all_items()):
        try:
            due = due_time(record, now)
            if due is not None:
                record[FIRED] = due
                with request_scope(account_id, region):
                    fire(record, due, account_id, region)
                mark_changed()
        except Exception:
            logger.exception("schedule %s could not be fired", name)


def due_time(record: Record, now: float) -> float | None:
    """The latest time at which the schedule was due and has not been fired for; None when there is none.

    Only times after its latest change count: what was due while it was paused is not made up for.
    """
    if record.get("State") != "ENABLED":
        return None
    age = (record["Target"].get("RetryPolicy") or {}).get("MaximumEventAgeInSeconds", DEFAULT_AGE_SECONDS)
    since = max(float(record.get(FIRED) or 0), float(record["LastModificationDate"]), now - age)
    start, end = scheduler._to_epoch(record.get("StartDate")), scheduler._to_epoch(record.get("EndDate"))
    until = now if end is None else min(now, end)
    expression = str(record["ScheduleExpression"])
    interval = eventbridge._parse_rate_seconds(expression)
    if interval is not None:
        due = latest_of_rate(float(start or record["CreationDate"]), float(interval), until)
    else:
        zone = ZoneInfo(record.get("ScheduleExpressionTimezone") or "UTC")
        due = latest_of_cron(expression, zone, max(since, (start or 0) - 1), until)
    return due if due is not None and due > since else None


def latest_of_rate(start: float, interval: float, until: float) -> float | None:
    return None if until < start else start + (until - start) // interval * interval


def latest_of_cron(expression: str, zone: ZoneInfo, since: float, until: float) -> float | None:
    fields = eventbridge._parse_cron_fields(expression)
    found: float | None = None
    # Clock times without a zone: ministack counts them in UTC, which has no gaps.
    clock = datetime.fromtimestamp(since, zone).replace(tzinfo=None) - timedelta(minutes=1)
    while fields is not None:
        clock = eventbridge._cron_next_fire(fields, clock.replace(tzinfo=UTC))
        if clock is None:
            return found
        moment = moment_of(clock, zone)
        if moment is not None and moment > until:
            return found
        if moment is not None and moment > since:
            found = moment
    return found


def moment_of(clock: datetime, zone: ZoneInfo) -> float | None:
    """When clocks of the zone first show this; None when they skip it, as in the night on which summer time begins."""
    local = clock.replace(tzinfo=zone, fold=0)
    shown = datetime.fromtimestamp(local.timestamp(), zone)
    return local.timestamp() if (shown.hour, shown.minute) == (clock.hour, clock.minute) else None


def fire(record: Record, due: float, account_id: str, region: str) -> None:
    """Invoke the target, if the schedule's role may, with the context attributes of its input filled in."""
    due_at = datetime.fromtimestamp(due, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    attributes = {
        "schedule-arn": record["Arn"],
        "scheduled-time": due_at,
        "execution-id": str(uuid.uuid4()),
        "attempt-number": "1",
    }
    given = str(record["Target"].get("Input") or "{}")
    for name, value in attributes.items():
        given = given.replace(f"<aws.scheduler.{name}>", value)
    event = {
        "EventId": attributes["execution-id"],
        "Source": "aws.scheduler",
        "DetailType": "Scheduled Event",
        "Detail": "{}",
        "Time": due,
        "Resources": [record["Arn"]],
        "Account": account_id,
        "Region": region,
    }
    role_name, invoking = str(record["Target"]["RoleArn"]).rsplit("/", 1)[-1], str(record["Target"]["Arn"])
    if not permissions.allows(role_name, account_id, "schedule", Needed("lambda:InvokeFunction", invoking)):
        logger.error("schedule %s is due, and its role %s may not invoke %s", record["Arn"], role_name, invoking)
        return
    eventbridge._invoke_target({**record["Target"], "Input": given}, event, record)


def _with_group(extract_resource_arn: Callable[..., str]) -> Callable[..., str]:
    """ministack takes every schedule to be in the group `default` when it judges a policy."""

    def extract(
        service: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query_params: dict[str, Any],
        region: str,
        account_id: str,
    ) -> str:
        arn = extract_resource_arn(service, method, path, headers, body, query_params, region, account_id)
        if service != "scheduler" or ":schedule/default/" not in arn:
            return arn
        return arn.replace(":schedule/default/", f":schedule/{group_of(body, query_params)}/")

    return extract


def group_of(body: bytes, query_params: dict[str, Any]) -> str:
    asked = query_params.get("groupName") or "default"
    try:
        said = json.loads(body or b"{}").get("GroupName")
    except ValueError:
        said = None
    return str(said or (asked[0] if isinstance(asked, list) else asked))
