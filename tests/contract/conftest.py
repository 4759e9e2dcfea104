"""The same tests run on the fakes and, through moto, on the real adapters."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from millrace import names
from millrace.adapters.dynamodb import DynamoDatasetCatalog, DynamoModelRegistry, DynamoRunLedger, Table
from millrace.adapters.memory import (
    InMemoryDatasetCatalog,
    InMemoryModelRegistry,
    InMemoryObjectStore,
    InMemoryRunLedger,
)
from millrace.adapters.s3 import S3ObjectStore
from millrace.ports import DatasetCatalog, ModelRegistry, ObjectStore, RunLedger

TABLE = "registry"
REGION = "us-east-1"
IMPLEMENTATIONS = ["memory", "aws"]


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    for name in ("AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        yield


@pytest.fixture
def dynamodb(aws: None) -> Any:
    """A client whose calls happen one after the other, as DynamoDB makes transactions look; moto alone does not."""
    client = boto3.client("dynamodb")
    create_registry_table(client)
    lock, call = threading.Lock(), client._make_api_call

    def one_at_a_time(operation: str, arguments: dict[str, Any]) -> Any:
        with lock:
            return call(operation, arguments)

    client._make_api_call = one_at_a_time
    return client


def create_registry_table(client: Any, name: str = TABLE) -> None:
    """As stacks/registry_stack.py has it."""
    fields = ("pk", "sk", "listed_at", *names.INDEXES.values())
    text = [{"AttributeName": field, "AttributeType": "S"} for field in fields]
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=text,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": index,
                "KeySchema": [
                    {"AttributeName": partition_key, "KeyType": "HASH"},
                    {"AttributeName": "listed_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
            for index, partition_key in names.INDEXES.items()
        ],
    )


@pytest.fixture
def table(dynamodb: Any) -> Table:
    return Table(dynamodb, TABLE, sleep=lambda _: None)


@pytest.fixture(params=IMPLEMENTATIONS)
def catalog(request: pytest.FixtureRequest) -> DatasetCatalog:
    if request.param == "memory":
        return InMemoryDatasetCatalog()
    return DynamoDatasetCatalog(request.getfixturevalue("table"))


@pytest.fixture(params=IMPLEMENTATIONS)
def ledger(request: pytest.FixtureRequest) -> RunLedger:
    if request.param == "memory":
        return InMemoryRunLedger()
    return DynamoRunLedger(request.getfixturevalue("table"))


@pytest.fixture(params=IMPLEMENTATIONS)
def registry(request: pytest.FixtureRequest) -> ModelRegistry:
    if request.param == "memory":
        return InMemoryModelRegistry()
    return DynamoModelRegistry(request.getfixturevalue("table"))


@pytest.fixture(params=IMPLEMENTATIONS)
def store(request: pytest.FixtureRequest) -> ObjectStore:
    if request.param == "memory":
        return InMemoryObjectStore()
    request.getfixturevalue("aws")
    client = boto3.client("s3")
    for bucket in ("data", "artifacts"):
        client.create_bucket(Bucket=bucket)
        client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return S3ObjectStore(client)
