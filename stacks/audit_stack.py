"""Who read and changed model versions and the registry, whoever it was: CloudTrail's data events.

The platform's own history says what people did through it; this says what anybody did beside it.
"""

from __future__ import annotations

from typing import Any

from aws_cdk import aws_cloudtrail as cloudtrail
from aws_cdk import aws_iam as iam
from constructs import Construct

from millrace import names
from stacks.acknowledge import acknowledge
from stacks.config import EnvironmentConfig
from stacks.constructs.platform_bucket import PlatformBucket
from stacks.data_stack import DataStack
from stacks.platform_stack import PlatformStack
from stacks.registry_stack import RegistryStack

# CloudTrail begins its objects' keys with this.
LOGS_PREFIX = "AWSLogs/"


class AuditStack(PlatformStack):
    """A trail of data events alone: an account has its own for what CloudTrail calls management events."""

    def __init__(
        self, scope: Construct, id: str, *, config: EnvironmentConfig, data: DataStack, registry: RegistryStack
    ) -> None:
        super().__init__(scope, id, config=config)
        # With a name, the bucket's policy can say for which trail it is; the environment is part of it.
        name = f"{self.stack_name}-DataEvents"
        bucket = PlatformBucket(self, "Trail", config=config, expiring={LOGS_PREFIX: config.trail_days})
        self._lets_write(bucket, self.format_arn(service="cloudtrail", resource="trail", resource_name=name))
        trail = cloudtrail.CfnTrail(
            self,
            "DataEvents",
            trail_name=name,
            is_logging=True,
            s3_bucket_name=bucket.bucket_name,
            enable_log_file_validation=True,
            include_global_service_events=False,
            is_multi_region_trail=False,
            advanced_event_selectors=self._selectors(config, data, registry),
        )
        if bucket.policy:
            trail.node.add_dependency(bucket.policy)
        acknowledge(
            trail,
            "Digests prove that files were not changed (log file validation), and the bucket encrypts them. Sent to "
            "CloudWatch Logs as well, each event would be paid for twice.",
            "NIST.800.53.R5-CloudTrailCloudWatchLogsEnabled",
            "NIST.800.53.R5-CloudTrailEncryptionEnabled",
        )

    def _lets_write(self, bucket: PlatformBucket, trail_arn: str) -> None:
        service = iam.ServicePrincipal("cloudtrail.amazonaws.com")
        for sid, action, resource in (
            ("AclIsRead", "s3:GetBucketAcl", bucket.bucket_arn),
            ("EventsAreWritten", "s3:PutObject", bucket.arn_for_objects(f"{LOGS_PREFIX}{self.account}/*")),
        ):
            bucket.add_to_resource_policy(
                iam.PolicyStatement(
                    sid=sid,
                    principals=[service],
                    actions=[action],
                    resources=[resource],
                    conditions={"StringEquals": {"aws:SourceArn": trail_arn}},
                )
            )

    def _selectors(self, config: EnvironmentConfig, data: DataStack, registry: RegistryStack) -> list[Any]:
        models = data.artifacts_bucket.arn_for_objects(names.MODELS_PREFIX)
        return [
            _selector(
                "Model versions",
                _field("resources.type", equal_to=["AWS::S3::Object"]),
                _field("resources.ARN", starts_with=[models]),
                *([] if config.trail_reads else [_field("readOnly", equal_to=["false"])]),
            ),
            # The platform reads the registry all the time, and the API's log says who asked it to.
            _selector(
                "Changes of the registry",
                _field("resources.type", equal_to=["AWS::DynamoDB::Table"]),
                _field("resources.ARN", equal_to=[registry.table.table_arn]),
                _field("readOnly", equal_to=["false"]),
            ),
        ]


def _selector(name: str, *fields: Any) -> cloudtrail.CfnTrail.AdvancedEventSelectorProperty:
    category = _field("eventCategory", equal_to=["Data"])
    return cloudtrail.CfnTrail.AdvancedEventSelectorProperty(name=name, field_selectors=[category, *fields])


def _field(field: str, **matching: list[str]) -> cloudtrail.CfnTrail.AdvancedFieldSelectorProperty:
    return cloudtrail.CfnTrail.AdvancedFieldSelectorProperty(
        field=field, equal_to=matching.get("equal_to"), starts_with=matching.get("starts_with")
    )
