"""Alerts: one for each cause, however often the cause is noticed, from the first notice until somebody closes it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import Field

from millrace.domain import identity
from millrace.domain.entity import Entity, Moment
from millrace.errors import Conflict, InvalidInput

LONGEST_SNOOZE = timedelta(days=30)
# Of so many notices an alert knows the ids, so that one that is delivered again is not counted again.
_SIGNALS_KEPT = 50


class AlertKind(StrEnum):
    DATA_DRIFT = "data_drift"
    PREDICTION_DRIFT = "prediction_drift"
    PERFORMANCE_DECAY = "performance_decay"
    RUN_FAILED = "run_failed"
    ALARM = "alarm"


DRIFT_KINDS = (AlertKind.DATA_DRIFT, AlertKind.PREDICTION_DRIFT, AlertKind.PERFORMANCE_DECAY)


class AlertState(StrEnum):
    """SNOOZED until a time: what is noticed before it is counted and told to nobody."""

    OPEN = "OPEN"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    SNOOZED = "SNOOZED"
    CLOSED = "CLOSED"


class AlertSeverity(StrEnum):
    WARNING = "WARNING"
    CRITICAL = "CRITICAL"


class AlertChange(StrEnum):
    """What people and channels are told of. WOKEN: noticed again after the end of a snooze."""

    OPENED = "OPENED"
    WOKEN = "WOKEN"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    SNOOZED = "SNOOZED"
    CLOSED = "CLOSED"


class Signal(Entity):
    """One notice of a cause. `cause` is the same each time; `signal_id` tells notices apart.

    `link` is a path of the API or the application, `source` names what noticed it: a report, a run, an alarm.
    """

    cause: str
    signal_id: str
    kind: AlertKind
    severity: AlertSeverity
    title: str
    sentence: str
    at: Moment
    actor: str
    link: str
    model: str | None = None
    dataset: str | None = None
    source: dict[str, str] = Field(default_factory=dict)


class AlertEvent(Entity):
    """One entry of an alert's history. `sequence` has no gaps: 1, 2, 3, …"""

    sequence: int
    change: AlertChange
    at: Moment
    actor: str
    reason: str


class Alert(Entity):
    """`signals` are the latest notices, `breaches` counts all of them. `revision` counts the changes."""

    alert_id: str
    cause: str
    kind: AlertKind
    severity: AlertSeverity
    state: AlertState = AlertState.OPEN
    title: str
    sentence: str
    model: str | None = None
    dataset: str | None = None
    link: str
    source: dict[str, str] = Field(default_factory=dict)
    owner: str | None = None
    opened_at: Moment
    last_seen_at: Moment
    snoozed_until: Moment | None = None
    closed_at: Moment | None = None
    breaches: int = 1
    signals: tuple[str, ...] = ()
    history: tuple[AlertEvent, ...] = ()
    revision: int = 1


def opened(signal: Signal) -> Alert:
    """The alert that a first notice opens."""
    return Alert(
        alert_id=identity.alert_id(signal.cause, signal.signal_id),
        opened_at=signal.at,
        last_seen_at=signal.at,
        signals=(signal.signal_id,),
        history=(
            AlertEvent(sequence=1, change=AlertChange.OPENED, at=signal.at, actor=signal.actor, reason=signal.sentence),
        ),
        **signal.model_dump(exclude={"signal_id", "at", "actor"}),
    )


def noticed_again(alert: Alert, signal: Signal) -> Alert:
    """`alert` after one more notice of its cause; the same alert when this notice came before."""
    if signal.signal_id in alert.signals:
        return alert
    again = alert.model_copy(
        update={
            "breaches": alert.breaches + 1,
            "last_seen_at": max(alert.last_seen_at, signal.at),
            "sentence": signal.sentence,
            "severity": max(alert.severity, signal.severity, key=list(AlertSeverity).index),
            "link": signal.link,
            "source": signal.source,
            "signals": (*alert.signals, signal.signal_id)[-_SIGNALS_KEPT:],
            "revision": alert.revision + 1,
        }
    )
    if alert.snoozed_until is not None and signal.at >= alert.snoozed_until:
        woken = {"state": AlertState.OPEN, "snoozed_until": None}
        return _with_event(again, AlertChange.WOKEN, signal.at, signal.actor, signal.sentence, woken)
    return again


def acknowledged(alert: Alert, *, actor: str, at: datetime, reason: str) -> Alert:
    """Somebody takes it on and owns it from now. Raises Conflict when it is closed."""
    _check_open(alert)
    changes = {"state": AlertState.ACKNOWLEDGED, "owner": actor, "snoozed_until": None, "revision": alert.revision + 1}
    return _with_event(alert, AlertChange.ACKNOWLEDGED, at, actor, reason, changes)


def snoozed(alert: Alert, *, until: datetime, actor: str, at: datetime, reason: str) -> Alert:
    """Nobody is told before `until`. Raises Conflict when it is closed, InvalidInput for a time out of reach."""
    _check_open(alert)
    if not at < until <= at + LONGEST_SNOOZE:
        raise InvalidInput(f"until: a snooze ends in the future, at most {LONGEST_SNOOZE.days} days from now")
    changes = {"state": AlertState.SNOOZED, "snoozed_until": until, "revision": alert.revision + 1}
    return _with_event(alert, AlertChange.SNOOZED, at, actor, reason, changes)


def closed(alert: Alert, *, actor: str, at: datetime, reason: str) -> Alert:
    """Its cause is gone, or somebody says so. Raises Conflict when it is closed already."""
    _check_open(alert)
    changes = {"state": AlertState.CLOSED, "closed_at": at, "snoozed_until": None, "revision": alert.revision + 1}
    return _with_event(alert, AlertChange.CLOSED, at, actor, reason, changes)


def _check_open(alert: Alert) -> None:
    if alert.state is AlertState.CLOSED:
        raise Conflict(f"alert {alert.alert_id} is closed: what happens again opens another")


def _with_event(
    alert: Alert, change: AlertChange, at: datetime, actor: str, reason: str, changes: Mapping[str, object]
) -> Alert:
    event = AlertEvent(sequence=len(alert.history) + 1, change=change, at=at, actor=actor, reason=reason)
    return alert.model_copy(update={**changes, "history": (*alert.history, event)})
