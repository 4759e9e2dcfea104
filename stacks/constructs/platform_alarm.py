"""An alarm of the platform, and the metric it watches."""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns
from aws_cdk.aws_cloudwatch_actions import SnsAction
from constructs import Construct

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
