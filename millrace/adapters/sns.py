"""Notifications over SNS."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

    from millrace.ports import Dashboard

_SUBJECT_LENGTH = 100


class SnsNotifier:
    def __init__(self, client: SNSClient, topic_arn: str, dashboard: Dashboard) -> None:
        self._client = client
        self._topic_arn = topic_arn
        self._dashboard = dashboard

    def notify(self, *, subject: str, message: str, path: str, attributes: Mapping[str, str]) -> None:
        self._client.publish(
            TopicArn=self._topic_arn,
            Subject=subject_line(subject),
            Message=f"{message.rstrip()}\n\n{self._dashboard.address(path)}\n",
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
            },
        )


class SnsSubscriptions:
    """E-mail addresses on the topic, each with a filter: SNS asks the owner first."""

    def __init__(self, client: SNSClient, topic_arn: str) -> None:
        self._client = client
        self._topic_arn = topic_arn

    def subscribe(self, address: str, *, audience: str) -> str:
        answer = self._client.subscribe(
            TopicArn=self._topic_arn,
            Protocol="email",
            Endpoint=address,
            ReturnSubscriptionArn=True,
            Attributes={"FilterPolicy": json.dumps({"audience": [audience]})},
        )
        return answer["SubscriptionArn"]

    def unsubscribe(self, subscription: str) -> None:
        try:
            self._client.unsubscribe(SubscriptionArn=subscription)
        except self._client.exceptions.NotFoundException:
            return  # it is gone


def subject_line(subject: str) -> str:
    """What SNS takes: one line of 1 to 100 printable ASCII characters."""
    ascii_only = subject.encode("ascii", "replace").decode()
    line = " ".join("".join(char if char.isprintable() else " " for char in ascii_only).split()) or "Millrace"
    return line if len(line) <= _SUBJECT_LENGTH else f"{line[: _SUBJECT_LENGTH - 3]}..."
