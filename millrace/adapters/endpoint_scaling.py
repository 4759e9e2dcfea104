"""Application Auto Scaling for realtime endpoints: more machines while one cannot bear the requests."""

from __future__ import annotations

from typing import Any

SERVICE, DIMENSION = "sagemaker", "sagemaker:variant:DesiredInstanceCount"
# Requests a minute that one machine is held to on average; SageMaker's own load tests are the owner's to make.
REQUESTS_PER_MINUTE = 600.0


class EndpointScaling:
    """Between one and `most` machines. Each call may be repeated."""

    def __init__(self, client: Any, *, most: int) -> None:
        self._client = client
        self._most = most

    def begin(self, endpoint: str, variant: str) -> None:
        target = _target(endpoint, variant)
        self._client.register_scalable_target(**target, MinCapacity=1, MaxCapacity=self._most)
        self._client.put_scaling_policy(
            **target,
            PolicyName="RequestsOfAMachine",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": REQUESTS_PER_MINUTE,
                "PredefinedMetricSpecification": {
                    "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance",
                },
            },
        )

    def end(self, endpoint: str, variant: str) -> None:
        """Its policy and the alarms of it go as well."""
        try:
            self._client.deregister_scalable_target(**_target(endpoint, variant))
        except self._client.exceptions.ObjectNotFoundException:
            return


def _target(endpoint: str, variant: str) -> dict[str, str]:
    resource = f"endpoint/{endpoint}/variant/{variant}"
    return {"ServiceNamespace": SERVICE, "ResourceId": resource, "ScalableDimension": DIMENSION}
