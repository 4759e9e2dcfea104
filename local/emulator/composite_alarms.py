"""CloudWatch: composite alarms in templates, and the event of their change. ministack evaluates their rules itself."""

import json
from collections.abc import Callable
from typing import Any

from ministack.services import cloudwatch
from ministack.services.cloudformation import provisioners

from local.context import EmulatorContext
from local.emulator.observability import publish_change
from local.emulator.persistence import mark_changed

Document = dict[str, Any]
TYPE = "AWS::CloudWatch::CompositeAlarm"


def install(_context: EmulatorContext) -> None:
    """Make them for CloudFormation, which ministack does not, and say when they change, as for other alarms."""
    provisioners._RESOURCE_HANDLERS[TYPE] = {"create": create, "update": update, "delete": delete}
    cloudwatch._transition_composite = announcing(cloudwatch._transition_composite)


def create(logical_id: str, properties: Document, stack_name: str) -> tuple[str, Document]:
    return _put(properties.get("AlarmName") or provisioners._physical_name(stack_name, logical_id), properties)


def update(physical_id: str, _old: Document, new: Document, _stack_name: str) -> tuple[str, Document]:
    """State and history stay. Raises ValueError for another name, which would be another alarm."""
    if new.get("AlarmName", physical_id) != physical_id:
        raise ValueError(f"{physical_id} cannot get another name here: give the alarm another logical id")
    return _put(physical_id, new)


def delete(physical_id: str, _properties: Document) -> None:
    _answered(cloudwatch._delete_alarms({}, {"AlarmNames": [physical_id]}, False, True))


def _put(name: str, properties: Document) -> tuple[str, Document]:
    _answered(cloudwatch._put_composite_alarm({}, {**properties, "AlarmName": name}, False, True))
    return name, {"Arn": cloudwatch._composite_alarms[name]["AlarmArn"]}


def _answered(answer: tuple[int, Document, bytes]) -> None:
    """Raises ValueError with what CloudWatch says to a request that it refuses."""
    status, _, body = answer
    if status != 200:
        raise ValueError(json.loads(body)["message"])


def announcing(transition: Callable[..., None]) -> Callable[..., None]:
    """`transition`, followed by the event that EventBridge gets on AWS."""

    def transition_and_announce(alarm: Document, new: str, reason: str, *rest: Any) -> None:
        old = alarm["StateValue"]
        transition(alarm, new, reason, *rest)
        publish_change(alarm, old, new, reason)
        mark_changed()

    return transition_and_announce
