"""Where data and artefacts lie."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from millrace import names
from stacks.config import EnvironmentConfig
from stacks.constructs.platform_bucket import PlatformBucket
from stacks.platform_stack import PROMOTING_ROLES, PlatformStack

# The dashboard's own address is known only once the distribution is made, and its security policy names this bucket.
# What permits a part is the signature in its address, and no browser adds credentials of its own to such a request: the
# origin that sends it decides nothing.
ANY_DISTRIBUTION = "https://*.cloudfront.net"


class DataStack(PlatformStack):
    """People write under `uploads/` of the data bucket; jobs and registration alone write to the artifacts bucket."""

    def __init__(self, scope: Construct, id: str, *, config: EnvironmentConfig) -> None:
        super().__init__(scope, id, config=config)
        self.data_bucket = PlatformBucket(self, "Data", config=config)
        self.data_bucket.send_events()
        # Browsers send files in parts, straight to the bucket.
        self.data_bucket.add_cors_rule(
            allowed_methods=[s3.HttpMethods.PUT],
            allowed_origins=[ANY_DISTRIBUTION, *config.origins],
            allowed_headers=["content-type"],
            exposed_headers=["ETag"],
            max_age=3600,
        )
        self.artifacts_bucket = PlatformBucket(
            self, "Artifacts", config=config, expiring={names.RUNS_PREFIX: config.run_files_days}
        )
        for account in config.promotes_to:
            self._lets_take_models(account)
        cdk.CfnOutput(self, "DataBucket", value=self.data_bucket.bucket_name)
        cdk.CfnOutput(self, "ArtifactsBucket", value=self.artifacts_bucket.bucket_name)

    def _lets_take_models(self, account: str) -> None:
        """Let operators of another account's platform take model versions over, and none of its functions and jobs."""
        theirs = {"ArnLike": {"aws:PrincipalArn": f"arn:{self.partition}:iam::{account}:role/{PROMOTING_ROLES}"}}
        models = self.artifacts_bucket.arn_for_objects(f"{names.MODELS_PREFIX}*")
        # An export names every object that belongs to its version: nothing needs to be listed.
        self.artifacts_bucket.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.AccountPrincipal(account)],
                actions=["s3:GetObject"],
                resources=[models],
                conditions=theirs,
            )
        )
