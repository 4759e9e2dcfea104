"""What the SageMaker control plane of the embedded AWS accepts, refuses and lists."""

import json
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from embedded_jobs import Jobs


@pytest.fixture
def unchecked(jobs: Jobs) -> Any:
    """A client that sends what it is given, so that the service does the checking."""
    return boto3.client(
        "sagemaker",
        endpoint_url=jobs.launcher.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(parameter_validation=False),
    )


def refusal(jobs: Jobs, client: Any, **changes: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        client.create_training_job(**{**jobs.training_request("refused", "print(1)"), **changes})
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_request_without_a_required_member_is_refused(jobs: Jobs, unchecked: Any) -> None:
    code, message = refusal(jobs, unchecked, OutputDataConfig={})

    assert code == "ValidationException"
    assert "S3OutputPath" in message


def test_a_name_with_a_forbidden_character_is_refused_with_the_services_pattern(jobs: Jobs, unchecked: Any) -> None:
    code, message = refusal(jobs, unchecked, TrainingJobName="under_score")

    assert code == "ValidationException"
    assert message.startswith("1 validation error detected: Value 'under_score' at 'trainingJobName' failed to satisfy")


def test_a_wait_without_spot_is_refused(jobs: Jobs, unchecked: Any) -> None:
    condition = {"MaxRuntimeInSeconds": 10, "MaxWaitTimeInSeconds": 20}

    assert "MaxWaitTimeInSeconds" in refusal(jobs, unchecked, StoppingCondition=condition)[1]


def test_a_role_that_sagemaker_may_not_assume_is_refused(jobs: Jobs, unchecked: Any) -> None:
    role = jobs.make_role("for-lambda", [], service="lambda")

    code, message = refusal(jobs, unchecked, RoleArn=role)

    assert code == "ValidationException"
    assert message.startswith(f"Could not assume role {role}")


def test_a_job_name_is_used_once(jobs: Jobs) -> None:
    jobs.train("only-once", "print(1)")

    with pytest.raises(jobs.sagemaker.exceptions.ResourceInUse):
        jobs.sagemaker.create_training_job(**jobs.training_request("only-once", "print(2)"))


def test_an_unknown_job_is_not_found(jobs: Jobs) -> None:
    with pytest.raises(ClientError, match="Requested resource not found"):
        jobs.sagemaker.describe_training_job(TrainingJobName="never-made")
    with pytest.raises(jobs.sagemaker.exceptions.ResourceNotFound):
        jobs.sagemaker.describe_processing_job(ProcessingJobName="never-made")


def test_a_finished_job_cannot_be_stopped(jobs: Jobs) -> None:
    jobs.train("over", "print(1)")

    with pytest.raises(ClientError, match="is in status Completed"):
        jobs.sagemaker.stop_training_job(TrainingJobName="over")


def test_jobs_are_listed_by_name_newest_first_page_by_page(jobs: Jobs) -> None:
    for number in (1, 2, 3):
        jobs.train(f"listed-{number}", "print(1)")

    first = jobs.sagemaker.list_training_jobs(NameContains="listed-", MaxResults=2)
    second = jobs.sagemaker.list_training_jobs(NameContains="listed-", MaxResults=2, NextToken=first["NextToken"])

    names = [job["TrainingJobName"] for page in (first, second) for job in page["TrainingJobSummaries"]]
    assert names == ["listed-3", "listed-2", "listed-1"]
    assert "NextToken" not in second
    assert not jobs.sagemaker.list_training_jobs(NameContains="listed-", StatusEquals="Failed")["TrainingJobSummaries"]


def test_tags_are_kept_and_added_to(jobs: Jobs) -> None:
    request = jobs.training_request("tagged", "print(1)", Tags=[{"Key": "project", "Value": "x"}])
    arn = jobs.sagemaker.create_training_job(**request)["TrainingJobArn"]

    jobs.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "run", "Value": "1"}])

    assert jobs.sagemaker.list_tags(ResourceArn=arn)["Tags"] == [
        {"Key": "project", "Value": "x"},
        {"Key": "run", "Value": "1"},
    ]


def test_models_are_made_described_and_deleted(jobs: Jobs) -> None:
    container = {"Image": "repository/image:1", "ModelDataUrl": "s3://job-bucket/m.tar.gz"}
    jobs.sagemaker.create_model(ModelName="champion", PrimaryContainer=container, ExecutionRoleArn=jobs.role)

    assert jobs.sagemaker.describe_model(ModelName="champion")["PrimaryContainer"] == container
    with pytest.raises(ClientError, match="already existing model"):
        jobs.sagemaker.create_model(ModelName="champion", PrimaryContainer=container, ExecutionRoleArn=jobs.role)
    jobs.sagemaker.delete_model(ModelName="champion")
    with pytest.raises(ClientError, match="Could not find model"):
        jobs.sagemaker.describe_model(ModelName="champion")


def user_client(jobs: Jobs, name: str, statements: list[dict[str, Any]]) -> Any:
    jobs.iam.create_user(UserName=name)
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    jobs.iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document)
    key = jobs.iam.create_access_key(UserName=name)["AccessKey"]
    return jobs.launcher.client(
        "sagemaker", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]
    )


def test_iam_judges_calls_by_the_jobs_arn(jobs: Jobs) -> None:
    jobs.train("visible", "print(1)")
    arn = "arn:aws:sagemaker:us-east-1:000000000000:training-job/visible"
    client = user_client(
        jobs, "reader", [{"Effect": "Allow", "Action": "sagemaker:DescribeTrainingJob", "Resource": arn}]
    )

    assert client.describe_training_job(TrainingJobName="visible")["TrainingJobStatus"] == "Completed"
    with pytest.raises(ClientError, match="AccessDenied"):
        client.describe_training_job(TrainingJobName="other")
    with pytest.raises(ClientError, match="AccessDenied"):
        client.stop_training_job(TrainingJobName="visible")


def test_whoever_starts_a_job_must_be_allowed_to_pass_its_role(jobs: Jobs) -> None:
    may_create = {"Effect": "Allow", "Action": "sagemaker:CreateTrainingJob", "Resource": "*"}
    may_pass = {
        "Effect": "Allow",
        "Action": "iam:PassRole",
        "Resource": jobs.role,
        "Condition": {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
    }
    without, with_it = (
        user_client(jobs, "creator", [may_create]),
        user_client(jobs, "passer", [may_create, may_pass]),
    )

    with pytest.raises(ClientError, match="not authorized to perform: iam:PassRole"):
        without.create_training_job(**jobs.training_request("not-passed", "print(1)"))
    with_it.create_training_job(**jobs.training_request("passed", "print(1)"))
    assert jobs.trained("passed")["TrainingJobStatus"] == "Completed"
