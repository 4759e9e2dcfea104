import json
from pathlib import Path
from typing import Any

import pytest

from local.context import EmulatorContext
from local.emulator import (
    condition_keys,
    functions,
    history,
    observability,
    permissions,
    server,
    state_machines,
    storage,
)
from local.emulator.environment import launcher_environment
from local.emulator.persistence import StateStore

CONTEXT = EmulatorContext(
    "http://127.0.0.1:4710", "http://127.0.0.1:4711", "us-east-1", "000000000000", Path("/state"), "/python"
)
ROLE = "arn:aws:iam::000000000000:role/Machine"
TRAINING = "arn:aws:states:::sagemaker:createTrainingJob.sync"
GLUE = "arn:aws:states:::glue:startJobRun.sync"


def test_the_launcher_inherits_neither_credentials_nor_secrets() -> None:
    host = {"PATH": "/bin", "AWS_PROFILE": "prod", "AWS_SECRET_ACCESS_KEY": "real", "TOKEN": "x", "HTTP_PROXY": "p"}

    environment = launcher_environment(host, CONTEXT)

    assert environment["PATH"] == "/bin"
    assert environment["AWS_SECRET_ACCESS_KEY"] == "test"
    assert not {"AWS_PROFILE", "TOKEN", "HTTP_PROXY"} & set(environment)
    assert (environment["BIND_HOST"], environment["GATEWAY_PORT"]) == ("127.0.0.1", "4710")
    assert environment["AUTH"] == "true"


def test_a_function_sees_its_asset_its_variables_and_nothing_of_the_launcher() -> None:
    config = {
        "FunctionName": "f",
        "Runtime": "python3.13",
        "Environment": {"Variables": {"TABLE": "t", "PATH_LIKE": "x"}},
    }
    proposed = {
        "TABLE": "t",
        "PATH_LIKE": "x",
        "STATE_DIR": "/state",
        "HOME": "/root",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:4710",
        "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:1",
        "_HANDLER": "a.b",
    }

    environment = functions.function_environment(proposed, config, "/code", Path("/runtime"))

    assert environment["PYTHONPATH"] == "/code:/runtime"
    assert (environment["TABLE"], environment["PATH_LIKE"]) == ("t", "x")
    assert environment["AWS_LAMBDA_RUNTIME_API"] == "127.0.0.1:1"
    assert environment["AWS_LAMBDA_LOG_GROUP_NAME"] == "/aws/lambda/f"
    assert not {"STATE_DIR", "HOME"} & set(environment)


def test_the_runtime_directory_has_the_runtime_client_and_its_requirements_only(tmp_path: Path) -> None:
    (tmp_path / "left-over").symlink_to("/nowhere")

    linked = {path.name for path in functions.link_runtime_client(tmp_path).iterdir()}

    assert {"awslambdaric", "simplejson", "snapshot_restore_py.py"} <= linked
    assert not {"boto3", "pydantic", "left-over"} & linked


@pytest.mark.parametrize(
    ("method", "target", "expected"),
    [
        ("GET", "", False),
        ("HEAD", "", False),
        ("PUT", "", True),
        ("POST", "DynamoDB_20120810.PutItem", True),
        ("POST", "DynamoDB_20120810.Query", False),
        ("POST", "AWSStepFunctions.DescribeExecution", False),
        ("POST", "AWSStepFunctions.StartExecution", True),
        ("POST", "", True),
    ],
)
def test_requests_that_may_change_state_are_told_from_those_that_read(method: str, target: str, expected: bool) -> None:
    assert server.changes_state(method, [(b"x-amz-target", target.encode())]) is expected


def test_requests_arrive_as_if_over_tls_without_changing_the_original() -> None:
    scope: dict[str, Any] = {"type": "http", "headers": [(b"host", b"x")]}

    assert (b"x-forwarded-proto", b"https") in server.over_tls(scope)["headers"]
    assert scope["headers"] == [(b"host", b"x")]


def test_the_version_joins_the_object_of_an_s3_event() -> None:
    event = {"Source": "aws.s3", "Detail": json.dumps({"object": {"key": "k", "size": 1}})}

    assert json.loads(storage.with_version(event, "v1")["Detail"])["object"] == {
        "key": "k",
        "size": 1,
        "version-id": "v1",
    }


