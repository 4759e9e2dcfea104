"""Finds the deployed platform: stack outputs become settings, a profile becomes credentials and endpoint."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from millrace.errors import NotFound
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


def _outputs(stack_prefix: str) -> Iterator[tuple[str, str]]:
    for page in boto3.client("cloudformation").get_paginator("describe_stacks").paginate():
        for stack in page["Stacks"]:
            if stack["StackName"].startswith(stack_prefix):
                yield from ((output["OutputKey"], output["OutputValue"]) for output in stack.get("Outputs", []))


def _setting(output_name: str) -> str:
    """`DataBucket` → `DATA_BUCKET`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", output_name).upper()
