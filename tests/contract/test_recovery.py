"""What restoring stands on: a bucket's history, and a table made of a backup again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import boto3
import pytest

from millrace import names
from millrace.adapters.memory_recovery import InMemoryObjectHistory, InMemoryRegistryTable
from millrace.adapters.registry_table import DynamoRegistryTable
from millrace.adapters.s3_history import S3ObjectHistory
from millrace.errors import Conflict
from millrace.ports import ObjectHistory, ObjectVersion, RegistryTable, TableSettings
from tests.builders import later
from tests.contract.conftest import IMPLEMENTATIONS, TABLE, create_registry_table

AWKWARD = "models/credit/v1/Größe und Maß +%20&.gz"


class Bucket(NamedTuple):
    history: ObjectHistory
    put: Callable[[str], Any]
    delete: Callable[[str], Any]


@pytest.fixture(params=IMPLEMENTATIONS)
def bucket(request: pytest.FixtureRequest) -> Bucket:
    if request.param == "memory":
        versions = InMemoryObjectHistory()

        def note(key: str, *, removed: bool) -> None:
            number = len(versions._versions)
            versions._versions.append(ObjectVersion(f"s3://artifacts/{key}", str(number), later(number), removed))

        return Bucket(versions, lambda key: note(key, removed=False), lambda key: note(key, removed=True))
    request.getfixturevalue("aws")
    client = boto3.client("s3")
    client.create_bucket(Bucket="artifacts")
    client.put_bucket_versioning(Bucket="artifacts", VersioningConfiguration={"Status": "Enabled"})
    return Bucket(
        S3ObjectHistory(client),
        lambda key: client.put_object(Bucket="artifacts", Key=key, Body=b"x"),
        lambda key: client.delete_object(Bucket="artifacts", Key=key),
    )


def told(bucket: Bucket, prefix: str = "") -> list[tuple[str, bool]]:
    found = bucket.history.versions(f"s3://artifacts/{prefix}")
    return [(version.uri.removeprefix("s3://artifacts/"), version.removed) for version in found]


def test_versions_and_deletions_are_told_by_key_the_newest_first(bucket: Bucket) -> None:
    for key in ("b", AWKWARD):
        bucket.put(key)
        bucket.put(key)
        bucket.delete(key)
    bucket.put("a")

    assert told(bucket) == [("a", False), *[(key, gone) for key in ("b", AWKWARD) for gone in (True, False, False)]]
    assert told(bucket, "models/") == [(AWKWARD, True), (AWKWARD, False), (AWKWARD, False)]


def test_an_object_whose_deletion_is_forgotten_is_there_again(bucket: Bucket) -> None:
    bucket.put("a")
    bucket.delete("a")

    bucket.history.forget(next(bucket.history.versions("s3://artifacts/a")))

    assert told(bucket) == [("a", False)]


def test_a_listing_of_many_pages_keeps_the_versions_of_a_key_together(aws: None) -> None:
    client = boto3.client("s3")
    client.create_bucket(Bucket="artifacts")
    client.put_bucket_versioning(Bucket="artifacts", VersioningConfiguration={"Status": "Enabled"})
    for _ in range(3):
        for key in "abc":
            client.put_object(Bucket="artifacts", Key=key, Body=b"x")
    client.delete_object(Bucket="artifacts", Key="b")
    paginate = client.get_paginator("list_object_versions").paginate

    class InTwos:
        """Pages of two entries, as S3 makes pages of a thousand."""

        def paginate(self, **wanted: Any) -> Any:
            return paginate(**wanted, PaginationConfig={"PageSize": 2})

    client.get_paginator = lambda _operation: InTwos()
    versions = list(S3ObjectHistory(client).versions("s3://artifacts/"))

    assert [(version.uri[-1], version.removed) for version in versions] == [
        *[("a", False)] * 3,
        ("b", True),
        *[("b", False)] * 3,
        *[("c", False)] * 3,
    ]


class Bench(NamedTuple):
    table: RegistryTable
    keep_backup: Callable[[], str]
    delete: Callable[[], Any]
    items: Callable[[], Mapping[str, str]]


@pytest.fixture(params=IMPLEMENTATIONS)
def bench(request: pytest.FixtureRequest) -> Bench:
    if request.param == "memory":
        table = InMemoryRegistryTable(TABLE, {"RUN#1": "body"})

        def delete() -> None:
            table.items = None

        return Bench(table, lambda: table.keep_backup(datetime.now(UTC)), delete, lambda: table.items or {})
    client = request.getfixturevalue("dynamodb")
    client.put_item(TableName=TABLE, Item={"pk": {"S": "RUN#1"}, "sk": {"S": "META"}, "body": {"S": "body"}})
    return Bench(
        DynamoRegistryTable(client, TABLE),
        lambda: client.create_backup(TableName=TABLE, BackupName="kept")["BackupDetails"]["BackupArn"],
        lambda: client.delete_table(TableName=TABLE),
        lambda: {item["pk"]["S"]: item["body"]["S"] for item in client.scan(TableName=TABLE)["Items"]},
    )


def test_a_table_that_was_deleted_is_made_of_its_backup_again(bench: Bench) -> None:
    kept = bench.keep_backup()
    bench.delete()
    assert not bench.table.exists()
    (backup,) = bench.table.backups()
    assert backup.backup_id == kept
    assert abs(datetime.now(UTC) - backup.at) < timedelta(minutes=5)

    bench.table.restore(kept)

    assert bench.table.exists()
    assert bench.items() == {"RUN#1": "body"}


def test_a_table_that_is_there_is_not_restored_over(bench: Bench) -> None:
    kept = bench.keep_backup()

    with pytest.raises(Conflict, match="is there"):
        bench.table.restore(kept)


def test_a_restored_table_is_given_what_it_came_without(dynamodb: Any) -> None:
    create_registry_table(dynamodb, "bare")
    DynamoRegistryTable(dynamodb, "bare").apply(TableSettings(names.EXPIRY_ATTRIBUTE, True, True, {"owner": "ml"}))

    described = dynamodb.describe_table(TableName="bare")["Table"]
    recovery = dynamodb.describe_continuous_backups(TableName="bare")["ContinuousBackupsDescription"]
    expiry = dynamodb.describe_time_to_live(TableName="bare")["TimeToLiveDescription"]
    assert described["DeletionProtectionEnabled"] is True
    assert recovery["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    assert (expiry["TimeToLiveStatus"], expiry["AttributeName"]) == ("ENABLED", names.EXPIRY_ATTRIBUTE)
    assert dynamodb.list_tags_of_resource(ResourceArn=described["TableArn"])["Tags"] == [
        {"Key": "owner", "Value": "ml"}
    ]
