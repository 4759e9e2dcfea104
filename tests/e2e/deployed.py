"""Parts of the deployed platform that tests reach for: a function by its name, the nightly schedule."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from tests.e2e.conftest import Bench


def function_named(bench: Bench, part: str) -> str:
    pages = bench.session.client("lambda").get_paginator("list_functions").paginate()
    return next(f["FunctionName"] for page in pages for f in page["Functions"] if part in f["FunctionName"])


@contextmanager
def due_now(bench: Bench) -> Iterator[None]:
    """The nightly schedule as it was deployed, but for its time."""
    client = bench.session.client("scheduler")
    (named,) = [each for each in client.list_schedules()["Schedules"] if "DayEnded" in each["Name"]]
    schedule = client.get_schedule(Name=named["Name"], GroupName=named["GroupName"])
    kept = {
        key: value
        for key, value in schedule.items()
        if key not in ("ResponseMetadata", "Arn", "CreationDate", "LastModificationDate")
    }
    soon = datetime.now(UTC) + timedelta(seconds=2)
    client.update_schedule(**kept | {"ScheduleExpression": "rate(1 day)", "StartDate": soon})
    try:
        yield
    finally:
        client.update_schedule(**kept)
