"""Every JobLogs: the last lines first, then only what came since."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import boto3
import pytest

from millrace.adapters.cloudwatch_logs import CloudWatchJobLogs
from millrace.adapters.memory import InMemoryJobLogs
from millrace.domain.run import Job
from millrace.ports import JobLogs
from tests.builders import NOON
from tests.contract.conftest import IMPLEMENTATIONS, REGION

TRAINING = Job(service="sagemaker", name="training-1-xgboost")
OTHER = Job(service="sagemaker", name="training-1-xgboost-2")
GLUE = Job(service="glue", name="jr_1")
Write = Callable[[Job, int, str], None]


@pytest.fixture(params=IMPLEMENTATIONS)
def logs(request: pytest.FixtureRequest) -> tuple[JobLogs, Write]:
    """The logs, and how a job writes the line `text` so many seconds after noon."""
    if request.param == "memory":
        fake = InMemoryJobLogs()
        return fake, lambda job, second, text: fake.write(job.name, NOON + timedelta(seconds=second), text)
    request.getfixturevalue("aws")
    client: Any = boto3.client("logs", region_name=REGION)
    return CloudWatchJobLogs(client), lambda job, second, text: write(client, job, second, text)


def write(client: Any, job: Job, second: int, text: str) -> None:
    """As the services name their streams."""
    group = "/aws-glue/jobs/output" if job.service == "glue" else "/aws/sagemaker/TrainingJobs"
    stream = job.name if job.service == "glue" else f"{job.name}/algo-1-1795213524956"
    for create, named in (
        (client.create_log_group, {"logGroupName": group}),
        (client.create_log_stream, {"logGroupName": group, "logStreamName": stream}),
    ):
        try:
            create(**named)
        except client.exceptions.ResourceAlreadyExistsException:
            continue
    at = int((NOON + timedelta(seconds=second)).timestamp() * 1000)
    client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[{"timestamp": at, "message": text}])


def test_lines_of_all_jobs_come_in_order_of_time(logs: tuple[JobLogs, Write]) -> None:
    reader, say = logs
    say(TRAINING, 1, "one")
    say(GLUE, 2, "two")
    say(TRAINING, 3, "three")
    say(OTHER, 2, "of another job")

    tail = reader.tail([TRAINING, GLUE], {}, limit=10)

    assert [(line.job, line.text) for line in tail.lines] == [
        (TRAINING.name, "one"),
        (GLUE.name, "two"),
        (TRAINING.name, "three"),
    ]
    assert tail.lines[0].at == NOON + timedelta(seconds=1)


def test_the_last_lines_come_first_and_then_only_what_came_since(logs: tuple[JobLogs, Write]) -> None:
    reader, say = logs
    for second in range(5):
        say(TRAINING, second, str(second))

    first = reader.tail([TRAINING], {}, limit=2)
    say(TRAINING, 6, "new")
    second_look = reader.tail([TRAINING], first.marks, limit=10)
    third_look = reader.tail([TRAINING], second_look.marks, limit=10)

    assert [line.text for line in first.lines] == ["3", "4"]
    assert [line.text for line in second_look.lines] == ["new"]
    assert list(third_look.lines) == []


def test_a_job_that_wrote_nothing_has_no_lines(logs: tuple[JobLogs, Write]) -> None:
    reader, _ = logs

    assert reader.tail([TRAINING, GLUE], {}, limit=5) == ([], {})
    assert reader.tail([], {}, limit=5) == ([], {})
