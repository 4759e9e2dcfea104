import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from conftest import a_function, a_role, allow, outputs, write_assembly

from local import platform

HANDLERS = """
import os, time

class OrderRefused(Exception):
    pass

def echo(event, context):
    return {"echo": event, "environment": dict(os.environ)}

def refuse(event, context):
    raise OrderRefused("no such thing")

def sleep(event, context):
    time.sleep(event["seconds"])
    if event.get("refuse"):
        raise OrderRefused("too late")
    return event
"""
FUNCTIONS = ("echo", "refuse", "sleep")
INVOKE = "arn:aws:states:::lambda:invoke"


def call(function: str, payload: Any = None, **fields: Any) -> dict[str, Any]:
    parameters = {"FunctionName": f"${{{function}}}", **(payload or {"Payload.$": "$"})}
    return {"Type": "Task", "Resource": INVOKE, "Parameters": parameters, **fields}


def machine(start: str, states: dict[str, Any], role: str = "MachineRole", **top: Any) -> dict[str, Any]:
    names = {name: {"Fn::GetAtt": [name, "Arn"]} for name in FUNCTIONS}
    return {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {
            "DefinitionString": {"Fn::Sub": [json.dumps({"StartAt": start, "States": states, **top}), names]},
            "RoleArn": {"Fn::GetAtt": [role, "Arn"]},
        },
    }


MACHINES = {
    "Caught": machine(
        "Work",
        {
            "Work": call(
                "refuse",
                End=True,
                Catch=[{"ErrorEquals": ["OrderRefused"], "ResultPath": "$.failure", "Next": "Refused"}],
            ),
            "Refused": {"Type": "Fail", "ErrorPath": "$.failure.Error", "CausePath": "$.failure.Cause"},
        },
    ),
    "Echo": machine("Work", {"Work": call("echo", End=True)}),
    "Slow": machine("Work", {"Work": call("sleep", End=True, TimeoutSeconds=20)}),
    "TaskTooSlow": machine(
        "Work",
        {
            "Work": call(
                "sleep",
                End=True,
                TimeoutSeconds=1,
                Catch=[{"ErrorEquals": ["States.Timeout"], "ResultPath": "$.failure", "Next": "Late"}],
            ),
            "Late": {"Type": "Pass", "End": True},
        },
    ),
    "MachineTooSlow": machine("Work", {"Work": call("sleep", End=True)}, TimeoutSeconds=1),
    "Mapped": machine(
        "Each",
        {
            "Each": {
                "Type": "Map",
                "ItemsPath": "$.items",
                "ItemSelector": {"item.$": "$$.Map.Item.Value", "label.$": "States.Format('n{}', $$.Map.Item.Value)"},
                "ItemProcessor": {
                    "StartAt": "Check",
                    "States": {
                        "Check": {
                            "Type": "Choice",
                            "Choices": [{"Variable": "$.item", "NumericGreaterThan": 1, "Next": "Refuse"}],
                            "Default": "Pass",
                        },
                        "Pass": {"Type": "Pass", "End": True},
                        "Refuse": call(
                            "refuse",
                            End=True,
                            Catch=[{"ErrorEquals": ["OrderRefused"], "ResultPath": "$.why", "Next": "Note"}],
                        ),
                        "Note": {"Type": "Pass", "End": True},
                    },
                },
                "End": True,
            }
        },
    ),
    "Unmapped": machine(
        "Each",
        {
            "Each": {
                "Type": "Map",
                "ItemsPath": "$.items",
                "ItemProcessor": {"StartAt": "Refuse", "States": {"Refuse": call("refuse", End=True)}},
                "End": True,
            }
        },
    ),
    "Forbidden": machine("Work", {"Work": call("echo", End=True)}, role="PowerlessRole"),
    "Uncatchable": machine(
        "Work",
        {
            "Work": {
                "Type": "Task",
                "Resource": "arn:aws:states:::no:such",
                "End": True,
                "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}],
            },
            "Caught": {"Type": "Pass", "End": True},
        },
        role="MachineRole",
    ),
}


def template() -> dict[str, Any]:
    functions = {name: a_function("handlers", f"index.{name}", "FunctionRole", Timeout=25) for name in FUNCTIONS}
    arns = [{"Fn::GetAtt": [name, "Arn"]} for name in FUNCTIONS]
    return {
        "Resources": {
            "FunctionRole": a_role("lambda"),
            "MachineRole": a_role("states", allow("lambda:InvokeFunction", arns), allow("no:*", "*")),
            "PowerlessRole": a_role("states"),
            **functions,
            **MACHINES,
            "Seen": {"Type": "AWS::SQS::Queue"},
            "Ends": {
                "Type": "AWS::Events::Rule",
                "Properties": {
                    "EventPattern": {
                        "source": ["aws.states"],
                        "detail-type": ["Step Functions Execution Status Change"],
                    },
                    "Targets": [{"Id": "seen", "Arn": {"Fn::GetAtt": ["Seen", "Arn"]}}],
                },
            },
        },
        "Outputs": {
            **{name: {"Value": {"Ref": name}} for name in MACHINES},
            "Seen": {"Value": {"Ref": "Seen"}},
            "Refuse": {"Value": {"Ref": "refuse"}},
        },
    }


