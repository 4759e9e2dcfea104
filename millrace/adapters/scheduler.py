"""Timers in EventBridge Scheduler: one of its schedules for each of ours, of the same name, in the platform's group."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from millrace.domain.schedule import Schedule, ScheduleState
from millrace.errors import InvalidInput

# The service puts the time in question here, whenever it gets to deliver it.
DUE_AT = "<aws.scheduler.scheduled-time>"
# What could not be delivered for so long is not made up for: the next time is near.
_RETRIED_SECONDS = 3600


class EventBridgeTimer:
    """`role_arn` is what the service invokes `target_arn`, a function, with."""

    def __init__(self, client: Any, *, group: str, target_arn: str, role_arn: str) -> None:
        self._client = client
        self._group = group
        self._target_arn = target_arn
        self._role_arn = role_arn

    def set(self, schedule: Schedule, *, begin_at: datetime | None) -> None:
        wanted = self._wanted(schedule, begin_at)
        try:
            try:
                self._client.update_schedule(**wanted)
            except self._client.exceptions.ResourceNotFoundException:
                self._client.create_schedule(**wanted)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ValidationException":
                raise InvalidInput(
                    f"the scheduler takes no such schedule: {error.response['Error']['Message']}"
                ) from error
            raise

    def remove(self, schedule_id: str) -> None:
        try:
            self._client.delete_schedule(GroupName=self._group, Name=schedule_id)
        except self._client.exceptions.ResourceNotFoundException:
            return  # it was removed before

    def _wanted(self, schedule: Schedule, begin_at: datetime | None) -> dict[str, Any]:
        return {
            "GroupName": self._group,
            "Name": schedule.schedule_id,
            "ScheduleExpression": schedule.expression,
            "ScheduleExpressionTimezone": schedule.timezone,
            "State": "ENABLED" if schedule.state is ScheduleState.ACTIVE else "DISABLED",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            **({} if begin_at is None else {"StartDate": begin_at}),
            "Target": {
                "Arn": self._target_arn,
                "RoleArn": self._role_arn,
                "Input": json.dumps({"schedule_id": schedule.schedule_id, "due_at": DUE_AT}),
                "RetryPolicy": {"MaximumEventAgeInSeconds": _RETRIED_SECONDS, "MaximumRetryAttempts": 20},
            },
        }
