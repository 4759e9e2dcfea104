"""Training jobs, executed by a started embedded AWS."""

import io
import json
import tarfile
from typing import Any

from embedded_jobs import Jobs, channel, wait_until

SHOW_EVERYTHING = """
import json, os, pathlib, sys
base = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"])
seen = {
    "arguments": sys.argv[1:],
    "environment": dict(os.environ),
    "channels": sorted(str(p.relative_to(base / "input/data")) for p in base.glob("input/data/*/*")),
    "hyperparameters": json.loads((base / "input/config/hyperparameters.json").read_text()),
    "resources": json.loads((base / "input/config/resourceconfig.json").read_text()),
    "inputs": json.loads((base / "input/config/inputdataconfig.json").read_text()),
    "python": sys.version_info[:2],
}
(base / "model/nested").mkdir()
(base / "model/nested/seen.json").write_text(json.dumps(seen))
(base / "output/data/report.txt").write_text("report")
print("validation:auc=0.5;", flush=True)
print("validation:auc=0.75;", file=sys.stderr, flush=True)
"""


def seen_by(jobs: Jobs, job: dict[str, Any]) -> dict[str, Any]:
    archive = io.BytesIO(jobs.read(job["ModelArtifacts"]["S3ModelArtifacts"]))
    with tarfile.open(fileobj=archive) as tar:
        content = tar.extractfile("nested/seen.json")
        assert content is not None
        return dict(json.load(content))


def test_a_job_gets_its_channels_hyperparameters_and_paths_and_its_model_goes_to_s3(jobs: Jobs) -> None:
    jobs.put("data/a/train.csv", "1,2")

    job = jobs.train(
        "sees-everything",
        SHOW_EVERYTHING,
        channels={"train": "s3://job-bucket/data/a/"},
        HyperParameters={"algorithm": "xgboost"},
        Environment={"PYTHONPATH": "/opt/ml/input/data/code:/opt/ml/code"},
        algorithm={
            "ContainerArguments": ["--where=/opt/ml/model", "s3://bucket/opt/ml/x"],
            "MetricDefinitions": [{"Name": "auc", "Regex": "validation:auc=([0-9.]+);"}],
        },
    )

    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    seen = seen_by(jobs, job)
    base = seen["environment"]["SAGEMAKER_BASE_DIR"]
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == "s3://job-bucket/out/sees-everything/output/model.tar.gz"
    assert seen["channels"] == ["code/train.py", "train/train.csv"]
    assert seen["hyperparameters"] == {"algorithm": "xgboost"}
    assert seen["arguments"] == [f"--where={base}/model", "s3://bucket/opt/ml/x"]
    assert seen["environment"]["PYTHONPATH"] == f"{base}/input/data/code:{base}/code"
    assert seen["resources"]["current_host"] in seen["resources"]["hosts"]
    assert seen["inputs"]["train"]["TrainingInputMode"] == "File"
    assert "HOST_SECRET" not in seen["environment"]
    assert jobs.keys("out/sees-everything/output/") == [
        "out/sees-everything/output/model.tar.gz",
        "out/sees-everything/output/output.tar.gz",
    ]


def test_output_of_both_kinds_is_logged_and_the_last_value_of_a_metric_is_final(jobs: Jobs) -> None:
    job = jobs.train(
        "logs-and-metrics",
        SHOW_EVERYTHING,
        algorithm={"MetricDefinitions": [{"Name": "auc", "Regex": "validation:auc=([0-9.]+);"}]},
    )

    assert job["FinalMetricDataList"][0]["MetricName"] == "auc"
    assert job["FinalMetricDataList"][0]["Value"] == 0.75
    assert jobs.log_lines("/aws/sagemaker/TrainingJobs", "logs-and-metrics/algo-1-") == [
        "validation:auc=0.5;",
        "validation:auc=0.75;",
    ]


