"""SageMaker endpoints, executed by a started embedded AWS."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from embedded_jobs import Jobs, wait_until
from test_transform_jobs_run import DOUBLES, make_model

SERVERLESS = {"ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5}}


def deploy(jobs: Jobs, name: str, program: str = DOUBLES, **variant: Any) -> dict[str, Any]:
    """The endpoint once it is in service, or has failed."""
    make_model(jobs, name, program)
    variants = [{"VariantName": "AllTraffic", "ModelName": name, **(variant or SERVERLESS)}]
    jobs.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants)
    jobs.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)

    def settled() -> Any:
        found = jobs.sagemaker.describe_endpoint(EndpointName=name)
        return found if found["EndpointStatus"] != "Creating" else None

    return dict(wait_until(settled))


def ask(jobs: Jobs, name: str, body: bytes = b"1,2\n3,4\n") -> bytes:
    runtime = jobs.launcher.client("sagemaker-runtime")
    answer = runtime.invoke_endpoint(EndpointName=name, Body=body, ContentType="text/csv", Accept="text/csv")
    assert answer["ContentType"] == "text/csv"
    return bytes(answer["Body"].read())


@pytest.mark.parametrize("variant", [SERVERLESS, {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}])
def test_an_endpoint_answers_with_the_models_own_program_until_it_is_deleted(
    jobs: Jobs, variant: dict[str, Any]
) -> None:
    name = "served-" + next(iter(variant)).lower()[:8]
    assert deploy(jobs, name, **variant)["EndpointStatus"] == "InService"

    assert ask(jobs, name) == b"6.0\n14.0"
    assert name in [each["EndpointName"] for each in jobs.sagemaker.list_endpoints(NameContains=name)["Endpoints"]]

    jobs.sagemaker.delete_endpoint(EndpointName=name)
    with pytest.raises(ClientError, match="not found"):
        ask(jobs, name)
    with pytest.raises(ClientError, match="Could not find endpoint"):
        jobs.sagemaker.describe_endpoint(EndpointName=name)


def test_a_request_that_the_program_cannot_answer_is_a_model_error(jobs: Jobs) -> None:
    deploy(jobs, "strict")

    with pytest.raises(ClientError) as refused:
        ask(jobs, "strict", b"one,two\n")

    assert refused.value.response["Error"]["Code"] == "ModelError"
    assert "could not convert string to float" in str(refused.value)
    assert ask(jobs, "strict") == b"6.0\n14.0"


def test_a_model_that_cannot_be_loaded_fails_its_endpoint_with_the_reason(jobs: Jobs) -> None:
    failed = deploy(jobs, "unloadable", "def model_fn(directory):\n    raise RuntimeError('torn')\n")

    assert failed["EndpointStatus"] == "Failed"
    assert "the serving process ended" in failed["FailureReason"]
    with pytest.raises(ClientError, match="not in service"):
        ask(jobs, "unloadable")


def test_a_configuration_needs_a_model_and_a_name_of_its_own(jobs: Jobs) -> None:
    variants = [{"VariantName": "AllTraffic", "ModelName": "nothing", **SERVERLESS}]
    with pytest.raises(ClientError, match="Could not find model"):
        jobs.sagemaker.create_endpoint_config(EndpointConfigName="of-nothing", ProductionVariants=variants)
    with pytest.raises(ClientError, match="Could not find endpoint-config"):
        jobs.sagemaker.create_endpoint(EndpointName="of-nothing", EndpointConfigName="of-nothing")
