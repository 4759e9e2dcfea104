"""Parts of the deployed platform that tests reach for: a function, the nightly schedule, a role of people."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3

from millrace import bootstrap
from millrace.bootstrap import Platform
from millrace.cli.deployment import connect
from millrace.domain.model import ModelVersion
from millrace.ports import ObjectStore
from millrace.use_cases.export_model_version import export_model_version
from millrace.use_cases.import_model_version import import_model_version
from tests.e2e.conftest import Bench


def function_named(bench: Bench, part: str) -> str:
    pages = bench.session.client("lambda").get_paginator("list_functions").paginate()
    return next(f["FunctionName"] for page in pages for f in page["Functions"] if part in f["FunctionName"])


@contextmanager
def due_now(bench: Bench) -> Iterator[None]:
    """The nightly schedule as it was deployed, but for its time."""
    client = bench.session.client("scheduler")
    (named,) = [each for each in client.list_schedules()["Schedules"] if "DayEnded" in each["Name"]]
    schedule = client.get_schedule(Name=named["Name"], GroupName=named["GroupName"])
    kept = {
        key: value
        for key, value in schedule.items()
        if key not in ("ResponseMetadata", "Arn", "CreationDate", "LastModificationDate")
    }
    soon = datetime.now(UTC) + timedelta(seconds=2)
    client.update_schedule(**kept | {"ScheduleExpression": "rate(1 day)", "StartDate": soon})
    try:
        yield
    finally:
        client.update_schedule(**kept)


@contextmanager
def acting_as(role: str, root: Path) -> Iterator[Platform]:
    """The platform of `root` as an operator's command finds it, who assumed the role that the templates make for it."""
    connect("local", root)
    sts = boto3.client("sts")
    stacks = boto3.client("cloudformation").describe_stacks(StackName="Millrace-local-Promotion")["Stacks"]
    (arn,) = [out["OutputValue"] for out in stacks[0]["Outputs"] if out["OutputKey"] == f"{role}RoleArn"]
    keys = sts.assume_role(RoleArn=arn, RoleSessionName="olga")["Credentials"]
    # Credentials and endpoint as any AWS tool finds them; the platform's own profile would win.
    for name in ("AWS_CONFIG_FILE", "AWS_PROFILE"):
        os.environ.pop(name, None)
    os.environ |= {
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
        "AWS_ENDPOINT_URL": sts.meta.endpoint_url,
        "AWS_DEFAULT_REGION": sts.meta.region_name,
    }
    boto3.setup_default_session()
    try:
        yield bootstrap.platform(connect("local", Path(os.devnull)))
    finally:
        connect("local", root)


def export(platform: Platform, version_id: str, *, environment: str) -> str:
    """As `millrace export-version` does it in an environment of this name."""
    return export_model_version(
        registry=platform.registry,
        catalog=platform.catalog,
        store=platform.store,
        artifacts_bucket=platform.settings.require("artifacts_bucket"),
        environment=environment,
        version_id=version_id,
    )


def take_over(platform: Platform, address: str, *, source: ObjectStore, environment: str) -> ModelVersion:
    """As `millrace import-version` does it in an environment of this name; `source` reads the other one's bucket."""
    return import_model_version(
        catalog=platform.catalog,
        registry=platform.registry,
        ledger=platform.ledger,
        source=source,
        store=platform.store,
        notifier=platform.notifier,
        clock=platform.clock,
        artifacts_bucket=platform.settings.require("artifacts_bucket"),
        environment=environment,
        address=address,
        actor="cli:olga",
    )
