"""An alarm of the platform, the metric it watches, and what several alarms say together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns
from aws_cdk.aws_cloudwatch_actions import SnsAction
from constructs import Construct

from stacks.acknowledge import acknowledge

# Alarms below a construct of this name are parts of a composite one, which tells for them. Their own names begin so,
# after the stack's: that is how their changes are told from news.
PART = "Part"
FIVE_MINUTES = cdk.Duration.minutes(5)
HOUR = cdk.Duration.hours(1)
DAY = cdk.Duration.days(1)
AT_LEAST = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD


def metric_of(
    namespace: str,
    name: str,
    dimensions: Mapping[str, str],
    *,
    statistic: str = "Sum",
    period: cdk.Duration = FIVE_MINUTES,
    label: str | None = None,
) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=namespace,
        metric_name=name,
        dimensions_map=dict(dimensions) or None,
        statistic=statistic,
        period=period,
        label=label,
    )


class PlatformAlarm(cloudwatch.Alarm):
    """`description` is what an alert says: a sentence of what is wrong, and another of where to look.

    No data is no trouble: most metrics exist only while something happens. Without a `topic` it tells nobody itself.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        description: str,
        metric: cloudwatch.Metric,
        *,
        topic: sns.ITopic | None,
        threshold: float = 1,
        periods: int = 1,
        comparison: cloudwatch.ComparisonOperator = AT_LEAST,
    ) -> None:
        super().__init__(
            scope,
            id,
            alarm_description=description,
            metric=metric,
            threshold=threshold,
            evaluation_periods=periods,
            comparison_operator=comparison,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        if topic is not None:
            self.add_alarm_action(SnsAction(topic))


class JoinedAlarm(cloudwatch.CompositeAlarm):
    """Goes off when any of `parts` does, and is the only one of them that tells the topic."""

    def __init__(
        self, scope: Construct, id: str, description: str, parts: Sequence[cloudwatch.IAlarm], *, topic: sns.ITopic
    ) -> None:
        super().__init__(
            scope,
            id,
            alarm_description=description,
            alarm_rule=cloudwatch.AlarmRule.any_of(
                *(cloudwatch.AlarmRule.from_alarm(part, cloudwatch.AlarmState.ALARM) for part in parts)
            ),
        )
        self.add_alarm_action(SnsAction(topic))
        # CloudFormation names it after the stack, as it does every other alarm; the CDK's own name is not.
        cast(cloudwatch.CfnCompositeAlarm, self.node.default_child).add_property_deletion_override("AlarmName")
        for part in parts:
            acknowledge(part, f"{id} tells for it.", "NIST.800.53.R5-CloudWatchAlarmAction")
