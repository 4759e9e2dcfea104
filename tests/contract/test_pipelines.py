"""Every Pipelines: starting twice is starting once, and an execution can be looked at and stopped."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest

from millrace.adapters.memory import InMemoryPipelines
from millrace.adapters.step_functions import StepFunctionsPipelines
from millrace.domain.run import RunState
from millrace.errors import NotFound
from millrace.ports import Pipelines
from tests.contract.conftest import IMPLEMENTATIONS

PAYLOAD = {"run_id": "ingest-1", "dataset": "credit"}
WAIT = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 60, "End": True}}}


@pytest.fixture
def state_machines(aws: None) -> dict[str, str]:
    client = boto3.client("stepfunctions")
    role = "arn:aws:iam::123456789012:role/states"
    return {
        name: client.create_state_machine(name=name, definition=json.dumps(WAIT), roleArn=role)["stateMachineArn"]
        for name in ("ingest", "training")
    }


@pytest.fixture(params=IMPLEMENTATIONS)
def pipelines(request: pytest.FixtureRequest) -> Pipelines:
    if request.param == "memory":
        return InMemoryPipelines()
    arns = request.getfixturevalue("state_machines")
    return StepFunctionsPipelines(boto3.client("stepfunctions"), arns)


def test_a_started_execution_is_running(pipelines: Pipelines) -> None:
    assert pipelines.start("ingest", "ingest-1", PAYLOAD)

    assert pipelines.state("ingest", "ingest-1") == RunState.RUNNING


def test_starting_a_running_execution_again_is_answered_like_the_first_time(pipelines: Pipelines) -> None:
    pipelines.start("ingest", "ingest-1", PAYLOAD)

    assert pipelines.start("ingest", "ingest-1", dict(reversed(PAYLOAD.items())))


def test_another_input_under_the_same_name_is_not_started(pipelines: Pipelines) -> None:
    pipelines.start("ingest", "ingest-1", PAYLOAD)

    assert not pipelines.start("ingest", "ingest-1", {"run_id": "ingest-1"})


def test_an_execution_that_ended_is_not_started_again(pipelines: Pipelines) -> None:
    pipelines.start("ingest", "ingest-1", PAYLOAD)
    pipelines.stop("ingest", "ingest-1", reason="enough")

    assert not pipelines.start("ingest", "ingest-1", PAYLOAD)
    assert pipelines.state("ingest", "ingest-1") == RunState.ABORTED


def test_the_same_name_in_another_pipeline_is_another_execution(pipelines: Pipelines) -> None:
    pipelines.start("ingest", "run-1", PAYLOAD)

    with pytest.raises(NotFound):
        pipelines.state("training", "run-1")


def test_an_execution_that_never_was_is_not_found(pipelines: Pipelines) -> None:
    with pytest.raises(NotFound):
        pipelines.state("ingest", "ingest-9")
    with pytest.raises(NotFound):
        pipelines.stop("ingest", "ingest-9", reason="enough")
    with pytest.raises(NotFound):
        pipelines.steps("ingest", "ingest-9")


def test_an_execution_gets_the_payload_and_the_stop_its_reason(state_machines: dict[str, str]) -> None:
    client = boto3.client("stepfunctions")
    pipelines = StepFunctionsPipelines(client, state_machines)

    pipelines.start("ingest", "ingest-1", PAYLOAD)
    [execution] = client.list_executions(stateMachineArn=state_machines["ingest"])["executions"]
    described: Any = client.describe_execution(executionArn=execution["executionArn"])

    assert execution["name"] == "ingest-1"
    assert json.loads(described["input"]) == PAYLOAD


def test_a_pipeline_that_this_function_was_not_given_is_not_found(aws: None) -> None:
    with pytest.raises(NotFound, match="training"):
        StepFunctionsPipelines(boto3.client("stepfunctions"), {"training": ""}).start("training", "r", {})
