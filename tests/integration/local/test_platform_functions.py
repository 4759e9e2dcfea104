import json
import time
from typing import Any

import pytest
from conftest import a_function, a_role, allow, outputs, write_assembly

from local import __main__ as command_line
from local import platform

HANDLERS = """
import json, time

def measure(event, context):
    print(json.dumps({
        "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [{
            "Namespace": "Test", "Dimensions": [["dataset"]], "Metrics": [{"Name": "rows", "Unit": "Count"}]}]},
        "dataset": event["dataset"], "rows": event["rows"]}))
    return context.aws_request_id

def where(event, context):
    import sys
    return sys.path

def fail(event, context):
    raise ValueError(event["detail"]["why"])
"""
NEEDS_PACKAGE = """
import pydantic

def handler(event, context):
    return pydantic.VERSION
"""


def template() -> dict[str, Any]:
    return {
        "Resources": {
            "Role": a_role("lambda", allow("sqs:SendMessage", "*")),
            **{name: a_function("functions", f"index.{name}", "Role") for name in ("measure", "where", "fail")},
            "needs": a_function("functions", "needs.handler", "Role"),
            "Lost": {"Type": "AWS::SQS::Queue"},
            "Once": {
                "Type": "AWS::Lambda::EventInvokeConfig",
                "Properties": {
                    "FunctionName": {"Ref": "fail"},
                    "Qualifier": "$LATEST",
                    "MaximumRetryAttempts": 0,
                    "DestinationConfig": {"OnFailure": {"Destination": {"Fn::GetAtt": ["Lost", "Arn"]}}},
                },
            },
            "Doomed": {
                "Type": "AWS::Events::Rule",
                "Properties": {
                    "EventPattern": {"source": ["test.doomed"]},
                    "Targets": [{"Id": "one", "Arn": {"Fn::GetAtt": ["fail", "Arn"]}}],
                },
            },
            "Alarms": {"Type": "AWS::SNS::Topic"},
            "Raised": {"Type": "AWS::SQS::Queue"},
            "Delivery": {
                "Type": "AWS::SQS::QueuePolicy",
                "Properties": {
                    "Queues": [{"Ref": "Raised"}],
                    "PolicyDocument": {
                        "Statement": [
                            {
                                "Effect": "Allow",
                                "Principal": {"Service": "sns.amazonaws.com"},
                                **{"Action": "sqs:SendMessage", "Resource": {"Fn::GetAtt": ["Raised", "Arn"]}},
                            }
                        ]
                    },
                },
            },
            "Subscription": {
                "Type": "AWS::SNS::Subscription",
                "Properties": {
                    "TopicArn": {"Ref": "Alarms"},
                    "Protocol": "sqs",
                    "Endpoint": {"Fn::GetAtt": ["Raised", "Arn"]},
                },
            },
            "TooMany": {
                "Type": "AWS::CloudWatch::Alarm",
                "Properties": {
                    "Namespace": "Test",
                    "MetricName": "rows",
                    "Dimensions": [{"Name": "dataset", "Value": "credit"}],
                    "Statistic": "Maximum",
                    "Period": 60,
                    "EvaluationPeriods": 1,
                    "Threshold": 10,
                    "ComparisonOperator": "GreaterThanThreshold",
                    "AlarmActions": [{"Ref": "Alarms"}],
                },
            },
        },
        "Outputs": {
            name: {"Value": {"Ref": name}}
            for name in ("measure", "where", "fail", "needs", "Lost", "Raised", "TooMany")
        },
    }


@pytest.fixture(scope="module")
def names(running: platform.RunningPlatform, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    source = tmp_path_factory.mktemp("source")
    (source / "index.py").write_text(HANDLERS)
    (source / "needs.py").write_text(NEEDS_PACKAGE)
    running.deploy(
        write_assembly(tmp_path_factory.mktemp("assembly"), {"Functions": template()}, {"functions": source})
    )
    return outputs(running, "Functions")


def invoke(running: platform.RunningPlatform, function: str, event: Any) -> tuple[Any, str | None]:
    answer = running.session().client("lambda").invoke(FunctionName=function, Payload=json.dumps(event))
    return json.load(answer["Payload"]), answer.get("FunctionError")


def first_message(running: platform.RunningPlatform, queue: str, seconds: float = 15.0) -> dict[str, Any]:
    sqs = running.session().client("sqs")
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        received = sqs.receive_message(QueueUrl=queue).get("Messages", [])
        if received:
            return dict(json.loads(received[0]["Body"]))
        time.sleep(0.05)
    raise AssertionError("no message came")


def test_a_package_that_the_asset_lacks_is_missing_as_on_aws(
    running: platform.RunningPlatform, names: dict[str, str]
) -> None:
    error, kind = invoke(running, names["needs"], {})

    assert kind == "Unhandled"
    assert "pydantic" in json.dumps(error)


def test_a_function_finds_modules_in_its_asset_the_runtime_client_and_the_standard_library_only(
    running: platform.RunningPlatform, names: dict[str, str]
) -> None:
    path, _ = invoke(running, names["where"], {})

    assert not [entry for entry in path if "site-packages" in entry]


def test_metrics_embedded_in_a_log_raise_the_alarm_of_their_dimensions_only(
    running: platform.RunningPlatform, names: dict[str, str]
) -> None:
    cloudwatch = running.session().client("cloudwatch")
    invoke(running, names["measure"], {"dataset": "other", "rows": 99})
    invoke(running, names["measure"], {"dataset": "credit", "rows": 5})
    time.sleep(5.5)
    [alarm] = cloudwatch.describe_alarms(AlarmNames=[names["TooMany"]])["MetricAlarms"]
    assert alarm["StateValue"] == "OK"

    invoke(running, names["measure"], {"dataset": "credit", "rows": 50})

    notification = json.loads(first_message(running, names["Raised"])["Message"])
    assert (notification["AlarmName"], notification["NewStateValue"]) == (names["TooMany"], "ALARM")


def test_an_event_that_its_function_cannot_take_reaches_the_failure_destination(
    running: platform.RunningPlatform, names: dict[str, str]
) -> None:
    running.session().client("events").put_events(
        Entries=[{"Source": "test.doomed", "DetailType": "any", "Detail": json.dumps({"why": "because"})}]
    )

    lost = first_message(running, names["Lost"])
    assert lost["requestPayload"]["detail"] == {"why": "because"}
    assert lost["responsePayload"]["errorType"] == "ValueError"


def test_the_command_line_tells_the_state_in_words_and_in_json(
    running: platform.RunningPlatform, names: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line.main(["status", "--state-dir", str(running.state_dir)]) == 0
    assert f"running at {running.endpoint_url}" in capsys.readouterr().out
    assert command_line.main(["status", "--json", "--state-dir", str(running.state_dir)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["stacks"] == [{"name": "Functions", "status": "CREATE_COMPLETE"}]
    assert document["pid"] == running.pid
