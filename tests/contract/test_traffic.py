"""Every Traffic: deliveries add up by the hour, each once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from millrace.adapters.dynamodb import DynamoTraffic
from millrace.adapters.memory import InMemoryTraffic
from millrace.domain.traffic import Asked, AskedOutcome, TrafficCounts, counts_of, hour_of
from millrace.ports import Traffic
from tests.builders import NOON, later
from tests.contract.concurrency import all_at_once
from tests.contract.conftest import IMPLEMENTATIONS


@pytest.fixture(params=IMPLEMENTATIONS)
def traffic(request: pytest.FixtureRequest) -> Traffic:
    if request.param == "memory":
        return InMemoryTraffic()
    return DynamoTraffic(request.getfixturevalue("table"))


def asked(*latencies: float, failed: int = 0) -> TrafficCounts:
    answers = [Asked(model="credit", at=NOON, outcome=AskedOutcome.ANSWERED, latency_ms=each) for each in latencies]
    failures = [Asked(model="credit", at=NOON, outcome=AskedOutcome.FAILED, latency_ms=1.0)] * failed
    return counts_of([*answers, *failures])


def test_deliveries_of_one_hour_add_up(traffic: Traffic) -> None:
    traffic.add("credit", NOON, asked(10.0, 10.0), delivery="a")
    traffic.add("credit", later(59), asked(80.0, failed=1), delivery="b")

    (hour,) = traffic.hours("credit", NOON, NOON)
    assert (hour.hour, hour.requests, hour.refused, hour.failed) == (hour_of(NOON), 4, 0, 1)
    assert hour.p50_ms == pytest.approx(10.0, rel=0.05)
    assert hour.p99_ms == pytest.approx(80.0, rel=0.05)


def test_a_delivery_that_comes_again_counts_once(traffic: Traffic) -> None:
    for _ in range(3):
        traffic.add("credit", NOON, asked(10.0), delivery="a")
        traffic.add("credit", later(60), asked(10.0), delivery="a")

    assert [hour.requests for hour in traffic.hours("credit", NOON, later(60))] == [1, 1]


def test_deliveries_at_once_are_all_counted(traffic: Traffic) -> None:
    def add(number: int) -> None:
        traffic.add("credit", NOON, asked(10.0), delivery=f"delivery-{number % 4}")

    all_at_once([lambda number=number: add(number) for number in range(8)])  # type: ignore[misc]

    assert [hour.requests for hour in traffic.hours("credit", NOON, NOON)] == [4]


def test_hours_are_those_of_one_model_in_order_from_the_first_to_the_last(traffic: Traffic) -> None:
    for hours in (3, 0, 1, 2):
        traffic.add("credit", NOON + timedelta(hours=hours), asked(5.0), delivery="a")
    traffic.add("churn", NOON, asked(5.0), delivery="a")

    found = traffic.hours("credit", later(60 + 30), later(120 + 10))
    assert [hour.hour for hour in found] == [later(60), later(120)]
    assert traffic.hours("nobody", NOON, later(600)) == []
