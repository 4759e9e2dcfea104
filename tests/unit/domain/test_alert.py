"""An alert is one cause from its first notice to its close, however often it is noticed in between."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from millrace.domain.alert import (
    LONGEST_SNOOZE,
    Alert,
    AlertChange,
    AlertKind,
    AlertSeverity,
    AlertState,
    Signal,
    acknowledged,
    closed,
    noticed_again,
    opened,
    snoozed,
)
from millrace.errors import Conflict, InvalidInput
from tests.builders import NOON, later


def a_signal(number: int = 1, **facts: Any) -> Signal:
    known: dict[str, Any] = {
        "cause": "drift:credit:data",
        "signal_id": f"report-{number}",
        "kind": AlertKind.DATA_DRIFT,
        "severity": AlertSeverity.WARNING,
        "title": "The data of credit drifted",
        "sentence": f"`age` rose by {number} sd.",
        "at": later(60 * number),
        "actor": f"report:{number}",
        "link": f"/runs/drift-{number}",
        "model": "credit",
    }
    return Signal(**(known | facts))


def changes(alert: Alert) -> list[AlertChange]:
    return [event.change for event in alert.history]


def test_a_breach_that_comes_every_hour_of_a_day_is_one_alert_told_once() -> None:
    alert = opened(a_signal(1))
    for hour in range(2, 25):
        alert = noticed_again(alert, a_signal(hour))

    assert alert.breaches == 24
    assert changes(alert) == [AlertChange.OPENED]
    assert (alert.opened_at, alert.last_seen_at) == (later(60), later(24 * 60))
    assert alert.sentence == "`age` rose by 24 sd."


def test_a_notice_delivered_twice_counts_once() -> None:
    alert = noticed_again(opened(a_signal(1)), a_signal(2))

    assert noticed_again(alert, a_signal(2)) is alert
    assert noticed_again(alert, a_signal(1)) is alert


def test_it_gets_worse_and_not_better_by_being_noticed() -> None:
    alert = noticed_again(opened(a_signal(1)), a_signal(2, severity=AlertSeverity.CRITICAL))
    assert alert.severity is AlertSeverity.CRITICAL
    assert noticed_again(alert, a_signal(3)).severity is AlertSeverity.CRITICAL


def test_whoever_acknowledges_it_owns_it() -> None:
    alert = acknowledged(opened(a_signal()), actor="user:ada", at=later(90), reason="looking into it")

    assert (alert.state, alert.owner) == (AlertState.ACKNOWLEDGED, "user:ada")
    assert (alert.history[-1].actor, alert.history[-1].reason) == ("user:ada", "looking into it")
    assert changes(noticed_again(alert, a_signal(2))) == [AlertChange.OPENED, AlertChange.ACKNOWLEDGED]


def test_a_snoozed_alert_sleeps_until_its_time_and_wakes_with_the_next_notice() -> None:
    alert = snoozed(opened(a_signal(1)), until=later(300), actor="user:ada", at=later(70), reason="known, fix tonight")

    asleep = noticed_again(alert, a_signal(2))
    assert (asleep.state, asleep.breaches) == (AlertState.SNOOZED, 2)

    awake = noticed_again(asleep, a_signal(5))
    assert (awake.state, awake.snoozed_until) == (AlertState.OPEN, None)
    assert changes(awake) == [AlertChange.OPENED, AlertChange.SNOOZED, AlertChange.WOKEN]


@pytest.mark.parametrize("length", [timedelta(0), timedelta(minutes=-1), LONGEST_SNOOZE + timedelta(seconds=1)])
def test_a_snooze_ends_in_the_future_and_within_a_month(length: timedelta) -> None:
    with pytest.raises(InvalidInput, match="until"):
        snoozed(opened(a_signal()), until=NOON + length, actor="ada", at=NOON, reason="because")


def test_a_closed_alert_stays_closed() -> None:
    alert = closed(opened(a_signal()), actor="user:ada", at=later(90), reason="new champion")

    assert (alert.state, alert.closed_at) == (AlertState.CLOSED, later(90))
    for again in (
        lambda: closed(alert, actor="a", at=later(91), reason="r"),
        lambda: acknowledged(alert, actor="a", at=later(91), reason="r"),
        lambda: snoozed(alert, until=later(99), actor="a", at=later(91), reason="r"),
    ):
        with pytest.raises(Conflict, match="closed"):
            again()


def test_the_history_counts_without_gaps_and_every_change_moves_the_revision() -> None:
    alert = opened(a_signal())
    seen = [alert.revision]
    for step in (
        lambda it: snoozed(it, until=later(120), actor="a", at=later(61), reason="r"),
        lambda it: noticed_again(it, a_signal(2)),
        lambda it: acknowledged(it, actor="a", at=later(130), reason="r"),
        lambda it: closed(it, actor="a", at=later(131), reason="r"),
    ):
        alert = step(alert)
        seen.append(alert.revision)

    assert seen == [1, 2, 3, 4, 5]
    assert [event.sequence for event in alert.history] == [1, 2, 3, 4, 5]


def test_of_many_notices_the_latest_are_remembered_and_all_are_counted() -> None:
    alert = opened(a_signal(0))
    for number in range(1, 200):
        alert = noticed_again(alert, a_signal(number))

    assert alert.breaches == 200
    assert len(alert.signals) == 50
    assert alert.signals[-1] == "report-199"
