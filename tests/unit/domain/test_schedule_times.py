"""When schedules are due: rates from their start, crons by the clock of a place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.domain.schedule_times import canonical, due_times, parse_expression, time_zone
from millrace.errors import InvalidInput
from tests.builders import NOON, later


def times(
    expression: str, count: int, *, zone: str = "UTC", after: datetime = NOON, starts_at: datetime | None = None
) -> list[str]:
    found = islice(due_times(expression, zone, after=after, starts_at=starts_at), count)
    return [f"{moment:%Y-%m-%d %H:%M}" for moment in found]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# Friday, 20 November 2026, noon UTC is where these begin.
@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("cron(0 6 ? * MON *)", ["2026-11-23 06:00", "2026-11-30 06:00"]),
        ("cron(0 12 * * ? *)", ["2026-11-21 12:00", "2026-11-22 12:00"]),
        ("cron(30 12 * * ? *)", ["2026-11-20 12:30", "2026-11-21 12:30"]),
        ("cron(0/20 13 ? * 2-6 *)", ["2026-11-20 13:00", "2026-11-20 13:20", "2026-11-20 13:40", "2026-11-23 13:00"]),
        ("cron(15,45 0 1 1,JUL ? *)", ["2027-01-01 00:15", "2027-01-01 00:45", "2027-07-01 00:15"]),
        ("cron(0 0 L * ? *)", ["2026-11-30 00:00", "2026-12-31 00:00", "2027-01-31 00:00", "2027-02-28 00:00"]),
        ("cron(0 0 1,L * ? *)", ["2026-11-30 00:00", "2026-12-01 00:00", "2026-12-31 00:00"]),
        ("cron(0 0 ? * FRIL *)", ["2026-11-27 00:00", "2026-12-25 00:00"]),
        ("cron(0 0 ? * 2#1 *)", ["2026-12-07 00:00", "2027-01-04 00:00"]),
        ("cron(0 0 29 2 ? *)", ["2028-02-29 00:00"]),
        ("cron(0 0 1 1 ? 2027)", ["2027-01-01 00:00"]),
        ("cron(0 0 1 1 ? 2025)", []),
        ("cron(0 0 ? * SUN *)", ["2026-11-22 00:00"]),
        ("cron(0 0 ? * SAT *)", ["2026-11-21 00:00"]),
    ],
)
def test_a_cron_is_due_when_the_calendar_says(expression: str, expected: list[str]) -> None:
    assert times(expression, max(1, len(expected))) == expected


def test_a_cron_goes_by_the_clocks_of_its_zone() -> None:
    berlin = times("cron(0 6 * * ? *)", 2, zone="Europe/Berlin", after=at("2027-03-27T00:00"))

    assert berlin == ["2027-03-27 05:00", "2027-03-28 04:00"]


def test_a_time_that_clocks_skip_is_skipped() -> None:
    assert times("cron(30 2 * * ? *)", 2, zone="Europe/Berlin", after=at("2027-03-27T12:00")) == [
        "2027-03-29 00:30",
        "2027-03-30 00:30",
    ]


def test_a_time_that_clocks_show_twice_counts_once() -> None:
    assert times("cron(30 2 * * ? *)", 2, zone="Europe/Berlin", after=at("2026-10-24T12:00")) == [
        "2026-10-25 00:30",
        "2026-10-26 01:30",
    ]


def test_a_cron_is_not_due_before_it_starts_and_is_when_it_does() -> None:
    assert times("cron(0 12 * * ? *)", 1, starts_at=at("2026-12-24T12:00")) == ["2026-12-24 12:00"]


def test_a_rate_counts_from_its_start_whenever_one_looks() -> None:
    start = later(7)

    assert times("rate(2 hours)", 2, starts_at=start) == ["2026-11-20 12:07", "2026-11-20 14:07"]
    assert times("rate(2 hours)", 1, starts_at=start, after=start) == ["2026-11-20 14:07"]
    assert times("rate(2 hours)", 1, starts_at=start, after=later(60 * 24)) == ["2026-11-21 12:07"]


def test_a_rate_without_a_start_is_refused() -> None:
    with pytest.raises(InvalidInput, match="starts"):
        due_times("rate(1 day)", "UTC", after=NOON)


@given(
    st.integers(1, 9999),
    st.sampled_from(["minute", "hour", "day"]),
    st.integers(-(10**7), 10**7),
    st.integers(0, 10**7),
)
def test_times_of_a_rate_come_after_the_moment_in_even_steps(count: int, unit: str, start: int, passed: int) -> None:
    starts_at = NOON + timedelta(seconds=start)
    after = NOON + timedelta(seconds=passed)
    step = {"minute": 1, "hour": 60, "day": 1440}[unit] * count * timedelta(minutes=1)

    found = list(islice(due_times(f"rate({count} {unit}s)", "UTC", after=after, starts_at=starts_at), 3))

    assert found[0] > after
    assert found[0] >= starts_at
    assert found[0] == starts_at or found[0] - step <= after
    assert {second - first for first, second in pairwise(found)} == {step}


@given(st.integers(0, 59), st.integers(0, 23), st.integers(0, 10**8))
def test_times_of_a_cron_show_what_it_says_on_the_clocks_of_its_zone(minute: int, hour: int, passed: int) -> None:
    after, zone = NOON + timedelta(seconds=passed), time_zone("America/New_York")

    found = list(islice(due_times(f"cron({minute} {hour} * * ? *)", "America/New_York", after=after), 4))

    assert [(m.astimezone(zone).minute, m.astimezone(zone).hour) for m in found] == [(minute, hour)] * 4
    assert found == sorted(set(found))
    assert found[0] > after
    assert found[0] - after <= timedelta(days=2, hours=1)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("every day", "no expression"),
        ("rate(0 minutes)", "no expression"),
        ("rate(1 fortnight)", "no expression"),
        ("rate(5 minutes) ", "no expression"),
        ("cron(0 6 * * *)", "no expression"),
        ("cron(0 6 * * * *)", "only for one"),
        ("cron(0 6 ? * ? *)", "only for one"),
        ("cron(60 6 ? * MON *)", "minutes"),
        ("cron(0 24 ? * MON *)", "hours"),
        ("cron(0 6 32 * ? *)", "day of month"),
        ("cron(0 6 1W * ? *)", "day of month"),
        ("cron(0 6 1 13 ? *)", "month"),
        ("cron(0 6 ? * 8 *)", "day of week"),
        ("cron(0 6 ? * MON#6 *)", "day of week"),
        ("cron(0 6 ? * MON 1969)", "year"),
        ("cron(0/0 6 ? * MON *)", "step"),
        ("cron(9-5 6 ? * MON *)", "ends before"),
        ("cron(², 6 ? * MON *)", "minutes"),
        ("cron(1,, 6 ? * MON *)", "minutes"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_is_wrong(expression: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        parse_expression(expression)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../../etc/passwd", "/etc/localtime", "CEST"])
def test_a_zone_that_nobody_keeps_is_refused(zone: str) -> None:
    with pytest.raises(InvalidInput, match="time zone"):
        time_zone(zone)


def test_rates_are_written_as_the_service_wants_them() -> None:
    assert [canonical(said) for said in ("rate(1 minutes)", "rate(5 minute)", "cron(0  6 ?  * MON *)")] == [
        "rate(1 minute)",
        "rate(5 minutes)",
        "cron(0 6 ? * MON *)",
    ]
