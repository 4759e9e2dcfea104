"""Glue job runs, executed by a started embedded AWS."""

import io
import json
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError
from embedded_jobs import Jobs, wait_until

MINUTES = 40
SLEEPS = "import time; time.sleep(50)"


class Glue:
    """Makes and runs jobs with the script given; a minute of Glue lasts a second here."""

    def __init__(self, jobs: Jobs) -> None:
        self.jobs = jobs
        self.client = jobs.launcher.client("glue")
        bucket = "arn:aws:s3:::job-bucket"
        self.role = jobs.make_role(
            "glue-role",
            [
                {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": bucket},
                {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"{bucket}/*"},
                {"Effect": "Allow", "Action": "logs:*", "Resource": "arn:aws:logs:*:*:log-group:/aws-glue/*"},
            ],
            service="glue",
        )

    def make(self, name: str, script: str, command: str = "pythonshell", **changes: Any) -> str:
        location = self.jobs.put(f"scripts/{name}.py", script)
        job = {
            "Name": name,
            "Role": self.role,
            "Command": {"Name": command, "ScriptLocation": location, "PythonVersion": "3"},
            "GlueVersion": "5.1",
            "NumberOfWorkers": 2,
            "WorkerType": "G.1X",
            "Timeout": MINUTES,
            **changes,
        }
        self.client.create_job(**job)
        return name

    def start(self, name: str, **request: Any) -> str:
        return str(self.client.start_job_run(JobName=name, **request)["JobRunId"])

    def ended(self, name: str, run_id: str) -> dict[str, Any]:
        def final() -> Any:
            run = self.state(name, run_id)
            return run if run["JobRunState"] not in {"STARTING", "RUNNING", "STOPPING"} else None

        return dict(wait_until(final, 120))

    def state(self, name: str, run_id: str) -> dict[str, Any]:
        return dict(self.client.get_job_run(JobName=name, RunId=run_id)["JobRun"])

    def run(self, name: str, **request: Any) -> dict[str, Any]:
        return self.ended(name, self.start(name, **request))


@pytest.fixture(scope="module")
def glue(jobs: Jobs) -> Glue:
    return Glue(jobs)


def zipped(name: str, content: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


SPARK_SCRIPT = """
import argparse, sys
import boto3
from pyspark.sql import SparkSession
from rules import double

parser = argparse.ArgumentParser()
parser.add_argument("--request_uri", required=True)
arguments, _ = parser.parse_known_args()

def upload(rows):
    import boto3, os
    from rules import double
    values = [double(row.value) for row in rows]
    if values:
        key = f"spark/part-{values[0]}"
        boto3.client("s3").put_object(Bucket="job-bucket", Key=key, Body=str(sum(values)).encode())
    return [len(values)]

spark = SparkSession.builder.getOrCreate()
frame = spark.createDataFrame([(1,), (2,), (3,), (4,)], ["value"]).repartition(2)
counted = sum(frame.rdd.mapPartitions(upload).collect())
body = f"{counted} {double(1)} {arguments.request_uri} {spark.conf.get('spark.sql.ansi.enabled')}"
body += f" {spark.sparkContext.master} {spark.conf.get('spark.app.label')}"
boto3.client("s3").put_object(Bucket="job-bucket", Key="spark/summary", Body=body.encode())
print("counted", counted)
"""


def test_a_spark_job_reads_its_arguments_and_writes_from_its_tasks(glue: Glue) -> None:
    library = glue.jobs.put("libraries/rules.zip", zipped("rules.py", "def double(value): return 2 * value"))
    glue.make(
        "spark-four-rows",
        SPARK_SCRIPT,
        "glueetl",
        DefaultArguments={
            "--extra-py-files": library,
            "--additional-python-modules": "pyarrow",
            "--conf": "spark.sql.ansi.enabled=true --conf spark.app.label=mine",
            "--enable-metrics": "",
        },
    )

    run = glue.run("spark-four-rows", Arguments={"--request_uri": "s3://job-bucket/requests/1.json"})

    assert run["JobRunState"] == "SUCCEEDED", run.get("ErrorMessage")
    summary = glue.jobs.read("s3://job-bucket/spark/summary").decode()
    assert summary == "4 2 s3://job-bucket/requests/1.json true local[2] mine"
    parts = glue.jobs.keys("spark/part-")
    assert sum(int(glue.jobs.read(f"s3://job-bucket/{key}")) for key in parts) == 20
    assert run["ExecutionTime"] >= 1
    assert run["DPUSeconds"] == 2 * run["ExecutionTime"]
    assert glue.jobs.log_lines("/aws-glue/jobs/output", run["Id"]) == ["counted 4"]


def test_a_failing_script_fails_the_run_with_its_exception(glue: Glue) -> None:
    glue.make("raises", "print('before')\nraise ValueError('no header in s3://x')")

    run = glue.run("raises")

    assert run["JobRunState"] == "FAILED"
    assert run["ErrorMessage"] == "ValueError: no header in s3://x"
    assert glue.jobs.log_lines("/aws-glue/jobs/output", run["Id"]) == ["before"]
    assert glue.jobs.log_lines("/aws-glue/jobs/error", run["Id"])[-1] == "ValueError: no header in s3://x"


def test_a_missing_script_fails_the_run(glue: Glue) -> None:
    glue.make("no-script", "")
    glue.client.update_job(
        JobName="no-script",
        JobUpdate={
            "Role": glue.role,
            "Command": {"Name": "pythonshell", "ScriptLocation": "s3://job-bucket/absent.py", "PythonVersion": "3"},
        },
    )

    assert "s3://job-bucket/absent.py" in glue.run("no-script")["ErrorMessage"]


def test_a_module_that_is_not_installed_in_that_version_fails_the_launch(glue: Glue) -> None:
    glue.make("wants-modules", "print(1)")

    wrong = glue.run("wants-modules", Arguments={"--additional-python-modules": "pyspark==3.5.6,boto3==1.0.0"})
    absent = glue.run("wants-modules", Arguments={"--additional-python-modules": "no-such-package-anywhere"})
    right = glue.run("wants-modules", Arguments={"--additional-python-modules": "pyspark==3.5.6"})

    assert wrong["ErrorMessage"].startswith("LAUNCH ERROR | Python module installer: boto3==1.0.0 is wanted")
    assert "no matching distribution found for no-such-package-anywhere" in absent["ErrorMessage"]
    assert right["JobRunState"] == "SUCCEEDED"


def test_arguments_of_the_run_win_over_the_jobs_but_not_over_what_is_fixed(glue: Glue) -> None:
    script = """
import boto3, sys
boto3.client("s3").put_object(Bucket="job-bucket", Key="arguments", Body="\\n".join(sys.argv[1:]).encode())
"""
    glue.make(
        "arguments",
        script,
        DefaultArguments={"--a": "job", "--b": "job"},
        NonOverridableArguments={"--c": "fixed"},
    )

    run = glue.run("arguments", Arguments={"--a": "run", "--c": "run"})

    assert run["JobRunState"] == "SUCCEEDED", run.get("ErrorMessage")
    argv = glue.jobs.read("s3://job-bucket/arguments").decode().split("\n")
    assert argv[:6] == ["--a", "run", "--b", "job", "--c", "fixed"]
    assert argv[6:] == ["--JOB_NAME", "arguments", "--JOB_RUN_ID", run["Id"]]


def test_the_script_is_held_to_the_jobs_role(glue: Glue) -> None:
    glue.make("overreaches", "import boto3; boto3.client('dynamodb').list_tables()")

    message = glue.run("overreaches")["ErrorMessage"]

    assert "assumed-role/glue-role/GlueJobRunnerSession is not authorized to perform: dynamodb:ListTables" in message


def test_a_run_that_takes_too_long_times_out(glue: Glue) -> None:
    glue.make("slow", SLEEPS)

    run = glue.run("slow", Timeout=1)

    assert run["JobRunState"] == "TIMEOUT"
    assert run["ErrorMessage"] == "Job run timed out after 1 minutes"


def test_a_job_runs_only_as_often_at_once_as_it_says_and_a_run_can_be_stopped(glue: Glue) -> None:
    glue.make("one-at-a-time", SLEEPS)
    run_id = glue.start("one-at-a-time")

    with pytest.raises(glue.client.exceptions.ConcurrentRunsExceededException):
        glue.start("one-at-a-time")
    answer = glue.client.batch_stop_job_run(JobName="one-at-a-time", JobRunIds=[run_id, "jr_unknown"])

    assert [item["JobRunId"] for item in answer["SuccessfulSubmissions"]] == [run_id]
    assert answer["Errors"][0]["ErrorDetail"]["ErrorCode"] == "EntityNotFoundException"
    assert glue.ended("one-at-a-time", run_id)["JobRunState"] == "STOPPED"


def test_the_number_of_concurrent_runs_is_the_jobs(glue: Glue) -> None:
    glue.make("two-at-a-time", SLEEPS, ExecutionProperty={"MaxConcurrentRuns": 2})

    runs = [glue.start("two-at-a-time") for _ in range(2)]
    with pytest.raises(glue.client.exceptions.ConcurrentRunsExceededException):
        glue.start("two-at-a-time")

    glue.client.batch_stop_job_run(JobName="two-at-a-time", JobRunIds=runs)
    for run_id in runs:
        glue.ended("two-at-a-time", run_id)
    listed = glue.client.get_job_runs(JobName="two-at-a-time")["JobRuns"]
    assert [run["Id"] for run in listed] == runs[::-1]


def test_an_unknown_job_and_an_unsupported_version_are_refused(glue: Glue) -> None:
    glue.make("too-new", "print(1)", "glueetl", GlueVersion="6.0")

    with pytest.raises(glue.client.exceptions.EntityNotFoundException):
        glue.start("never-made")
    with pytest.raises(ClientError, match=r"runs Glue 5\.0, 5\.1, not 6\.0"):
        glue.start("too-new")


def test_the_concurrency_of_a_job_from_a_template_is_kept(glue: Glue) -> None:
    cloudformation = glue.jobs.launcher.client("cloudformation")
    properties = {
        "Role": glue.role,
        "Command": {"Name": "pythonshell", "ScriptLocation": glue.jobs.put("scripts/t.py", SLEEPS)},
        "GlueVersion": "5.1",
        "ExecutionProperty": {"MaxConcurrentRuns": 7},
    }
    template = {
        "Resources": {"Prepare": {"Type": "AWS::Glue::Job", "Properties": properties}},
        "Outputs": {"Name": {"Value": {"Ref": "Prepare"}}},
    }
    cloudformation.create_stack(StackName="glue-stack", TemplateBody=json.dumps(template))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="glue-stack", WaiterConfig={"Delay": 1})
    name = cloudformation.describe_stacks(StackName="glue-stack")["Stacks"][0]["Outputs"][0]["OutputValue"]

    assert glue.client.get_job(JobName=name)["Job"]["ExecutionProperty"] == {"MaxConcurrentRuns": 7}


def test_a_state_machine_waits_for_the_run_and_sees_why_it_failed(glue: Glue) -> None:
    glue.make("prepares", "import sys; assert '--dataset' in sys.argv, 'no dataset'")
    states = glue.jobs.launcher.client("stepfunctions")
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::glue:startJobRun.sync",
        "Parameters": {"JobName": "prepares", "Arguments.$": "$.arguments"},
        "End": True,
    }
    machine = states.create_state_machine(
        name="prepares",
        definition=json.dumps({"StartAt": "Prepare", "States": {"Prepare": state}}),
        roleArn=glue.jobs.states_role,
    )["stateMachineArn"]

    def execute(arguments: dict[str, str]) -> dict[str, Any]:
        started = states.start_execution(stateMachineArn=machine, input=json.dumps({"arguments": arguments}))

        def final() -> Any:
            execution = states.describe_execution(executionArn=started["executionArn"])
            return execution if execution["status"] != "RUNNING" else None

        return dict(wait_until(final))

    good, bad = execute({"--dataset": "credit"}), execute({})

    output = json.loads(good["output"])
    assert (output["JobName"], output["JobRunState"]) == ("prepares", "SUCCEEDED")
    assert output["StartedOn"] > 1_000_000_000_000
    assert bad["error"] == "States.TaskFailed"
    assert json.loads(bad["cause"])["ErrorMessage"] == "AssertionError: no dataset"
