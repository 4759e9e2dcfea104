"""CloudWatch metrics by PutMetricData.

Not by log lines in embedded metric format: the same call works from Lambda, Glue and a shell, a refusal is an error
instead of a silent gap, and a dozen values per dataset version cost nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from millrace import names

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.literals import StandardUnitType
    from mypy_boto3_cloudwatch.type_defs import DimensionTypeDef, MetricDatumTypeDef

_CALL_LIMIT = 1000


class CloudWatchMetrics:
    def __init__(self, client: CloudWatchClient) -> None:
        self._client = client

    def record(self, values: Mapping[str, float], *, dimensions: Mapping[str, str], units: Mapping[str, str]) -> None:
        where: Sequence[DimensionTypeDef] = [{"Name": name, "Value": value} for name, value in dimensions.items()]
        data: list[MetricDatumTypeDef] = [
            {
                "MetricName": name,
                "Dimensions": where,
                "Value": value,
                "Unit": cast("StandardUnitType", units.get(name, "None")),
            }
            for name, value in values.items()
        ]
        for first in range(0, len(data), _CALL_LIMIT):
            self._client.put_metric_data(Namespace=names.METRIC_NAMESPACE, MetricData=data[first : first + _CALL_LIMIT])
