"""AWS Backup: recovery points of the registry and both buckets, apart from what they are points of.

Point-in-time recovery and versions undo mistakes within the resource itself; these survive the loss of it, and copies
that of the region or the account. An environment without `backup` has no such stack.
"""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_backup as backup
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.acknowledge import acknowledge, exported_name
from stacks.config import BackupConfig, EnvironmentConfig
from stacks.constructs.platform_bucket import PlatformBucket
from stacks.data_stack import DataStack
from stacks.platform_stack import PlatformStack
from stacks.registry_stack import RegistryStack

# Whoever gets hold of an administrator's keys cannot delete a recovery point that is younger.
YOUNGEST_DELETED_DAYS = 7


class RecoveryStack(PlatformStack):
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: EnvironmentConfig,
        backups: BackupConfig,
        data: DataStack,
        registry: RegistryStack,
    ) -> None:
        super().__init__(scope, id, config=config)
        self._table_arn = registry.table.table_arn
        self._buckets = (data.data_bucket, data.artifacts_bucket)
        vault = backup.BackupVault(
            self,
            "Vault",
            # Without a date from which it is for ever: an administrator may take the lock off, and that is recorded.
            lock_configuration=backup.LockConfiguration(min_retention=cdk.Duration.days(YOUNGEST_DELETED_DAYS)),
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        plan = backup.BackupPlan(self, "Plan", backup_vault=vault)
        kept = cdk.Duration.days(backups.kept_days)
        plan.add_rule(
            backup.BackupPlanRule(
                rule_name="Daily",
                schedule_expression=events.Schedule.cron(hour="3", minute="0"),
                start_window=cdk.Duration.hours(1),
                completion_window=cdk.Duration.hours(8),
                # Objects to the second; of the table the daily point, beside its own point-in-time recovery.
                enable_continuous_backup=True,
                delete_after=kept,
                copy_actions=[
                    backup.BackupPlanCopyActionProps(
                        destination_backup_vault=backup.BackupVault.from_backup_vault_arn(self, f"Copy{number}", arn),
                        delete_after=kept,
                    )
                    for number, arn in enumerate(backups.copies, start=1)
                ],
            )
        )
        backup.BackupSelection(
            self,
            "Everything",
            backup_plan=plan,
            role=self._role(vault),
            disable_default_backup_policy=True,
            resources=[
                backup.BackupResource.from_arn(arn)
                for arn in (self._table_arn, *(bucket.bucket_arn for bucket in self._buckets))
            ],
        )
        cdk.CfnOutput(self, "BackupVaultName", value=vault.backup_vault_name)

    def _role(self, vault: backup.BackupVault) -> iam.Role:
        """What AWS's managed policies for backups allow, on these resources alone. It cannot restore."""
        role = iam.Role(self, "BackupRole", assumed_by=iam.ServicePrincipal("backup.amazonaws.com"))

        def allow(actions: list[str], *resources: str) -> None:
            role.add_to_policy(iam.PolicyStatement(actions=actions, resources=list(resources)))

        allow(["dynamodb:DescribeTable", "dynamodb:ListTagsOfResource", "dynamodb:StartAwsBackupJob"], self._table_arn)
        allow(
            ["s3:ListBucket", "s3:ListBucketVersions"]
            + [f"s3:GetBucket{part}" for part in ("Acl", "Location", "Notification", "Tagging", "Versioning")]
            + ["s3:PutBucketNotification", "s3:GetInventoryConfiguration", "s3:PutInventoryConfiguration"],
            *(bucket.bucket_arn for bucket in self._buckets),
        )
        allow(
            [f"s3:GetObject{part}" for part in ("", "Acl", "Tagging", "Version", "VersionAcl", "VersionTagging")],
            *(bucket.arn_for_objects("*") for bucket in self._buckets),
        )
        # The rule by which AWS Backup hears of changes, and its own measure of how far it is.
        rules = self.format_arn(service="events", resource="rule", resource_name="AwsBackupManagedRule*")
        verbs = ("DescribeRule", "EnableRule", "PutRule", "DeleteRule", "PutTargets", "RemoveTargets", "DisableRule")
        allow([f"events:{verb}" for verb in (*verbs, "ListTargetsByRule")], rules)
        allow(["events:ListRules", "cloudwatch:GetMetricData", "tag:GetResources"], "*")
        allow(["backup:DescribeBackupVault", "backup:CopyFromBackupVault"], vault.backup_vault_arn)
        self._acknowledge(role)
        return role

    def _acknowledge(self, role: iam.Role) -> None:
        rules = "arn:<AWS::Partition>:events:<AWS::Region>:<AWS::AccountId>:rule/AwsBackupManagedRule*"
        acknowledge(
            role,
            "A backup reads every object of its two buckets; AWS Backup names the rule by which it hears of changes "
            "itself; listing rules, metrics and tags knows no resources.",
            *(f"IAM5[Resource::{self._objects(bucket)}]" for bucket in self._buckets),
            f"IAM5[Resource::{rules}]",
            "IAM5[Resource::*]",
        )

    def _objects(self, bucket: PlatformBucket) -> str:
        return f"{exported_name(bucket.bucket_arn, cdk.Stack.of(bucket))}/*"
