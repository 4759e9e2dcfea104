"""How the platform speaks: a topic for people, an event bus for its own parts and for others."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from stacks.acknowledge import acknowledge, acknowledge_wildcard
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
            # What goes to one e-mail channel alone has the kind `channel`.
            others = {"kind": sns.SubscriptionFilter.string_filter(denylist=["channel"])}
            self.topic.add_subscription(
                subscriptions.EmailSubscription(config.notification_email, filter_policy=others)
            )
        for service in ("cloudwatch", "budgets"):
            self._lets_publish(service)
        # A name of our own, and no reference: the address is known last of all, when CloudFront stands before the API.
        self.dashboard_url_parameter = f"/millrace/{config.name}/dashboard-url"
        self.event_bus = events.EventBus(self, "Events", event_bus_name=None)
        cdk.CfnOutput(self, "NotificationsTopicArn", value=self.topic.topic_arn)
        cdk.CfnOutput(self, "DashboardUrlParameter", value=self.dashboard_url_parameter)
        cdk.CfnOutput(self, "EventBusName", value=self.event_bus.event_bus_name)

    def _lets_publish(self, service: str) -> None:
        """Of this account only: without the condition anybody's alarm could speak here."""
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid=f"{service.capitalize()}Publishes",
                principals=[iam.ServicePrincipal(f"{service}.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            )
        )

    def may_notify(self, grantee: iam.IGrantable) -> None:
        """Tell people, with a link."""
        self.topic.grant_publish(grantee)
        self.may_link(grantee)

    def may_link(self, grantee: iam.IGrantable) -> None:
        """Read the dashboard's address."""
        name = self.dashboard_url_parameter.lstrip("/")
        arn = self.format_arn(service="ssm", resource="parameter", resource_name=name)
        iam.Grant.add_to_principal(grantee=grantee, actions=["ssm:GetParameter"], resource_arns=[arn])

    def may_subscribe(self, grantee: iam.IGrantable) -> None:
        """Let e-mail addresses be added, and taken away again."""
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["sns:Subscribe"],
            resource_arns=[self.topic.topic_arn],
            conditions={"StringEquals": {"sns:Protocol": "email"}},
        )
        # IAM knows no resource for it: on the topic's ARN the permission would be none.
        iam.Grant.add_to_principal(grantee=grantee, actions=["sns:Unsubscribe"], resource_arns=["*"])
        acknowledge_wildcard(grantee, "Unsubscribe has no resource to name; a subscription's id is not guessable.", "*")
