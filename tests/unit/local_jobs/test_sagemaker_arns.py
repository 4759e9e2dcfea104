"""The resource that IAM judges a SageMaker request by."""

import pytest

from local.jobs.sagemaker import resource_arn

JOB = "arn:aws:sagemaker:eu-west-1:123456789012"


@pytest.mark.parametrize(
    ("target", "request_", "resource"),
    [
        ("SageMaker.CreateTrainingJob", {"TrainingJobName": "Run-1"}, f"{JOB}:training-job/run-1"),
        ("SageMaker.DescribeProcessingJob", {"ProcessingJobName": "a"}, f"{JOB}:processing-job/a"),
        ("SageMaker.StopTransformJob", {"TransformJobName": "a"}, f"{JOB}:transform-job/a"),
        ("SageMaker.CreateTransformJob", {"TransformJobName": "a", "ModelName": "m"}, f"{JOB}:transform-job/a"),
        ("SageMaker.DeleteModel", {"ModelName": "m"}, f"{JOB}:model/m"),
        ("SageMaker.AddTags", {"ResourceArn": "arn:given"}, "arn:given"),
        ("SageMaker.ListTrainingJobs", {"NameContains": "a"}, "*"),
    ],
)
def test_a_request_is_about_what_it_names(target: str, request_: dict[str, str], resource: str) -> None:
    assert resource_arn(target, request_, "eu-west-1", "123456789012") == resource