class Machines:
    """Starts executions and waits for their ends."""

    def __init__(self, running: platform.RunningPlatform) -> None:
        self.states = running.session().client("stepfunctions")
        self.sqs = running.session().client("sqs")
        self.arns = outputs(running, "Machines")
        self._seen: list[dict[str, Any]] = []

    def start(self, machine: str, value: Any, **named: Any) -> str:
        arn = self.states.start_execution(stateMachineArn=self.arns[machine], input=json.dumps(value), **named)
        return str(arn["executionArn"])

    def end_of(self, execution: str) -> dict[str, Any]:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            described = self.states.describe_execution(executionArn=execution)
            if described["status"] != "RUNNING":
                return dict(described)
            time.sleep(0.03)
        raise AssertionError(f"{execution} is still running")

    def run(self, name: str, value: Any) -> dict[str, Any]:
        return self.end_of(self.start(name, value))

    def events_of(self, execution: str) -> list[dict[str, Any]]:
        return list(self.states.get_execution_history(executionArn=execution, maxResults=1000)["events"])

    def announced(self, execution: str, status: str) -> dict[str, Any]:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            for detail in self._seen:
                if (detail["executionArn"], detail["status"]) == (execution, status):
                    return detail
            received = self.sqs.receive_message(QueueUrl=self.arns["Seen"], MaxNumberOfMessages=10)
            self._seen += [json.loads(message["Body"])["detail"] for message in received.get("Messages", [])]
            time.sleep(0.03)
        raise AssertionError(f"{execution} was never announced as {status}")


@pytest.fixture(scope="module")
def machines(running: platform.RunningPlatform, tmp_path_factory: pytest.TempPathFactory) -> Machines:
    source = tmp_path_factory.mktemp("source")
    (source / "index.py").write_text(HANDLERS)
    directory: Path = tmp_path_factory.mktemp("assembly")
    running.deploy(write_assembly(directory, {"Machines": template()}, {"handlers": source}))
    return Machines(running)


def test_a_catch_names_the_class_that_the_function_raised_and_fail_reports_it(machines: Machines) -> None:
    ended = machines.run("Caught", {})

    assert (ended["status"], ended["error"]) == ("FAILED", "OrderRefused")
    cause = json.loads(ended["cause"])
    assert (cause["errorType"], cause["errorMessage"]) == ("OrderRefused", "no such thing")
    assert any("refuse" in line for line in cause["stackTrace"])
    announced = machines.announced(ended["executionArn"], "FAILED")
    assert (announced["error"], announced["cause"]) == ("OrderRefused", ended["cause"])
    assert announced["startDate"] < announced["stopDate"]


def test_a_success_is_announced_with_its_input_and_output(machines: Machines) -> None:
    ended = machines.run("Echo", {"a": 1})

    assert ended["status"] == "SUCCEEDED"
    payload = json.loads(ended["output"])["Payload"]
    assert payload["echo"] == {"a": 1}
    announced = machines.announced(ended["executionArn"], "SUCCEEDED")
    assert (announced["input"], announced["output"]) == ('{"a": 1}', ended["output"])
    assert announced["error"] is None


