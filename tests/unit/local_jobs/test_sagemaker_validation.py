"""Requests against SageMaker's model and its rules between fields."""

import copy
from typing import Any

import pytest

from local.jobs.sagemaker_rules import check_processing_job, check_training_job, check_transform_job
from local.jobs.service_error import ServiceError
from local.jobs.service_model import check_request, python_pattern, service_model

TRAINING: dict[str, Any] = {
    "TrainingJobName": "job-1",
    "RoleArn": "arn:aws:iam::000000000000:role/job",
    "AlgorithmSpecification": {
        "TrainingImage": "image:1",
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["python3", "-m", "x"],
    },
    "InputDataConfig": [
        {
            "ChannelName": "train",
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/train/"}},
        }
    ],
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
    "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
}
PROCESSING: dict[str, Any] = {
    "ProcessingJobName": "job-1",
    "RoleArn": "arn:aws:iam::000000000000:role/job",
    "AppSpecification": {"ImageUri": "image:1"},
    "ProcessingInputs": [
        {
            "InputName": "code",
            "S3Input": {
                "S3Uri": "s3://bucket/code/",
                "LocalPath": "/opt/ml/processing/input/code",
                "S3DataType": "S3Prefix",
                "S3InputMode": "File",
            },
        }
    ],
    "ProcessingOutputConfig": {
        "Outputs": [
            {
                "OutputName": "report",
                "S3Output": {
                    "S3Uri": "s3://bucket/out",
                    "LocalPath": "/opt/ml/processing/output",
                    "S3UploadMode": "EndOfJob",
                },
            }
        ]
    },
    "ProcessingResources": {
        "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.t3.medium", "VolumeSizeInGB": 10}
    },
}


