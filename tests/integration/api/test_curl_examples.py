"""Every route has a curl example on the API's page, and each of them is executed as it stands there."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from lambdas.api.app import contract
from millrace.adapters.dynamodb import DynamoDatasetCatalog, DynamoModelRegistry, DynamoRunLedger, Table
from millrace.adapters.s3 import S3ObjectStore
from millrace.domain import place
from millrace.domain.dataset import DatasetVersion
from millrace.domain.run import RunState
from scripts.curl_examples import operations
from scripts.write_contracts import EXAMPLES_BEGIN, EXAMPLES_END, PAGE
from tests.builders import NOON, a_column, a_contract, a_model_version, a_run, an_upload, later, prepared
from tests.integration.api.conftest import Deployed
from tests.unit.use_cases.world import a_profile

RUN = "training-b69cfade296b"
CONTRACT = a_contract(
    dataset="churn", columns=tuple(a_column(name) for name in ("customer_id", "age", "plan", "left", "home", "status"))
)
TEXT = PAGE.read_text().partition(EXAMPLES_BEGIN)[2].partition(EXAMPLES_END)[0]
EXAMPLES = re.findall(r"#### `(\w+) (\S+)`\n.*?```sh\n(.*?)\n```", TEXT, re.DOTALL)
OPERATIONS = {(method, path): operation for method, path, operation in operations(contract())}
# What is said of a request that does not have the form it must have: such an example would teach what does not work.
MALFORMED = {"InvalidInput", "FieldsInvalid", "UnsupportedMediaType", "MethodNotAllowed"}
# Of these the example finds what it names.
FOUND = {
    "get_health", "get_openapi", "list_datasets", "get_dataset", "get_contract", "compare_versions", "list_uploads",
    "list_dataset_versions", "get_dataset_version", "get_profile", "list_quarantined_rows", "get_dataset_file",
    "get_quality_history", "list_models", "get_model", "list_model_versions", "get_model_history", "get_champion",
    "get_model_version", "get_evaluation", "get_lineage", "get_model_card", "get_model_file", "list_runs", "get_run",
    "get_run_logs", "get_training_estimate", "get_training_options", "list_activity", "get_dashboard_stats",
    "change_dataset", "start_upload", "put_alias",
}  # fmt: skip


@pytest.fixture(scope="module")
def stored(deployed: Deployed) -> Deployed:
    """What the examples speak of: the dataset and the model `churn`."""
    session = deployed.running.session()
    table = Table(session.client("dynamodb"), deployed.outputs["RegistryTable"])
    catalog, store = DynamoDatasetCatalog(table), S3ObjectStore(session.client("s3"))
    dataset = catalog.ensure("churn", at=NOON, actor="user:ada")
    keyed = dataset.settings.model_copy(update={"key": ("customer_id",)})
    catalog.configure("churn", keyed, revision=dataset.revision, actor="user:ada")
    for number in (1, 2, 3):
        ready(catalog, store, deployed.outputs["DataBucket"], number)
    ledger = DynamoRunLedger(table)
    ledger.open(a_run(RUN, pipeline="training", dataset="churn", dataset_version=3, model="churn"))
    ledger.close(RUN, state=RunState.SUCCEEDED, reason=None, steps=[], at=later(9))
    serve(DynamoModelRegistry(table), store, deployed.outputs["ArtifactsBucket"])
    return deployed


def ready(catalog: DynamoDatasetCatalog, store: S3ObjectStore, bucket: str, number: int) -> None:
    """Version `number`, as its preparation leaves it."""
    upload = catalog.open_upload(an_upload(f"{number}.csv", dataset="churn"))
    catalog.claim_content(
        upload,
        location_prefix=place.datasets_uri(bucket, "churn"),
        quarantine_prefix=place.quarantine_uri(bucket, "churn"),
        at=NOON,
    )
    version: DatasetVersion = catalog.version("churn", number)
    store.write(place.profile_uri(version.location), json.dumps(a_profile()).encode())
    store.write(place.report_uri(version.location), b"{}")
    row = {"line": 17, "text": "17;x", "reasons": ["age: 'x' is not an integer"]}
    store.write(f"{version.quarantine_location}part-00000.jsonl", json.dumps(row).encode() + b"\n")
    catalog.accept_version(prepared(version), CONTRACT if number == 1 else None)


def serve(registry: DynamoModelRegistry, store: S3ObjectStore, bucket: str) -> None:
    """Seven versions of the model, the last one champion and the one before approved too."""
    for number in range(1, 8):
        run_id = f"training-{number}"
        registry.claim_number("churn", dataset="churn", run_id=run_id, algorithm="xgboost", at=NOON)
        version = a_model_version(number, model="churn", run_id=run_id, algorithm="xgboost")
        version = version.model_copy(
            update={
                "artifact_uri": place.model_uri(bucket, "churn", number, "model.tar.gz"),
                "evaluation_uri": place.model_uri(bucket, "churn", number, "evaluation.json"),
            }
        )
        registry.register(version, actor="user:ada")
        entry: dict[str, Any] = {
            "algorithm": "xgboost",
            "artifact_digest": version.artifact_digest,
            "curves": {"roc": []},
        }
        store.write(version.evaluation_uri, json.dumps({"test_rows": 100, "candidates": [entry]}).encode())
        store.write(version.artifact_uri, b"an artefact")
    for number in (6, 7):
        registry.decide("churn", number, approve=True, actor="user:ada", reason="better", at=later(number))
    registry.move_alias("churn", "champion", 7, expected=None, actor="user:ada", reason="better", at=later(8))


def test_every_route_has_its_example() -> None:
    assert [(method, path) for method, path, _ in EXAMPLES] != []
    assert {(method, path) for method, path, _ in EXAMPLES} == set(OPERATIONS)


@pytest.mark.parametrize(
    ("method", "path", "command"), EXAMPLES, ids=[f"{method} {path}" for method, path, _ in EXAMPLES]
)
def test_the_example_does_what_the_page_says(
    method: str, path: str, command: str, stored: Deployed, tmp_path: Path
) -> None:
    operation = OPERATIONS[method, path]
    assert command.startswith("curl ")
    shown = f"curl -sS --noproxy '*' -o body -w '%{{http_code}}' {command.removeprefix('curl ')}"
    known = {"API": stored.outputs["ApiUrl"], "TOKEN": stored.token("admin"), "PATH": "/usr/local/bin:/usr/bin:/bin"}

    done = subprocess.run(["/bin/sh", "-c", shown], cwd=tmp_path, env=known, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    said = (tmp_path / "body").read_text()
    assert done.stdout in operation["responses"], said
    assert int(done.stdout) < 500, said
    if operation["operationId"] in FOUND:
        assert done.stdout.startswith("2"), said
    if not done.stdout.startswith("2"):
        assert json.loads(said)["type"] not in MALFORMED, said
