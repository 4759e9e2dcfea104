"""What parliament is given to read: every policy, with ARNs of the right kind in the place of references."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts.lint_policies import Policy, policies, read
from stacks.config import ENVIRONMENTS

TABLE = {"Type": "AWS::DynamoDB::Table"}
QUEUE = {"Type": "AWS::SQS::Queue"}


def a_policy(resource: object, **condition: object) -> dict[str, object]:
    statement = {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": resource, **condition}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return {"Type": "AWS::IAM::Policy", "Properties": {"PolicyDocument": document}}


def resources(policy: Policy) -> list[str]:
    return [resource for statement in policy.document["Statement"] for resource in statement["Resource"]]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_policy_of_the_templates_is_read_without_a_reference_left(environment: str, assembly: Path) -> None:
    templates = read(assembly / f"assembly-{environment}")
    number = sum(
        resource["Type"] == "AWS::IAM::Policy"
        for template in templates.values()
        for resource in template["Resources"].values()
    )

    read_policies = list(policies(templates))

    assert len(read_policies) == number > 40
    assert not any("Fn::" in json.dumps(policy.document) for policy in read_policies)
    assert all(arn == "*" or arn.startswith("arn:aws:") for policy in read_policies for arn in resources(policy))


def test_a_reference_into_another_stack_is_followed() -> None:
    exporting = {
        "Resources": {"Table": TABLE},
        "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Table", "Arn"]}, "Export": {"Name": "the-table"}}},
    }
    index = {"Fn::Join": ["", [{"Fn::ImportValue": "the-table"}, "/index/by_date"]]}

    (found,) = policies({"one": exporting, "two": {"Resources": {"Policy": a_policy(index)}}})

    assert found.where == "two/Policy"
    assert resources(found) == ["arn:aws:dynamodb:us-east-1:123456789012:table/name/index/by_date"]


def test_a_kind_of_resource_that_is_not_known_stops_the_linting() -> None:
    template = {
        "Resources": {
            "Gateway": {"Type": "AWS::EC2::NatGateway"},
            "Policy": a_policy({"Fn::GetAtt": ["Gateway", "Arn"]}),
        }
    }

    with pytest.raises(LookupError, match=r"AWS::EC2::NatGateway"):
        list(policies({"one": template}))


def test_conditions_are_read_as_well() -> None:
    condition = {"StringEquals": {"aws:SourceArn": {"Fn::GetAtt": ["Queue", "Arn"]}}}
    template = {"Resources": {"Queue": QUEUE, "Policy": a_policy("*", Condition=condition)}}

    (found,) = policies({"one": template})

    assert found.document["Statement"][0]["Condition"] == {
        "StringEquals": {"aws:SourceArn": ["arn:aws:sqs:us-east-1:123456789012:name"]}
    }
