"""The dashboard: its build, published at the front door with what it must know of this deployment."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as s3_assets
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from millrace import names
from stacks.api_stack import ApiStack
from stacks.config import EnvironmentConfig
from stacks.constructs.front_door import API_PREFIX
from stacks.constructs.platform_function import PlatformFunction
from stacks.identity_stack import IdentityStack
from stacks.notifications_stack import NotificationsStack
from stacks.platform_stack import PlatformStack
from stacks.web_build import web_build

PUBLISHING = cdk.Duration.minutes(5)


class FrontendStack(PlatformStack):
    """A function of ours publishes. CDK's own deployment of files needs the AWS CLI in a layer of 60 MB."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: EnvironmentConfig,
        notifications: NotificationsStack,
        identity: IdentityStack,
        api: ApiStack,
    ) -> None:
        super().__init__(scope, id, config=config)
        ssm.StringParameter(
            self,
            "DashboardUrl",
            parameter_name=notifications.dashboard_url_parameter,
            string_value=api.dashboard_url,
            description="Where people open the dashboard: messages link there.",
        )
        package = web_build()
        build = s3_assets.Asset(
            self,
            "Build",
            path=str(package.path),
            asset_hash=package.digest,
            asset_hash_type=cdk.AssetHashType.CUSTOM,
        )
        function = PlatformFunction(
            self,
            "PublishSite",
            kind="hosting",
            config=config,
            timeout=PUBLISHING,
            environment={
                names.SITE_BUCKET: api.front_door.bucket.bucket_name,
                names.DISTRIBUTION_ID: api.front_door.distribution.distribution_id,
            },
        )
        self._may_publish(function, build, api)
        site = cdk.CustomResource(
            self,
            "Site",
            resource_type="Custom::PublishedSite",
            service_token=function.function_arn,
            # Not the hour that CloudFormation waits for an answer by itself.
            service_timeout=PUBLISHING,
            properties={"Build": build.s3_object_url, "Config": self._config(config, identity, api)},
        )
        # A reference to the function's ARN does not wait for what its role may do.
        site.node.add_dependency(function)

    def _may_publish(self, function: PlatformFunction, build: s3_assets.Asset, api: ApiStack) -> None:
        api.front_door.bucket.may_write(function, "")
        distribution = api.front_door.distribution
        for action, resource in (
            ("s3:GetObject", build.bucket.arn_for_objects(build.s3_object_key)),
            ("cloudfront:CreateInvalidation", distribution.distribution_arn),
        ):
            function.add_to_role_policy(iam.PolicyStatement(actions=[action], resources=[resource]))

    def _config(self, config: EnvironmentConfig, identity: IdentityStack, api: ApiStack) -> dict[str, str]:
        """What the dashboard reads from /config.json: one build serves every environment."""
        return {
            "environment": config.name,
            "issuer": identity.issuer,
            "clientId": api.spa_client.user_pool_client_id,
            "authorizationEndpoint": f"{identity.sign_in_url}/oauth2/authorize",
            "tokenEndpoint": f"{identity.sign_in_url}/oauth2/token",
            "logoutEndpoint": f"{identity.sign_in_url}/logout",
            "apiBase": API_PREFIX,
        }
