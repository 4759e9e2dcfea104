"""Every EndpointUses: one use of a version is open at most, and a month is read without those before it."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from millrace.adapters.dynamodb import DynamoEndpointUses, Table
from millrace.adapters.memory import InMemoryEndpointUses
from millrace.ports import EndpointUses
from tests.builders import NOON, an_endpoint_use, later
from tests.contract.concurrency import all_at_once
from tests.contract.conftest import IMPLEMENTATIONS


@pytest.fixture(params=IMPLEMENTATIONS)
def uses(request: pytest.FixtureRequest) -> EndpointUses:
    if request.param == "memory":
        return InMemoryEndpointUses()
    return DynamoEndpointUses(request.getfixturevalue("table"))


def test_an_endpoint_goes_on_from_its_first_sight_however_often_it_is_seen(uses: EndpointUses) -> None:
    assert uses.find("credit", 1) is None
    for minutes in range(3):
        uses.begin(an_endpoint_use(minutes=minutes, machine=f"ml.m{minutes + 4}.large"))

    first = an_endpoint_use(machine="ml.m4.large")
    assert uses.find("credit", 1) == first
    assert list(uses.open()) == list(uses.since(later(999))) == [first]


def test_an_endpoint_that_may_grow_later_costs_at_least_what_is_counted_from_its_beginning(uses: EndpointUses) -> None:
    for minutes, most in enumerate((1, 4, 2)):
        uses.begin(an_endpoint_use(minutes=minutes, most_machines=most))

    assert uses.find("credit", 1) == an_endpoint_use(most_machines=4)
    assert len(uses.since(NOON)) == 1


def test_an_end_is_told_once_and_without_a_beginning_it_is_nothing(uses: EndpointUses) -> None:
    uses.begin(an_endpoint_use())
    for minutes in (5, 6):
        uses.end("credit", 1, at=later(minutes))
    uses.end("credit", 2, at=later(7))

    assert uses.find("credit", 1) is None
    assert list(uses.open()) == []
    assert list(uses.since(NOON)) == [an_endpoint_use(until=later(5))]


def test_nothing_ends_before_it_began(uses: EndpointUses) -> None:
    uses.begin(an_endpoint_use())
    uses.end("credit", 1, at=later(-5))

    assert list(uses.since(NOON)) == [an_endpoint_use(until=NOON)]


def test_a_version_may_have_an_endpoint_again(uses: EndpointUses) -> None:
    uses.begin(an_endpoint_use())
    uses.end("credit", 1, at=later(5))
    uses.begin(an_endpoint_use(minutes=9))

    assert list(uses.since(NOON)) == [an_endpoint_use(until=later(5)), an_endpoint_use(minutes=9)]


def test_an_endpoint_that_bills_otherwise_takes_the_place_of_the_one_before(uses: EndpointUses) -> None:
    uses.begin(an_endpoint_use())
    for minutes in (5, 6):
        uses.begin(an_endpoint_use(minutes=minutes, machine=None))

    serverless = an_endpoint_use(minutes=5, machine=None)
    assert list(uses.since(NOON)) == [an_endpoint_use(until=later(5)), serverless]
    assert uses.find("credit", 1) == serverless


def test_those_since_a_moment_are_in_the_order_of_their_ends_and_open_ones_by_name(uses: EndpointUses) -> None:
    for number, minutes in ((1, 30), (2, 10), (3, 20)):
        uses.begin(an_endpoint_use(number=number))
        uses.end("credit", number, at=later(minutes) + timedelta(microseconds=number % 2))
    for model, number in (("credit", 10), ("credit", 9), ("churn", 1)):
        uses.begin(an_endpoint_use(model, number))

    assert [(use.model, use.number) for use in uses.open()] == [("churn", 1), ("credit", 9), ("credit", 10)]
    assert [use.number for use in uses.since(NOON)] == [2, 3, 1, 1, 9, 10]
    assert [use.number for use in uses.since(later(20))] == [3, 1, 1, 9, 10]
    assert [use.number for use in uses.since(later(30))] == [1, 1, 9, 10]


def test_an_endpoint_that_many_see_or_end_at_once_is_counted_once(uses: EndpointUses) -> None:
    def begin(minutes: int) -> None:
        uses.begin(an_endpoint_use(minutes=minutes))

    def end(minutes: int) -> None:
        uses.end("credit", 1, at=later(minutes))

    all_at_once([partial(begin, number) for number in range(6)])
    assert len(uses.open()) == 1
    all_at_once([partial(end, number + 10) for number in range(6)])

    assert len(uses.since(later(-1))) == 1
    assert len(uses.open()) == 0


def test_a_month_is_one_question_that_looks_at_none_of_the_months_before(table: Table, dynamodb: Any) -> None:
    uses = DynamoEndpointUses(table)
    for number in range(1, 31):
        uses.begin(an_endpoint_use(number=number))
        uses.end("credit", number, at=later(number))
    uses.begin(an_endpoint_use(number=31))
    looked_at: list[int] = []
    call = dynamodb._make_api_call

    def counted(operation: str, arguments: dict[str, Any]) -> Any:
        answer = call(operation, arguments)
        looked_at.append(answer["ScannedCount"])
        return answer

    dynamodb._make_api_call = counted
    assert [use.number for use in uses.since(later(29))] == [29, 30, 31]
    assert looked_at == [3]
