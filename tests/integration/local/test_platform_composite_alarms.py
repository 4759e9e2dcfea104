"""Composite alarms: made by templates, true to their rule, told once, and announced with what set them off."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from conftest import outputs, write_assembly

from local import platform

PARTS = ("Errors", "Latency", "Maintenance")


def template(rule: str) -> dict[str, Any]:
    """`rule` has the name of a part in braces where its ARN goes."""
    parts = {
        name: {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "Namespace": "Test",
                "MetricName": name,
                "Statistic": "Sum",
                "Period": 300,
                "EvaluationPeriods": 1,
                "Threshold": 1,
                "ComparisonOperator": "GreaterThanOrEqualToThreshold",
                "TreatMissingData": "notBreaching",
            },
        }
        for name in PARTS
    }
    allowed = {
        "Type": "AWS::SQS::QueuePolicy",
        "Properties": {
            "Queues": [{"Ref": "Heard"}, {"Ref": "Changed"}],
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}],
            },
        },
    }
    return {
        "Resources": {
            **parts,
            "Unhealthy": {
                "Type": "AWS::CloudWatch::CompositeAlarm",
                "Properties": {
                    "AlarmDescription": "It is unwell. Look at it.",
                    "AlarmRule": {"Fn::Sub": rule},
                    "AlarmActions": [{"Ref": "Topic"}],
                },
            },
            "Topic": {"Type": "AWS::SNS::Topic"},
            "Heard": {"Type": "AWS::SQS::Queue"},
            "Changed": {"Type": "AWS::SQS::Queue"},
            "Allowed": allowed,
            "Subscription": {
                "Type": "AWS::SNS::Subscription",
                "Properties": {
                    "TopicArn": {"Ref": "Topic"},
                    "Protocol": "sqs",
                    "Endpoint": {"Fn::GetAtt": ["Heard", "Arn"]},
                },
            },
            "Rule": {
                "Type": "AWS::Events::Rule",
                "Properties": {
                    "EventPattern": {
                        "source": ["aws.cloudwatch"],
                        "resources": [{"prefix": {"Fn::GetAtt": ["Unhealthy", "Arn"]}}],
                    },
                    "Targets": [{"Id": "one", "Arn": {"Fn::GetAtt": ["Changed", "Arn"]}}],
                },
            },
        },
        "Outputs": {name: {"Value": {"Ref": name}} for name in ("Unhealthy", "Heard", "Changed", *PARTS)},
    }


EITHER = 'ALARM("${Errors.Arn}") OR ALARM("${Latency.Arn}")'
Deploy = Callable[[str], dict[str, str]]


@pytest.fixture
def deploy(running: platform.RunningPlatform, tmp_path_factory: pytest.TempPathFactory) -> Deploy:
    def deploy(rule: str) -> dict[str, str]:
        running.deploy(write_assembly(tmp_path_factory.mktemp("assembly"), {"Joined": template(rule)}))
        return outputs(running, "Joined")

    return deploy


def state(running: platform.RunningPlatform, name: str) -> str:
    client = running.session().client("cloudwatch")
    found = client.describe_alarms(AlarmNames=[name], AlarmTypes=["CompositeAlarm", "MetricAlarm"])
    (alarm,) = [*found["CompositeAlarms"], *found["MetricAlarms"]]
    return str(alarm["StateValue"])


def measure(running: platform.RunningPlatform, metric: str) -> None:
    client = running.session().client("cloudwatch")
    client.put_metric_data(Namespace="Test", MetricData=[{"MetricName": metric, "Value": 1.0}])


def becomes(running: platform.RunningPlatform, name: str, wanted: str, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while (found := state(running, name)) != wanted:
        assert time.monotonic() < deadline, f"{name} stays {found}"
        time.sleep(0.1)


def messages(running: platform.RunningPlatform, queue: str, seconds: float) -> list[dict[str, Any]]:
    """All that come until nothing more has come for `seconds`."""
    sqs, found = running.session().client("sqs"), []
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for each in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
            found.append(dict(json.loads(each["Body"])))
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=each["ReceiptHandle"])
            deadline = time.monotonic() + seconds
        time.sleep(0.05)
    return found


def test_a_joined_alarm_is_told_once_with_the_part_that_set_it_off_and_its_rule_can_change(
    running: platform.RunningPlatform, deploy: Deploy
) -> None:
    names = deploy(EITHER)
    assert names["Unhealthy"].startswith("Joined-Unhealthy-")
    assert state(running, names["Unhealthy"]) == "OK"
    messages(running, names["Changed"], 1.0)

    measure(running, "Errors")
    becomes(running, names["Unhealthy"], "ALARM")
    measure(running, "Latency")
    becomes(running, names["Latency"], "ALARM")

    (told,) = messages(running, names["Heard"], 2.0)
    notification = json.loads(told["Message"])
    assert (notification["AlarmName"], notification["NewStateValue"]) == (names["Unhealthy"], "ALARM")
    (event,) = messages(running, names["Changed"], 2.0)
    assert event["detail-type"] == "CloudWatch Alarm State Change"
    assert event["detail"]["alarmName"] == names["Unhealthy"]
    assert (event["detail"]["previousState"]["value"], event["detail"]["state"]["value"]) == ("OK", "ALARM")
    assert event["detail"]["configuration"]["description"] == "It is unwell. Look at it."
    (part,) = json.loads(event["detail"]["state"]["reasonData"])["triggeringAlarms"]
    assert part["arn"].endswith(f":alarm:{names['Errors']}")

    # Another rule: the alarm stays the same one, and is looked at at once.
    changed = deploy(f'({EITHER}) AND NOT ALARM("${{Maintenance.Arn}}")')
    assert changed["Unhealthy"] == names["Unhealthy"]
    assert state(running, names["Unhealthy"]) == "ALARM"
    measure(running, "Maintenance")
    becomes(running, names["Unhealthy"], "OK")


def test_a_rule_about_an_alarm_that_there_is_not_fails_the_deployment(
    running: platform.RunningPlatform, tmp_path: Any
) -> None:
    alarm = {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": {"AlarmRule": 'ALARM("nobody")'}}

    with pytest.raises(Exception, match="nobody"):
        running.deploy(write_assembly(tmp_path / "out", {"Wrong": {"Resources": {"Either": alarm}}}))


def test_it_goes_with_its_stack(running: platform.RunningPlatform, deploy: Deploy) -> None:
    name = deploy(EITHER)["Unhealthy"]
    cloudformation = running.session().client("cloudformation")
    cloudformation.delete_stack(StackName="Joined")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="Joined", WaiterConfig={"Delay": 1})

    client = running.session().client("cloudwatch")
    assert client.describe_alarms(AlarmNames=[name], AlarmTypes=["CompositeAlarm"])["CompositeAlarms"] == []
