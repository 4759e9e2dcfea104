"""A bucket of the platform, and permissions on parts of it."""

from __future__ import annotations

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.acknowledge import acknowledge, acknowledge_wildcard, exported_name
from stacks.config import EnvironmentConfig

# Most files of runs have been read for the last time by then.
TIERED_AFTER_DAYS = 30


class PlatformBucket(s3.Bucket):
    """Versioned, encrypted, private, TLS only. Permissions are per prefix: `may_read(role, "uploads/")`."""

    def __init__(
        self, scope: Construct, id: str, *, config: EnvironmentConfig, expiring: dict[str, int] | None = None
    ) -> None:
        """`expiring`: prefix → days after which its objects go."""
        super().__init__(
            scope,
            id,
            versioned=True,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            removal_policy=config.removal_policy,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="Tidy",
                    abort_incomplete_multipart_upload_after=cdk.Duration.days(7),
                    noncurrent_version_expiration=cdk.Duration.days(config.noncurrent_days),
                    expired_object_delete_marker=True,
                ),
                # What is read often stays where it is; S3 itself finds out, and leaves objects under 128 KB alone.
                s3.LifecycleRule(
                    id="Tier",
                    transitions=[
                        s3.Transition(
                            storage_class=s3.StorageClass.INTELLIGENT_TIERING,
                            transition_after=cdk.Duration.days(TIERED_AFTER_DAYS),
                        )
                    ],
                ),
                *(
                    s3.LifecycleRule(
                        id=f"Expire{prefix.strip('/').capitalize()}", prefix=prefix, expiration=cdk.Duration.days(days)
                    )
                    for prefix, days in (expiring or {}).items()
                ),
            ],
        )
        acknowledge(
            self,
            "CloudTrail records who read and changed model versions (stacks/audit_stack.py), and every transition of "
            "what is stored is an event in the registry; server access logs would say the same, later.",
            "S1",
        )

    def send_events(self) -> None:
        """Tell EventBridge of every object. The plain property: the CDK's own switch adds a custom resource."""
        bucket = cast(s3.CfnBucket, self.node.default_child)
        bucket.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True)
        )

    def may_read(self, grantee: iam.IGrantable, *prefixes: str) -> None:
        """Read objects as they are now, all of which exist: S3 answers 403 for what does not, unless one may list."""
        self._allow(grantee, ["s3:GetObject"], prefixes)

    def may_read_versions(self, grantee: iam.IGrantable, *prefixes: str) -> None:
        """Read what an object was: a run is about one version of an upload, whatever has come to its place since."""
        self._allow(grantee, ["s3:GetObjectVersion"], prefixes)

    def may_list(self, grantee: iam.IGrantable) -> None:
        """See which objects there are, and that one is not there."""
        iam.Grant.add_to_principal(grantee=grantee, actions=["s3:ListBucket"], resource_arns=[self.bucket_arn])

    def may_write(self, grantee: iam.IGrantable, *prefixes: str) -> None:
        """Write objects, large ones in parts. The bucket itself clears the parts of a transfer that failed."""
        self._allow(grantee, ["s3:PutObject"], prefixes)

    def may_write_in_parts(self, grantee: iam.IGrantable, *prefixes: str) -> None:
        """Let others write by addresses that carry this permission, see which parts have arrived, and give them up."""
        self.may_write(grantee, *prefixes)
        self._allow(grantee, ["s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"], prefixes)

    def may_delete(self, grantee: iam.IGrantable, *prefixes: str) -> None:
        self._allow(grantee, ["s3:DeleteObject"], prefixes)

    def _allow(self, grantee: iam.IGrantable, actions: list[str], prefixes: tuple[str, ...]) -> None:
        iam.Grant.add_to_principal(
            grantee=grantee, actions=actions, resource_arns=[self.arn_for_objects(f"{prefix}*") for prefix in prefixes]
        )
        here = exported_name(self.bucket_arn, cdk.Stack.of(self))
        acknowledge_wildcard(
            grantee,
            "Objects below a prefix: their names hold datasets, versions and runs that do not exist yet.",
            *(f"{here}/{prefix}*" for prefix in prefixes),
        )
