"""What jobs write, in CloudWatch Logs: SageMaker names streams after its jobs, Glue after its job runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from millrace.domain.run import Job
from millrace.errors import InvalidInput
from millrace.ports import LogLine, LogTail

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

_GROUPS = {
    "sagemaker": ("/aws/sagemaker/TrainingJobs", "/aws/sagemaker/ProcessingJobs", "/aws/sagemaker/TransformJobs"),
    "glue": ("/aws-glue/jobs/output", "/aws-glue/jobs/error"),
}
_MOST_STREAMS = 20


class CloudWatchJobLogs:
    def __init__(self, client: CloudWatchLogsClient) -> None:
        self._client = client

    def tail(self, jobs: Sequence[Job], marks: Mapping[str, str], *, limit: int) -> LogTail:
        lines: list[LogLine] = []
        reached = dict(marks)
        for job, group, stream in self._streams(jobs):
            key = f"{group}:{stream}"
            events, reached[key] = self._read(group, stream, marks.get(key), limit)
            lines += [LogLine(_moment(event["timestamp"]), job.name, event["message"]) for event in events]
        lines.sort(key=lambda line: line.at)
        return LogTail(lines if marks else lines[-limit:], reached)

    def _streams(self, jobs: Sequence[Job]) -> Iterator[tuple[Job, str, str]]:
        for job in jobs:
            for group in _GROUPS.get(job.service, ()):
                for stream in self._named_after(group, job.name)[:_MOST_STREAMS]:
                    yield job, group, stream

    def _named_after(self, group: str, job: str) -> list[str]:
        """`{job}` itself or `{job}/…`; another job may have a name that only begins like this one's."""
        try:
            found = self._client.describe_log_streams(logGroupName=group, logStreamNamePrefix=job)["logStreams"]
        except self._client.exceptions.ResourceNotFoundException:
            return []  # no job of this kind has ever written
        names = [stream["logStreamName"] for stream in found]
        return [name for name in names if name == job or name.startswith(f"{job}/")]

    def _read(self, group: str, stream: str, mark: str | None, limit: int) -> tuple[list[Any], str]:
        wanted: dict[str, Any] = {"logGroupName": group, "logStreamName": stream, "limit": limit}
        wanted |= {"startFromHead": False} if mark is None else {"startFromHead": True, "nextToken": mark}
        try:
            answer = self._client.get_log_events(**wanted)
        except ClientError as error:
            if error.response["Error"]["Code"] == "InvalidParameterException":
                raise InvalidInput(
                    "cursor: the log cannot be read on from there; begin again without a cursor"
                ) from error
            raise
        return list(answer["events"]), answer["nextForwardToken"]


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
