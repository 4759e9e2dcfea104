"""What the API says of runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from lambdas.api.paging import PageOf
from millrace.domain.cost import cost_of, cost_of_invocations, costs_of_steps
from millrace.domain.run import Run, RunState, Step


class RunSummary(BaseModel):
    """A run in a list. `outcome` says what a run brought about, `reason` why one did not succeed."""

    run_id: str
    pipeline: str
    state: RunState
    dataset: str
    dataset_version: int | None
    model: str | None
    started_by: str
    started_at: datetime
    ended_at: datetime | None
    seconds: float | None
    outcome: str | None
    reason: str | None


class RunPage(PageOf[RunSummary]):
    """`counts` are of all runs of the pipelines asked for, by state, whatever the page shows."""

    counts: dict[RunState, int]


class JobAnswer(BaseModel):
    """A job of a step. `cost_usd` is by list prices; null while it is not known."""

    service: str
    name: str
    machine: str | None
    count: int
    billable_seconds: float | None
    cost_usd: float | None


class InvocationsAnswer(BaseModel):
    """How often a step's function was started, and how long it ran. `cost_usd` is by list prices."""

    memory_mb: int
    count: int
    seconds: float
    cost_usd: float


class StepAnswer(BaseModel):
    """One step; `item` tells the branches of one step apart, for example by algorithm.

    `transitions` are those of its state machine up to the next step; null for runs of before they were counted.
    """

    name: str
    item: str | None
    state: RunState
    started_at: datetime | None
    ended_at: datetime | None
    seconds: float | None
    reason: str | None
    job: JobAnswer | None
    invocations: InvocationsAnswer | None
    transitions: int | None


class RunCosts(BaseModel):
    """What `cost_usd` is made of: no storage, requests or logs. `jobs_usd` is null while it is not known."""

    jobs: int
    jobs_usd: float | None
    invocations: int
    functions_usd: float
    transitions: int
    transitions_usd: float


class RunDetail(RunSummary):
    """`cost_usd` is by list prices, of the steps so far; null while nothing of it is known."""

    steps: list[StepAnswer]
    cost_usd: float | None
    costs: RunCosts
    input: dict[str, Any]


class StopRequest(BaseModel):
    """Why: it stays with the run."""

    model_config = {"extra": "forbid", "json_schema_extra": {"examples": [{"reason": "started on the wrong version"}]}}

    reason: str = Field(min_length=3, max_length=2000)


class LogLineAnswer(BaseModel):
    at: datetime
    job: str
    text: str


class LogAnswer(BaseModel):
    """What jobs wrote. Give `next_cursor` as `cursor` for what comes next; while a run runs there may be more."""

    lines: list[LogLineAnswer]
    next_cursor: str
    ended: bool = Field(description="The run has ended, so nothing more will come once a page is empty.")


def run_summary(run: Run) -> RunSummary:
    return RunSummary(**_facts(run))


def run_detail(run: Run, steps: Sequence[Step]) -> RunDetail:
    costs = costs_of_steps(steps)
    return RunDetail(
        **_facts(run),
        steps=[_step(step) for step in steps],
        cost_usd=costs.usd,
        costs=RunCosts(**costs._asdict()),
        input=run.input,
    )


def _facts(run: Run) -> dict[str, Any]:
    facts = run.model_dump(exclude={"steps", "input", "revision"})
    return {**facts, "seconds": (run.ended_at - run.started_at).total_seconds() if run.ended_at else None}


def _step(step: Step) -> StepAnswer:
    job = step.job and JobAnswer(**step.job.model_dump(), cost_usd=cost_of(step.job))
    invocations = step.invocations and InvocationsAnswer(
        **step.invocations.model_dump(), cost_usd=cost_of_invocations(step.invocations)
    )
    facts = step.model_dump(exclude={"job", "invocations"})
    return StepAnswer(**facts, seconds=step.seconds, job=job, invocations=invocations)
