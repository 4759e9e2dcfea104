"""Jobs that Step Functions starts and waits for."""

import json
from typing import Any

from embedded_jobs import Jobs, wait_until


def execute(jobs: Jobs, name: str, state: dict[str, Any], data: dict[str, Any]) -> str:
    """Starts an execution of one task state; returns the execution's ARN."""
    states = jobs.launcher.client("stepfunctions")
    definition = {"StartAt": "Train", "States": {"Train": {"Type": "Task", "End": True, **state}}}
    machine = states.create_state_machine(name=name, definition=json.dumps(definition), roleArn=jobs.states_role)
    return str(
        states.start_execution(stateMachineArn=machine["stateMachineArn"], input=json.dumps(data))["executionArn"]
    )


def ended(jobs: Jobs, execution_arn: str) -> dict[str, Any]:
    states = jobs.launcher.client("stepfunctions")

    def final() -> Any:
        execution = states.describe_execution(executionArn=execution_arn)
        return execution if execution["status"] != "RUNNING" else None

    return dict(wait_until(final))


SYNC = {"Resource": "arn:aws:states:::sagemaker:createTrainingJob.sync"}


def test_the_output_of_a_waited_for_job_is_its_description(jobs: Jobs) -> None:
    request = jobs.training_request("from-states", "print(1)")
    state = {**SYNC, "ResultSelector": {"model.$": "$.ModelArtifacts.S3ModelArtifacts", "at.$": "$.CreationTime"}}

    execution = ended(jobs, execute(jobs, "waits", state, request))

    assert execution["status"] == "SUCCEEDED", execution
    output = json.loads(execution["output"])
    assert output["model"] == "s3://job-bucket/out/from-states/output/model.tar.gz"
    assert isinstance(output["at"], int)
    assert output["at"] > 1_000_000_000_000


def test_a_job_that_is_not_waited_for_answers_with_its_arn(jobs: Jobs) -> None:
    request = jobs.training_request("not-waited-for", "print(1)")
    state = {"Resource": "arn:aws:states:::sagemaker:createTrainingJob"}

    execution = ended(jobs, execute(jobs, "does-not-wait", state, request))

    assert json.loads(execution["output"]) == {
        "TrainingJobArn": "arn:aws:sagemaker:us-east-1:000000000000:training-job/not-waited-for"
    }


def test_a_failed_job_fails_the_task_with_its_description_as_the_cause(jobs: Jobs) -> None:
    request = jobs.training_request("fails-in-states", "raise SystemExit(9)")

    execution = ended(jobs, execute(jobs, "fails", SYNC, request))

    assert (execution["status"], execution["error"]) == ("FAILED", "States.TaskFailed")
    cause = json.loads(execution["cause"])
    assert cause["TrainingJobStatus"] == "Failed"
    assert cause["FailureReason"] == "AlgorithmError: , exit code: 9"


def test_a_refused_request_has_the_services_error_name(jobs: Jobs) -> None:
    request = jobs.training_request("named-twice", "print(1)")

    first = ended(jobs, execute(jobs, "first", SYNC, request))
    second = ended(jobs, execute(jobs, "second", SYNC, request))
    invalid = ended(jobs, execute(jobs, "invalid", SYNC, {**request, "TrainingJobName": "no_underscore"}))

    assert first["status"] == "SUCCEEDED"
    assert second["error"] == "SageMaker.ResourceInUseException"
    assert invalid["error"] == "SageMaker.AmazonSageMakerException"
    assert "Error Code: ValidationException" in invalid["cause"]


def test_stopping_the_execution_stops_the_job_and_the_execution_stays_aborted(jobs: Jobs) -> None:
    request = jobs.training_request("aborted", "import time; time.sleep(50)")
    arn = execute(jobs, "aborts", SYNC, request)
    wait_until(lambda: [job for job in running(jobs) if job == "aborted"])

    jobs.launcher.client("stepfunctions").stop_execution(executionArn=arn)

    assert jobs.trained("aborted")["TrainingJobStatus"] == "Stopped"
    assert ended(jobs, arn)["status"] == "ABORTED"


def test_a_task_that_takes_too_long_stops_its_job(jobs: Jobs) -> None:
    request = jobs.training_request("outlives-its-task", "import time; time.sleep(50)")

    execution = ended(jobs, execute(jobs, "times-out", {**SYNC, "TimeoutSeconds": 1}, request))

    assert (execution["status"], execution["error"]) == ("FAILED", "States.Timeout")
    assert jobs.trained("outlives-its-task")["TrainingJobStatus"] == "Stopped"


def test_the_sdk_integration_reaches_the_same_service(jobs: Jobs) -> None:
    jobs.train("described", "print(1)")
    state = {"Resource": "arn:aws:states:::aws-sdk:sagemaker:describeTrainingJob"}

    execution = ended(jobs, execute(jobs, "describes", state, {"TrainingJobName": "described"}))

    assert json.loads(execution["output"])["TrainingJobStatus"] == "Completed"


def running(jobs: Jobs) -> list[str]:
    listed = jobs.sagemaker.list_training_jobs(StatusEquals="InProgress")
    return [job["TrainingJobName"] for job in listed["TrainingJobSummaries"]]
