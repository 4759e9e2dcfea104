"""What an execution's history says of its jobs: which, on what, and what they were billed for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from millrace.adapters.execution_history import job_of, steps_of
from millrace.domain.cost import cost_of, cost_of_steps
from millrace.domain.run import Job, RunState, Step
from tests.builders import NOON

FIELDS = {
    "TaskScheduled": ("taskScheduledEventDetails", "parameters"),
    "TaskSubmitted": ("taskSubmittedEventDetails", "output"),
    "TaskSucceeded": ("taskSucceededEventDetails", "output"),
    "TaskFailed": ("taskFailedEventDetails", "cause"),
}
TRAINING = {
    "TrainingJobName": "training-1-xgboost",
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 2},
}


def event(kind: str, service: str, document: Any) -> dict[str, Any]:
    details, field = FIELDS[kind]
    text = document if isinstance(document, str) else json.dumps(document)
    return {"type": kind, details: {"resourceType": service, field: text}}


def test_a_training_job_is_known_when_it_is_asked_for_and_its_bill_when_it_ended() -> None:
    asked = job_of(event("TaskScheduled", "sagemaker", TRAINING))
    ended = job_of(event("TaskSucceeded", "sagemaker", {**TRAINING, "BillableTimeInSeconds": 90}))

    assert asked == Job(service="sagemaker", name="training-1-xgboost", machine="ml.m5.large", count=2)
    assert ended == asked.model_copy(update={"billable_seconds": 180.0})


def test_a_processing_job_is_billed_from_start_to_end() -> None:
    described = {
        "ProcessingJobName": "training-1-evaluation",
        "ProcessingResources": {"ClusterConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1}},
        "ProcessingStartTime": 1_000_000,
        "ProcessingEndTime": 1_060_000,
    }

    assert job_of(event("TaskSucceeded", "sagemaker", described)) == Job(
        service="sagemaker", name="training-1-evaluation", machine="ml.m5.xlarge", billable_seconds=60.0
    )


@pytest.mark.parametrize("kind", ["TaskSucceeded", "TaskFailed"])
def test_a_glue_job_run_is_known_once_submitted_and_billed_by_worker(kind: str) -> None:
    run = {"Id": "jr_1", "WorkerType": "G.1X", "NumberOfWorkers": 2, "ExecutionTime": 90}

    assert job_of(event("TaskScheduled", "glue", {"JobName": "prepare"})) is None
    assert job_of(event("TaskSubmitted", "glue", {"JobRunId": "jr_1"})) == Job(service="glue", name="jr_1")
    assert job_of(event(kind, "glue", run)) == Job(
        service="glue", name="jr_1", machine="G.1X", count=2, billable_seconds=180.0
    )


def test_a_glue_job_run_is_billed_for_a_minute_at_least() -> None:
    short = {"Id": "jr_1", "WorkerType": "G.1X", "NumberOfWorkers": 2, "ExecutionTime": 4}

    job = job_of(event("TaskSucceeded", "glue", short))

    assert job is not None
    assert cost_of(job) == pytest.approx(2 * 0.44 / 60)


@pytest.mark.parametrize(
    "other",
    [
        event("TaskScheduled", "lambda", {"run_id": "training-1"}),
        event("TaskSucceeded", "sagemaker", "{ cut off"),
        event("TaskSucceeded", "sagemaker", "[]"),
        {"type": "TaskStateEntered"},
    ],
)
def test_what_tells_of_no_job_is_none(other: dict[str, Any]) -> None:
    assert job_of(other) is None


def test_a_job_costs_its_billed_time_at_the_list_price() -> None:
    job = Job(service="sagemaker", name="a", machine="ml.m5.large", billable_seconds=3600.0)

    assert cost_of(job) == pytest.approx(0.115)
    assert cost_of(job.model_copy(update={"machine": "ml.unheard.of"})) is None
    assert cost_of(job.model_copy(update={"billable_seconds": None})) is None


def test_steps_cost_what_their_jobs_do_and_nothing_is_made_up() -> None:
    job = Job(service="glue", name="a", machine="G.1X", billable_seconds=1800.0)
    steps = [Step(name="A", state=RunState.SUCCEEDED, job=job), Step(name="B", state=RunState.SUCCEEDED)]

    assert cost_of_steps(steps) == pytest.approx(0.22)
    assert cost_of_steps(steps[1:]) is None


def test_a_step_tells_the_region_that_its_job_was_sent_to() -> None:
    scheduled = event("TaskScheduled", "sagemaker", {"TrainingJobName": "a"})
    scheduled["taskScheduledEventDetails"]["region"] = "eu-west-1"
    history = [
        {"id": 1, "previousEventId": 0, "type": "TaskStateEntered", "stateEnteredEventDetails": {"name": "Train"}},
        scheduled | {"id": 2, "previousEventId": 1},
        event("TaskSucceeded", "sagemaker", {"TrainingJobName": "a"}) | {"id": 3, "previousEventId": 2},
    ]

    (step,) = steps_of([entry | {"timestamp": NOON} for entry in history])

    assert step.job is not None
    assert (step.job.name, step.job.region) == ("a", "eu-west-1")
