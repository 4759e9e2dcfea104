"""Event `CloudWatch Alarm State Change`, of the platform's own alarms: an alert opens, or is over."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, Field, Json

from millrace import bootstrap
from millrace.use_cases.follow_alarm import follow_alarm

logger = Logger(service="OnAlarmChanged")


class Part(BaseModel):
    arn: str


class Parts(BaseModel):
    """Metric alarms have other facts in their place."""

    triggering: list[Part] = Field(alias="triggeringAlarms", default=[])


class State(BaseModel):
    """`value` is OK, ALARM or INSUFFICIENT_DATA. What a composite alarm knows of its parts is JSON in `parts`."""

    value: str
    reason: str = ""
    parts: Json[Parts] = Field(alias="reasonData", default=Parts())


class Configuration(BaseModel):
    description: str = ""


class Detail(BaseModel):
    alarm_name: str = Field(alias="alarmName")
    state: State
    configuration: Configuration = Configuration()


class AlarmStateChange(BaseModel):
    time: datetime
    detail: Detail


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    change = AlarmStateChange.model_validate(event)
    platform = bootstrap.platform()
    alert = follow_alarm(
        alerts=platform.alerts,
        channels=platform.channels,
        deliveries=platform.deliveries,
        queue=platform.delivery_queue,
        dashboard=platform.dashboard,
        clock=platform.clock,
        name=change.detail.alarm_name,
        description=change.detail.configuration.description,
        state=change.detail.state.value,
        reason=change.detail.state.reason,
        parts=[part.arn.rpartition(":")[2] for part in change.detail.state.parts.triggering],
        at=change.time,
    )
    said = {} if alert is None else {"alert_id": alert.alert_id, "state": alert.state}
    logger.info("followed", extra={"alarm": change.detail.alarm_name, **said})
    return said
