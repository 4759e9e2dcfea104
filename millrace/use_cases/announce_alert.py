"""Tell the channels what happened to an alert: one delivery for each change and each channel that wants it."""

from __future__ import annotations

import json

from millrace.domain.alert import Alert, AlertEvent
from millrace.domain.channel import OPERATORS, Channel, ChannelKind, Delivery, DeliveryState, delivery_id, event_name
from millrace.domain.page import alert_page
from millrace.ports import ChannelBook, Clock, Dashboard, DeliveryBook, DeliveryQueue


def announce_alert(
    *,
    channels: ChannelBook,
    deliveries: DeliveryBook,
    queue: DeliveryQueue,
    dashboard: Dashboard,
    clock: Clock,
    alert: Alert,
) -> None:
    """Make sure that every change of `alert` is being told. Repeating it tells nothing twice.

    The delivery is recorded first and queued second: whoever repeats it queues what was never attempted once more.
    """
    now = clock.now()
    for channel in (OPERATORS, *channels.list()):
        for event in alert.history:
            if not channel.wants(alert, event):
                continue
            stored = deliveries.open(
                Delivery(
                    delivery_id=delivery_id(alert, event, channel),
                    channel_id=channel.channel_id,
                    event=event_name(event.change),
                    alert_id=alert.alert_id,
                    subject=subject_of(alert, event),
                    body=body_of(alert, event, channel, dashboard),
                    due_at=now,
                    created_at=now,
                )
            )
            if stored.state is DeliveryState.PENDING and not stored.attempts:
                queue.send(channel.channel_id, stored.delivery_id, delay_seconds=0)


def subject_of(alert: Alert, event: AlertEvent) -> str:
    return f"Millrace: {event.change.lower()}: {alert.title}"


def body_of(alert: Alert, event: AlertEvent, channel: Channel, dashboard: Dashboard) -> str:
    """JSON for programs, Slack's form for Slack, plain text for people, to which the notifier adds the page."""
    if channel.kind is ChannelKind.WEBHOOK:
        return json.dumps(_event(alert, event, dashboard), ensure_ascii=False)
    said = [f"{event.change}: {alert.title}", event.reason]
    if event.actor.startswith("user:"):
        said.append(f"By {event.actor}.")
    said.append(f"Seen {alert.breaches} times since {alert.opened_at:%Y-%m-%d %H:%M} UTC.")
    if channel.kind is ChannelKind.SLACK:
        said.append(dashboard.address(alert_page(alert.alert_id)))
        return json.dumps({"text": slack_text(said)}, ensure_ascii=False)
    return "\n\n".join(said) + "\n"


def slack_text(paragraphs: list[str]) -> str:
    """Slack's mrkdwn: the first paragraph is bold, and nobody is mentioned by what a message quotes."""
    escaped = [each.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") for each in paragraphs]
    return "\n".join([f"*{escaped[0]}*", *escaped[1:]])


def _event(alert: Alert, event: AlertEvent, dashboard: Dashboard) -> dict[str, object]:
    """`link` is where to look, `alert_link` where to take it on."""
    shown = {"alert_id", "kind", "severity", "title", "model", "dataset", "source", "owner"}
    facts = alert.model_dump(mode="json", include=shown | {"opened_at", "last_seen_at", "breaches", "state"})
    change = event.model_dump(mode="json", include={"sequence", "actor", "reason"})
    links = {"link": dashboard.address(alert.link), "alert_link": dashboard.address(alert_page(alert.alert_id))}
    return {"type": event_name(event.change), "timestamp": event.at.isoformat(), "data": facts | change | links}