def test_nothing_of_the_host_reaches_a_function(machines: Machines, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = json.loads(machines.run("Echo", {})["output"])["Payload"]["environment"]

    assert environment["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    assert environment["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.13"
    assert environment["AWS_ACCESS_KEY_ID"].startswith("ASIA")
    assert not {"HOME", "STATE_DIR", "VIRTUAL_ENV", "PERSIST_STATE", "GATEWAY_PORT"} & set(environment)


def test_a_task_that_takes_too_long_is_caught_as_a_timeout(machines: Machines) -> None:
    ended = machines.run("TaskTooSlow", {"seconds": 3})

    assert ended["status"] == "SUCCEEDED"
    assert json.loads(ended["output"])["failure"]["Error"] == "States.Timeout"
    assert "TaskTimedOut" in [event["type"] for event in machines.events_of(ended["executionArn"])]


def test_a_machine_that_takes_too_long_is_timed_out_and_announced_and_stays_so(machines: Machines) -> None:
    ended = machines.run("MachineTooSlow", {"seconds": 2})

    assert (ended["status"], ended["error"]) == ("TIMED_OUT", "States.Timeout")
    assert machines.announced(ended["executionArn"], "TIMED_OUT")["error"] == "States.Timeout"
    time.sleep(1.5)
    assert machines.end_of(ended["executionArn"])["status"] == "TIMED_OUT"
    assert machines.events_of(ended["executionArn"])[-1]["type"] == "ExecutionTimedOut"


def test_a_stopped_execution_is_announced_with_the_reason_and_its_thread_cannot_change_its_end(
    machines: Machines,
) -> None:
    execution = machines.start("Slow", {"seconds": 1, "refuse": True})
    time.sleep(0.4)
    machines.states.stop_execution(executionArn=execution, error="Unwanted", cause="somebody changed their mind")

    announced = machines.announced(execution, "ABORTED")
    assert (announced["error"], announced["cause"]) == ("Unwanted", "somebody changed their mind")
    time.sleep(1.2)
    assert machines.end_of(execution)["status"] == "ABORTED"
    assert machines.events_of(execution)[-1]["type"] == "ExecutionAborted"


def test_one_name_and_one_input_are_one_execution_while_it_runs(machines: Machines) -> None:
    found: list[str] = []

    def start() -> None:
        found.append(machines.start("Slow", {"seconds": 1}, name="only-once"))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 8
    assert len(set(found)) == 1
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        machines.start("Slow", {"seconds": 2}, name="only-once")
    machines.end_of(found[0])
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        machines.start("Slow", {"seconds": 1}, name="only-once")


def test_the_history_of_a_map_tells_each_iteration_with_its_states(machines: Machines) -> None:
    ended = machines.run("Mapped", {"items": [1, 2]})

    assert ended["status"] == "SUCCEEDED"
    kept, refused = json.loads(ended["output"])
    assert kept == {"item": 1, "label": "n1"}
    assert refused["why"]["Error"] == "OrderRefused"
    events = machines.events_of(ended["executionArn"])
    by_id = {event["id"]: event for event in events}
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    assert next(e for e in events if e["type"] == "MapStateStarted")["mapStateStartedEventDetails"] == {"length": 2}
    iterations = [e["mapIterationSucceededEventDetails"] for e in events if e["type"] == "MapIterationSucceeded"]
    assert sorted(iteration["index"] for iteration in iterations) == [0, 1]
    assert {iteration["name"] for iteration in iterations} == {"Each"}

    entered = next(e for e in events if e.get("stateEnteredEventDetails", {}).get("name") == "Refuse")
    ancestor = entered
    while ancestor["type"] != "MapIterationStarted":
        ancestor = by_id[ancestor["previousEventId"]]
    assert ancestor["mapIterationStartedEventDetails"] == {"name": "Each", "index": 1}
    failed = next(e for e in events if e["type"] == "TaskFailed")["taskFailedEventDetails"]
    assert (failed["error"], failed["resourceType"], failed["resource"]) == ("OrderRefused", "lambda", "invoke")
    scheduled = next(e for e in events if e["type"] == "TaskScheduled")["taskScheduledEventDetails"]
    assert json.loads(scheduled["parameters"])["FunctionName"].endswith(machines.arns["Refuse"])
    assert "TaskStarted" in [event["type"] for event in events]
    assert [e["type"] for e in events][-2:] == ["MapStateExited", "ExecutionSucceeded"]


def test_an_iteration_that_fails_fails_the_map_and_the_execution(machines: Machines) -> None:
    ended = machines.run("Unmapped", {"items": [1]})

    assert (ended["status"], ended["error"]) == ("FAILED", "OrderRefused")
    types = [event["type"] for event in machines.events_of(ended["executionArn"])]
    assert types[-3:] == ["MapIterationFailed", "MapStateFailed", "ExecutionFailed"]


def test_a_role_that_does_not_allow_the_call_fails_the_task_as_aws_does(machines: Machines) -> None:
    ended = machines.run("Forbidden", {})

    assert (ended["status"], ended["error"]) == ("FAILED", "Lambda.AWSLambdaException")
    assert "is not authorized to perform: lambda:InvokeFunction" in ended["cause"]


def test_a_runtime_error_of_the_machine_is_not_caught_by_states_all(machines: Machines) -> None:
    ended = machines.run("Uncatchable", {})

    assert (ended["status"], ended["error"]) == ("FAILED", "States.Runtime")


def test_executions_are_counted_per_state_machine(running: platform.RunningPlatform, machines: Machines) -> None:
    machines.run("Forbidden", {})
    now = time.time()
    found = (
        running.session()
        .client("cloudwatch")
        .get_metric_statistics(
            Namespace="AWS/States",
            MetricName="ExecutionsFailed",
            Dimensions=[{"Name": "StateMachineArn", "Value": machines.arns["Forbidden"]}],
            StartTime=now - 600,
            EndTime=now + 60,
            Period=600,
            Statistics=["Sum"],
        )
    )
    assert sum(point["Sum"] for point in found["Datapoints"]) >= 1
