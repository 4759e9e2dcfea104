"""An embedded AWS with the job services as a process, and builders for small real jobs."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

LAUNCHER = Path(__file__).with_name("job_launcher.py")
REPOSITORY = Path(__file__).parents[3]
READY_SECONDS = 60
JOB_SECONDS = 60
ROLE_BUCKET = "job-bucket"


class Launcher:
    """One embedded AWS as a process of its own, on a port of its own."""

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.endpoint_url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        with (self.state_dir / "launcher.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(LAUNCHER), str(self.state_dir), str(self.port)],
                env={**os.environ, "PYTHONPATH": str(REPOSITORY), "HOST_SECRET": "must not leak"},
                cwd=REPOSITORY,
                stdout=log,
                stderr=log,
            )
        wait_until(self._ready, READY_SECONDS)

    def _ready(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError((self.state_dir / "launcher.log").read_text())
        try:
            return self._ask("GET", "/_ministack/health")[0] == 200
        except OSError:
            return False

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(15)

    def client(self, service: str, **credentials: str) -> Any:
        keys = credentials or {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        return boto3.client(
            service,
            endpoint_url=self.endpoint_url,
            region_name="us-east-1",
            config=Config(retries={"max_attempts": 1}),
            **keys,
        )

    def post(self, path: str) -> tuple[int, Any]:
        status, body = self._ask("POST", path)
        return status, json.loads(body)

    def _ask(self, method: str, path: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def wait_until(condition: Any, seconds: float = JOB_SECONDS) -> Any:
    """The first true answer of `condition`; an AssertionError when there is none in time."""
    last_moment = time.monotonic() + seconds
    while time.monotonic() < last_moment:
        if answer := condition():
            return answer
        time.sleep(0.05)
    raise AssertionError(f"nothing after {seconds} s")


class Jobs:
    """Small real jobs: the script is an object in S3, the role may read and write one bucket."""

    def __init__(self, launcher: Launcher) -> None:
        self.launcher = launcher
        self.s3 = launcher.client("s3")
        self.sagemaker = launcher.client("sagemaker")
        self.logs = launcher.client("logs")
        self.iam = launcher.client("iam")
        self.s3.create_bucket(Bucket=ROLE_BUCKET)
        self.role = self.make_role(
            "job-role",
            [
                {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{ROLE_BUCKET}"},
                {
                    "Effect": "Allow",
                    "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
                    "Resource": f"arn:aws:s3:::{ROLE_BUCKET}/*",
                },
                {"Effect": "Allow", "Action": "logs:*", "Resource": "*"},
            ],
        )

        self.states_role = self.make_role(
            "states-role",
            [{"Effect": "Allow", "Action": ["sagemaker:*", "glue:*", "iam:PassRole"], "Resource": "*"}],
            service="states",
        )

    def make_role(self, name: str, statements: list[dict[str, Any]], service: str = "sagemaker") -> str:
        trust = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": "sts:AssumeRole",
                    "Principal": {"Service": f"{service}.amazonaws.com"},
                }
            ],
        }
        role = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]
        if statements:
            document = {"Version": "2012-10-17", "Statement": statements}
            self.iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=json.dumps(document))
        return str(role["Arn"])

    def put(self, key: str, body: str | bytes) -> str:
        """Returns the URI."""
        self.s3.put_object(Bucket=ROLE_BUCKET, Key=key, Body=body)
        return f"s3://{ROLE_BUCKET}/{key}"

    def read(self, uri: str) -> bytes:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return bytes(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read())

    def keys(self, prefix: str) -> list[str]:
        found = self.s3.list_objects_v2(Bucket=ROLE_BUCKET, Prefix=prefix)
        return [item["Key"] for item in found.get("Contents", [])]

    def training_request(self, name: str, script: str, **changes: Any) -> dict[str, Any]:
        """A training job that runs `script`; `channels` are further channel name → URI."""
        self.put(f"code/{name}/train.py", script)
        channels = {"code": f"s3://{ROLE_BUCKET}/code/{name}/", **changes.pop("channels", {})}
        algorithm = {
            "TrainingImage": "000000000000.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0",
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python3", "/opt/ml/input/data/code/train.py"],
            **changes.pop("algorithm", {}),
        }
        return {
            "TrainingJobName": name,
            "RoleArn": self.role,
            "AlgorithmSpecification": algorithm,
            "InputDataConfig": [channel(key, uri) for key, uri in channels.items()],
            "OutputDataConfig": {"S3OutputPath": f"s3://{ROLE_BUCKET}/out"},
            "ResourceConfig": {
                "InstanceType": "ml.m5.large",
                "InstanceCount": changes.pop("instances", 1),
                "VolumeSizeInGB": 10,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
            **changes,
        }

    def train(self, name: str, script: str, **changes: Any) -> dict[str, Any]:
        """Run to the end; returns the description."""
        self.sagemaker.create_training_job(**self.training_request(name, script, **changes))
        return self.trained(name)

    def trained(self, name: str) -> dict[str, Any]:
        def ended() -> Any:
            job = self.sagemaker.describe_training_job(TrainingJobName=name)
            return job if job["TrainingJobStatus"] in {"Completed", "Failed", "Stopped"} else None

        return dict(wait_until(ended))

    def training_status(self, name: str) -> str:
        return str(self.sagemaker.describe_training_job(TrainingJobName=name)["SecondaryStatus"])

    def log_lines(self, group: str, stream_prefix: str) -> list[str]:
        try:
            streams = self.logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=stream_prefix)
        except self.logs.exceptions.ResourceNotFoundException:
            return []
        lines: list[str] = []
        for stream in streams["logStreams"]:
            events = self.logs.get_log_events(
                logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True
            )
            lines += [event["message"] for event in events["events"]]
        return lines


def channel(name: str, uri: str, **source: str) -> dict[str, Any]:
    return {
        "ChannelName": name,
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri, **source}},
    }
