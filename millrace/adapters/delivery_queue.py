"""Deliveries wait in SQS, at most a quarter of an hour at a time: whoever takes one too early puts it back."""

from __future__ import annotations

import json
from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

LONGEST_DELAY_SECONDS = 900


class SqsDeliveryQueue:
    def __init__(self, client: SQSClient, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, channel_id: str, delivery_id: str, *, delay_seconds: float) -> None:
        self._client.send_message(
            QueueUrl=self._queue_url,
            MessageBody=json.dumps({"channel_id": channel_id, "delivery_id": delivery_id}),
            DelaySeconds=min(LONGEST_DELAY_SECONDS, max(0, ceil(delay_seconds))),
        )
