"""CloudWatch: metrics that functions embed in their logs, and alarms that look at their own dimensions over time."""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import cloudwatch, cloudwatch_logs, eventbridge

from local.context import EmulatorContext
from local.emulator.persistence import mark_changed

logger = logging.getLogger("local.observability")

Document = dict[str, Any]

EVALUATION_SECONDS = 5.0
BREACHES: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
}
# The state of an alarm none of whose periods has data. "ignore" keeps the state it had.
WITHOUT_DATA = {"breaching": "ALARM", "missing": "INSUFFICIENT_DATA", "notBreaching": "OK"}


def install(_context: EmulatorContext) -> None:
    """Turn embedded metrics into metrics, and evaluate alarms also when no metric arrives."""
    fan_out = cloudwatch_logs._fanout_to_subscription_filters

    def fan_out_and_measure(group: str, stream: str, events: list[Document]) -> None:
        for event in events:
            for metric in embedded_metrics(event["message"]):
                cloudwatch.record_metric(*metric)
        mark_changed()
        fan_out(group, stream, events)

    cloudwatch_logs._fanout_to_subscription_filters = fan_out_and_measure
    cloudwatch._evaluate_alarm = evaluate_alarm
    threading.Thread(target=_evaluate_for_ever, daemon=True, name="alarms").start()


def embedded_metrics(message: str) -> Iterator[tuple[str, str, float, str, dict[str, str]]]:
    """Yield (namespace, name, value, unit, dimensions) of a log line in CloudWatch's embedded metric format.

    Source: AWS, "Specification: Embedded metric format". A line that is something else yields nothing.
    """
    if '"_aws"' not in message:
        return
    try:
        document = json.loads(message[message.index("{") :])
    except ValueError:
        return
    for directive in document.get("_aws", {}).get("CloudWatchMetrics", []):
        for names in directive.get("Dimensions") or [[]]:
            dimensions = {name: str(document[name]) for name in names if name in document}
            for metric in directive.get("Metrics", []):
                values = document.get(metric["Name"], [])
                for value in values if isinstance(values, list) else [values]:
                    yield directive["Namespace"], metric["Name"], float(value), metric.get("Unit", "None"), dimensions


def evaluate_alarm(alarm: Document) -> None:
    """Bring one alarm to the state its data asks for, with its actions and its event when that is a new state."""
    if not alarm.get("Namespace") or not alarm.get("MetricName"):
        return
    dimensions = {dimension["Name"]: dimension["Value"] for dimension in alarm.get("Dimensions") or []}
    key = (alarm["Namespace"], alarm["MetricName"], cloudwatch._dims_key(dimensions))
    values = period_values(alarm, list(cloudwatch._metrics.get(key) or []), time.time())
    old = alarm["StateValue"]
    new = alarm_state(alarm, values)
    if new == old:
        return
    shown = ", ".join("no data" if value is None else f"{value:g}" for value in values)
    reason = f"Threshold Crossed: [{shown}] against {alarm['ComparisonOperator']} {alarm.get('Threshold')}"
    alarm.update(StateValue=new, StateReason=reason, StateUpdatedTimestamp=int(time.time()))
    cloudwatch._record_history(alarm["AlarmName"], old, new, reason)
    cloudwatch._dispatch_alarm_actions(alarm, old, new, reason)
    cloudwatch._evaluate_parent_alarms(alarm)
    publish_change(alarm, old, new, reason)
    mark_changed()


def period_values(alarm: Document, points: list[Document], now: float) -> list[float | None]:
    """Return the alarm's statistic for each of its evaluation periods, newest first; None where a period has no data.

    Periods end now, not at a full minute as on AWS: an alarm answers sooner, and otherwise alike.
    """
    period, statistic = alarm.get("Period", 60), alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
    values: list[float | None] = []
    for number in range(alarm.get("EvaluationPeriods", 1)):
        end = now - number * period
        inside = [point for point in points if end - period < point["Timestamp"] <= end]
        value = cloudwatch._stat_value(cloudwatch._calc_stats(inside), statistic, inside) if inside else None
        values.append(None if value is None else float(value))
    return values


def alarm_state(alarm: Document, values: list[float | None]) -> str:
    """Decide M out of N: ALARM, OK or INSUFFICIENT_DATA. Periods without data count as the alarm says."""
    missing = alarm.get("TreatMissingData") or "missing"
    breaches = BREACHES.get(alarm.get("ComparisonOperator", ""))
    if breaches is None:
        return str(alarm["StateValue"])
    known = [value for value in values if value is not None]
    if not known:
        return WITHOUT_DATA.get(missing, str(alarm["StateValue"]))
    count = sum(breaches(value, float(alarm["Threshold"])) for value in known)
    if missing == "breaching":
        count += len(values) - len(known)
    return "ALARM" if count >= (alarm.get("DatapointsToAlarm") or len(values)) else "OK"


def publish_change(alarm: Document, old: str, new: str, reason: str) -> None:
    """A composite alarm also says which of its parts it was, in `reasonData`."""
    state = {"value": new, "reason": reason} | (
        {"reasonData": alarm["StateReasonData"]} if "AlarmRule" in alarm else {}
    )
    detail = {
        "alarmName": alarm["AlarmName"],
        "previousState": {"value": old},
        "state": state,
        "configuration": {"description": alarm.get("AlarmDescription") or ""},
    }
    entry = {
        "Source": "aws.cloudwatch",
        "DetailType": "CloudWatch Alarm State Change",
        "Detail": json.dumps(detail),
        "Resources": [alarm["AlarmArn"]],
    }
    eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)


def _evaluate_for_ever() -> None:
    while True:
        time.sleep(EVALUATION_SECONDS)
        for (account_id, region, name), alarm in list(cloudwatch._alarms.all_items()):
            try:
                with request_scope(account_id, region):
                    evaluate_alarm(alarm)
            except Exception:
                logger.exception("alarm %s could not be evaluated", name)
