"""Runs: what happens when an execution of any pipeline ends."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_events as events
from constructs import Construct

from millrace import names
from stacks.alerts_stack import AlertsStack
from stacks.batch_stack import BatchStack
from stacks.comparison_stack import ComparisonStack
from stacks.config import EnvironmentConfig
from stacks.constructs.observability import may_publish_metrics
from stacks.constructs.platform_function import EventFunction
from stacks.drift_stack import DriftStack
from stacks.ingest_stack import IngestStack
from stacks.notifications_stack import NotificationsStack
from stacks.platform_stack import PlatformStack
from stacks.registry_stack import RegistryStack
from stacks.serving_stack import ServingStack
from stacks.training_stack import TrainingStack

FINAL_STATES = ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"]


class RunsStack(PlatformStack):
    """Apart from the pipelines, so that it can know them all and none needs to know it."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: EnvironmentConfig,
        registry: RegistryStack,
        notifications: NotificationsStack,
        alerts: AlertsStack,
        ingest: IngestStack,
        training: TrainingStack,
        serving: ServingStack,
        batch: BatchStack,
        drift: DriftStack,
        comparison: ComparisonStack,
    ) -> None:
        super().__init__(scope, id, config=config)
        pipelines = (ingest, training, serving, batch, drift, comparison)
        machines = [stack.state_machine for stack in pipelines]
        on_execution_ended = EventFunction(
            self,
            "OnExecutionEnded",
            config=config,
            timeout=cdk.Duration.minutes(1),
            environment={
                names.REGISTRY_TABLE: registry.table.table_name,
                names.NOTIFICATIONS_TOPIC_ARN: notifications.topic.topic_arn,
                names.DASHBOARD_URL_PARAMETER: notifications.dashboard_url_parameter,
                names.DELIVERIES_QUEUE_URL: alerts.deliveries.queue_url,
                names.INGEST_STATE_MACHINE_ARN: ingest.state_machine.state_machine_arn,
                names.TRAINING_STATE_MACHINE_ARN: training.state_machine.state_machine_arn,
                names.DEPLOYMENT_STATE_MACHINE_ARN: serving.state_machine.state_machine_arn,
                names.BATCH_INFERENCE_STATE_MACHINE_ARN: batch.state_machine.state_machine_arn,
                names.DRIFT_STATE_MACHINE_ARN: drift.state_machine.state_machine_arn,
                names.COMPARISON_STATE_MACHINE_ARN: comparison.state_machine.state_machine_arn,
            },
            pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={
                    "stateMachineArn": [machine.state_machine_arn for machine in machines],
                    "status": FINAL_STATES,
                },
            ),
        )
        registry.may_record(on_execution_ended)
        registry.may_remove(on_execution_ended)
        registry.may_follow(on_execution_ended)
        registry.may_list(on_execution_ended)
        notifications.may_notify(on_execution_ended)
        alerts.may_tell(on_execution_ended)
        may_publish_metrics(on_execution_ended, names.METRIC_NAMESPACE)
        for machine in machines:
            machine.may_read_executions(on_execution_ended)
