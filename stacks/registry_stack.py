"""The registry: one table for datasets, runs and models."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from constructs import Construct

from millrace import names
from stacks.config import EnvironmentConfig
from stacks.platform_stack import PlatformStack


class RegistryStack(PlatformStack):
    """The `may_…` are the code's own calls, no Scan and no administration: each names one need, and a role is given
    those it has. A transaction needs the permission of each of its parts.
    """

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

    def may_look_up(self, grantee: iam.IGrantable) -> None:
        """Read single items by key."""
        self._allow(grantee, "GetItem")

    def may_look_up_many(self, grantee: iam.IGrantable) -> None:
        """Read items by their keys in batches: what a list shows of each."""
        self._allow(grantee, "BatchGetItem")

    def may_follow(self, grantee: iam.IGrantable) -> None:
        """Read a thing's own items in order: a model's history."""
        self._allow(grantee, "Query")

    def may_list(self, grantee: iam.IGrantable) -> None:
        """Query the indexes: lists of datasets, runs and models."""
        indexes = [f"{self.table.table_arn}/index/{index}" for index in names.INDEXES]
        iam.Grant.add_to_principal(grantee=grantee, actions=["dynamodb:Query"], resource_arns=indexes)

    def may_amend(self, grantee: iam.IGrantable) -> None:
        """Read single items and change them; nothing new."""
        self._allow(grantee, "GetItem", "UpdateItem")

    def may_record(self, grantee: iam.IGrantable) -> None:
        """Read single items, write new ones and change them. The audit trail's entries and the counts are such too."""
        self._allow(grantee, "GetItem", "PutItem", "UpdateItem")

    def may_remove(self, grantee: iam.IGrantable) -> None:
        """Delete items: the claim of a refused upload on its content, a mark, a channel, a schedule."""
        self._allow(grantee, "DeleteItem")

    def may_insist(self, grantee: iam.IGrantable) -> None:
        """Make a change depend on an item that it leaves as it is."""
        self._allow(grantee, "ConditionCheckItem")

    def _allow(self, grantee: iam.IGrantable, *actions: str) -> None:
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=[f"dynamodb:{action}" for action in actions],
            resource_arns=[self.table.table_arn],
        )

    def may_note_use_of_keys(self, grantee: iam.IGrantable) -> None:
        """Change items of API keys: when they were used last."""
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["dynamodb:UpdateItem"],
            resource_arns=[self.table.table_arn],
            conditions={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{names.API_KEY_ITEMS}*"]}},
        )

    def may_count_hours(self, grantee: iam.IGrantable, *, ending: bool = False) -> None:
        """Write when which endpoint came into service, and with `ending` when it left."""
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["dynamodb:PutItem", *(["dynamodb:DeleteItem"] if ending else [])],
            resource_arns=[self.table.table_arn],
            conditions={"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [names.ENDPOINT_USE_ITEMS]}},
        )

    def may_count_traffic(self, grantee: iam.IGrantable) -> None:
        """Add to what models were asked, and change nothing else."""
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["dynamodb:PutItem", "dynamodb:UpdateItem"],
            resource_arns=[self.table.table_arn],
            conditions={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{names.TRAFFIC_ITEMS}*"]}},
        )
