"""What operators may do who take model versions from one environment to another: two roles, for the two commands.

No function and no job has them (adr/0015): whoever writes below `models/` decides what is unpickled. So a person
assumes a role for one command, and CloudTrail records whose session wrote what.
"""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from millrace import names
from stacks.acknowledge import acknowledge_wildcard, exported_name
from stacks.config import EnvironmentConfig, PromotionSource
from stacks.constructs.platform_bucket import PlatformBucket
from stacks.data_stack import DataStack
from stacks.notifications_stack import NotificationsStack
from stacks.platform_stack import PlatformStack
from stacks.registry_stack import RegistryStack

EXPORTS = f"{names.MODELS_PREFIX}*/export-*.json"


class PromotionStack(PlatformStack):
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: EnvironmentConfig,
        data: DataStack,
        registry: RegistryStack,
        notifications: NotificationsStack,
    ) -> None:
        super().__init__(scope, id, config=config)
        self._export(config, data.artifacts_bucket, registry)
        self._import(config, data.artifacts_bucket, registry, notifications)

    def _export(self, config: EnvironmentConfig, artifacts: PlatformBucket, registry: RegistryStack) -> None:
        """Read a version, and write the document about it: nothing that is unpickled."""
        role = self._role("ExportVersion", config)
        registry.may_look_up(role)
        artifacts.may_read(role, names.MODELS_PREFIX)
        # A version that was never deployed is told as such.
        artifacts.may_list(role)
        role.add_to_policy(
            iam.PolicyStatement(actions=["s3:PutObject"], resources=[artifacts.arn_for_objects(EXPORTS)])
        )
        here = exported_name(artifacts.bucket_arn, cdk.Stack.of(artifacts))
        acknowledge_wildcard(role, "An export is named by its digest, beside its version.", f"{here}/{EXPORTS}")

    def _import(
        self,
        config: EnvironmentConfig,
        artifacts: PlatformBucket,
        registry: RegistryStack,
        notifications: NotificationsStack,
    ) -> None:
        role = self._role("ImportVersion", config)
        registry.may_record(role)
        registry.may_look_up_many(role)
        artifacts.may_write(role, names.MODELS_PREFIX)
        notifications.may_notify(role)
        for source in config.takes_from:
            self._may_take(role, source)

    def _role(self, id: str, config: EnvironmentConfig) -> iam.Role:
        role = iam.Role(
            self,
            f"{id}Role",
            assumed_by=_operators(config),
            description=f"An operator, for one command: millrace {_command(id)}",
        )
        # The command finds the platform by the outputs of its stacks.
        role.add_to_policy(iam.PolicyStatement(actions=["cloudformation:DescribeStacks"], resources=["*"]))
        acknowledge_wildcard(role, "A list of stacks has no resource to name.", "*")
        cdk.CfnOutput(self, f"{id}RoleArn", value=role.role_arn)
        return role

    def _may_take(self, role: iam.Role, source: PromotionSource) -> None:
        """The other environment has to agree, where it is of another account (`promotes_to`)."""
        models = f"arn:{cdk.Aws.PARTITION}:s3:::{source.artifacts_bucket}/{names.MODELS_PREFIX}*"
        role.add_to_policy(iam.PolicyStatement(actions=["s3:GetObject"], resources=[models]))
        if source.key_arn:
            role.add_to_policy(iam.PolicyStatement(actions=["kms:Decrypt"], resources=[source.key_arn]))
        acknowledge_wildcard(
            role,
            "Versions of the other environment come and go.",
            f"arn:<AWS::Partition>:s3:::{source.artifacts_bucket}/{names.MODELS_PREFIX}*",
        )


def _operators(config: EnvironmentConfig) -> iam.IPrincipal:
    """Whoever this account lets assume the role, by policies of its own; where some are named, of those only they."""
    account = iam.AccountRootPrincipal()
    if not config.operators:
        return account
    return account.with_conditions({"ArnLike": {"aws:PrincipalArn": list(config.operators)}})


def _command(id: str) -> str:
    """ExportVersion → export-version."""
    return id.removesuffix("Version").lower() + "-version"
