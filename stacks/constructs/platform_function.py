"""A Lambda function of the platform: one construct id, one module, one role, one log group."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from millrace.function_memory import memory_of
from stacks.acknowledge import acknowledge, acknowledge_wildcard
from stacks.config import EnvironmentConfig
from stacks.packaging import Brought, lambda_package


def module_name(construct_id: str) -> str:
    """RegisterUpload → register_upload."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", construct_id).lower()


class PlatformFunction(lambda_.Function):
    """The function of `lambdas/{kind}/{id in snake case}.py`, with a role that may write its log and nothing else."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        kind: Literal["api", "tasks", "events", "inference", "hosting", "alerts"],
        config: EnvironmentConfig,
        environment: Mapping[str, str],
        timeout: cdk.Duration,
        memory_mb: int | None = None,
        failures: sqs.IQueue | None = None,
        storage: cdk.Size | None = None,
        brings: Brought | None = None,
    ) -> None:
        """`brings` is what the function needs beside what all have; `storage` the room in its /tmp (default 512 MB)."""
        log_group = logs.LogGroup(
            scope,
            f"{id}Log",
            retention=logs_retention(config),
            removal_policy=config.removal_policy,
        )
        role = iam.Role(scope, f"{id}Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log_group.log_group_arn]
            )
        )
        target = config.lambda_target
        package = lambda_package(target, brings=brings)
        super().__init__(
            scope,
            id,
            code=lambda_.Code.from_asset(
                str(package.path), asset_hash=package.digest, asset_hash_type=cdk.AssetHashType.CUSTOM
            ),
            handler=f"lambdas.{kind}.{module_name(id)}.handler",
            runtime=lambda_.Runtime(f"python{target.python_version}", lambda_.RuntimeFamily.PYTHON),
            architecture=lambda_.Architecture.ARM_64 if target.architecture == "arm64" else lambda_.Architecture.X86_64,
            role=role,
            log_group=log_group,
            environment=dict(environment),
            timeout=timeout,
            memory_size=memory_mb or memory_of(id),
            ephemeral_storage_size=storage,
            tracing=lambda_.Tracing.ACTIVE,
            dead_letter_queue=failures,
        )
        acknowledge_wildcard(role, "X-Ray has no resources to name.", "*")
        acknowledge(self, "Python 3.13 is supported until June 2029, and the core is tested on it.", "L1")

    def take_from(self, queue: sqs.IQueue, *, batch_size: int, max_batching_window: cdk.Duration | None = None) -> None:
        """Work on a queue's messages; those that it names as failed come again.

        Lambda takes them with the function's role, and needs no more than AWSLambdaSQSQueueExecutionRole holds: the
        CDK's own event source would grant more.
        """
        queue.grant(self, "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
        self.add_event_source_mapping(
            "Messages",
            event_source_arn=queue.queue_arn,
            batch_size=batch_size,
            max_batching_window=max_batching_window,
            report_batch_item_failures=True,
        )


class EventFunction(PlatformFunction):
    """A function that EventBridge starts. What it could not handle after retries waits in a queue, and is not lost.

    Without a pattern there is no rule: EventBridge Scheduler starts it.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: EnvironmentConfig,
        environment: Mapping[str, str],
        timeout: cdk.Duration,
        pattern: events.EventPattern | None,
        event_bus: events.IEventBus | None = None,
        memory_mb: int | None = None,
        storage: cdk.Size | None = None,
        brings: Brought | None = None,
    ) -> None:
        self.failures = sqs.Queue(
            scope,
            f"{id}Failures",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=cdk.Duration.days(14),
        )
        acknowledge(self.failures, "This is the dead-letter queue.", "SQS3")
        super().__init__(
            scope,
            id,
            kind="events",
            config=config,
            environment=environment,
            timeout=timeout,
            memory_mb=memory_mb,
            storage=storage,
            brings=brings,
            failures=self.failures,
        )
        self.configure_async_invoke(retry_attempts=2, max_event_age=cdk.Duration.hours(6))
        if pattern is None:
            return
        events.Rule(
            scope,
            f"{id}Rule",
            event_bus=event_bus,
            event_pattern=pattern,
            targets=[
                targets.LambdaFunction(
                    self, dead_letter_queue=self.failures, retry_attempts=185, max_event_age=cdk.Duration.hours(24)
                )
            ],
        )


def logs_retention(config: EnvironmentConfig) -> logs.RetentionDays:
    """The retention of log groups. Raises ValueError for a number of days that CloudWatch does not offer."""
    offered = {
        1: logs.RetentionDays.ONE_DAY,
        7: logs.RetentionDays.ONE_WEEK,
        14: logs.RetentionDays.TWO_WEEKS,
        30: logs.RetentionDays.ONE_MONTH,
        90: logs.RetentionDays.THREE_MONTHS,
        365: logs.RetentionDays.ONE_YEAR,
    }
    if config.log_days not in offered:
        raise ValueError(f"{config.name}: log_days is {config.log_days}, and may be {sorted(offered)}")
    return offered[config.log_days]
