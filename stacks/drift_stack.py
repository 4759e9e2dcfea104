"""Drift: checks of what models are asked and what they answer, by functions that profile rows.

A function and no job: it starts in a second where a job takes minutes, is billed by the millisecond, and profiles a
million rows of thirty columns in seconds within its memory, however many rows there are.
"""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from millrace import names
from stacks.config import EnvironmentConfig
from stacks.constructs.asl_state_machine import AslStateMachine
from stacks.constructs.observability import may_publish_metrics
from stacks.constructs.platform_function import EventFunction, PlatformFunction
from stacks.data_stack import DataStack
from stacks.notifications_stack import NotificationsStack
from stacks.platform_stack import PlatformStack
from stacks.registry_stack import RegistryStack
from stacks.training_stack import PROFILING_STORAGE, PROFILING_TIMEOUT

SCHEDULER = "scheduler.amazonaws.com"
# When a day's last records have long been written: the queue that they wait in is empty within minutes.
AFTER_THE_DAY = "cron(30 0 * * ? *)"


class DriftStack(PlatformStack):
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
        detect = self._detect(config, data)
        record = self._record(config, data, registry, notifications)
        self.state_machine = AslStateMachine(
            self,
            "Drift",
            definition=names.DRIFT_PIPELINE,
            config=config,
            functions={"DetectDrift": detect, "RecordDriftReports": record},
        )
        self._check_batches(config, registry, notifications)
        self._check_labels(config, data, registry, notifications)
        self._check_days(config, data, registry)
        cdk.CfnOutput(self, "DriftStateMachineArn", value=self.state_machine.state_machine_arn)

    def _detect(self, config: EnvironmentConfig, data: DataStack) -> PlatformFunction:
        detect_drift = PlatformFunction(
            self,
            "DetectDrift",
            kind="tasks",
            config=config,
            timeout=PROFILING_TIMEOUT,
            storage=PROFILING_STORAGE,
            brings="profile",
            environment={
                names.DATA_BUCKET: data.data_bucket.bucket_name,
                names.ARTIFACTS_BUCKET: data.artifacts_bucket.bucket_name,
            },
        )
        data.data_bucket.may_read(detect_drift, names.INFERENCE_PREFIX, names.DATASETS_PREFIX)
        data.data_bucket.may_list(detect_drift)
        data.artifacts_bucket.may_read(detect_drift, names.MODELS_PREFIX)
        # A version of before there were baselines has none.
        data.artifacts_bucket.may_list(detect_drift)
        data.artifacts_bucket.may_write(detect_drift, names.DRIFT_PREFIX)
        return detect_drift

    def _record(
        self, config: EnvironmentConfig, data: DataStack, registry: RegistryStack, notifications: NotificationsStack
    ) -> PlatformFunction:
        record_drift_reports = PlatformFunction(
            self,
            "RecordDriftReports",
            kind="tasks",
            config=config,
            timeout=cdk.Duration.minutes(1),
            environment={
                names.ARTIFACTS_BUCKET: data.artifacts_bucket.bucket_name,
                names.REGISTRY_TABLE: registry.table.table_name,
                names.EVENT_BUS_NAME: notifications.event_bus.event_bus_name,
            },
        )
        data.artifacts_bucket.may_read(record_drift_reports, names.DRIFT_PREFIX)
        registry.may_record(record_drift_reports)
        registry.may_list(record_drift_reports)
        notifications.event_bus.grant_put_events_to(record_drift_reports)
        may_publish_metrics(record_drift_reports, names.METRIC_NAMESPACE)
        return record_drift_reports

    def _check_batches(
        self, config: EnvironmentConfig, registry: RegistryStack, notifications: NotificationsStack
    ) -> None:
        on_batch_inference_completed = EventFunction(
            self,
            "OnBatchInferenceCompleted",
            config=config,
            timeout=cdk.Duration.seconds(30),
            environment={
                names.REGISTRY_TABLE: registry.table.table_name,
                names.DRIFT_STATE_MACHINE_ARN: self.state_machine.state_machine_arn,
            },
            event_bus=notifications.event_bus,
            pattern=events.EventPattern(source=[names.EVENT_SOURCE], detail_type=[names.BATCH_INFERENCE_COMPLETED]),
        )
        registry.may_record(on_batch_inference_completed)
        self.state_machine.grant_start_execution(on_batch_inference_completed)

    def _check_labels(
        self, config: EnvironmentConfig, data: DataStack, registry: RegistryStack, notifications: NotificationsStack
    ) -> None:
        on_ground_truth_arrived = EventFunction(
            self,
            "OnGroundTruthArrived",
            config=config,
            timeout=cdk.Duration.seconds(30),
            environment={
                names.DATA_BUCKET: data.data_bucket.bucket_name,
                names.REGISTRY_TABLE: registry.table.table_name,
                names.DRIFT_STATE_MACHINE_ARN: self.state_machine.state_machine_arn,
            },
            event_bus=notifications.event_bus,
            pattern=events.EventPattern(source=[names.EVENT_SOURCE], detail_type=[names.GROUND_TRUTH_ARRIVED]),
        )
        registry.may_record(on_ground_truth_arrived)
        registry.may_list(on_ground_truth_arrived)
        self.state_machine.grant_start_execution(on_ground_truth_arrived)

    def _check_days(self, config: EnvironmentConfig, data: DataStack, registry: RegistryStack) -> None:
        """Every night, without anybody having asked for it: a model that nobody asked anything costs no run."""
        on_day_ended = EventFunction(
            self,
            "OnDayEnded",
            config=config,
            timeout=cdk.Duration.minutes(5),
            environment={
                names.DATA_BUCKET: data.data_bucket.bucket_name,
                names.REGISTRY_TABLE: registry.table.table_name,
                names.DRIFT_STATE_MACHINE_ARN: self.state_machine.state_machine_arn,
            },
            pattern=None,
        )
        registry.may_record(on_day_ended)
        registry.may_list(on_day_ended)
        data.data_bucket.may_list(on_day_ended)
        self.state_machine.grant_start_execution(on_day_ended)
        # A group of its own: the role below is for what is in it, and the timers of people are in another.
        group = scheduler.CfnScheduleGroup(self, "Nightly")
        role = iam.Role(
            self,
            "NightlyRole",
            assumed_by=iam.ServicePrincipal(
                SCHEDULER,
                conditions={
                    "StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID},
                    "ArnLike": {"aws:SourceArn": group.attr_arn},
                },
            ),
        )
        role.add_to_policy(
            iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[on_day_ended.function_arn])
        )
        on_day_ended.failures.grant(role, "sqs:SendMessage")
        scheduler.CfnSchedule(
            self,
            "DayEnded",
            description="What champions were asked yesterday is checked for drift.",
            group_name=group.ref,
            schedule_expression=AFTER_THE_DAY,
            schedule_expression_timezone="UTC",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=on_day_ended.function_arn,
                role_arn=role.role_arn,
                input='{"due_at": "<aws.scheduler.scheduled-time>"}',
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=86400, maximum_retry_attempts=185
                ),
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=on_day_ended.failures.queue_arn),
            ),
        )
