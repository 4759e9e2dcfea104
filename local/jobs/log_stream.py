"""Writes a job's output to CloudWatch Logs while it runs."""

import collections
import sys
import threading
import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

FLUSH_SECONDS = 0.5
LARGEST_BATCH = 500
LONGEST_MESSAGE = 100_000


class LogStream:
    """One log stream, written in batches. A role without permission to log loses the log, not the job, as on AWS."""

    def __init__(self, logs: Any, group: str, stream: str) -> None:
        self._logs = logs
        self._names = {"logGroupName": group, "logStreamName": stream}
        self._pending: collections.deque[dict[str, Any]] = collections.deque()
        self._flush_lock = threading.Lock()
        self._flushed_at = 0.0
        self._created = False
        self._refused = False

    def write(self, line: str) -> None:
        if line:
            self._pending.append({"timestamp": int(time.time() * 1000), "message": line[:LONGEST_MESSAGE]})

    def tick(self) -> None:
        """Flush when it is time to."""
        if time.monotonic() - self._flushed_at >= FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        with self._flush_lock:
            self._flushed_at = time.monotonic()
            while self._pending and not self._refused:
                batch = [self._pending.popleft() for _ in range(min(len(self._pending), LARGEST_BATCH))]
                self._put(batch)

    def _put(self, batch: list[dict[str, Any]]) -> None:
        try:
            self._create()
            self._logs.put_log_events(**self._names, logEvents=sorted(batch, key=lambda event: event["timestamp"]))
        except (ClientError, BotoCoreError) as error:
            self._refused = True
            print(f"no log for {self._names['logStreamName']}: {error}", file=sys.stderr)

    def _create(self) -> None:
        if self._created:
            return
        group_name = self._names["logGroupName"]
        for create, arguments in (
            (self._logs.create_log_group, {"logGroupName": group_name}),
            (self._logs.create_log_stream, self._names),
        ):
            try:
                create(**arguments)
            except ClientError as error:
                if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
                    raise
        self._created = True
