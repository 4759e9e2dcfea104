"""One SageMaker job while it runs: its document, its status, its events."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from local.jobs.control import JobControl
from local.jobs.documents import Document
from local.jobs.layout import HostDirectory, host_names
from local.jobs.log_stream import LogStream
from local.jobs.platform import SESSION_MARGIN_SECONDS, JobPlatform
from local.jobs.process import Command, Outcome, run_hosts
from local.jobs.role_session import RoleSession, open_role_session

IN_PROGRESS, COMPLETED, FAILED, STOPPING, STOPPED = "InProgress", "Completed", "Failed", "Stopping", "Stopped"
FINAL_STATUSES = frozenset({COMPLETED, FAILED, STOPPED})


class JobFailed(Exception):
    """The job cannot go on. The text is the FailureReason."""


@dataclass(frozen=True)
class JobKind:
    """`resource` as in ARNs (`training-job`), `noun` as in operations and fields (`TrainingJob`)."""

    resource: str
    noun: str

    @property
    def name_key(self) -> str:
        return f"{self.noun}Name"

    @property
    def arn_key(self) -> str:
        return f"{self.noun}Arn"

    @property
    def status_key(self) -> str:
        return f"{self.noun}Status"

    @property
    def log_group(self) -> str:
        return f"/aws/sagemaker/{self.noun}s"

    @property
    def event(self) -> str:
        return f"SageMaker {self.noun.removesuffix('Job')} Job State Change"

    def time_key(self, moment: str) -> str:
        """`TrainingStartTime`, `ProcessingEndTime`, …"""
        return f"{self.noun.removesuffix('Job')}{moment}Time"


TRAINING = JobKind("training-job", "TrainingJob")
PROCESSING = JobKind("processing-job", "ProcessingJob")
TRANSFORM = JobKind("transform-job", "TransformJob")
JOB_KINDS = (TRAINING, PROCESSING, TRANSFORM)


class SageMakerJob:
    """A running job of any kind: reads its request from its document and writes every change back."""

    def __init__(self, platform: JobPlatform, kind: JobKind, name: str, control: JobControl) -> None:
        self.platform = platform
        self.kind = kind
        self.name = name
        self.control = control
        self.document = platform.store.find(kind.resource, name) or {}

    @property
    def arn(self) -> str:
        return str(self.document[self.kind.arn_key])

    @cached_property
    def role(self) -> RoleSession:
        seconds = self.max_runtime_seconds + SESSION_MARGIN_SECONDS
        return open_role_session(self.platform.context, self.document["RoleArn"], "SageMaker", seconds)

    @property
    def max_runtime_seconds(self) -> float:
        return float(self.document["StoppingCondition"]["MaxRuntimeInSeconds"])

    def update(self, **changes: Any) -> None:
        self.document = self.platform.store.update(
            self.kind.resource, self.name, {**changes, "LastModifiedTime": time.time()}
        )

    def publish(self) -> None:
        self.platform.publish("aws.sagemaker", self.kind.event, self.arn, self.document)

    def started(self) -> None:
        """The instances are there; from now on time counts."""
        key = self.kind.time_key("Start")
        if key not in self.document:
            self.update(**{key: time.time()})

    def finish(self, status: str, **changes: Any) -> None:
        """Write the final document and tell the world."""
        self.update(**{self.kind.status_key: status, self.kind.time_key("End"): time.time(), **changes})
        self.publish()

    def hosts(self, directory: Path, count: int) -> dict[str, HostDirectory]:
        """Host name → its disk."""
        hosts = {name: HostDirectory(directory / f"algo-{index + 1}") for index, name in enumerate(host_names(count))}
        for host in hosts.values():
            host.create()
        return hosts

    def log_streams(self, count: int) -> list[LogStream]:
        begun = int(time.time() * 1000)
        names = [f"{self.name}/algo-{index + 1}-{begun}" for index in range(count)]
        return [LogStream(self.role.logs, self.kind.log_group, name) for name in names]

    def environment(self, host: HostDirectory, asked: dict[str, str], *, isolated: bool) -> dict[str, str]:
        """`isolated` containers get no credentials: they could not call AWS."""
        context = self.platform.context
        base = {
            **host.environment(asked, python=context.python, threads=self.platform.threads_per_job),
            "AWS_REGION": context.region,
            "AWS_DEFAULT_REGION": context.region,
        }
        return base if isolated else {**base, **self.role.environment}

    def run_commands(self, commands: Sequence[Command], *, deadline: float, on_tick: Any) -> Outcome:
        return run_hosts(
            commands,
            control=self.control,
            store=self.platform.store,
            deadline=deadline,
            grace_seconds=self.platform.times.stop_grace_seconds,
            on_tick=on_tick,
        )


def elapsed_seconds(document: Document, start: str, end: str) -> int:
    """Whole seconds between two times of a document, rounded up, as the service bills them."""
    return max(0, math.ceil(document[end] - document[start])) if start in document else 0


def failure_reason(message: str, exit_code: int) -> str:
    """The service's words for a container that exited with an error."""
    return f"AlgorithmError: {message}, exit code: {exit_code if exit_code >= 0 else 128 - exit_code}"


def require_entrypoint(entrypoint: Sequence[str] | None) -> Sequence[str]:
    if not entrypoint:
        raise JobFailed(
            "ClientError: the local platform does not run images: give the job a ContainerEntrypoint, "
            "for example ['python3', '-m', 'package.module']"
        )
    return entrypoint
