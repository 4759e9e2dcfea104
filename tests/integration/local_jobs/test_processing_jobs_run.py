"""Processing jobs, executed by a started embedded AWS."""

import json
from typing import Any

from embedded_jobs import Jobs, wait_until


def request(jobs: Jobs, name: str, script: str, **changes: Any) -> dict[str, Any]:
    jobs.put(f"code/{name}/evaluate.py", script)
    sources = {"code": f"s3://job-bucket/code/{name}/", **changes.pop("inputs", {})}
    return {
        "ProcessingJobName": name,
        "RoleArn": jobs.role,
        "AppSpecification": {
            "ImageUri": "000000000000.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0",
            "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/evaluate.py"],
        },
        "ProcessingInputs": [
            {
                "InputName": key,
                "S3Input": {
                    "S3Uri": uri,
                    "LocalPath": f"/opt/ml/processing/input/{key}",
                    "S3DataType": "S3Prefix",
                    "S3InputMode": "File",
                },
            }
            for key, uri in sources.items()
        ],
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "report",
                    "S3Output": {
                        "S3Uri": f"s3://job-bucket/reports/{name}/",
                        "LocalPath": "/opt/ml/processing/output",
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ]
        },
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.t3.medium", "VolumeSizeInGB": 10}
        },
        **changes,
    }


def processed(jobs: Jobs, name: str) -> dict[str, Any]:
    def ended() -> Any:
        job = jobs.sagemaker.describe_processing_job(ProcessingJobName=name)
        return job if job["ProcessingJobStatus"] in {"Completed", "Failed", "Stopped"} else None

    return dict(wait_until(ended))


def process(jobs: Jobs, name: str, script: str, **changes: Any) -> dict[str, Any]:
    jobs.sagemaker.create_processing_job(**request(jobs, name, script, **changes))
    return processed(jobs, name)


def test_inputs_are_where_the_request_says_and_outputs_go_to_s3(jobs: Jobs) -> None:
    script = """
import json, os, pathlib
base = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"])
text = (base / "processing/input/test/rows.csv").read_text()
config = json.loads((base / "config/processingjobconfig.json").read_text())
resources = json.loads((base / "config/resourceconfig.json").read_text())
out = base / "processing/output/nested"
out.mkdir()
place = config["ProcessingInputs"][0]["S3Input"]["LocalPath"] == str(base / "processing/input/code")
(out / "report.json").write_text(json.dumps([text, place, resources["current_host"] in resources["hosts"]]))
(base / "output").mkdir(exist_ok=True)
(base / "output/message").write_text("all good")
print("done")
"""
    jobs.put("data/test/rows.csv", "1,2")

    job = process(jobs, "evaluates", script, inputs={"test": "s3://job-bucket/data/test/"})

    assert job["ProcessingJobStatus"] == "Completed", job.get("FailureReason")
    assert job["ExitMessage"] == "all good"
    assert json.loads(jobs.read("s3://job-bucket/reports/evaluates/nested/report.json")) == ["1,2", True, True]
    assert jobs.log_lines("/aws/sagemaker/ProcessingJobs", "evaluates/algo-1-") == ["done"]


def test_a_failing_script_fails_the_job_with_its_exit_code_and_sends_nothing(jobs: Jobs) -> None:
    script = """
import os, pathlib, sys
base = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"])
(base / "processing/output/half").write_text("x")
sys.exit(4)
"""
    job = process(jobs, "evaluation-fails", script)

    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"] == "AlgorithmError: , exit code: 4"
    assert jobs.keys("reports/evaluation-fails/") == []


def test_an_input_without_objects_fails_the_job(jobs: Jobs) -> None:
    job = process(jobs, "nothing-to-read", "print(1)", inputs={"test": "s3://job-bucket/absent/"})

    assert job["FailureReason"].startswith("ClientError: Data download failed:No S3 objects found")


def test_a_job_that_runs_too_long_is_stopped(jobs: Jobs) -> None:
    job = process(
        jobs, "evaluates-for-ever", "import time; time.sleep(50)", StoppingCondition={"MaxRuntimeInSeconds": 1}
    )

    assert job["ProcessingJobStatus"] == "Stopped"
    assert "longer than MaxRuntimeInSeconds" in job["FailureReason"]


def test_a_job_can_be_stopped(jobs: Jobs) -> None:
    jobs.sagemaker.create_processing_job(**request(jobs, "stopped-evaluation", "import time; time.sleep(50)"))

    jobs.sagemaker.stop_processing_job(ProcessingJobName="stopped-evaluation")

    assert processed(jobs, "stopped-evaluation")["ProcessingJobStatus"] == "Stopped"


def test_a_role_that_may_not_write_the_output_fails_the_job(jobs: Jobs) -> None:
    role = jobs.make_role(
        "reads-only",
        [{"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetObject", "logs:*"], "Resource": "*"}],
    )
    script = """
import os, pathlib
(pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"]) / "processing/output/report").write_text("x")
"""
    job = process(jobs, "may-not-write", script, RoleArn=role)

    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: Artifact upload failed:s3://job-bucket/reports/may-not-write")
