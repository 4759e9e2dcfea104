"""The embedded scheduler: when a schedule of the service is due."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from local.emulator.schedules import FIRED, due_time, group_of


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


CREATED = at("2026-11-20T12:00:00")


def a_record(expression: str = "rate(10 minutes)", **facts: Any) -> dict[str, Any]:
    known = {
        "State": "ENABLED",
        "ScheduleExpression": expression,
        "ScheduleExpressionTimezone": "UTC",
        "CreationDate": CREATED,
        "LastModificationDate": CREATED,
        "StartDate": CREATED + 5,
        "EndDate": None,
        "Target": {"RetryPolicy": {"MaximumEventAgeInSeconds": 3600}},
    }
    return known | facts


def due(record: dict[str, Any], text: str) -> str | None:
    found = due_time(record, at(text))
    return None if found is None else datetime.fromtimestamp(found, UTC).strftime("%d %H:%M:%S")


def test_a_rate_is_due_at_its_start_and_then_at_each_step() -> None:
    record = a_record()

    assert due(record, "2026-11-20T12:00:04") is None
    assert due(record, "2026-11-20T12:00:05") == "20 12:00:05"
    assert due(record, "2026-11-20T12:10:06") == "20 12:10:05"


def test_what_was_fired_is_not_due_again() -> None:
    record = a_record()
    record[FIRED] = due_time(record, at("2026-11-20T12:00:06"))

    assert due(record, "2026-11-20T12:00:07") is None
    assert due(record, "2026-11-20T12:10:05") == "20 12:10:05"


def test_paused_it_is_never_due_and_resumed_it_makes_up_for_nothing() -> None:
    assert due(a_record(State="DISABLED"), "2026-11-20T12:30:00") is None

    resumed = a_record(LastModificationDate=at("2026-11-20T12:29:00"))
    assert due(resumed, "2026-11-20T12:30:00") is None
    assert due(resumed, "2026-11-20T12:30:05") == "20 12:30:05"


def test_of_the_times_that_were_missed_the_latest_counts_unless_it_is_too_old() -> None:
    assert due(a_record(), "2026-11-20T18:03:00") == "20 18:00:05"
    assert due(a_record("rate(12 hours)"), "2026-11-20T18:03:00") is None
    assert due(a_record("cron(0 13 * * ? *)"), "2026-11-20T13:59:00") == "20 13:00:00"
    assert due(a_record("cron(0 13 * * ? *)"), "2026-11-20T14:01:00") is None


@pytest.mark.parametrize(
    ("zone", "expected"), [("UTC", "21 06:00:00"), ("Europe/Berlin", "21 05:00:00"), ("Asia/Tokyo", "20 21:00:00")]
)
def test_a_cron_goes_by_the_clocks_of_its_zone(zone: str, expected: str) -> None:
    record = a_record("cron(0 6 * * ? *)", ScheduleExpressionTimezone=zone, StartDate=None)

    assert due(record, f"2026-11-{expected.replace(' ', 'T')}") == expected


def test_a_time_that_clocks_skip_is_skipped() -> None:
    record = a_record("cron(30 2 * * ? *)", ScheduleExpressionTimezone="Europe/Berlin", StartDate=None)

    assert due(record, "2027-03-28T01:20:00") is None
    assert due(record, "2027-03-29T00:30:00") == "29 00:30:00"


def test_before_it_starts_and_after_it_ends_nothing_is_due() -> None:
    assert due(a_record("cron(0/1 * * * ? *)", StartDate=at("2026-11-20T12:05:00")), "2026-11-20T12:04:30") is None
    assert due(a_record(EndDate=at("2026-11-20T12:05:00")), "2026-11-20T12:10:30") == "20 12:00:05"


def test_a_policy_is_held_against_the_group_that_a_request_names() -> None:
    assert group_of(b'{"GroupName": "timers"}', {}) == "timers"
    assert group_of(b"", {"groupName": ["timers"]}) == "timers"
    assert group_of(b"not json", {}) == "default"
