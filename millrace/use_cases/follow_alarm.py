"""Follow a CloudWatch alarm: in ALARM it is an alert, back at OK the alert is closed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from millrace.domain.alert import Alert
from millrace.ports import AlertBook, ChannelBook, Clock, Dashboard, DeliveryBook, DeliveryQueue
from millrace.use_cases.raise_alert import raise_alert, settle_cause
from millrace.use_cases.watch_sources import alarm_cause, alarm_signal


def follow_alarm(
    *,
    alerts: AlertBook,
    channels: ChannelBook,
    deliveries: DeliveryBook,
    queue: DeliveryQueue,
    dashboard: Dashboard,
    clock: Clock,
    name: str,
    description: str,
    state: str,
    reason: str,
    parts: Sequence[str] = (),
    at: datetime,
) -> Alert | None:
    """The alarm's alert; None when there is nothing to say. Not knowing (INSUFFICIENT_DATA) is neither.

    `parts` are the alarms that set off this one, when it joins several.
    """
    if state == "ALARM":
        signal = alarm_signal(name, description, reason, at, parts=parts)
        return raise_alert(
            alerts=alerts,
            channels=channels,
            deliveries=deliveries,
            queue=queue,
            dashboard=dashboard,
            clock=clock,
            signal=signal,
        )
    if state != "OK":
        return None
    return settle_cause(
        alerts=alerts,
        channels=channels,
        deliveries=deliveries,
        queue=queue,
        dashboard=dashboard,
        clock=clock,
        cause=alarm_cause(name),
        actor=f"alarm:{name}",
        at=at,
        reason="The alarm is over." if parts else f"The alarm is over. {reason}".strip(),
    )
