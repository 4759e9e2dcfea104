"""Which event reaches which function."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from conftest import Platform

from millrace import names
from millrace.domain.event import DatasetVersionReady, ModelVersionApproved
from stacks.config import ENVIRONMENTS


def rule_of(platform: Platform, function: str) -> Mapping[str, Any]:
    (found,) = [
        rule
        for rule in platform.properties("AWS::Events::Rule")
        if rule["Targets"][0]["Arn"].get("Fn::GetAtt", [""])[0].startswith(function)
    ]
    return found


def matches(pattern: Any, event: Any) -> bool:
    """EventBridge's matching, as far as the platform uses it: equality, prefixes or none, nesting, alternatives.

    References to resources, which only exist deployed, match an event that holds the same reference.
    """
    if isinstance(pattern, list):
        return any(event == option or _by_prefix(option, event) for option in pattern)
    return all(
        any(matches(option, event) for option in part)
        if name == "$or"
        else name in event and matches(part, event[name])
        for name, part in pattern.items()
    )


def _by_prefix(option: Any, event: Any) -> bool:
    if not isinstance(option, dict):
        return False
    if "anything-but" in option:
        return not _by_prefix(option["anything-but"], event)
    values = event if isinstance(event, list) else [event]
    return "prefix" in option and any(str(value).startswith(_joined(option["prefix"])) for value in values)


def _joined(value: Any) -> str:
    """What a prefix is once the account and the region are known."""
    known = {"AWS::Partition": "aws", "AWS::Region": "eu-west-1", "AWS::AccountId": "123456789012"}
    if isinstance(value, str):
        return value
    separator, parts = value["Fn::Join"]
    return str(separator).join(part if isinstance(part, str) else known[part["Ref"]] for part in parts)


@pytest.mark.parametrize(
    ("key", "reaches"),
    [
        ("uploads/credit/data.csv", True),
        ("uploads/credit/dataset.yaml", True),
        ("datasets/credit/v1/report.json", False),
        ("quarantine/credit/v1/part-0.jsonl", False),
    ],
)
def test_only_what_people_drop_starts_ingest(key: str, reaches: bool, prod: Platform) -> None:
    pattern = rule_of(prod, "OnUploadArrived")["EventPattern"]
    bucket = pattern["detail"]["bucket"]["name"][0]
    event = {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "detail": {"bucket": {"name": bucket}, "object": {"key": key, "version-id": "1"}},
    }

    assert matches(pattern, event) is reaches
    assert not matches(pattern, {**event, "detail-type": "Object Deleted"})
    assert not matches(pattern, {**event, "detail": {**event["detail"], "bucket": {"name": "another"}}})  # type: ignore[dict-item]


@pytest.mark.parametrize(("key", "reaches"), [("inference/credit/may.csv", True), ("uploads/credit/may.csv", False)])
def test_what_is_dropped_for_a_model_starts_a_batch_inference(key: str, reaches: bool, prod: Platform) -> None:
    pattern = rule_of(prod, "OnBatchInputArrived")["EventPattern"]
    bucket = pattern["detail"]["bucket"]["name"][0]
    detail = {"bucket": {"name": bucket}, "object": {"key": key}}

    assert matches(pattern, {"source": "aws.s3", "detail-type": "Object Created", "detail": detail}) is reaches


@pytest.mark.parametrize(("key", "reaches"), [("ground-truth/credit/may.csv", True), ("inference/credit/a", False)])
def test_a_dropped_file_of_ground_truth_is_recorded(key: str, reaches: bool, prod: Platform) -> None:
    pattern = rule_of(prod, "OnGroundTruthDropped")["EventPattern"]
    bucket = pattern["detail"]["bucket"]["name"][0]
    detail = {"bucket": {"name": bucket}, "object": {"key": key}}

    assert matches(pattern, {"source": "aws.s3", "detail-type": "Object Created", "detail": detail}) is reaches


@pytest.mark.parametrize(
    ("function", "event"),
    [("OnDatasetVersionReady", DatasetVersionReady), ("OnModelVersionApproved", ModelVersionApproved)],
)
def test_the_platforms_own_events_reach_their_function_on_the_platforms_bus(
    function: str, event: type[object], prod: Platform
) -> None:
    rule = rule_of(prod, function)

    assert matches(rule["EventPattern"], {"source": names.EVENT_SOURCE, "detail-type": event.__name__})
    assert not matches(rule["EventPattern"], {"source": "somebody", "detail-type": event.__name__})
    assert rule["EventBusName"] == prod.templates["Notifications"]["Outputs"]["EventBusName"]["Value"] or (
        "Fn::ImportValue" in rule["EventBusName"]
    )


@pytest.mark.parametrize("status", ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "RUNNING"])
def test_every_end_of_an_execution_of_every_pipeline_is_noticed(status: str, prod: Platform) -> None:
    rule = rule_of(prod, "OnExecutionEnded")
    machines = rule["EventPattern"]["detail"]["stateMachineArn"]

    assert "EventBusName" not in rule
    assert len(machines) == len(prod.resources("AWS::StepFunctions::StateMachine")) == 6
    for machine in machines:
        event = {
            "source": "aws.states",
            "detail-type": "Step Functions Execution Status Change",
            "detail": {"stateMachineArn": machine, "status": status},
        }
        assert matches(rule["EventPattern"], event) is (status != "RUNNING")


def test_events_that_cannot_be_delivered_wait_in_the_functions_queue(prod: Platform) -> None:
    rules = prod.properties("AWS::Events::Rule")

    assert len(rules) == 10
    for rule in rules:
        (target,) = rule["Targets"]
        assert target["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0] in prod.resources("AWS::SQS::Queue")


def test_every_night_each_environment_checks_what_champions_were_asked(platform_of: Callable[[str], Platform]) -> None:
    for environment in ENVIRONMENTS:
        platform = platform_of(environment)
        (schedule,) = platform.properties("AWS::Scheduler::Schedule")
        (function,) = [name for name in platform.resources("AWS::Lambda::Function") if name.startswith("OnDayEnded")]

        assert (schedule["ScheduleExpression"], schedule["ScheduleExpressionTimezone"]) == ("cron(30 0 * * ? *)", "UTC")
        assert schedule["Target"]["Arn"]["Fn::GetAtt"][0] == function
        assert json.loads(schedule["Target"]["Input"]) == {"due_at": "<aws.scheduler.scheduled-time>"}


def test_only_the_nightly_schedule_may_use_the_role_that_wakes_its_function(prod: Platform) -> None:
    (name,) = [name for name in prod.resources("AWS::IAM::Role") if name.startswith("NightlyRole")]
    (statement,) = prod.resources("AWS::IAM::Role")[name]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    (schedule,) = prod.properties("AWS::Scheduler::Schedule")

    group = schedule["GroupName"]["Ref"]
    assert statement["Condition"]["ArnLike"] == {"aws:SourceArn": {"Fn::GetAtt": [group, "Arn"]}}
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
