"""The registry's table as a whole: its backups, and the table made of one again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from millrace.errors import Conflict
from millrace.ports import TableBackup, TableSettings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TagTypeDef

# DynamoDB restores in some minutes, whatever the size (docs/runbook.md): a look every 5 s for an hour at most.
_LOOK_SECONDS, _LOOKS = 5, 720


class DynamoRegistryTable:
    def __init__(self, client: DynamoDBClient, name: str) -> None:
        self._client = client
        self._name = name

    @property
    def name(self) -> str:
        return self._name

    def exists(self) -> bool:
        try:
            self._client.describe_table(TableName=self._name)
        except self._client.exceptions.ResourceNotFoundException:
            return False
        return True

    def backups(self) -> Sequence[TableBackup]:
        """People's own and the one that DynamoDB makes when a table with point-in-time recovery is deleted."""
        pages = self._client.get_paginator("list_backups").paginate(TableName=self._name, BackupType="ALL")
        found = [
            TableBackup(each["BackupArn"], each["BackupCreationDateTime"])
            for page in pages
            for each in page["BackupSummaries"]
            if each["BackupStatus"] == "AVAILABLE"
        ]
        return sorted(found, key=lambda backup: backup.at, reverse=True)

    def restore(self, backup_id: str) -> None:
        try:
            self._client.restore_table_from_backup(TargetTableName=self._name, BackupArn=backup_id)
        except ClientError as error:
            if error.response["Error"]["Code"] in {"TableAlreadyExistsException", "TableInUseException"}:
                raise Conflict(f"the table {self._name} is there: delete it first, or keep it") from error
            raise
        self._client.get_waiter("table_exists").wait(
            TableName=self._name, WaiterConfig={"Delay": _LOOK_SECONDS, "MaxAttempts": _LOOKS}
        )

    def apply(self, settings: TableSettings) -> None:
        """What a restored table comes without, as DynamoDB documents it: streams and scaling are not used here."""
        self._client.update_continuous_backups(
            TableName=self._name,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": settings.point_in_time_recovery},
        )
        if settings.expiry_attribute is not None:
            self._client.update_time_to_live(
                TableName=self._name,
                TimeToLiveSpecification={"Enabled": True, "AttributeName": settings.expiry_attribute},
            )
        if settings.deletion_protection:
            self._client.update_table(TableName=self._name, DeletionProtectionEnabled=True)
        if settings.tags:
            arn = self._client.describe_table(TableName=self._name)["Table"]["TableArn"]
            tags: list[TagTypeDef] = [{"Key": key, "Value": value} for key, value in sorted(settings.tags.items())]
            self._client.tag_resource(ResourceArn=arn, Tags=tags)
