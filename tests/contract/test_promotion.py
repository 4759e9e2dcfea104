"""A version is taken over the same way by every registry, ledger, catalog and store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from typer.testing import CliRunner

from millrace import bootstrap
from millrace.adapters.memory import InMemoryDatasetCatalog, InMemoryModelRegistry, InMemoryNotifier, SetClock
from millrace.cli.app import app
from millrace.domain.model import ApprovalState, ModelVersion
from millrace.domain.run import RunState
from millrace.ports import DatasetCatalog, ModelRegistry, ObjectStore, RunLedger
from millrace.settings import Settings
from millrace.use_cases.export_model_version import export_model_version
from millrace.use_cases.import_model_version import import_model_version
from scripts.granted_permissions import OF_PEOPLE
from tests.builders import NOON, a_contract, a_model_version, later
from tests.contract.conftest import create_registry_table

if TYPE_CHECKING:
    from botocore.model import OperationModel

STAGING, PROD = "data", "artifacts"
SERVING = ("serving.json", "golden.json", "model.onnx")
# What IAM calls otherwise than the API does.
ASKED_AS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "ListObjectsV2": "ListBucket",
    "HeadObject": "GetObject",
}
OK = AWSResponse("https://cloudformation.us-east-1.amazonaws.com", 200, {}, None)


def fill(store: ObjectStore, catalog: DatasetCatalog, registry: ModelRegistry, bucket: str) -> None:
    """credit:1 was approved and serves; it has no baseline."""
    folder = f"s3://{bucket}/models/credit/v1"
    for file in ("model.tar.gz", "evaluation.json", *(f"serving/{name}" for name in SERVING)):
        store.write(f"{folder}/{file}", b'{"of": "%s"}' % file.encode())
    catalog.ensure("credit", at=NOON, actor="ada")
    catalog.put_contract(a_contract())
    registry.claim_number("credit", dataset="credit", run_id="training-1", algorithm="xgboost", at=NOON)
    registry.register(a_model_version(), actor="training")
    registry.decide("credit", 1, approve=True, actor="ada", reason="good", at=later(1))


def exported(store: ObjectStore) -> str:
    """The address of staging's credit:1."""
    catalog, registry = InMemoryDatasetCatalog(), InMemoryModelRegistry()
    fill(store, catalog, registry, STAGING)
    return export_model_version(
        registry=registry,
        catalog=catalog,
        store=store,
        artifacts_bucket=STAGING,
        environment="staging",
        version_id="credit:1",
    )


def test_a_version_is_taken_over_once_under_the_next_number(
    catalog: DatasetCatalog, registry: ModelRegistry, ledger: RunLedger, store: ObjectStore
) -> None:
    registry.claim_number("credit", dataset="credit", run_id="training-9", algorithm="linear", at=NOON)
    address, notifier = exported(store), InMemoryNotifier()

    def taken_over() -> ModelVersion:
        return import_model_version(
            catalog=catalog,
            registry=registry,
            ledger=ledger,
            source=store,
            store=store,
            notifier=notifier,
            clock=SetClock(later(5)),
            artifacts_bucket=PROD,
            environment="prod",
            address=address,
            actor="cli:olga",
        )

    first = taken_over()
    written = store.head(first.artifact_uri).version_id

    assert taken_over() == first == registry.get("credit", 2)
    assert first.approval.state is ApprovalState.PENDING
    assert first.origin is not None
    assert first.origin.contract == a_contract()
    assert registry.model("credit").pending == (2,)
    assert ledger.get(first.lineage.run_id).state is RunState.SUCCEEDED
    assert catalog.get("credit").latest_ready_version in (None, 0)
    for name in SERVING:
        assert store.read(f"s3://{PROD}/models/credit/v2/origin/{name}") == b'{"of": "serving/%s"}' % name.encode()
    assert store.head(first.artifact_uri).version_id == written, "what is registered is never written again"
    assert store.read(first.artifact_uri) == b'{"of": "model.tar.gz"}'


def deployed(environment: str) -> dict[str, str]:
    """What the two commands find of an environment: the outputs of its stacks, whose names are there."""
    bucket, table = f"{environment}-artifacts", f"{environment}-registry"
    create_registry_table(boto3.client("dynamodb"), table)
    boto3.client("s3").create_bucket(Bucket=bucket)
    topic = boto3.client("sns").create_topic(Name=environment)["TopicArn"]
    parameter = f"/millrace/{environment}/dashboard-url"
    boto3.client("ssm").put_parameter(Name=parameter, Value="https://mlops.example.com", Type="String")
    return {
        "ArtifactsBucket": bucket,
        "RegistryTable": table,
        "NotificationsTopicArn": topic,
        "DashboardUrlParameter": parameter,
    }


def typed(*arguments: str) -> Any:
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def asked_by(outputs: Mapping[str, Mapping[str, str]], *arguments: str) -> tuple[Any, set[str]]:
    """What a command answers, and what it asked of AWS, in IAM's words. `outputs` are those of the stacks there are."""
    seen: set[str] = set()
    stacks = [
        {
            "StackName": f"Millrace-{environment}-Data",
            "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in found.items()],
        }
        for environment, found in outputs.items()
    ]

    def note(params: Any, model: OperationModel, **_: Any) -> None:
        service, name = model.service_model.service_name, model.name
        parts = [kind for item in params.get("TransactItems", []) for kind in item]
        seen.update(f"{service}:{ASKED_AS.get(each, each)}" for each in parts or [name])

    boto3.setup_default_session()
    assert boto3.DEFAULT_SESSION is not None
    events = boto3.DEFAULT_SESSION.events
    events.register("before-parameter-build", note)
    events.register("before-call.cloudformation.DescribeStacks", lambda **_: (OK, {"Stacks": stacks}))
    try:
        return typed(*arguments), seen
    finally:
        boto3.setup_default_session()


def test_the_operators_roles_may_do_what_their_commands_ask_for_and_nothing_else(
    aws: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    both = {environment: deployed(environment) for environment in ("staging", "prod")}
    staging = bootstrap.platform(Settings(registry_table="staging-registry"))
    fill(staging.store, staging.catalog, staging.registry, "staging-artifacts")

    said, exporting = asked_by(both, "export-version", "credit:1", "-e", "staging")
    taken, importing = asked_by(both, "import-version", said["address"], "-e", "prod")

    assert bootstrap.platform(Settings(registry_table="prod-registry")).registry.get("credit", 1).id == taken["id"]
    # Whoever may not list is told 403 of what is missing, and not that the version was never deployed.
    assert exporting == OF_PEOPLE["ExportVersion"] - {"s3:ListBucket"}
    assert importing - {"s3:GetObject"} == OF_PEOPLE["ImportVersion"]
