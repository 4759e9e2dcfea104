"""Alerts: what is noticed becomes one alert for each cause, told to channels; drift asks the retrain governor."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from millrace import names
from stacks.acknowledge import acknowledge, acknowledge_wildcard
from stacks.config import EnvironmentConfig
from stacks.constructs.platform_alarm import HOUR, PART, PlatformAlarm, metric_of
from stacks.constructs.platform_function import EventFunction, PlatformFunction
from stacks.notifications_stack import NotificationsStack
from stacks.platform_stack import PlatformStack
from stacks.registry_stack import RegistryStack
from stacks.training_stack import TrainingStack

# Ten messages at ten seconds each, and room.
DELIVERING_TIMEOUT = cdk.Duration.minutes(2)


class AlertsStack(PlatformStack):
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: EnvironmentConfig,
        registry: RegistryStack,
        notifications: NotificationsStack,
        training: TrainingStack,
    ) -> None:
        super().__init__(scope, id, config=config)
        # Several environments in one account keep their secrets apart.
        self.secrets_prefix = f"/millrace/{config.name}/channels/"
        self._notifications = notifications
        self.deliveries = self._queue()
        self._deliver(config, registry, notifications)
        self._follow_drift(config, registry, notifications, training)
        self._follow_alarms(config, registry, notifications)
        self._drift_alarms()
        cdk.CfnOutput(self, "DeliveriesQueueUrl", value=self.deliveries.queue_url)
        cdk.CfnOutput(self, "ChannelSecretsPrefix", value=self.secrets_prefix)
        cdk.CfnOutput(self, "LoopbackWebhooks", value=config.loopback_webhooks)

    def may_tell(self, grantee: iam.IGrantable) -> None:
        """Queue deliveries, having read who wants them: an alert or a change of one, with links."""
        self.deliveries.grant(grantee, "sqs:SendMessage")
        self._notifications.may_link(grantee)

    def may_keep_secrets(self, grantee: iam.IGrantable) -> None:
        """Write and delete the secrets of channels, and never read them."""
        self._allow_secrets(grantee, "ssm:PutParameter", "ssm:DeleteParameter")

    def _allow_secrets(self, grantee: iam.IGrantable, *actions: str) -> None:
        name = f"{self.secrets_prefix.lstrip('/')}*"
        arn = cdk.Stack.of(self).format_arn(service="ssm", resource="parameter", resource_name=name)
        iam.Grant.add_to_principal(grantee=grantee, actions=list(actions), resource_arns=[arn])
        acknowledge_wildcard(
            grantee,
            "A channel's secret is named after the channel, and channels come and go.",
            f"arn:<AWS::Partition>:ssm:<AWS::Region>:<AWS::AccountId>:parameter/{name}",
        )

    def _queue(self) -> sqs.Queue:
        """What is to be told waits here, hours if need be; what nobody took in the end is kept for two weeks."""
        failures = sqs.Queue(
            self,
            "DeliveriesFailures",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=cdk.Duration.days(14),
        )
        acknowledge(failures, "This is the dead-letter queue.", "SQS3")
        return sqs.Queue(
            self,
            "Deliveries",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=cdk.Duration.days(14),
            visibility_timeout=cdk.Duration.seconds(6 * DELIVERING_TIMEOUT.to_seconds()),
            dead_letter_queue=sqs.DeadLetterQueue(max_receive_count=5, queue=failures),
        )

    def _deliver(self, config: EnvironmentConfig, registry: RegistryStack, notifications: NotificationsStack) -> None:
        deliver_alert = PlatformFunction(
            self,
            "DeliverAlert",
            kind="alerts",
            config=config,
            timeout=DELIVERING_TIMEOUT,
            environment={
                names.REGISTRY_TABLE: registry.table.table_name,
                names.DELIVERIES_QUEUE_URL: self.deliveries.queue_url,
                names.NOTIFICATIONS_TOPIC_ARN: notifications.topic.topic_arn,
                names.DASHBOARD_URL_PARAMETER: notifications.dashboard_url_parameter,
                names.CHANNEL_SECRETS_PREFIX: self.secrets_prefix,
                names.LOOPBACK_WEBHOOKS: config.loopback_webhooks,
            },
        )
        registry.may_amend(deliver_alert)
        notifications.may_notify(deliver_alert)
        self.may_tell(deliver_alert)
        self._allow_secrets(deliver_alert, "ssm:GetParameter")
        deliver_alert.take_from(self.deliveries, batch_size=10)

    def _follow_drift(
        self,
        config: EnvironmentConfig,
        registry: RegistryStack,
        notifications: NotificationsStack,
        training: TrainingStack,
    ) -> None:
        on_drift_detected = EventFunction(
            self,
            "OnDriftDetected",
            config=config,
            timeout=cdk.Duration.seconds(30),
            environment={
                names.REGISTRY_TABLE: registry.table.table_name,
                names.DELIVERIES_QUEUE_URL: self.deliveries.queue_url,
                names.DASHBOARD_URL_PARAMETER: notifications.dashboard_url_parameter,
                names.TRAINING_STATE_MACHINE_ARN: training.state_machine.state_machine_arn,
            },
            event_bus=notifications.event_bus,
            pattern=events.EventPattern(source=[names.EVENT_SOURCE], detail_type=[names.DRIFT_DETECTED]),
        )
        registry.may_record(on_drift_detected)
        registry.may_follow(on_drift_detected)
        registry.may_list(on_drift_detected)
        self.may_tell(on_drift_detected)
        training.state_machine.grant_start_execution(on_drift_detected)

    def _follow_alarms(
        self, config: EnvironmentConfig, registry: RegistryStack, notifications: NotificationsStack
    ) -> None:
        # Alarms have no names of their own, and CloudFormation begins those it makes with the stack's. A new one goes
        # from not knowing to OK, which is no news; missing data never let one leave ALARM for not knowing. Of the parts
        # of a joined alarm that one tells.
        prefix = cdk.Stack.of(self).stack_name.removesuffix("Alerts") + "Monitoring-"
        arns = self.format_arn(
            service="cloudwatch", resource="alarm", resource_name=prefix, arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME
        )
        on_alarm_changed = EventFunction(
            self,
            "OnAlarmChanged",
            config=config,
            timeout=cdk.Duration.seconds(30),
            environment={
                names.REGISTRY_TABLE: registry.table.table_name,
                names.DELIVERIES_QUEUE_URL: self.deliveries.queue_url,
                names.DASHBOARD_URL_PARAMETER: notifications.dashboard_url_parameter,
            },
            pattern=events.EventPattern(
                source=["aws.cloudwatch"],
                detail_type=["CloudWatch Alarm State Change"],
                resources=events.Match.prefix(arns),
                detail={
                    "alarmName": events.Match.anything_but_prefix(f"{prefix}{PART}"),
                    "$or": [{"state": {"value": ["ALARM"]}}, {"previousState": {"value": ["ALARM"]}}],
                },
            ),
        )
        registry.may_record(on_alarm_changed)
        registry.may_list(on_alarm_changed)
        self.may_tell(on_alarm_changed)

    def _drift_alarms(self) -> None:
        """For CloudWatch's own pages. They open no alert and tell no topic: DriftDetected did, and names the model."""
        for kind, what in (
            ("data", "A model sees other data than it was trained on"),
            ("prediction", "A model's predictions drifted"),
            ("performance", "A model predicts worse than it did"),
        ):
            alarm = PlatformAlarm(
                self,
                f"{kind.capitalize()}Drift",
                f"{what}. The alert names the model and the features.",
                metric_of(names.METRIC_NAMESPACE, names.DRIFT_REPORTS, {names.DRIFT_KIND: kind}, period=HOUR),
                topic=None,
            )
            acknowledge(alarm, "DriftDetected has told everybody already.", "NIST.800.53.R5-CloudWatchAlarmAction")