def test_the_secondary_statuses_are_those_of_the_service_in_order(jobs: Jobs) -> None:
    job = jobs.train("statuses", "print('x')")

    transitions = job["SecondaryStatusTransitions"]
    assert [item["Status"] for item in transitions] == ["Pending", "Downloading", "Training", "Uploading", "Completed"]
    assert all(item["EndTime"] >= item["StartTime"] for item in transitions)
    assert job["TrainingEndTime"] >= job["TrainingStartTime"] >= job["CreationTime"]
    assert job["BillableTimeInSeconds"] >= 1


def test_the_same_files_make_the_same_archive(jobs: Jobs) -> None:
    script = """
import os, pathlib, time
model = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"]) / "model"
(model / "b").write_text("2"); (model / "a").write_text("1")
"""
    first = jobs.train("same-bytes-1", script)
    second = jobs.train("same-bytes-2", script)

    archives = [jobs.read(job["ModelArtifacts"]["S3ModelArtifacts"]) for job in (first, second)]
    assert archives[0] == archives[1]


def test_a_failing_script_fails_the_job_with_what_it_wrote_into_its_failure_file(jobs: Jobs) -> None:
    script = """
import os, pathlib, sys
(pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"]) / "output/failure").write_text("no column 'target'" + "!" * 2000)
sys.exit(3)
"""
    job = jobs.train("fails-with-reason", script)

    assert job["TrainingJobStatus"] == "Failed"
    assert job["SecondaryStatus"] == "Failed"
    assert job["FailureReason"].startswith("AlgorithmError: no column 'target'!!!")
    assert job["FailureReason"].endswith(", exit code: 3")
    assert len(job["FailureReason"]) < 1100
    assert "ModelArtifacts" not in job


def test_a_crash_without_a_failure_file_is_reported_by_its_exit_code_and_its_log(jobs: Jobs) -> None:
    job = jobs.train("crashes", "raise RuntimeError('boom')")

    assert job["FailureReason"] == "AlgorithmError: , exit code: 1"
    assert "RuntimeError: boom" in jobs.log_lines("/aws/sagemaker/TrainingJobs", "crashes/")


def test_a_channel_without_objects_fails_the_job_before_it_starts(jobs: Jobs) -> None:
    job = jobs.train("no-objects", "print('ran')", channels={"train": "s3://job-bucket/nothing-here/"})

    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: Data download failed:No S3 objects found under S3 URL")
    assert jobs.log_lines("/aws/sagemaker/TrainingJobs", "no-objects/") == []


