"""Every Endpoints: made once, deleted without a trace, listed by how the names begin."""

from __future__ import annotations

import boto3
import pytest
from botocore.stub import Stubber

from millrace.adapters.endpoint_scaling import EndpointScaling
from millrace.adapters.memory import InMemoryEndpoints
from millrace.adapters.sagemaker import SageMakerEndpoints
from millrace.errors import EndpointFailed
from millrace.ports import Endpoints, EndpointSpec


def a_spec(name: str, kind: str = "serverless") -> EndpointSpec:
    role = "arn:aws:iam::123456789012:role/serving"
    return EndpointSpec(name, kind, "repository/image:1", role, "s3://artifacts/container.tar.gz", {"A": "b"})


@pytest.fixture(params=["memory", "sagemaker"])
def endpoints(request: pytest.FixtureRequest) -> Endpoints:
    if request.param == "memory":
        return InMemoryEndpoints()
    request.getfixturevalue("aws")
    return SageMakerEndpoints(boto3.client("sagemaker"), boto3.client("sagemaker-runtime"), machine="ml.m5.large")


@pytest.mark.parametrize("kind", ["serverless", "realtime"])
def test_an_endpoint_comes_into_service_after_it_was_made(endpoints: Endpoints, kind: str) -> None:
    assert endpoints.deploy(a_spec("credit-v1", kind)) is False
    assert endpoints.deploy(a_spec("credit-v1", kind)) is True
    assert list(endpoints.names("credit-v")) == ["credit-v1"]


def test_endpoints_are_made_in_a_region_that_is_told(endpoints: Endpoints) -> None:
    assert endpoints.region == "us-east-1"


def test_a_deleted_endpoint_can_be_made_again_and_deleting_nothing_is_nothing(endpoints: Endpoints) -> None:
    endpoints.delete("credit-v1")
    endpoints.deploy(a_spec("credit-v1"))
    endpoints.delete("credit-v1")

    assert list(endpoints.names("credit-v")) == []
    assert endpoints.deploy(a_spec("credit-v1")) is False


def test_an_endpoint_of_another_kind_is_not_taken_for_the_one_that_was_asked_for(endpoints: Endpoints) -> None:
    endpoints.deploy(a_spec("credit-v1", "serverless"))

    with pytest.raises(EndpointFailed, match="credit-v1 is serverless, not realtime: deploy another version"):
        endpoints.deploy(a_spec("credit-v1", "realtime"))
    with pytest.raises(EndpointFailed, match="credit-v1 is serverless, not realtime: deploy another version"):
        endpoints.check_kind(a_spec("credit-v1", "realtime"))
    endpoints.check_kind(a_spec("credit-v1", "serverless"))
    endpoints.delete("credit-v1")
    endpoints.check_kind(a_spec("credit-v1", "realtime"))
    assert endpoints.deploy(a_spec("credit-v1", "realtime")) is False


def test_names_are_listed_by_how_they_begin(endpoints: Endpoints) -> None:
    for name in ("credit-v2", "a-credit-v1", "credit-v1"):
        endpoints.deploy(a_spec(name))

    assert list(endpoints.names("credit-v")) == ["credit-v1", "credit-v2"]


def test_models_and_configurations_are_listed_until_they_are_deleted(endpoints: Endpoints) -> None:
    endpoints.deploy(a_spec("credit-v1"))
    endpoints.deploy(a_spec("churn-v1"))
    assert list(endpoints.parts("credit-v")) == ["credit-v1"]

    endpoints.delete("credit-v1")

    assert list(endpoints.parts("c")) == ["churn-v1"]


def test_a_configuration_whose_endpoint_was_deleted_by_hand_is_still_a_part(aws: None) -> None:
    client = boto3.client("sagemaker")
    made = SageMakerEndpoints(client, boto3.client("sagemaker-runtime"))
    made.deploy(a_spec("credit-v1"))
    client.delete_endpoint(EndpointName="credit-v1")

    assert list(made.names("credit-v")) == []
    assert list(made.parts("credit-v")) == ["credit-v1"]


def test_a_realtime_endpoint_scales_once_it_is_in_service_and_no_more_once_it_is_deleted(aws: None) -> None:
    scaling = boto3.client("application-autoscaling")
    endpoints = SageMakerEndpoints(
        boto3.client("sagemaker"),
        boto3.client("sagemaker-runtime"),
        machine="ml.m5.large",
        scaling=EndpointScaling(scaling, most=3),
    )

    def scaled() -> list[tuple[str, int, int]]:
        found = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
        return [(each["ResourceId"], each["MinCapacity"], each["MaxCapacity"]) for each in found]

    endpoints.deploy(a_spec("credit-v1", "realtime"))
    endpoints.deploy(a_spec("credit-v2"))
    assert scaled() == []
    for _ in range(2):
        assert endpoints.deploy(a_spec("credit-v1", "realtime"))
    assert endpoints.deploy(a_spec("credit-v2"))

    assert scaled() == [("endpoint/credit-v1/variant/AllTraffic", 1, 3)]
    (policy,) = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert policy["PolicyType"] == "TargetTrackingScaling"

    endpoints.delete("credit-v1")
    assert scaled() == []


def test_what_never_scaled_is_deleted_as_well(aws: None) -> None:
    """In AWS's own words; moto has others."""
    scaling = boto3.client("application-autoscaling")
    with Stubber(scaling) as stubbed:
        stubbed.add_client_error("deregister_scalable_target", "ObjectNotFoundException")
        EndpointScaling(scaling, most=3).end("credit-v1", "AllTraffic")


def test_what_is_not_there_does_not_answer() -> None:
    with pytest.raises(EndpointFailed, match="credit-v1 did not answer"):
        InMemoryEndpoints().invoke("credit-v1", b"{}")
