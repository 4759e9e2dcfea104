"""Raise an alert, or note on the one that is open that its cause was noticed again; and tell who wants to know."""

from __future__ import annotations

from datetime import datetime

from millrace.domain import alert as alerts_of
from millrace.domain.alert import Alert, AlertState, Signal
from millrace.errors import ChangedMeanwhile, Conflict
from millrace.ports import AlertBook, ChannelBook, Clock, Dashboard, DeliveryBook, DeliveryQueue
from millrace.use_cases.announce_alert import announce_alert

_ATTEMPTS = 20


def raise_alert(
    *,
    alerts: AlertBook,
    channels: ChannelBook,
    deliveries: DeliveryBook,
    queue: DeliveryQueue,
    dashboard: Dashboard,
    clock: Clock,
    signal: Signal,
) -> Alert:
    """The alert of the signal's cause. The same signal again changes nothing, but what was not told yet is told."""
    alert = _noted(alerts, signal)
    announce_alert(channels=channels, deliveries=deliveries, queue=queue, dashboard=dashboard, clock=clock, alert=alert)
    return alert


def settle_cause(
    *,
    alerts: AlertBook,
    channels: ChannelBook,
    deliveries: DeliveryBook,
    queue: DeliveryQueue,
    dashboard: Dashboard,
    clock: Clock,
    cause: str,
    actor: str,
    at: datetime,
    reason: str,
) -> Alert | None:
    """Close the alert of a cause that is gone; None if it has none. Older news than its last notice close nothing."""
    for _ in range(_ATTEMPTS):
        known = alerts.latest(cause)
        if known is None:
            return None
        if known.state is not AlertState.CLOSED and at >= known.last_seen_at:
            ended = alerts_of.closed(known, actor=actor, at=at, reason=reason)
            try:
                alerts.replace(ended)
            except ChangedMeanwhile:
                continue
            known = ended
        announce_alert(
            channels=channels, deliveries=deliveries, queue=queue, dashboard=dashboard, clock=clock, alert=known
        )
        return known
    raise Conflict(f"the alert of {cause} keeps changing: try again in a moment")


def _noted(alerts: AlertBook, signal: Signal) -> Alert:
    for _ in range(_ATTEMPTS):
        known = alerts.latest(signal.cause)
        try:
            if known is not None and signal.signal_id in known.signals:
                return known
            if known is None or known.state is AlertState.CLOSED:
                new = alerts_of.opened(signal)
                alerts.open(new, following=known)
                return new
            again = alerts_of.noticed_again(known, signal)
            alerts.replace(again)
        except ChangedMeanwhile:
            continue  # another notice came in between: look again
        return again
    raise Conflict(f"the alert of {signal.cause} keeps changing: try again in a moment")
