"""Inference records on SQS: a queue takes a record in milliseconds and gives it up only to who has written it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# Below the 256 KB that every region takes.
MESSAGE_BYTES = 240_000

logger = logging.getLogger(__name__)


class SqsRecordQueue:
    """Records travel as JSON lists, as many in one message as fit."""

    def __init__(self, client: SQSClient, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, records: Sequence[str]) -> None:
        for body in bodies(records):
            try:
                self._client.send_message(QueueUrl=self._queue_url, MessageBody=body)
            except (BotoCoreError, ClientError) as error:
                # An answer is not withheld because it could not be filed: the log keeps what the queue did not take.
                logger.error("inference records not queued (%s): %s", type(error).__name__, body)


def bodies(records: Sequence[str]) -> Iterator[str]:
    """JSON lists of up to MESSAGE_BYTES, in order; a record that is larger than that travels alone."""
    held: list[str] = []
    size = 0
    for record in records:
        length = len(record.encode()) + 1
        if held and size + length > MESSAGE_BYTES:
            yield f"[{','.join(held)}]"
            held, size = [], 0
        held.append(record)
        size += length
    if held:
        yield f"[{','.join(held)}]"
