"""A key of the account's own for everything at rest, for environments that want one (`customer_key`)."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import jsii
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct, IConstruct

from stacks.config import EnvironmentConfig
from stacks.platform_stack import PROMOTING_ROLES, PlatformStack

# Services that write under the key in their own name: alarms and budgets to the topic, events to dead-letter queues.
WRITERS = ("budgets", "cloudtrail", "cloudwatch", "events")
# CloudFront reads the dashboard's files, which are public, in its own name.
PUBLIC = "FrontDoor/Site"


class KeyStack(PlatformStack):
    def __init__(self, scope: Construct, id: str, *, config: EnvironmentConfig) -> None:
        super().__init__(scope, id, config=config)
        self.key = kms.Key(
            self,
            "Key",
            description=f"Everything that Millrace keeps in {config.name}",
            enable_key_rotation=True,
            removal_policy=config.removal_policy,
        )
        for service in WRITERS:
            self._lets(f"{service}.amazonaws.com")
        self._lets_logs_encrypt()
        for account in config.promotes_to:
            self._lets_decrypt(account)

    def _lets(self, service: str) -> None:
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal(service)],
                actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                resources=["*"],
                conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            )
        )

    def _lets_decrypt(self, account: str) -> None:
        """What the platform of another account takes from the artifacts bucket."""
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.AccountPrincipal(account)],
                actions=["kms:Decrypt"],
                resources=["*"],
                conditions={
                    "ArnLike": {"aws:PrincipalArn": f"arn:{self.partition}:iam::{account}:role/{PROMOTING_ROLES}"}
                },
            )
        )

    def _lets_logs_encrypt(self) -> None:
        groups = self.format_arn(
            service="logs", resource="log-group", resource_name="*", arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME
        )
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal(f"logs.{self.region}.amazonaws.com")],
                actions=["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
                resources=["*"],
                conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
            )
        )


@jsii.implements(cdk.IAspect)
class EncryptedWith:
    """Puts what keeps data under the key, and lets every role of the platform use it."""

    def __init__(self, key: kms.Key) -> None:
        self._key = key

    def visit(self, node: IConstruct) -> None:
        arn = self._key.key_arn
        if isinstance(node, iam.Policy):
            node.add_statements(iam.PolicyStatement(actions=["kms:Decrypt", "kms:GenerateDataKey"], resources=[arn]))
        elif isinstance(node, logs.CfnLogGroup):
            node.kms_key_id = arn
        elif isinstance(node, lambda_.CfnFunction):
            node.kms_key_arn = arn
        elif isinstance(node, sns.CfnTopic):
            node.kms_master_key_id = arn
        elif isinstance(node, sqs.CfnQueue):
            node.kms_master_key_id, node.sqs_managed_sse_enabled = arn, None
        elif isinstance(node, dynamodb.CfnTable):
            node.sse_specification = _of_the_table(arn)
        elif isinstance(node, s3.CfnBucket) and PUBLIC not in node.node.path:
            node.bucket_encryption = _of_a_bucket(arn)


def _of_the_table(arn: str) -> Any:
    return dynamodb.CfnTable.SSESpecificationProperty(sse_enabled=True, sse_type="KMS", kms_master_key_id=arn)


def _of_a_bucket(arn: str) -> Any:
    # A bucket key: one call to KMS for many objects.
    default = s3.CfnBucket.ServerSideEncryptionByDefaultProperty(sse_algorithm="aws:kms", kms_master_key_id=arn)
    rule = s3.CfnBucket.ServerSideEncryptionRuleProperty(
        server_side_encryption_by_default=default, bucket_key_enabled=True
    )
    return s3.CfnBucket.BucketEncryptionProperty(server_side_encryption_configuration=[rule])