def changed(request: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with the member at the dotted path set, or removed when the value is None."""
    copied = copy.deepcopy(request)
    *parents, last = path.split(".")
    place: Any = copied
    for name in parents:
        place = place[int(name)] if name.isdigit() else place.setdefault(name, {})
    if value is None:
        del place[last]
    else:
        place[int(last) if last.isdigit() else last] = value
    return copied


def check_training(request: dict[str, Any]) -> None:
    check_request("sagemaker", "CreateTrainingJob", request)
    check_training_job(request)


def check_processing(request: dict[str, Any]) -> None:
    check_request("sagemaker", "CreateProcessingJob", request)
    check_processing_job(request)


def refused_training(path: str, value: Any) -> str:
    request = changed(TRAINING, path, value)
    with pytest.raises(ServiceError) as refused:
        check_training(request)
    assert refused.value.code == "ValidationException"
    return refused.value.message


def refused_processing(path: str, value: Any) -> str:
    request = changed(PROCESSING, path, value)
    with pytest.raises(ServiceError) as refused:
        check_processing(request)
    return refused.value.message


def test_good_requests_pass() -> None:
    check_training(TRAINING)
    check_processing(PROCESSING)


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("RoleArn", None, 'Missing required parameter in input: "RoleArn"'),
        ("ResourceConfig.InstanceCount", "1", "Invalid type for parameter ResourceConfig.InstanceCount"),
        ("ResourceConfig.InstanceCount", 0, "must be at least 1"),
        ("Mispelled", 1, 'Unknown parameter in input: "Mispelled"'),
        ("TrainingJobName", "a" * 64, "'trainingJobName' failed to satisfy constraint: Member must have length less"),
        ("TrainingJobName", "-a", "Member must satisfy regular expression pattern"),
        (
            "ResourceConfig.InstanceType",
            "ml.huge",
            "'resourceConfig.instanceType' failed to satisfy constraint: Member",
        ),
        ("StoppingCondition.MaxRuntimeInSeconds", 10**9, "must not exceed 2419200"),
        ("OutputDataConfig.S3OutputPath", "ftp://bucket", "at 'outputDataConfig.s3OutputPath'"),
        ("HyperParameters", {"name": "x" * 2501}, "'hyperParameters.name.value'"),
        ("Environment", {f"V{number}": "x" for number in range(101)}, "'environment' failed"),
        ("AlgorithmSpecification.AlgorithmName", "own", "exactly one of AlgorithmName and TrainingImage"),
        ("StoppingCondition.MaxWaitTimeInSeconds", 7200, "only when EnableManagedSpotTraining is true"),
        ("EnableManagedSpotTraining", True, "It must be present and be greater than or equal to MaxRuntimeInSeconds"),
        ("ResourceConfig.InstanceType", None, "InstanceType must be specified"),
        ("AlgorithmSpecification.MetricDefinitions", [{"Name": "m", "Regex": "("}], "Invalid regex"),
        ("AlgorithmSpecification.MetricDefinitions", [{"Name": "m", "Regex": "m"}], "must have a capture group"),
        ("InputDataConfig", TRAINING["InputDataConfig"] * 2, "Duplicate channel names: train"),
        ("InputDataConfig.0.InputMode", "Pipe", "the local platform does not emulate it"),
        ("InputDataConfig.0.DataSource.S3DataSource.S3DataType", "ManifestFile", "does not emulate"),
        ("CheckpointConfig", {"S3Uri": "s3://b/c", "LocalPath": "/opt/ml/model/c"}, "is reserved by SageMaker"),
        ("CheckpointConfig", {"S3Uri": "s3://b/c", "LocalPath": "/var/c"}, "outside /opt/ml"),
    ],
)
def test_a_bad_training_job_is_refused_with_the_member_named(path: str, value: Any, says: str) -> None:
    assert says in refused_training(path, value)


def test_every_violation_is_told_at_once() -> None:
    request = changed(changed(TRAINING, "TrainingJobName", "a_b"), "ResourceConfig.InstanceType", "ml.huge")

    with pytest.raises(ServiceError, match=r"^2 validation errors detected: .*trainingJobName.*instanceType"):
        check_request("sagemaker", "CreateTrainingJob", request)


def test_spot_with_a_wait_that_covers_the_runtime_is_accepted() -> None:
    request = changed(TRAINING, "EnableManagedSpotTraining", True)

    check_training_job(changed(request, "StoppingCondition.MaxWaitTimeInSeconds", 3600))
    with pytest.raises(ServiceError, match="MaxWaitTimeInSeconds"):
        check_training_job(changed(request, "StoppingCondition.MaxWaitTimeInSeconds", 3599))


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("ProcessingInputs.0.S3Input.LocalPath", "/var/x", "must be an absolute path below /opt/ml/processing"),
        ("ProcessingInputs.0.S3Input.LocalPath", "/opt/ml/processingx", "must be an absolute path below"),
        ("ProcessingInputs.0.S3Input.S3InputMode", "Pipe", "does not emulate"),
        ("ProcessingInputs", PROCESSING["ProcessingInputs"] * 2, "Duplicate input names: code"),
        ("ProcessingOutputConfig.Outputs.0.S3Output.LocalPath", "/data", "must be an absolute path below"),
        ("ProcessingOutputConfig.Outputs.0.S3Output.S3UploadMode", "Continuous", "does not emulate"),
        ("ProcessingInputs", PROCESSING["ProcessingInputs"] * 11, "'processingInputs' failed"),
    ],
)
def test_a_bad_processing_job_is_refused(path: str, value: Any, says: str) -> None:
    assert says in refused_processing(path, value)


def test_a_transform_of_more_than_100_megabytes_at_once_is_refused() -> None:
    request = {
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/x"}},
            "SplitType": "Line",
        },
        "MaxPayloadInMB": 51,
        "MaxConcurrentTransforms": 2,
    }
    with pytest.raises(ServiceError, match="100 MB"):
        check_transform_job(request)
    check_transform_job({**request, "MaxPayloadInMB": 50})


def test_every_pattern_of_the_model_can_be_used() -> None:
    model = service_model("sagemaker")
    patterns = {str(model.shape_for(name).metadata.get("pattern", ".*")) for name in model.shape_names} - {".*"}

    unchecked = [pattern for pattern in patterns if python_pattern(pattern).pattern == ".*"]

    assert len(patterns) > 200
    assert len(unchecked) <= 6


def test_letters_of_all_alphabets_are_letters_in_a_tag() -> None:
    check_request(
        "sagemaker",
        "AddTags",
        {
            "ResourceArn": "arn:aws:sagemaker:us-east-1:000000000000:model/x",
            "Tags": [{"Key": "prüfung", "Value": "ja 1"}],
        },
    )
