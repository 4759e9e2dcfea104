"""Alerts: what is wrong, since when, who is on it."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from lambdas.api.manners import etag_matches, etag_of
from lambdas.api.paging import Cursor, Limit, PageOf, from_cursor, page_of
from lambdas.api.resource import Resource, answer
from lambdas.api.shapes import alert_examples as examples
from lambdas.api.shapes.alerts import AlertDetail, AlertReason, AlertSummary, Snooze, alert_detail, alert_summary
from lambdas.api.shapes.names import AlertId
from millrace import bootstrap, errors
from millrace.domain.alert import AlertState
from millrace.domain.role import EVERYONE, RESPONDERS
from millrace.use_cases.change_alert import Step, acknowledging, change_alert, closing, snoozing

resource = Resource("alerts")
POLL_SECONDS = 15
CHANGE_ERRORS = [errors.NotFound, errors.ChangedMeanwhile]

State = Annotated[AlertState | None, Query(description="Only alerts in this state.")]
Model = Annotated[str | None, Query(max_length=40, description="Only alerts about this registered model.")]


@resource.endpoint("GET", "/alerts", allow=EVERYONE, example=examples.PAGE)
def list_alerts(
    state: State = None, model: Model = None, cursor: Cursor = None, limit: Limit = 50
) -> Response[PageOf[AlertSummary]]:
    """Alerts, latest opened first: one for each cause, however often it was noticed."""
    scope = f"alerts {state} {model}"
    found = bootstrap.platform().alerts.page(state=state, model=model, after=from_cursor(cursor, scope), limit=limit)
    etag = resource.unless_unchanged(*(f"{alert.alert_id}.{alert.revision}" for alert in found.items), found.position)
    return answer(page_of(found, scope, alert_summary), etag=etag, poll_after=POLL_SECONDS)


@resource.endpoint("GET", "/alerts/<alert_id>", allow=EVERYONE, raises=[errors.NotFound], example=examples.DETAIL)
def get_alert(alert_id: AlertId) -> Response[AlertDetail]:
    """One alert: what happened, how often, and what people did about it."""
    alert = bootstrap.platform().alerts.get(alert_id)
    etag = resource.unless_unchanged(alert.revision)
    return answer(alert_detail(alert), etag=etag, poll_after=POLL_SECONDS)


@resource.endpoint(
    "POST", "/alerts/<alert_id>/acknowledge", allow=RESPONDERS, raises=CHANGE_ERRORS, example=examples.DETAIL
)
def acknowledge_alert(alert_id: AlertId, said: Annotated[AlertReason, Body()]) -> Response[AlertDetail]:
    """Take an alert on: it is yours from now. Say with `If-Match` what you have seen."""
    return _changed(alert_id, acknowledging(resource.caller.actor, said.reason))


@resource.endpoint("POST", "/alerts/<alert_id>/snooze", allow=RESPONDERS, raises=CHANGE_ERRORS, example=examples.DETAIL)
def snooze_alert(alert_id: AlertId, said: Annotated[Snooze, Body()]) -> Response[AlertDetail]:
    """Tell nobody before a time. Noticed after it, the alert is open again. Say with `If-Match` what you have seen."""
    if said.until.tzinfo is None:
        raise errors.InvalidInput("body.until: a time needs its zone, for example 2026-11-20T12:00:00Z")
    return _changed(alert_id, snoozing(resource.caller.actor, said.reason, said.until))


@resource.endpoint("POST", "/alerts/<alert_id>/close", allow=RESPONDERS, raises=CHANGE_ERRORS, example=examples.DETAIL)
def close_alert(alert_id: AlertId, said: Annotated[AlertReason, Body()]) -> Response[AlertDetail]:
    """Close an alert. When its cause is noticed again another one opens. Say with `If-Match` what you have seen."""
    return _changed(alert_id, closing(resource.caller.actor, said.reason))


def _changed(alert_id: str, step: Step) -> Response[AlertDetail]:
    platform = bootstrap.platform()
    alert = change_alert(
        alerts=platform.alerts,
        channels=platform.channels,
        deliveries=platform.deliveries,
        queue=platform.delivery_queue,
        dashboard=platform.dashboard,
        clock=platform.clock,
        alert_id=alert_id,
        step=step,
        revision=_seen(alert_id),
    )
    return answer(alert_detail(alert), etag=etag_of(alert.revision))


def _seen(alert_id: str) -> int | None:
    """The revision that the caller's If-Match names; None without one. Raises ChangedMeanwhile for an old one."""
    given = resource.if_match()
    if given is None:
        return None
    known = bootstrap.platform().alerts.get(alert_id)
    if not etag_matches(given, etag_of(known.revision)):
        raise errors.ChangedMeanwhile(f"alert {alert_id} changed since you looked at it: it is {known.state}")
    return known.revision
