"""The registry: one table for datasets, runs and models."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from constructs import Construct

from millrace import names
from stacks.config import EnvironmentConfig
from stacks.platform_stack import PlatformStack

# No Scan and no administration: the code's own calls. A transaction needs the permission of each of its parts.
TABLE_ACTIONS = [
    f"dynamodb:{action}" for action in ("GetItem", "Query", "PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem")
]


class RegistryStack(PlatformStack):
    def __init__(self, scope: Construct, id: str, *, config: EnvironmentConfig) -> None:
        super().__init__(scope, id, config=config)
        text = dynamodb.AttributeType.STRING
        self.table = dynamodb.Table(
            self,
            "Registry",
            partition_key=dynamodb.Attribute(name=names.PARTITION_KEY, type=text),
            sort_key=dynamodb.Attribute(name=names.SORT_KEY, type=text),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            time_to_live_attribute=names.EXPIRY_ATTRIBUTE,
            deletion_protection=config.deletion_protection,
            removal_policy=config.removal_policy,
        )
        for index, partition_key in names.INDEXES.items():
            self.table.add_global_secondary_index(
                index_name=index,
                partition_key=dynamodb.Attribute(name=partition_key, type=text),
                sort_key=dynamodb.Attribute(name=names.LISTING_SORT_KEY, type=text),
            )
        cdk.CfnOutput(self, "RegistryTable", value=self.table.table_name)

    def may_use(self, grantee: iam.IGrantable) -> None:
        """Read and change items, but not the index."""
        iam.Grant.add_to_principal(grantee=grantee, actions=TABLE_ACTIONS, resource_arns=[self.table.table_arn])

    def may_look_up(self, grantee: iam.IGrantable) -> None:
        """Read single items by key."""
        iam.Grant.add_to_principal(grantee=grantee, actions=["dynamodb:GetItem"], resource_arns=[self.table.table_arn])

    def may_read(self, grantee: iam.IGrantable) -> None:
        """Read single items by key, and a thing's own items in order: a model's history."""
        iam.Grant.add_to_principal(
            grantee=grantee, actions=["dynamodb:GetItem", "dynamodb:Query"], resource_arns=[self.table.table_arn]
        )

    def may_note_use_of_keys(self, grantee: iam.IGrantable) -> None:
        """Change items of API keys: when they were used last."""
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["dynamodb:UpdateItem"],
            resource_arns=[self.table.table_arn],
            conditions={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{names.API_KEY_ITEMS}*"]}},
        )

    def may_count_traffic(self, grantee: iam.IGrantable) -> None:
        """Add to what models were asked, and change nothing else."""
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["dynamodb:PutItem", "dynamodb:UpdateItem"],
            resource_arns=[self.table.table_arn],
            conditions={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{names.TRAFFIC_ITEMS}*"]}},
        )

    def may_list(self, grantee: iam.IGrantable) -> None:
        """Query the indexes: lists of datasets, runs and models. Batch reads: what a list shows of each."""
        indexes = [f"{self.table.table_arn}/index/{index}" for index in names.INDEXES]
        iam.Grant.add_to_principal(grantee=grantee, actions=["dynamodb:Query"], resource_arns=indexes)
        iam.Grant.add_to_principal(
            grantee=grantee, actions=["dynamodb:BatchGetItem"], resource_arns=[self.table.table_arn]
        )
