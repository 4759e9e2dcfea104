"""The restore drill of docs/runbook.md: the registry and two prefixes are deleted, one command brings them back."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pandas as pd
import pytest

from local import platform as local_platform
from millrace import bootstrap, names
from millrace.cli.deployment import LOCAL_STATE, connect
from millrace.domain import identity
from millrace.domain.model import parse_version_id
from millrace.domain.run import RunState
from tests.e2e.calling import Caller, signed_in
from tests.e2e.conftest import EXAMPLES, Bench

PENGUINS = (EXAMPLES / "penguins.csv").read_bytes()
SETTINGS = {"target": "species", "training": {"trials": 1, "algorithms": ["linear", "random_forest"]}}


@pytest.fixture
def ours(bench: Bench, assembly: Path, tmp_path: Path) -> Iterator[Bench]:
    """A platform of its own: the drill deletes the registry of everything."""
    running = local_platform.start(tmp_path / LOCAL_STATE, port=0, assembly=assembly)
    settings = connect("local", tmp_path)
    try:
        yield Bench(bootstrap.platform(settings), settings.data_bucket, boto3.Session(), tmp_path)
    finally:
        running.stop()
        # This process was pointed at the second platform; the shared one is used by the tests that follow.
        connect("local", bench.root)


def items(ours: Bench) -> dict[str, Any]:
    """The registry, read past our own code."""
    client, table = ours.session.client("dynamodb"), ours.platform.settings.registry_table
    pages = client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    return {f"{item['pk']['S']}|{item['sk']['S']}": item for page in pages for item in page["Items"]}


def checksums(ours: Bench) -> dict[str, str]:
    """SHA-256 and version of every object of both buckets."""
    client, found = ours.session.client("s3"), {}
    for bucket in (ours.platform.settings.data_bucket, ours.platform.settings.artifacts_bucket):
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for entry in page.get("Contents", []):
                answer = client.get_object(Bucket=bucket, Key=entry["Key"])
                digest = hashlib.sha256(answer["Body"].read()).hexdigest()
                found[f"{bucket}/{entry['Key']}"] = f"{digest} {answer['VersionId']}"
    return found


def delete_everything_below(ours: Bench, bucket: str, prefix: str) -> int:
    client = ours.session.client("s3")
    keys = [entry["Key"] for entry in client.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]]
    for key in keys:
        client.delete_object(Bucket=bucket, Key=key)
    return len(keys)


def command(ours: Bench, *arguments: str) -> Any:
    """What `millrace` prints as JSON, run as an operator runs it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    program = Path(sys.executable).with_name("millrace")
    done = subprocess.run(
        [program, *arguments, "--json"], cwd=ours.root, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def served(ours: Bench) -> list[str]:
    """A model in service and a version that waits for a decision: the ids of both."""
    assert ours.configure("penguins", SETTINGS).state is RunState.SUCCEEDED
    assert ours.drop("penguins", "penguins.csv", PENGUINS).state is RunState.SUCCEEDED
    run = ours.trained("penguins", 1)
    assert run.state is RunState.SUCCEEDED, run.reason
    champion, other = ours.platform.registry.versions("penguins")
    ours.approve(champion.id, "it shall answer before and after")
    deployed = ours.ended(identity.automatic_deployment_run_id("penguins", champion.number))
    assert deployed.state is RunState.SUCCEEDED, deployed.reason
    return [champion.id, other.id]


def predicted(person: Caller) -> Any:
    rows = json.loads(pd.read_csv(EXAMPLES / "penguins.csv").head(20).drop(columns="species").to_json(orient="records"))
    status, answer = person.post("/inference/predict", {"model": "penguins", "rows": rows})
    assert status == 200, answer
    return answer["model_version"], [each["prediction"] for each in answer["predictions"]]


def test_a_deleted_registry_and_deleted_artefacts_come_back_whole_and_the_platform_works(ours: Bench) -> None:
    champion, waiting = served(ours)
    approver = signed_in(ours, "grace", names.APPROVER_ROLE)
    scientist = signed_in(ours, "ada", names.SCIENTIST_ROLE)
    settings, client = ours.platform.settings, ours.session.client("dynamodb")
    answered = predicted(scientist)
    shown = approver.get(f"/models/{champion}/detail")
    assert shown[0] == 200, shown
    known, kept = items(ours), checksums(ours)

    disaster = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    client.delete_table(TableName=settings.registry_table)
    removed = delete_everything_below(ours, settings.artifacts_bucket, names.MODELS_PREFIX)
    removed += delete_everything_below(ours, settings.data_bucket, names.DATASETS_PREFIX)
    assert approver.get(f"/models/{champion}/detail")[0] >= 500

    told = command(ours, "restore", "--since", disaster, "--dry-run")
    assert told["table"] is not None
    assert client.list_tables()["TableNames"] == []
    done = command(ours, "restore", "--since", disaster)

    assert len(done["objects"]) == len(told["objects"]) == removed > 0
    assert items(ours) == known
    assert checksums(ours).items() >= kept.items()
    protection = client.describe_continuous_backups(TableName=settings.registry_table)["ContinuousBackupsDescription"]
    assert protection["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    assert client.describe_time_to_live(TableName=settings.registry_table)["TimeToLiveDescription"] == {
        "TimeToLiveStatus": "ENABLED",
        "AttributeName": names.EXPIRY_ATTRIBUTE,
    }

    assert approver.get(f"/models/{champion}/detail") == shown
    assert predicted(scientist) == answered
    status, decided = approver.put(f"/models/{waiting}/reject", {"reason": "the drill of the restore"})
    assert (status, decided["approval"]["state"]) == (200, "REJECTED"), decided
    assert ours.platform.registry.get(*parse_version_id(waiting)).approval.reason == "the drill of the restore"
    verified = command(ours, "audit", "verify")
    assert verified["audit"]["faults"] == []
    assert verified["counts"]["kept"] == verified["counts"]["counted"]
    assert command(ours, "sweep", "--older-than-days", "1")["leftovers"] == []
    assert {each["pipeline"] for each in command(ours, "costs", "--since", "2026-01")} >= {"ingest", "training"}
    assert command(ours, "restore", "--since", disaster) == {"dry_run": False, "table": None, "objects": []}
