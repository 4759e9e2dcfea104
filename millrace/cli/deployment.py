"""Finds the deployed platform: stack outputs become settings, a profile becomes credentials and endpoint."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from millrace.errors import NotFound
from millrace.ports import TableSettings
from millrace.settings import Settings, use_profile

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCAL_STATE = Path(".millrace")


def connect(environment: str, root: Path) -> Settings:
    """The settings of the platform deployed as `environment`.

    A profile that `millrace up` wrote under `root` for this environment wins; without one, the ambient AWS credentials
    and endpoint count, as for every AWS tool. Raises NotFound when nothing answers or nothing is deployed.
    """
    config = root / LOCAL_STATE / "aws" / "config"
    profile = f"millrace-{environment}"
    if config.is_file() and f"[profile {profile}]" in config.read_text():
        use_profile(config, profile)
        boto3.setup_default_session()  # one made before would keep the credentials it was made with
    try:
        outputs = dict(_outputs(f"Millrace-{environment}-"))
    except (BotoCoreError, ClientError) as error:
        raise NotFound(
            f"no platform answers for environment {environment!r} ({error}). Start the local one with: millrace up"
        ) from error
    if not outputs:
        raise NotFound(f"nothing is deployed as Millrace-{environment}-…. Start the local platform with: millrace up")
    return Settings.from_env({_setting(name): value for name, value in outputs.items()})


def registry_table_settings(environment: str) -> TableSettings:
    """What the registry's table is like by its deployed template: a restored table comes without these.

    `connect` must have found the environment before.
    """
    name = f"Millrace-{environment}-Registry"
    client = boto3.client("cloudformation")
    (stack,) = client.describe_stacks(StackName=name)["Stacks"]
    resources = client.get_template(StackName=name)["TemplateBody"]["Resources"]
    (table,) = [found["Properties"] for found in resources.values() if found["Type"] == "AWS::DynamoDB::Table"]
    expiry = table.get("TimeToLiveSpecification", {})
    return TableSettings(
        expiry_attribute=expiry.get("AttributeName") if expiry.get("Enabled") else None,
        point_in_time_recovery=table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"],
        deletion_protection=table.get("DeletionProtectionEnabled", False),
        tags={tag["Key"]: tag["Value"] for tag in [*stack.get("Tags", []), *table.get("Tags", [])]},
    )


def _outputs(stack_prefix: str) -> Iterator[tuple[str, str]]:
    for page in boto3.client("cloudformation").get_paginator("describe_stacks").paginate():
        for stack in page["Stacks"]:
            if stack["StackName"].startswith(stack_prefix):
                yield from ((output["OutputKey"], output["OutputValue"]) for output in stack.get("Outputs", []))


def _setting(output_name: str) -> str:
    """`DataBucket` → `DATA_BUCKET`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", output_name).upper()