def test_a_role_that_may_not_read_the_data_fails_the_job(jobs: Jobs) -> None:
    jobs.put("data/private/x.csv", "1")
    role = jobs.make_role(
        "lists-only", [{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::job-bucket"}]
    )

    job = jobs.train("may-not-read", "print('ran')", RoleArn=role)

    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith(
        "ClientError: Data download failed:s3://job-bucket/code/may-not-read/train.py"
    )
    assert "403" in job["FailureReason"]


def test_the_script_itself_is_held_to_the_role(jobs: Jobs) -> None:
    script = """
import boto3
boto3.client("s3").put_object(Bucket="job-bucket", Key="written/by-script", Body=b"1")
boto3.client("dynamodb").list_tables()
"""
    job = jobs.train("script-as-role", script)

    assert job["TrainingJobStatus"] == "Failed"
    assert jobs.keys("written/") == ["written/by-script"]
    log = "\n".join(jobs.log_lines("/aws/sagemaker/TrainingJobs", "script-as-role/"))
    assert "assumed-role/job-role/SageMaker is not authorized to perform: dynamodb:ListTables" in log


def test_an_isolated_container_gets_no_credentials(jobs: Jobs) -> None:
    job = jobs.train("isolated", SHOW_EVERYTHING, EnableNetworkIsolation=True)

    names = seen_by(jobs, job)["environment"].keys()
    assert not {"AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"} & names


def test_two_hosts_talk_to_each_other_over_their_names(jobs: Jobs) -> None:
    script = """
import json, os, pathlib, socket, time
base = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"])
resources = json.loads((base / "input/config/resourceconfig.json").read_text())
me, hosts = resources["current_host"], resources["hosts"]
files = sorted(p.name for p in (base / "input/data/train").iterdir())
if me == hosts[0]:
    with socket.create_server((me, 47811)) as server:
        connection, _ = server.accept()
        (base / "model/heard").write_text(connection.recv(1000).decode() + " and " + ",".join(files))
else:
    for _ in range(100):
        try:
            socket.create_connection((hosts[0], 47811)).sendall((me + " has " + ",".join(files)).encode())
            break
        except OSError:
            time.sleep(0.1)
    (base / "model/second").write_text(me)
"""
    for name in ("a", "b", "c"):
        jobs.put(f"data/sharded/{name}", name)
    request = jobs.training_request("two-hosts", script, instances=2)
    request["InputDataConfig"].append(
        channel("train", "s3://job-bucket/data/sharded/", S3DataDistributionType="ShardedByS3Key")
    )
    jobs.sagemaker.create_training_job(**request)
    job = jobs.trained("two-hosts")

    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    with tarfile.open(fileobj=io.BytesIO(jobs.read(job["ModelArtifacts"]["S3ModelArtifacts"]))) as tar:
        heard = tar.extractfile("heard")
        assert heard is not None
        assert heard.read() == b"127.0.0.2 has b and a,c"
        assert tar.getnames() == ["heard", "second"]


def test_when_one_host_fails_the_others_are_ended_and_the_job_fails(jobs: Jobs) -> None:
    script = """
import json, os, pathlib, sys, time
base = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"])
resources = json.loads((base / "input/config/resourceconfig.json").read_text())
if resources["current_host"] == resources["hosts"][1]:
    sys.exit(7)
time.sleep(50)
"""
    job = jobs.train("one-of-two-fails", script, instances=2)

    assert job["FailureReason"] == "AlgorithmError: , exit code: 7"
    assert (job["TrainingEndTime"] - job["TrainingStartTime"]).total_seconds() < 20


COUNTS_IN_CHECKPOINTS = """
import os, pathlib, signal, sys, time
base = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"])
state = base / "checkpoints/round"
begun = int(state.read_text()) if state.is_file() else 0
print(f"resumed at {begun}", flush=True)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
for number in range(begun, 60):
    (state.parent / "round.new").write_text(str(number))
    (state.parent / "round.new").rename(state)
    if number == 59 or (begun and number > begun + 3):
        (base / "model/rounds").write_text(f"{begun} to {number}")
        break
    time.sleep(0.1)
"""


def test_a_reclaimed_spot_instance_resumes_from_its_checkpoint(jobs: Jobs) -> None:
    request = jobs.training_request(
        "spot",
        COUNTS_IN_CHECKPOINTS,
        EnableManagedSpotTraining=True,
        StoppingCondition={"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 120},
        CheckpointConfig={"S3Uri": "s3://job-bucket/checkpoints/spot"},
    )
    jobs.sagemaker.create_training_job(**request)
    wait_until(lambda: "checkpoints/spot/round" in jobs.keys("checkpoints/spot/"))

    assert jobs.launcher.post("/_local/jobs/spot/interrupt") == (202, {"interrupted": "spot"})

    job = jobs.trained("spot")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    statuses = [item["Status"] for item in job["SecondaryStatusTransitions"]]
    assert statuses[2:6] == ["Training", "Interrupted", "Starting", "Downloading"]
    begun = [line for line in jobs.log_lines("/aws/sagemaker/TrainingJobs", "spot/") if line.startswith("resumed")]
    assert begun[0] == "resumed at 0"
    assert int(begun[1].removeprefix("resumed at ")) > 0


def test_only_spot_instances_can_be_reclaimed(jobs: Jobs) -> None:
    jobs.sagemaker.create_training_job(**jobs.training_request("on-demand", "import time; time.sleep(50)"))
    wait_until(lambda: jobs.training_status("on-demand") == "Training")

    status, answer = jobs.launcher.post("/_local/jobs/on-demand/interrupt")

    jobs.sagemaker.stop_training_job(TrainingJobName="on-demand")
    assert (status, answer["message"]) == (409, "on-demand does not run on spot instances")


def test_a_stopped_job_keeps_what_its_script_saved_on_the_way_out(jobs: Jobs) -> None:
    script = """
import os, pathlib, signal, sys, time
base = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"])
def save(*_):
    (base / "model/saved").write_text("in time")
    (base / "checkpoints/last").write_text("kept")
    sys.exit(0)
signal.signal(signal.SIGTERM, save)
print("ready", flush=True)
time.sleep(50)
"""
    checkpoints = {"S3Uri": "s3://job-bucket/checkpoints/stopped"}
    jobs.sagemaker.create_training_job(**jobs.training_request("stopped", script, CheckpointConfig=checkpoints))
    wait_until(lambda: jobs.log_lines("/aws/sagemaker/TrainingJobs", "stopped/") == ["ready"])

    jobs.sagemaker.stop_training_job(TrainingJobName="stopped")

    assert jobs.training_status("stopped") in {"Stopping", "Training", "Stopped"}
    job = jobs.trained("stopped")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert jobs.keys("checkpoints/stopped/") == ["checkpoints/stopped/last"]
    with tarfile.open(fileobj=io.BytesIO(jobs.read(job["ModelArtifacts"]["S3ModelArtifacts"]))) as tar:
        assert tar.getnames() == ["saved"]


def test_a_job_that_runs_too_long_and_ignores_the_signal_is_killed(jobs: Jobs) -> None:
    script = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(50)"
    job = jobs.train("too-long", script, StoppingCondition={"MaxRuntimeInSeconds": 1})

    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert (job["TrainingEndTime"] - job["TrainingStartTime"]).total_seconds() < 20


def test_a_job_without_an_entrypoint_fails_and_says_why(jobs: Jobs) -> None:
    request = jobs.training_request("image-only", "print(1)")
    del request["AlgorithmSpecification"]["ContainerEntrypoint"]
    jobs.sagemaker.create_training_job(**request)

    assert "the local platform does not run images" in jobs.trained("image-only")["FailureReason"]


def test_at_most_two_jobs_run_at_once_and_a_waiting_one_can_be_stopped(jobs: Jobs) -> None:
    for number in range(3):
        jobs.sagemaker.create_training_job(**jobs.training_request(f"queue-{number}", "import time; time.sleep(50)"))
    wait_until(lambda: [jobs.training_status(f"queue-{n}") for n in range(3)] == ["Training", "Training", "Pending"])

    jobs.sagemaker.stop_training_job(TrainingJobName="queue-2")

    assert jobs.trained("queue-2")["SecondaryStatus"] == "Stopped"
    for number in range(2):
        jobs.sagemaker.stop_training_job(TrainingJobName=f"queue-{number}")
        jobs.trained(f"queue-{number}")


def test_status_changes_are_events(jobs: Jobs) -> None:
    sqs, events = jobs.launcher.client("sqs"), jobs.launcher.client("events")
    queue = sqs.create_queue(QueueName="job-events")["QueueUrl"]
    pattern = {"source": ["aws.sagemaker"], "detail": {"TrainingJobName": ["announced"]}}
    events.put_rule(Name="job-events", EventPattern=json.dumps(pattern))
    target = {"Id": "queue", "Arn": "arn:aws:sqs:us-east-1:000000000000:job-events"}
    events.put_targets(Rule="job-events", Targets=[target])

    jobs.train("announced", "print(1)")

    received: list[dict[str, Any]] = []

    def completed() -> bool:
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
            received.append(json.loads(message["Body"]))
        return any(event["detail"]["TrainingJobStatus"] == "Completed" for event in received)

    wait_until(completed)
    assert {event["detail-type"] for event in received} == {"SageMaker Training Job State Change"}
    assert all(event["detail"]["CreationTime"] > 1_000_000_000_000 for event in received)
