"""Buckets, the table, the queues and the logs: what protects what is stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from conftest import Platform

from millrace import names
from stacks.config import ENVIRONMENTS

STATEFUL = ("AWS::S3::Bucket", "AWS::DynamoDB::Table")


def bucket(platform: Platform, id: str) -> Mapping[str, Any]:
    (found,) = [res for name, res in platform.resources("AWS::S3::Bucket").items() if name.startswith(id)]
    return found


@pytest.mark.parametrize("environment", ["staging", "prod"])
def test_what_holds_state_outlives_its_stack(environment: str, platform_of: Callable[[str], Platform]) -> None:
    platform = platform_of(environment)
    kept = [resource for kind in STATEFUL for resource in platform.resources(kind).values()]

    assert len(kept) == 5
    assert {(resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) for resource in kept} == {
        ("Retain", "Retain")
    }


def test_an_experiment_can_be_thrown_away(platform_of: Callable[[str], Platform]) -> None:
    for environment in ("local", "dev"):
        kept = [res for kind in STATEFUL for res in platform_of(environment).resources(kind).values()]
        assert {resource["DeletionPolicy"] for resource in kept} == {"Delete"}


def test_the_registry_in_production_cannot_be_deleted_by_mistake(prod: Platform) -> None:
    (table,) = prod.properties("AWS::DynamoDB::Table")

    assert table["DeletionProtectionEnabled"] is True


def test_there_are_four_buckets_versioned_encrypted_and_private(prod: Platform) -> None:
    buckets = prod.properties("AWS::S3::Bucket")

    assert len(buckets) == 4
    for found in buckets:
        (rule,) = found["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
        assert found["VersioningConfiguration"] == {"Status": "Enabled"}
        assert set(found["PublicAccessBlockConfiguration"].values()) == {True}
        assert found["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}


def test_buckets_topic_and_queues_answer_tls_only(prod: Platform) -> None:
    policies = [
        properties["PolicyDocument"]
        for kind in ("AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy")
        for properties in prod.properties(kind)
    ]

    assert len(policies) == 4 + 1 + len(prod.resources("AWS::SQS::Queue"))
    for policy in policies:
        assert any(
            statement["Effect"] == "Deny"
            and statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
            and statement["Principal"] in ("*", {"AWS": "*"})
            for statement in policy["Statement"]
        ), policy


def test_only_the_data_bucket_tells_of_its_objects_and_needs_no_custom_resource_for_it(prod: Platform) -> None:
    on = {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}

    assert bucket(prod, "Data")["Properties"]["NotificationConfiguration"] == on
    assert "NotificationConfiguration" not in bucket(prod, "Artifacts")["Properties"]
    kinds = {resource["Type"] for template in prod.templates.values() for resource in template["Resources"].values()}
    assert {kind for kind in kinds if kind.startswith("Custom::")} == {"Custom::PublishedSite"}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_nothing_unfinished_or_replaced_is_paid_for_for_ever(
    environment: str, platform_of: Callable[[str], Platform]
) -> None:
    for found in platform_of(environment).properties("AWS::S3::Bucket"):
        tidy = next(rule for rule in found["LifecycleConfiguration"]["Rules"] if "Prefix" not in rule)
        assert tidy["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
        days = ENVIRONMENTS[environment].noncurrent_days
        assert tidy["NoncurrentVersionExpiration"] == {"NoncurrentDays": days}


def test_what_nobody_reads_for_months_gets_cheaper_by_itself(prod: Platform) -> None:
    for found in prod.properties("AWS::S3::Bucket"):
        tiers = [rule["Transitions"] for rule in found["LifecycleConfiguration"]["Rules"] if "Transitions" in rule]
        assert tiers == [[{"StorageClass": "INTELLIGENT_TIERING", "TransitionInDays": 30}]]


def test_what_jobs_leave_expires_and_registered_models_do_not(prod: Platform) -> None:
    rules = bucket(prod, "Artifacts")["Properties"]["LifecycleConfiguration"]["Rules"]
    expiring = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule}

    assert expiring == {names.RUNS_PREFIX: ENVIRONMENTS["prod"].run_files_days}
    assert not any(
        "ExpirationInDays" in rule for rule in bucket(prod, "Data")["Properties"]["LifecycleConfiguration"]["Rules"]
    )


def test_the_table_has_the_keys_that_the_code_uses(prod: Platform) -> None:
    (table,) = prod.properties("AWS::DynamoDB::Table")
    indexes = {index["IndexName"]: index for index in table["GlobalSecondaryIndexes"]}

    assert keys(table["KeySchema"]) == {"HASH": names.PARTITION_KEY, "RANGE": names.SORT_KEY}
    assert {name: keys(index["KeySchema"]) for name, index in indexes.items()} == {
        name: {"HASH": partition_key, "RANGE": names.LISTING_SORT_KEY} for name, partition_key in names.INDEXES.items()
    }
    assert all(index["Projection"] == {"ProjectionType": "ALL"} for index in indexes.values())


def keys(schema: list[dict[str, str]]) -> dict[str, str]:
    return {key["KeyType"]: key["AttributeName"] for key in schema}


def test_the_table_is_paid_per_request_and_can_go_back_in_time(prod: Platform) -> None:
    (table,) = prod.properties("AWS::DynamoDB::Table")

    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_logs_are_kept_as_long_as_the_environment_says(
    environment: str, platform_of: Callable[[str], Platform]
) -> None:
    platform = platform_of(environment)
    groups = platform.properties("AWS::Logs::LogGroup")

    # One for each function, one for each state machine, one for who called the API.
    assert len(groups) == len(platform.functions()) + 6 + 1
    assert {group["RetentionInDays"] for group in groups} == {ENVIRONMENTS[environment].log_days}


def test_nothing_has_a_physical_name(prod: Platform) -> None:
    named = {
        "AWS::S3::Bucket": "BucketName",
        "AWS::DynamoDB::Table": "TableName",
        "AWS::Lambda::Function": "FunctionName",
        "AWS::IAM::Role": "RoleName",
        "AWS::StepFunctions::StateMachine": "StateMachineName",
        "AWS::Glue::Job": "Name",
        "AWS::SNS::Topic": "TopicName",
        "AWS::SQS::Queue": "QueueName",
        "AWS::Logs::LogGroup": "LogGroupName",
    }
    for kind, property in named.items():
        assert prod.resources(kind)
        assert [found for found in prod.properties(kind) if property in found] == []
