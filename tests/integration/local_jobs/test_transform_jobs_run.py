"""Batch transform jobs, executed by a started embedded AWS."""

import io
import tarfile
from typing import Any

import pytest
from botocore.exceptions import ClientError
from embedded_jobs import Jobs, wait_until

DOUBLES = """
import json, pathlib

def model_fn(directory):
    return json.loads((pathlib.Path(directory) / "factor.json").read_text())

def input_fn(body, content_type):
    assert content_type == "text/csv", content_type
    return [[float(value) for value in line.split(",")] for line in body.split()]

def predict_fn(rows, factor):
    return [factor * sum(row) for row in rows]

def output_fn(predictions, accept):
    return "\\n".join(str(value) for value in predictions), accept
"""


def make_model(jobs: Jobs, name: str, program: str) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for path, content in (("factor.json", b"2"), ("code/inference.py", program.encode())):
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    uri = jobs.put(f"models/{name}/model.tar.gz", buffer.getvalue())
    environment = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
    container = {"Image": "repository/image:1", "ModelDataUrl": uri, "Environment": environment}
    jobs.sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=jobs.role)


def start(jobs: Jobs, name: str, model: str, source: str, **changes: Any) -> None:
    jobs.sagemaker.create_transform_job(
        **{
            "TransformJobName": name,
            "ModelName": model,
            "TransformInput": {
                "ContentType": "text/csv",
                "SplitType": "Line",
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": source}},
            },
            "TransformOutput": {
                "S3OutputPath": f"s3://job-bucket/predictions/{name}",
                "Accept": "text/csv",
                "AssembleWith": "Line",
            },
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
            **changes,
        }
    )


def transformed(jobs: Jobs, name: str) -> dict[str, Any]:
    def ended() -> Any:
        job = jobs.sagemaker.describe_transform_job(TransformJobName=name)
        return job if job["TransformJobStatus"] in {"Completed", "Failed", "Stopped"} else None

    return dict(wait_until(ended))


@pytest.fixture(scope="module")
def doubles(jobs: Jobs) -> str:
    make_model(jobs, "doubles", DOUBLES)
    return "doubles"


def test_every_object_gets_its_predictions_beside_its_name(jobs: Jobs, doubles: str) -> None:
    jobs.put("scores/in/a.csv", "1,2\n3,4\n")
    jobs.put("scores/in/deep/b.csv", "5,6")

    start(jobs, "scores", doubles, "s3://job-bucket/scores/in/")

    job = transformed(jobs, "scores")
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    assert jobs.read("s3://job-bucket/predictions/scores/a.csv.out") == b"6.0\n14.0\n"
    assert jobs.read("s3://job-bucket/predictions/scores/deep/b.csv.out") == b"22.0\n"


def test_records_are_filtered_joined_and_filtered_again(jobs: Jobs, doubles: str) -> None:
    jobs.put("scores/joined/a.csv", "row-1,1,2\nrow-2,3,4\n")

    start(
        jobs,
        "joined",
        doubles,
        "s3://job-bucket/scores/joined/",
        BatchStrategy="SingleRecord",
        DataProcessing={"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"},
    )

    job = transformed(jobs, "joined")
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    assert jobs.read("s3://job-bucket/predictions/joined/a.csv.out") == b"row-1,6.0\nrow-2,14.0\n"


def test_a_record_that_the_model_refuses_fails_the_job_and_nothing_is_written(jobs: Jobs, doubles: str) -> None:
    jobs.put("scores/bad/a.csv", "1,2\n")
    jobs.put("scores/bad/b.csv", "1,two\n")

    start(jobs, "bad", doubles, "s3://job-bucket/scores/bad/")

    job = transformed(jobs, "bad")
    assert job["TransformJobStatus"] == "Failed"
    assert "ValueError: could not convert string to float: 'two'" in job["FailureReason"]
    assert jobs.keys("predictions/bad/") == []


def test_a_model_that_does_not_load_fails_the_job_at_once(jobs: Jobs) -> None:
    make_model(jobs, "broken", "raise RuntimeError('no such library')")
    jobs.put("scores/any/a.csv", "1")

    start(jobs, "not-loading", "broken", "s3://job-bucket/scores/any/")

    assert transformed(jobs, "not-loading")["FailureReason"] == (
        "AlgorithmError: the serving process ended, exit code: 1"
    )
    assert "RuntimeError: no such library" in jobs.log_lines("/aws/sagemaker/TransformJobs", "not-loading/")


def test_a_transform_can_be_stopped(jobs: Jobs) -> None:
    make_model(jobs, "never-ready", "import time\ndef model_fn(directory): time.sleep(50)")
    jobs.put("scores/any/a.csv", "1")
    start(jobs, "stopped-transform", "never-ready", "s3://job-bucket/scores/any/")

    jobs.sagemaker.stop_transform_job(TransformJobName="stopped-transform")

    assert transformed(jobs, "stopped-transform")["TransformJobStatus"] == "Stopped"


def test_a_transform_needs_an_existing_model(jobs: Jobs) -> None:
    with pytest.raises(ClientError, match="Could not find model"):
        start(jobs, "no-model", "never-made", "s3://job-bucket/scores/any/")


REVERSES = """
def model_fn(directory):
    return None

def transform_fn(model, body, content_type, accept):
    assert isinstance(body, bytes), type(body)
    return body[::-1], accept
"""


def test_an_object_that_is_not_split_is_sent_whole_whatever_bytes_it_holds(jobs: Jobs) -> None:
    make_model(jobs, "reverses", REVERSES)
    jobs.put("scores/binary/a.bin", bytes(range(256)))
    kind = "application/octet-stream"
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://job-bucket/scores/binary/"}}

    start(
        jobs,
        "binary",
        "reverses",
        "",
        TransformInput={"ContentType": kind, "SplitType": "None", "DataSource": source},
        TransformOutput={"S3OutputPath": "s3://job-bucket/predictions/binary", "Accept": kind, "AssembleWith": "None"},
    )

    job = transformed(jobs, "binary")
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    assert jobs.read("s3://job-bucket/predictions/binary/a.bin.out") == bytes(reversed(range(256)))