def test_waiting_for_a_training_job_needs_its_three_actions_and_passing_its_role() -> None:
    needed = permissions.needed_permissions(
        TRAINING, {"TrainingJobName": "Run-A", "RoleArn": ROLE, "Tags": [{"Key": "run", "Value": "a"}]}
    )

    job = "arn:aws:sagemaker:us-east-1:000000000000:training-job/run-a"
    assert [(n.action, n.resource, n.passed_to) for n in needed] == [
        ("sagemaker:CreateTrainingJob", job, ""),
        ("sagemaker:DescribeTrainingJob", job, ""),
        ("sagemaker:StopTrainingJob", job, ""),
        ("sagemaker:AddTags", job, ""),
        ("iam:PassRole", ROLE, "sagemaker.amazonaws.com"),
    ]


def test_waiting_for_a_glue_job_needs_reading_and_stopping_its_runs() -> None:
    needed = permissions.needed_permissions(GLUE, {"JobName": "prepare"})

    assert {n.resource for n in needed} == {"arn:aws:glue:us-east-1:000000000000:job/prepare"}
    assert [n.action for n in needed] == [
        "glue:StartJobRun",
        "glue:GetJobRun",
        "glue:GetJobRuns",
        "glue:BatchStopJobRun",
    ]


@pytest.mark.parametrize(
    ("resource", "task_input", "action", "expected"),
    [
        (
            "arn:aws:states:::lambda:invoke",
            {"FunctionName": "arn:aws:lambda:us-east-1:000000000000:function:f"},
            "lambda:InvokeFunction",
            "arn:aws:lambda:us-east-1:000000000000:function:f",
        ),
        (
            "arn:aws:states:::lambda:invoke",
            {"FunctionName": "f"},
            "lambda:InvokeFunction",
            "arn:aws:lambda:us-east-1:000000000000:function:f",
        ),
        (
            "arn:aws:lambda:us-east-1:000000000000:function:f",
            {},
            "lambda:InvokeFunction",
            "arn:aws:lambda:us-east-1:000000000000:function:f",
        ),
        (
            "arn:aws:states:::dynamodb:putItem",
            {"TableName": "t"},
            "dynamodb:PutItem",
            "arn:aws:dynamodb:us-east-1:000000000000:table/t",
        ),
        (
            "arn:aws:states:::events:putEvents",
            {"Entries": [{"EventBusName": "own"}]},
            "events:PutEvents",
            "arn:aws:events:us-east-1:000000000000:event-bus/own",
        ),
        ("arn:aws:states:::aws-sdk:sfn:listExecutions", {}, "states:ListExecutions", None),
    ],
)
def test_each_integration_needs_the_action_it_performs(
    resource: str, task_input: dict[str, Any], action: str, expected: str | None
) -> None:
    [needed] = permissions.needed_permissions(resource, task_input)
    assert (needed.action, needed.resource) == (action, expected)


def an_execution(**fields: Any) -> dict[str, Any]:
    return {
        "executionArn": "arn:e",
        "stateMachineArn": "arn:m",
        "name": "e",
        "status": "RUNNING",
        "startDate": "2026-01-01T00:00:00.000Z",
        "stopDate": None,
        "input": "{}",
        "output": None,
        "events": [{"id": 1, "type": "ExecutionStarted"}],
        **fields,
    }


def test_an_execution_that_is_over_records_nothing_but_its_end() -> None:
    execution = an_execution(status="ABORTED")

    history.add_event(execution, "TaskSucceeded", {"taskSucceededEventDetails": {"resource": "x", "output": "{}"}})
    history.add_event(execution, "ExecutionAborted", {"executionAbortedEventDetails": {}})

    assert [event["type"] for event in execution["events"]] == ["ExecutionStarted", "ExecutionAborted"]
    assert execution["events"][-1]["previousEventId"] == 1


def test_a_task_that_timed_out_is_told_from_one_that_failed() -> None:
    execution = an_execution()
    for error in ("States.Timeout", "Oops"):
        details = {"error": error, "cause": "c", "resource": TRAINING}
        history.add_event(execution, "TaskFailed", {"taskFailedEventDetails": details})

    timed_out, failed = execution["events"][1:]
    assert timed_out["type"] == "TaskTimedOut"
    assert timed_out["taskTimedOutEventDetails"]["resourceType"] == "sagemaker"
    assert failed["taskFailedEventDetails"]["resource"] == "createTrainingJob.sync"


