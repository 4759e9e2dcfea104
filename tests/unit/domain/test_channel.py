"""Deliveries: attempted with longer and longer pauses, and told to those who want to know."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from millrace.domain.alert import AlertKind, opened
from millrace.domain.channel import (
    CLAIM,
    OPERATORS,
    PAUSES,
    Channel,
    ChannelKind,
    Delivery,
    DeliveryState,
    claimed,
    delivery_id,
    settled,
)
from tests.builders import NOON, later
from tests.unit.domain.test_alert import a_signal


def a_channel(name: str = "ops", **facts: Any) -> Channel:
    known: dict[str, Any] = {
        "channel_id": f"channel-{name}",
        "kind": ChannelKind.WEBHOOK,
        "name": name,
        "address": "https://hooks.example.com/millrace",
        "created_at": NOON,
        "created_by": "user:ada",
    }
    return Channel(**(known | facts))


def a_delivery(number: int = 1, **facts: Any) -> Delivery:
    known: dict[str, Any] = {
        "delivery_id": f"delivery-{number}",
        "channel_id": "channel-ops",
        "event": "alert.opened",
        "subject": "Drift",
        "body": "{}",
        "due_at": NOON,
        "created_at": later(number),
    }
    return Delivery(**(known | facts))


def test_a_failed_attempt_is_repeated_after_longer_and_longer_pauses_over_hours() -> None:
    delivery, now, pauses = a_delivery(), NOON, []
    while delivery.state is DeliveryState.PENDING:
        delivery = settled(claimed(delivery, now), now, status=503, failure="it answered 503")
        pauses.append((delivery.due_at - now).total_seconds())
        now = max(now, delivery.due_at)

    assert delivery.state is DeliveryState.EXHAUSTED
    assert pauses[:-1] == list(PAUSES)
    assert delivery.attempts == len(PAUSES) + 1
    assert now - NOON > timedelta(hours=12)
    assert list(PAUSES) == sorted(PAUSES)


def test_an_answer_ends_it() -> None:
    delivery = settled(claimed(a_delivery(), NOON), NOON, status=204, failure=None)

    assert (delivery.state, delivery.status, delivery.ended_at) == (DeliveryState.DELIVERED, 204, NOON)


def test_a_claim_lasts_longer_than_an_attempt_can() -> None:
    assert claimed(a_delivery(), NOON).claimed_until == NOON + CLAIM
    assert timedelta(seconds=60) < CLAIM


@pytest.mark.parametrize(
    ("channel", "wanted"),
    [
        (a_channel(), True),
        (a_channel(enabled=False), False),
        (a_channel(kinds=(AlertKind.RUN_FAILED,)), False),
        (a_channel(kinds=(AlertKind.DATA_DRIFT,)), True),
        (a_channel(created_at=later(61)), False),
        (OPERATORS, True),
    ],
)
def test_a_channel_hears_what_it_asked_for_and_nothing_from_before_it_was_there(channel: Channel, wanted: bool) -> None:
    alert = opened(a_signal(1))

    assert channel.wants(alert, alert.history[0]) is wanted


def test_runs_and_alarms_tell_the_operators_themselves() -> None:
    for kind in (AlertKind.RUN_FAILED, AlertKind.ALARM):
        alert = opened(a_signal(1, kind=kind))
        assert not OPERATORS.wants(alert, alert.history[0])


def test_one_change_of_one_alert_is_one_delivery_to_a_channel() -> None:
    alert, other = opened(a_signal(1)), opened(a_signal(2))
    ids = {
        delivery_id(which, which.history[0], channel)
        for which in (alert, other, alert)
        for channel in (a_channel("a"), a_channel("b"))
    }

    assert len(ids) == 4
