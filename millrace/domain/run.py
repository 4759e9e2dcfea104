"""Runs: one execution of a pipeline, with its steps."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import Field

from millrace.domain.entity import Entity, Moment


class RunState(StrEnum):
    """Step Functions' own states."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    ABORTED = "ABORTED"


class Job(Entity):
    """What a step had done by a service: a SageMaker job or a Glue job run, on `count` machines of `machine`.

    `billable_seconds` are of all machines together; None until the service says. `region` is where it ran.
    """

    service: str
    name: str
    machine: str | None = None
    count: int = 1
    billable_seconds: float | None = None
    region: str | None = None


class Invocations(Entity):
    """What a step had done by a function of `memory_mb`: how often it was started, for how many seconds it ran."""

    memory_mb: int
    count: int
    seconds: float


class Step(Entity):
    """One task state of one run. Items of a Map are told apart by `item`, for example the algorithm's name.

    `transitions` are those of its state machine that it and what follows it took, up to the next step: a state entered
    or tried again is one. None in runs of before they were counted.
    """

    name: str
    item: str | None = None
    state: RunState
    started_at: Moment | None = None
    ended_at: Moment | None = None
    reason: str | None = None
    job: Job | None = None
    invocations: Invocations | None = None
    transitions: int | None = None

    @property
    def seconds(self) -> float | None:
        if self.started_at is None or self.ended_at is None:
            return None
        return (self.ended_at - self.started_at).total_seconds()


class Run(Entity):
    """`reason` says in a sentence why a run that did not succeed ended; `outcome` what one that did brought about.

    `revision` counts the changes of what is recorded here.
    """

    run_id: str
    pipeline: str
    state: RunState = RunState.RUNNING
    dataset: str
    dataset_version: int | None = None
    model: str | None = None
    started_by: str
    started_at: Moment
    ended_at: Moment | None = None
    reason: str | None = None
    outcome: str | None = None
    steps: tuple[Step, ...] = ()
    revision: int = 1
    input: dict[str, Any] = Field(default_factory=dict)
