"""Several environments in one account: tagged, and apart; and the trail of who changed what."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import combinations

import pytest
from conftest import Platform

from stacks.config import ENVIRONMENTS


def names_of(platform: Platform) -> set[str]:
    """Every literal name that the templates give to something which an account has once."""
    kinds = {
        "AWS::CloudTrail::Trail": "TrailName",
        "AWS::CloudFront::Function": "Name",
        "AWS::CloudWatch::Dashboard": "DashboardName",
        "AWS::Scheduler::ScheduleGroup": "Name",
        "AWS::Events::EventBus": "Name",
        "AWS::Cognito::UserPoolDomain": "Domain",
        "AWS::SSM::Parameter": "Name",
        "AWS::Logs::QueryDefinition": "Name",
    }
    found = {
        json.dumps(properties[property])
        for kind, property in kinds.items()
        for properties in platform.properties(kind)
        if property in properties
    }
    for kind, config in (
        ("AWS::CloudFront::OriginAccessControl", "OriginAccessControlConfig"),
        ("AWS::CloudFront::ResponseHeadersPolicy", "ResponseHeadersPolicyConfig"),
    ):
        found |= {properties[config]["Name"] for properties in platform.properties(kind)}
    exports = {
        output["Export"]["Name"]
        for template in platform.templates.values()
        for output in template.get("Outputs", {}).values()
        if "Export" in output
    }
    return found | exports


@pytest.mark.parametrize(("one", "other"), list(combinations(ENVIRONMENTS, 2)))
def test_no_name_of_one_environment_is_another_ones(
    one: str, other: str, platform_of: Callable[[str], Platform]
) -> None:
    mine, theirs = names_of(platform_of(one)), names_of(platform_of(other))

    assert len(mine) > 10
    assert mine & theirs == set()


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_what_can_be_tagged_says_of_which_environment_it_is(
    environment: str, platform_of: Callable[[str], Platform]
) -> None:
    tagged = [
        found["Properties"].get("Tags", found["Properties"].get("UserPoolTags"))
        for kind in (
            "AWS::S3::Bucket",
            "AWS::DynamoDB::Table",
            "AWS::Lambda::Function",
            "AWS::IAM::Role",
            "AWS::StepFunctions::StateMachine",
            "AWS::Glue::Job",
            "AWS::SNS::Topic",
            "AWS::SQS::Queue",
            "AWS::Logs::LogGroup",
            "AWS::CloudWatch::Alarm",
            "AWS::CloudFront::Distribution",
            "AWS::Cognito::UserPool",
            "AWS::CloudTrail::Trail",
            "AWS::ApiGatewayV2::Api",
        )
        for found in platform_of(environment).resources(kind).values()
    ]

    assert len(tagged) > 100
    for tags in tagged:
        pairs = tags if isinstance(tags, dict) else {tag["Key"]: tag["Value"] for tag in tags}
        assert {"Application": "Millrace", "Environment": environment}.items() <= pairs.items()


def selectors(platform: Platform) -> dict[str, dict[str, list[str]]]:
    (trail,) = platform.properties("AWS::CloudTrail::Trail")
    return {
        selector["Name"]: {
            field["Field"]: field.get("Equals", field.get("StartsWith")) for field in selector["FieldSelectors"]
        }
        for selector in trail["AdvancedEventSelectors"]
    }


def test_cloudtrail_records_who_changed_model_versions_and_the_registry(prod: Platform) -> None:
    found = selectors(prod)

    assert found["Model versions"]["resources.type"] == ["AWS::S3::Object"]
    assert '"/models/"' in json.dumps(found["Model versions"]["resources.ARN"])
    assert found["Changes of the registry"]["resources.type"] == ["AWS::DynamoDB::Table"]
    assert found["Changes of the registry"]["readOnly"] == ["false"]
    assert {fields["eventCategory"][0] for fields in found.values()} == {"Data"}


def test_reads_of_model_versions_are_recorded_where_the_environment_says(
    prod: Platform, platform_of: Callable[[str], Platform]
) -> None:
    assert "readOnly" not in selectors(prod)["Model versions"]
    assert selectors(platform_of("dev"))["Model versions"]["readOnly"] == ["false"]


def test_the_trails_files_are_proven_kept_for_their_time_and_written_by_this_trail_alone(prod: Platform) -> None:
    (trail,) = prod.properties("AWS::CloudTrail::Trail")
    writing = [
        statement
        for properties in prod.properties("AWS::S3::BucketPolicy")
        for statement in properties["PolicyDocument"]["Statement"]
        if statement["Principal"] == {"Service": "cloudtrail.amazonaws.com"}
    ]
    (bucket,) = [
        found["Properties"] for name, found in prod.resources("AWS::S3::Bucket").items() if name.startswith("Trail")
    ]
    expiring = [rule for rule in bucket["LifecycleConfiguration"]["Rules"] if "ExpirationInDays" in rule]

    assert trail["EnableLogFileValidation"] is True
    assert {statement["Action"] for statement in writing} == {"s3:GetBucketAcl", "s3:PutObject"}
    assert all(
        f"trail/{trail['TrailName']}" in json.dumps(statement["Condition"]["StringEquals"]["aws:SourceArn"])
        for statement in writing
    )
    assert [(rule["Prefix"], rule["ExpirationInDays"]) for rule in expiring] == [
        ("AWSLogs/", ENVIRONMENTS["prod"].trail_days)
    ]


def test_production_lets_nobody_in_by_a_password_alone(prod: Platform) -> None:
    (pool,) = prod.properties("AWS::Cognito::UserPool")

    assert pool["MfaConfiguration"] == "ON"
    assert pool["Policies"]["PasswordPolicy"]["MinimumLength"] >= 12


def test_no_environment_is_called_like_another_with_something_added() -> None:
    """Endpoints are called `millrace-{environment}-{model}-v{n}`, and permissions go by how names begin."""
    for name in ENVIRONMENTS:
        assert [other for other in ENVIRONMENTS if other.startswith(f"{name}-")] == []