def test_a_task_that_is_a_function_has_the_events_of_functions() -> None:
    """https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html"""
    execution, function = an_execution(), "arn:aws:lambda:us-east-1:000000000000:function:plan"
    history.begin(execution)
    scheduled = {"resourceType": "lambda", "resource": function}
    history.add_event(execution, "TaskScheduled", {"taskScheduledEventDetails": scheduled})
    history.task_started(execution, function, {"run_id": "r"})
    history.add_event(execution, "TaskSucceeded", {"taskSucceededEventDetails": {"resource": function, "output": "1"}})
    for error in ("States.Timeout", "Oops"):
        failed = {"error": error, "cause": "c", "resource": function}
        history.add_event(execution, "TaskFailed", {"taskFailedEventDetails": failed})

    told = [
        {key: each[key] for key in each.keys() - {"id", "previousEventId", "timestamp"}} for each in execution["events"]
    ]
    assert told[1:] == [
        {
            "type": "LambdaFunctionScheduled",
            "lambdaFunctionScheduledEventDetails": {"resource": function, "input": '{"run_id": "r"}'},
        },
        {"type": "LambdaFunctionStarted"},
        {"type": "LambdaFunctionSucceeded", "lambdaFunctionSucceededEventDetails": {"output": "1"}},
        {
            "type": "LambdaFunctionTimedOut",
            "lambdaFunctionTimedOutEventDetails": {"error": "States.Timeout", "cause": "c"},
        },
        {"type": "LambdaFunctionFailed", "lambdaFunctionFailedEventDetails": {"error": "Oops", "cause": "c"}},
    ]


def test_an_interrupted_execution_says_so_and_waits_to_be_announced() -> None:
    execution = an_execution()

    state_machines.interrupt(execution)

    assert (execution["status"], execution["error"]) == ("FAILED", "Platform.Restarted")
    assert execution[state_machines.UNANNOUNCED] is True
    assert execution["events"][-1]["type"] == "ExecutionFailed"
    detail = state_machines.status_change(execution)
    assert (detail["status"], detail["error"], detail["cause"]) == (
        "FAILED",
        "Platform.Restarted",
        state_machines.RESTARTED_CAUSE,
    )


def test_a_payload_too_long_for_an_event_is_left_out_and_marked_so() -> None:
    long = "x" * (state_machines.LONGEST_PAYLOAD + 1)

    detail = state_machines.status_change(an_execution(status="SUCCEEDED", input=long, output="{}"))

    assert (detail["input"], detail["inputDetails"]) == (None, {"included": False})
    assert (detail["output"], detail["outputDetails"]) == ("{}", {"included": True})


def test_embedded_metrics_are_read_per_set_of_dimensions_and_other_lines_are_not() -> None:
    line = {
        "_aws": {
            "CloudWatchMetrics": [
                {
                    "Namespace": "Millrace",
                    "Dimensions": [["dataset"], []],
                    "Metrics": [{"Name": "rows", "Unit": "Count"}, {"Name": "seconds"}],
                }
            ]
        },
        "dataset": "credit",
        "rows": 3,
        "seconds": [1.5, 2.5],
    }

    found = list(observability.embedded_metrics(json.dumps(line)))

    assert ("Millrace", "rows", 3.0, "Count", {"dataset": "credit"}) in found
    assert ("Millrace", "seconds", 2.5, "None", {}) in found
    assert len(found) == 6
    assert list(observability.embedded_metrics('plain text with "_aws" {')) == []
    assert list(observability.embedded_metrics("START RequestId: 1")) == []


def an_alarm(**fields: Any) -> dict[str, Any]:
    return {
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 1.0,
        "EvaluationPeriods": 3,
        "Period": 60,
        "Statistic": "Maximum",
        "StateValue": "OK",
        **fields,
    }


