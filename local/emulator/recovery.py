"""DynamoDB: a table with point-in-time recovery leaves a backup when it is deleted, as AWS keeps one for 35 days.

ministack takes no notice of the property in a template, and forgets a deleted table.
"""

from collections.abc import Callable
from typing import Any

from ministack.services import dynamodb
from ministack.services.cloudformation import provisioners

from local.context import EmulatorContext

Properties = dict[str, Any]
# AWS calls the backup so.
DELETED_TABLE = "$DeletedTableBackup"


def install(_context: EmulatorContext) -> None:
    """Switch recovery on where the template says so, and keep a backup of every table that has it and is deleted."""
    handler = provisioners._RESOURCE_HANDLERS["AWS::DynamoDB::Table"]
    handler["create"] = _recoverable(handler["create"], properties_at=1)
    handler["update"] = _recoverable(handler["update"], properties_at=2)
    dynamodb._delete_table = _keeping_a_backup(dynamodb._delete_table)


def _recoverable(provision: Callable[..., Any], *, properties_at: int) -> Callable[..., Any]:
    def provision_recoverable(*arguments: Any, **named: Any) -> Any:
        provisioned = provision(*arguments, **named)
        _recover_as_said(provisioned[0], arguments[properties_at])
        return provisioned

    return provision_recoverable


def _recover_as_said(table: str, properties: Properties) -> None:
    said = properties.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled", False)
    dynamodb._pitr_settings[table] = str(said).lower() == "true"


def _keeping_a_backup(delete: Callable[..., Any]) -> Callable[..., Any]:
    def delete_table(data: Properties) -> Any:
        name = dynamodb._normalize_table_name(data.get("TableName"))
        recoverable, before = dynamodb._pitr_settings.get(name, False), set(dynamodb._backups)
        if recoverable and name in dynamodb._tables:
            dynamodb._create_backup({"TableName": name, "BackupName": f"{name}{DELETED_TABLE}"})
        kept = set(dynamodb._backups) - before
        answer = delete(data)
        for arn in kept:
            if answer[0] == 200:
                dynamodb._backups[arn]["BackupDetails"]["BackupType"] = "SYSTEM"
            else:
                dynamodb._backups.pop(arn)
        return answer

    return delete_table
