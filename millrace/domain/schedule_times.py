"""When a schedule is due: `rate(…)` and `cron(…)` as EventBridge Scheduler reads them, in a time zone.

Source: AWS, "Schedule types in EventBridge Scheduler". A cron time that daylight saving skips is skipped; one that
comes twice is due the first time. A rate counts from its start, in elapsed time.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import takewhile
from typing import NamedTuple
from zoneinfo import ZoneInfo

from millrace.errors import InvalidInput

_RATE = re.compile(r"rate\(\s*([1-9]\d{0,4})\s+(minute|hour|day)s?\s*\)")
_CRON = re.compile(r"cron\(\s*(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s*\)")
_UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
_MONTHS = {calendar.month_abbr[number].upper(): number for number in range(1, 13)}
# Sunday is 1.
_WEEKDAYS = {calendar.day_abbr[(number + 5) % 7].upper(): number for number in range(1, 8)}
# A cron that is due on 29 February of a certain weekday is due every 28 years; nobody waits for it.
_LOOKED_AHEAD = timedelta(days=366 * 5)
# So that of a cron that is due every minute not a month of minutes is counted.
_LOOKED_BACK = (timedelta(hours=1), timedelta(days=1), timedelta(days=7))


class Rate(NamedTuple):
    every: timedelta


class Cron(NamedTuple):
    """Sets of what each field allows; None of a day field is `?`. `last_day` is `L`, `nth` are `weekday#n`,
    `last_weekdays` are `weekdayL`.
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int] | None
    last_day: bool
    months: frozenset[int]
    weekdays: frozenset[int] | None
    nth: frozenset[tuple[int, int]]
    last_weekdays: frozenset[int]
    years: frozenset[int]

    def falls_on(self, day: date) -> bool:
        if day.year not in self.years or day.month not in self.months:
            return False
        length = calendar.monthrange(day.year, day.month)[1]
        if self.days is not None:
            return day.day in self.days or (self.last_day and day.day == length)
        weekday = day.isoweekday() % 7 + 1
        return (
            weekday in (self.weekdays or ())
            or (weekday, (day.day - 1) // 7 + 1) in self.nth
            or (weekday in self.last_weekdays and day.day > length - 7)
        )


def due_times(
    expression: str, timezone: str, *, after: datetime, starts_at: datetime | None = None
) -> Iterator[datetime]:
    """The moments (UTC) after `after` at which `expression` is due, in order; none before `starts_at`.

    A rate needs `starts_at`: it is due then for the first time. Raises InvalidInput.
    """
    found, zone = parse_expression(expression), time_zone(timezone)
    if isinstance(found, Cron):
        return _cron_times(found, zone, max(after, starts_at - timedelta(microseconds=1)) if starts_at else after)
    if starts_at is None:
        raise InvalidInput("a rate counts from a start: say when it starts")
    return _rate_times(found, after, starts_at)


def due_before(expression: str, timezone: str, *, moment: datetime, at_most: timedelta) -> datetime | None:
    """When `expression` was due last before `moment`; None when that was longer ago than `at_most`.

    For a rate: one step before, whenever it began. Raises InvalidInput.
    """
    found, zone = parse_expression(expression), time_zone(timezone)
    if isinstance(found, Rate):
        return moment - found.every if found.every <= at_most else None
    for back in (*(each for each in _LOOKED_BACK if each < at_most), at_most):
        before = list(takewhile(lambda due: due < moment, _cron_times(found, zone, moment - back)))
        if before:
            return before[-1]
    return None


def parse_expression(expression: str) -> Rate | Cron:
    """Raises InvalidInput with what is wrong."""
    rate, cron = _RATE.fullmatch(expression), _CRON.fullmatch(expression)
    if rate:
        return Rate(int(rate[1]) * _UNITS[rate[2]])
    if not cron:
        raise InvalidInput(
            f"{expression!r} is no expression: write rate(12 hours), or cron(0 6 ? * MON-FRI *) with minutes, hours, "
            "day of month, month, day of week and year"
        )
    return _parse_cron(*cron.groups())


def canonical(expression: str) -> str:
    """As the service writes it: one minute, two minutes. Raises InvalidInput."""
    parse_expression(expression)
    rate = _RATE.fullmatch(expression)
    return f"rate({rate[1]} {rate[2]}{'' if rate[1] == '1' else 's'})" if rate else " ".join(expression.split())


@cache
def time_zone(name: str) -> ZoneInfo:
    """Raises InvalidInput for a name that the IANA database does not have."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise InvalidInput(
            f"{name!r} is no time zone: write one of the IANA database, for example Europe/Berlin"
        ) from error


def _rate_times(rate: Rate, after: datetime, starts_at: datetime) -> Iterator[datetime]:
    passed = max(0, (after - starts_at) // rate.every + 1)
    while True:
        yield starts_at + passed * rate.every
        passed += 1


def _cron_times(cron: Cron, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    day, end = after.astimezone(zone).date(), (after + _LOOKED_AHEAD).date()
    while day <= end:
        if cron.falls_on(day):
            for hour in sorted(cron.hours):
                for minute in sorted(cron.minutes):
                    due = _moment(datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone))
                    if due is not None and due > after:
                        yield due
        day += timedelta(days=1)


def _moment(local: datetime) -> datetime | None:
    """The first moment at which clocks show this; None when they skip it."""
    moment = local.replace(fold=0).astimezone(UTC)
    shown = moment.astimezone(local.tzinfo)
    return moment if (shown.hour, shown.minute) == (local.hour, local.minute) else None


def _parse_cron(minute: str, hour: str, day: str, month: str, weekday: str, year: str) -> Cron:
    if (day == "?") is (weekday == "?"):
        raise InvalidInput("write ? for the day of the month or for the day of the week, and only for one of them")
    days = [part for part in day.upper().split(",") if part != "L"]
    plain, nth, last = _weekdays(weekday)
    return Cron(
        minutes=_field("minutes", minute, 0, 59),
        hours=_field("hours", hour, 0, 23),
        days=None if day == "?" else _field("day of month", ",".join(days), 1, 31) if days else frozenset(),
        last_day="L" in day.upper().split(","),
        months=_field("month", month, 1, 12, _MONTHS),
        weekdays=None if weekday == "?" else _field("day of week", plain, 1, 7, _WEEKDAYS) if plain else frozenset(),
        nth=nth,
        last_weekdays=last,
        years=_field("year", year, 1970, 2199),
    )


def _weekdays(field: str) -> tuple[str, frozenset[tuple[int, int]], frozenset[int]]:
    """The plain parts of a day-of-week field, its `weekday#n` and its `weekdayL`."""
    plain: list[str] = []
    nth: set[tuple[int, int]] = set()
    last: set[int] = set()
    for part in field.upper().split(","):
        if found := re.fullmatch(r"(\w+)#([1-5])", part):
            nth |= {(number, int(found[2])) for number in _field("day of week", found[1], 1, 7, _WEEKDAYS)}
        elif found := re.fullmatch(r"(\w+)L", part):
            last |= _field("day of week", found[1], 1, 7, _WEEKDAYS)
        else:
            plain.append(part)
    return ",".join(plain), frozenset(nth), frozenset(last)


def _field(what: str, field: str, low: int, high: int, names: dict[str, int] | None = None) -> frozenset[int]:
    def number(text: str) -> int:
        found = (names or {}).get(text, int(text) if re.fullmatch("[0-9]{1,4}", text) else -1)
        if not low <= found <= high:
            raise InvalidInput(f"{what}: {text!r} is not between {low} and {high}")
        return found

    allowed: set[int] = set()
    for part in field.upper().split(","):
        bounds, _, step = part.partition("/")
        if step and (not re.fullmatch("[1-9][0-9]?", step)):
            raise InvalidInput(f"{what}: {part!r} has no step that can be counted")
        first, dash, until = bounds.partition("-")
        begin = low if bounds in ("*", "?") else number(first)
        end = high if bounds in ("*", "?") or (step and not dash) else number(until) if dash else begin
        if end < begin:
            raise InvalidInput(f"{what}: {part!r} ends before it begins")
        allowed |= set(range(begin, end + 1, int(step or 1)))
    return frozenset(allowed)