@pytest.mark.parametrize(
    ("fields", "values", "state"),
    [
        ({"DatapointsToAlarm": 2}, [2.0, 0.0, 2.0], "ALARM"),
        ({"DatapointsToAlarm": 2}, [2.0, 0.0, 0.0], "OK"),
        ({}, [2.0, 2.0, None], "OK"),
        ({"TreatMissingData": "breaching"}, [2.0, 2.0, None], "ALARM"),
        ({}, [None, None, None], "INSUFFICIENT_DATA"),
        ({"TreatMissingData": "notBreaching", "StateValue": "ALARM"}, [None, None, None], "OK"),
        ({"TreatMissingData": "ignore", "StateValue": "ALARM"}, [None, None, None], "ALARM"),
        ({"ComparisonOperator": "LessThanThreshold"}, [0.5, 0.5, 0.5], "ALARM"),
    ],
)
def test_an_alarm_counts_breaching_periods_and_treats_missing_ones_as_it_says(
    fields: dict[str, Any], values: list[float | None], state: str
) -> None:
    assert observability.alarm_state(an_alarm(**fields), values) == state


def test_an_alarm_sees_the_statistic_of_each_period_newest_first() -> None:
    points = [{"Timestamp": moment, "Value": value} for moment, value in ((995, 1.0), (990, 5.0), (900, 7.0), (1, 9.0))]
    assert observability.period_values(an_alarm(), points, now=1000.0) == [5.0, 7.0, None]


def test_a_checkpoint_writes_what_changed_and_a_new_process_reads_it(tmp_path: Path) -> None:
    store = StateStore(tmp_path / "state.db")
    state = {"a": {"n": 1}, "b": {"n": 1}}
    services = {name: lambda name=name: state[name] for name in state}

    assert store.checkpoint(services) == ["a", "b"]
    state["b"] = {"n": 2}
    assert store.checkpoint(services) == ["b"]

    assert StateStore(tmp_path / "state.db").load("b") == {"n": 2}
    assert StateStore(tmp_path / "state.db").load("never") is None


def test_a_service_without_state_keeps_what_it_had(tmp_path: Path) -> None:
    store = StateStore(tmp_path / "state.db")
    store.checkpoint({"a": lambda: {"n": 1}})

    assert store.checkpoint({"a": lambda: None}) == []
    assert store.load("a") == {"n": 1}


def test_a_state_that_changes_while_it_is_copied_is_copied_again(tmp_path: Path) -> None:
    attempts = iter([RuntimeError("dictionary changed size during iteration"), None])

    def capture() -> dict[str, int]:
        error = next(attempts)
        if error is not None:
            raise error
        return {"n": 1}

    store = StateStore(tmp_path / "state.db")
    store.checkpoint({"a": capture})
    assert store.load("a") == {"n": 1}


def test_a_delivered_event_is_forgotten_with_the_checkpoint_that_holds_its_effects_and_not_before(
    tmp_path: Path,
) -> None:
    store = StateStore(tmp_path / "state.db")
    first = store.record_delivery({"arn": "one"})
    second = store.record_delivery({"arn": "two"})

    store.delivered(first)
    assert [number for number, _ in StateStore(tmp_path / "state.db").undelivered()] == [first, second]
    store.checkpoint({})
    assert StateStore(tmp_path / "state.db").undelivered() == [(second, {"arn": "two"})]


TOPIC = "arn:aws:sns:us-east-1:000000000000:Notifications"


def test_a_subscription_tells_policies_its_protocol_and_its_endpoint() -> None:
    asked = {"Protocol": ["email"], "Endpoint": ["ada@example.com"], "TopicArn": [TOPIC]}

    assert condition_keys.subscription_keys("sns:Subscribe", asked) == {
        "sns:Protocol": "email",
        "sns:Endpoint": "ada@example.com",
    }
    assert condition_keys.subscription_keys("sns:Publish", asked) == {}


def test_a_request_about_a_subscription_is_one_about_its_topic() -> None:
    asked = {"SubscriptionArn": [f"{TOPIC}:1f0e"]}

    assert condition_keys.topic_of_subscription("sns", asked) == TOPIC
    assert condition_keys.topic_of_subscription("sqs", asked) == ""
    assert condition_keys.topic_of_subscription("sns", {"SubscriptionArn": ["pending confirmation"]}) == ""
