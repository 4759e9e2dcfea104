"""SageMaker endpoints: a model, a configuration and an endpoint of one name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from millrace.errors import EndpointFailed
from millrace.ports import EndpointSpec

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

    from millrace.adapters.endpoint_scaling import EndpointScaling

VARIANT = "AllTraffic"
JSON = "application/json"
MEMORY_MB, CONCURRENCY = 3072, 10


class SageMakerEndpoints:
    def __init__(
        self, client: SageMakerClient, runtime: Any, *, machine: str = "", scaling: EndpointScaling | None = None
    ) -> None:
        """Realtime endpoints are made of `machine`; whoever makes none has no need to know it."""
        self._client = client
        self._runtime = runtime
        self._machine = machine
        self._scaling = scaling

    @property
    def region(self) -> str:
        return self._client.meta.region_name

    def check_kind(self, spec: EndpointSpec) -> None:
        found = self._described(spec.name)
        if found is not None:
            spec.check_kind(self._kind(found["EndpointConfigName"]))

    def deploy(self, spec: EndpointSpec) -> bool:
        found = self._described(spec.name)
        if found is None:
            self._create(spec)
            return False
        if found["EndpointStatus"] == "Failed":
            reason = found.get("FailureReason", "no reason was given")
            raise EndpointFailed(f"the endpoint {spec.name} failed: {reason}")
        spec.check_kind(self._kind(found["EndpointConfigName"]))
        ready = bool(found["EndpointStatus"] == "InService")
        if ready and spec.kind == "realtime" and self._scaling is not None:
            self._scaling.begin(spec.name, VARIANT)
        return ready

    def invoke(self, name: str, body: bytes) -> bytes:
        try:
            answer = self._runtime.invoke_endpoint(EndpointName=name, Body=body, ContentType=JSON, Accept=JSON)
            content: bytes = answer["Body"].read()
        except (ClientError, BotoCoreError) as error:
            raise EndpointFailed(f"the endpoint {name} did not answer: {error}") from error
        return content

    def delete(self, name: str) -> None:
        if self._scaling is not None:
            self._scaling.end(name, VARIANT)
        for delete in (
            lambda: self._client.delete_endpoint(EndpointName=name),
            lambda: self._client.delete_endpoint_config(EndpointConfigName=name),
            lambda: self._client.delete_model(ModelName=name),
        ):
            _unless(delete, "Could not find")

    def names(self, prefix: str) -> Sequence[str]:
        pages = self._client.get_paginator("list_endpoints").paginate(NameContains=prefix)
        found = (each["EndpointName"] for page in pages for each in page["Endpoints"])
        return sorted(name for name in found if name.startswith(prefix))

    def parts(self, prefix: str) -> Sequence[str]:
        configurations = self._client.get_paginator("list_endpoint_configs").paginate(NameContains=prefix)
        models = self._client.get_paginator("list_models").paginate(NameContains=prefix)
        found = {each["EndpointConfigName"] for page in configurations for each in page["EndpointConfigs"]}
        found |= {each["ModelName"] for page in models for each in page["Models"]}
        return sorted(name for name in found if name.startswith(prefix))

    def _kind(self, configuration: str) -> str:
        found = self._client.describe_endpoint_config(EndpointConfigName=configuration)
        return "serverless" if "ServerlessConfig" in found["ProductionVariants"][0] else "realtime"

    def _described(self, name: str) -> Any:
        return _unless(lambda: self._client.describe_endpoint(EndpointName=name), "Could not find")

    def _create(self, spec: EndpointSpec) -> None:
        """What an attempt that was cut off left behind is kept: it was made for the same version."""
        variant: Any = {"VariantName": VARIANT, "ModelName": spec.name}
        if spec.kind == "serverless":
            variant["ServerlessConfig"] = {"MemorySizeInMB": MEMORY_MB, "MaxConcurrency": CONCURRENCY}
        else:
            variant |= {"InstanceType": self._machine, "InitialInstanceCount": 1}
        container: Any = {"Image": spec.image, "ModelDataUrl": spec.archive_uri, "Environment": dict(spec.environment)}
        for create in (
            lambda: self._client.create_model(
                ModelName=spec.name, PrimaryContainer=container, ExecutionRoleArn=spec.role_arn
            ),
            lambda: self._client.create_endpoint_config(EndpointConfigName=spec.name, ProductionVariants=[variant]),
            lambda: self._client.create_endpoint(EndpointName=spec.name, EndpointConfigName=spec.name),
        ):
            _unless(create, "already existing")


def _unless(call: Callable[[], object], known: str) -> Any:
    """What the call answers; None when the service says so. SageMaker has no codes for it, only these words."""
    try:
        return call()
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationException" and known in error.response["Error"]["Message"]:
            return None
        raise
