"""What people do with an alert: take it on, silence it for a while, close it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from millrace.domain import alert as alerts_of
from millrace.domain.alert import Alert
from millrace.errors import ChangedMeanwhile, Conflict
from millrace.ports import AlertBook, ChannelBook, Clock, Dashboard, DeliveryBook, DeliveryQueue
from millrace.use_cases.announce_alert import announce_alert

_ATTEMPTS = 20
Step = Callable[[Alert, datetime], Alert]


def acknowledging(actor: str, reason: str) -> Step:
    return lambda alert, at: alerts_of.acknowledged(alert, actor=actor, at=at, reason=reason)


def snoozing(actor: str, reason: str, until: datetime) -> Step:
    return lambda alert, at: alerts_of.snoozed(alert, until=until, actor=actor, at=at, reason=reason)


def closing(actor: str, reason: str) -> Step:
    return lambda alert, at: alerts_of.closed(alert, actor=actor, at=at, reason=reason)


def change_alert(
    *,
    alerts: AlertBook,
    channels: ChannelBook,
    deliveries: DeliveryBook,
    queue: DeliveryQueue,
    dashboard: Dashboard,
    clock: Clock,
    alert_id: str,
    step: Step,
    revision: int | None = None,
) -> Alert:
    """`revision` is the one the person saw; without it the step applies to whatever is there.

    Raises NotFound, ChangedMeanwhile, Conflict when the alert is closed.
    """
    for _ in range(_ATTEMPTS):
        known = alerts.get(alert_id)
        if revision is not None and known.revision != revision:
            raise ChangedMeanwhile(f"alert {alert_id} changed since you looked at it: it is {known.state}")
        changed = step(known, clock.now())
        try:
            alerts.replace(changed)
        except ChangedMeanwhile:
            continue
        announce_alert(
            channels=channels, deliveries=deliveries, queue=queue, dashboard=dashboard, clock=clock, alert=changed
        )
        return changed
    raise Conflict(f"alert {alert_id} keeps changing: try again in a moment")
