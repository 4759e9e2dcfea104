"""Schedules are kept alike by the table and by its fake, and timers are what the service is told."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import partial
from typing import Any

import boto3
import pytest

from millrace.adapters.dynamodb import DynamoSchedules
from millrace.adapters.memory import InMemorySchedules
from millrace.adapters.scheduler import DUE_AT, EventBridgeTimer
from millrace.domain.schedule import ScheduleState
from millrace.errors import ChangedMeanwhile, NotFound
from millrace.ports import Schedules
from tests.builders import NOON, a_firing, a_schedule, later
from tests.contract.concurrency import all_at_once
from tests.contract.conftest import IMPLEMENTATIONS
from tests.contract.test_pages import walked

TARGET = "arn:aws:lambda:us-east-1:123456789012:function:OnScheduleDue"
ROLE = "arn:aws:iam::123456789012:role/Waking"
ID = a_schedule().schedule_id


@pytest.fixture(params=IMPLEMENTATIONS)
def schedules(request: pytest.FixtureRequest) -> Schedules:
    if request.param == "memory":
        return InMemorySchedules()
    return DynamoSchedules(request.getfixturevalue("table"))


def test_what_was_added_is_found_once_and_whole(schedules: Schedules) -> None:
    assert schedules.add(a_schedule()) == schedules.add(a_schedule(name="again")) == a_schedule()

    assert schedules.get(ID) == a_schedule()
    with pytest.raises(NotFound):
        schedules.get("1" * 16)


def test_pages_are_newest_first(schedules: Schedules) -> None:
    for number in range(5):
        schedules.add(a_schedule(f"{number:016x}", created_at=later(number)))

    found = [schedule.schedule_id[-1] for page in walked(schedules.page, limit=2) for schedule in page]

    assert found == ["4", "3", "2", "1", "0"]


def test_of_two_changes_at_once_one_is_made(schedules: Schedules) -> None:
    schedules.add(a_schedule())

    made, errors = all_at_once(
        [partial(schedules.change, a_schedule(name=f"by {number}"), actor="user:ada") for number in range(4)]
    )

    assert [type(error) for error in errors] == [ChangedMeanwhile] * 3
    assert schedules.get(ID) == made[0]
    assert made[0].revision == 2


def test_a_firing_is_recorded_once_and_is_no_change_by_a_person(schedules: Schedules) -> None:
    schedules.add(a_schedule())

    first = schedules.record(a_firing())
    again = schedules.record(a_firing(run_id="another"))

    assert first == again == schedules.firing(ID, NOON) == schedules.get(ID).last_firing
    assert schedules.get(ID).revision == 1
    assert schedules.firing(ID, later(1)) is None


def test_firings_are_listed_latest_first_and_survive_a_change(schedules: Schedules) -> None:
    schedules.add(a_schedule())
    for minute in (0, 1, 2):
        schedules.record(a_firing(later(minute)))
    schedules.change(a_schedule(name="new"), actor="user:ada")

    assert [firing.due_at for firing in schedules.firings(ID, limit=2)] == [later(2), later(1)]
    last = schedules.get(ID).last_firing
    assert last is not None
    assert last.due_at == later(2)


def test_many_announcements_of_one_time_at_once_leave_one_record(schedules: Schedules) -> None:
    schedules.add(a_schedule())

    recorded, errors = all_at_once([partial(schedules.record, a_firing(run_id=f"run-{n}")) for n in range(5)])

    assert errors == []
    assert len({firing.run_id for firing in recorded}) == 1


def test_a_deleted_one_takes_no_more_firings(schedules: Schedules) -> None:
    schedules.add(a_schedule())
    schedules.delete(ID, actor="user:ada")

    with pytest.raises(NotFound):
        schedules.record(a_firing())
    with pytest.raises(NotFound):
        schedules.delete(ID, actor="user:ada")
    assert schedules.page().items == []


@pytest.fixture
def client(aws: None) -> Any:
    made = boto3.client("scheduler")
    made.create_schedule_group(Name="timers")
    return made


@pytest.fixture
def timer(client: Any) -> EventBridgeTimer:
    return EventBridgeTimer(client, group="timers", target_arn=TARGET, role_arn=ROLE)


def test_a_timer_says_what_its_schedule_says(timer: EventBridgeTimer, client: Any) -> None:
    begin = NOON + timedelta(days=9000)
    timer.set(a_schedule(timezone="Europe/Berlin"), begin_at=begin)

    found = client.get_schedule(GroupName="timers", Name=ID)
    assert (found["ScheduleExpression"], found["ScheduleExpressionTimezone"]) == ("rate(1 hour)", "Europe/Berlin")
    assert (found["State"], found["StartDate"], found["FlexibleTimeWindow"]) == ("ENABLED", begin, {"Mode": "OFF"})
    assert (found["Target"]["Arn"], found["Target"]["RoleArn"]) == (TARGET, ROLE)
    assert json.loads(found["Target"]["Input"]) == {"schedule_id": ID, "due_at": DUE_AT}


def test_a_timer_that_is_there_is_changed_and_one_that_is_gone_is_made(timer: EventBridgeTimer, client: Any) -> None:
    timer.set(a_schedule(), begin_at=None)
    timer.set(a_schedule(state=ScheduleState.PAUSED, expression="cron(0 6 * * ? *)"), begin_at=None)

    (only,) = client.list_schedules(GroupName="timers")["Schedules"]
    found = client.get_schedule(GroupName="timers", Name=only["Name"])
    assert (found["State"], found["ScheduleExpression"]) == ("DISABLED", "cron(0 6 * * ? *)")


def test_removing_a_timer_twice_is_removing_it(timer: EventBridgeTimer, client: Any) -> None:
    timer.set(a_schedule(), begin_at=None)

    timer.remove(ID)
    timer.remove(ID)

    assert client.list_schedules(GroupName="timers")["Schedules"] == []
