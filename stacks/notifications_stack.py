"""How the platform speaks: a topic for people, an event bus for its own parts and for others."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from stacks.acknowledge import acknowledge
from stacks.config import EnvironmentConfig
from stacks.platform_stack import PlatformStack


class NotificationsStack(PlatformStack):
    def __init__(self, scope: Construct, id: str, *, config: EnvironmentConfig) -> None:
        super().__init__(scope, id, config=config)
        self.topic = sns.Topic(self, "Notifications", enforce_ssl=True)
        acknowledge(
            self.topic,
            "CloudWatch alarms cannot publish to a topic under the AWS managed key, and fail silently. Messages carry "
            "names and reasons, never rows.",
            "SNS2",
        )
        if config.notification_email:
            self.topic.add_subscription(subscriptions.EmailSubscription(config.notification_email))
        self.event_bus = events.EventBus(self, "Events", event_bus_name=None)
        cdk.CfnOutput(self, "NotificationsTopicArn", value=self.topic.topic_arn)
        cdk.CfnOutput(self, "EventBusName", value=self.event_bus.event_bus_name)
