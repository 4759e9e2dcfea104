"""State machines as deployed: what their tasks ask of AWS is well-formed, and their roles allow it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import botocore.session
import pytest
from botocore.validate import ParamValidator
from conftest import Platform

from millrace.analytics.batch_preparation import SHARD_BYTES
from millrace.analytics.container_archive import ENVIRONMENT
from millrace.analytics.measures import MEASURES
from millrace.function_memory import MEMORY_MB, ONE_VCPU_MB, memory_of
from sagemaker_scripts.inference import ARROW
from stacks.config import ENVIRONMENTS
from stacks.constructs import asl_state_machine
from stacks.constructs.asl_state_machine import DEFINITIONS, AslStateMachine, tasks_in

RUN = "training-0123456789abcdef"
SUBSTITUTIONS = {
    "Partition": "aws",
    "SageMakerRole": "arn:aws:iam::123456789012:role/Millrace-SageMakerRole",
    "TrainingImage": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0",
    "CodeUri": "s3://assets/0123.zip",
    "CodeFile": "0123.zip",
    "LibrariesUri": "s3://assets/4567.zip",
    "JobMachine": "ml.m5.large",
    "PrepareDataset": "PrepareDataset-1",
    "PrepareBatch": "PrepareBatch-1",
    "CompareRows": "CompareRows-1",
}
CANDIDATE = {
    "algorithm": "xgboost",
    "job_name": f"{RUN}-xgboost",
    "hyperparameters": {"algorithm": "xgboost"},
    "output_uri": f"s3://artifacts/runs/{RUN}/training/",
    "checkpoint_uri": f"s3://artifacts/runs/{RUN}/checkpoints/xgboost/",
    "spot": True,
    "instance_type": "ml.m5.large",
    "instance_count": 1,
    "max_runtime_seconds": 3600,
    "max_wait_seconds": 7200,
}
PLAN = {
    "run_id": RUN,
    "plan_uri": f"s3://artifacts/runs/{RUN}/plan/",
    "train_uri": "s3://data/datasets/credit/v1/data/split=train/",
    "validation_uri": "s3://data/datasets/credit/v1/data/split=validation/",
    "test_uri": "s3://data/datasets/credit/v1/data/split=test/",
    "champion_uri": f"s3://artifacts/runs/{RUN}/champion/",
    "candidates_uri": f"s3://artifacts/runs/{RUN}/training/",
    "evaluation_uri": f"s3://artifacts/runs/{RUN}/evaluation/",
    "evaluation_job": f"{RUN}-evaluation",
    "instance_type": "ml.m5.large",
    "max_runtime_seconds": 3600,
    "candidates": [CANDIDATE],
}
BATCH_FOLDER = "s3://data/inference/credit/batches/batch-0123456789abcdef/"
BATCH_PLAN = {
    "request_uri": f"{BATCH_FOLDER}request.json",
    "container_uri": "s3://artifacts/runs/batch-0123456789abcdef/container/model.tar.gz",
    "artifact_digest": "d" * 64,
    "rows_uri": f"{BATCH_FOLDER}rows/",
    "scores_uri": f"{BATCH_FOLDER}scores/",
    "results_uri": f"{BATCH_FOLDER}results",
}
STATE: Mapping[str, Any] = {
    "run_id": RUN,
    "registration": {"request_uri": "s3://data/datasets/credit/v1/request.json"},
    "plan": PLAN | BATCH_PLAN,
    "score_job": "batch-0123456789abcdef-score",
    "join_job": "batch-0123456789abcdef-join",
    # What a state inside the Map sees, by its ItemSelector.
    "candidate": CANDIDATE,
    "plan_uri": PLAN["plan_uri"],
    "train_uri": PLAN["train_uri"],
    "validation_uri": PLAN["validation_uri"],
    # What a comparison starts with.
    "request": '{"dataset": "credit", "from_version": 1, "to_version": 2}',
    # What a deployment starts with.
    "artifact_uri": "s3://artifacts/models/credit/v3/model.tar.gz",
    "artifact_digest": "d" * 64,
    "served_by": "lambda",
    "test_uri": PLAN["test_uri"],
    "serving_uri": "s3://artifacts/runs/deployment-0123456789ab/serving",
    "export_job": "deployment-0123456789ab-export",
    "max_runtime_seconds": 3600,
}


def definition(name: str) -> dict[str, Any]:
    text = (DEFINITIONS / f"{name}.asl.json").read_text()
    for placeholder, value in SUBSTITUTIONS.items():
        text = text.replace(f"${{{placeholder}}}", value)
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def filled(parameters: Any, state: Mapping[str, Any]) -> Any:
    """Parameters with every `"name.$": "$.path"` replaced by what lies at the path in `state`."""
    if isinstance(parameters, list):
        return [filled(part, state) for part in parameters]
    if not isinstance(parameters, dict):
        return parameters
    return {
        name.removesuffix(".$"): at(value, state) if name.endswith(".$") else filled(value, state)
        for name, value in parameters.items()
    }


def at(path: str, state: Mapping[str, Any]) -> Any:
    """What a path, or `States.Array` of texts and paths, stands for."""
    array = re.fullmatch(r"States\.Array\((.*)\)", path)
    if array:
        return [part[1:-1] if part.startswith("'") else at(part, state) for part in array[1].split(", ")]
    found: Any = state
    for part in path.removeprefix("$.").split("."):
        found = found[part]
    return found


def sdk_task(pipeline: str, state: str) -> tuple[str, str, dict[str, Any]]:
    """Service, operation and parameters with which a task calls AWS."""
    task = dict(tasks_in(definition(pipeline)["States"]))[state]
    service, operation = re.fullmatch(
        r"arn:aws:states:::(?:aws-sdk:)?(\w+):(\w+)(?:\.sync)?", task["Resource"]
    ).groups()  # type: ignore[union-attr]
    return service, operation[0].upper() + operation[1:], filled(task["Parameters"], STATE)


SDK_TASKS = [
    ("ingest", "PrepareDataset"),
    ("training", "TrainOnSpot"),
    ("training", "TrainOnDemand"),
    ("training", "EvaluateCandidates"),
    ("deployment", "BuildServingArtefact"),
    ("batch_inference", "PrepareBatch"),
    ("batch_inference", "CreateBatchModel"),
    ("batch_inference", "ScoreBatch"),
    ("batch_inference", "ForgetBatchModel"),
    ("batch_inference", "JoinResults"),
    ("comparison", "CompareRows"),
]


def faults(service: str, operation: str, parameters: Mapping[str, Any]) -> str:
    shape = botocore.session.get_session().get_service_model(service).operation_model(operation).input_shape
    return str(ParamValidator().validate(parameters, shape).generate_report())


@pytest.mark.parametrize(("pipeline", "state"), SDK_TASKS)
def test_what_a_task_asks_of_aws_is_what_the_service_accepts(pipeline: str, state: str) -> None:
    assert faults(*sdk_task(pipeline, state)) == ""


def test_every_task_that_calls_a_service_is_among_those_checked() -> None:
    calling = [
        (pipeline, name)
        for pipeline in ("ingest", "training", "deployment", "batch_inference", "drift", "comparison")
        for name, task in tasks_in(definition(pipeline)["States"])
        if task["Resource"].startswith("arn:")
    ]

    assert calling == SDK_TASKS


def test_a_number_written_as_text_is_found() -> None:
    service, operation, parameters = sdk_task("training", "TrainOnSpot")
    parameters["ResourceConfig"]["InstanceCount"] = "1"

    assert "ResourceConfig.InstanceCount" in faults(service, operation, parameters)


def test_spot_training_resumes_and_training_on_demand_does_not_wait() -> None:
    spot = sdk_task("training", "TrainOnSpot")[2]
    on_demand = sdk_task("training", "TrainOnDemand")[2]

    assert spot["EnableManagedSpotTraining"] is True
    assert spot["CheckpointConfig"] == {"S3Uri": CANDIDATE["checkpoint_uri"]}
    assert spot["StoppingCondition"] == {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200}
    for name in ("EnableManagedSpotTraining", "CheckpointConfig"):
        del spot[name]
    del spot["StoppingCondition"]["MaxWaitTimeInSeconds"]
    assert spot == on_demand


@pytest.mark.parametrize("state", ["TrainOnSpot", "TrainOnDemand"])
def test_every_metric_the_scripts_print_is_read_from_the_log(state: str) -> None:
    metrics = sdk_task("training", state)[2]["AlgorithmSpecification"]["MetricDefinitions"]

    assert [metric["Name"] for metric in metrics] == [f"validation:{name}" for name in MEASURES]
    for name in MEASURES:
        line = f"validation:{name}=-0.812500;"
        found = [match[1] for metric in metrics if (match := re.search(metric["Regex"], line))]
        assert found == ["-0.812500"], name


@pytest.mark.parametrize("state", ["TrainOnSpot", "TrainOnDemand", "EvaluateCandidates"])
def test_jobs_have_no_network(state: str) -> None:
    parameters = sdk_task("training", state)[2]

    assert parameters.get("NetworkConfig", parameters)["EnableNetworkIsolation"] is True


def test_the_channels_and_inputs_are_those_of_the_architecture() -> None:
    training = sdk_task("training", "TrainOnSpot")[2]
    evaluation = sdk_task("training", "EvaluateCandidates")[2]

    channels = {
        channel["ChannelName"]: channel["DataSource"]["S3DataSource"]["S3Uri"]
        for channel in training["InputDataConfig"]
    }
    assert channels == {
        "code": SUBSTITUTIONS["CodeUri"],
        "plan": PLAN["plan_uri"],
        "train": PLAN["train_uri"],
        "validation": PLAN["validation_uri"],
    }
    inputs = {
        given["S3Input"]["LocalPath"]: (given["InputName"], given["S3Input"]["S3Uri"])
        for given in evaluation["ProcessingInputs"]
    }
    assert inputs == {
        f"/opt/ml/processing/input/{name}": (name, uri)
        for name, uri in {
            "code": SUBSTITUTIONS["CodeUri"],
            "plan": PLAN["plan_uri"],
            "candidates": PLAN["candidates_uri"],
            "champion": PLAN["champion_uri"],
            "test": PLAN["test_uri"],
        }.items()
    }
    (output,) = evaluation["ProcessingOutputConfig"]["Outputs"]
    assert (output["S3Output"]["LocalPath"], output["S3Output"]["S3Uri"]) == (
        "/opt/ml/processing/output",
        PLAN["evaluation_uri"],
    )


def test_the_entry_points_are_imported_from_the_zip_where_its_channel_puts_it() -> None:
    training = sdk_task("training", "TrainOnSpot")[2]
    evaluation = sdk_task("training", "EvaluateCandidates")[2]

    assert training["Environment"] == {"PYTHONPATH": "/opt/ml/input/data/code/0123.zip"}
    assert training["AlgorithmSpecification"]["ContainerEntrypoint"] == ["python3", "-m", "sagemaker_scripts.train"]
    assert evaluation["Environment"] == {"PYTHONPATH": "/opt/ml/processing/input/code/0123.zip"}
    assert evaluation["AppSpecification"]["ContainerEntrypoint"] == ["python3", "-m", "sagemaker_scripts.evaluate"]


def test_a_task_outlives_what_it_waits_for(prod: Platform) -> None:
    """A function that times out says so itself; the state's own limit is the net below it."""
    functions = {id: found["Timeout"] for id, found in named(prod.resources("AWS::Lambda::Function")).items()}
    jobs = {id: found["Timeout"] * 60 for id, found in named(prod.resources("AWS::Glue::Job")).items()}
    for pipeline in ("ingest", "training", "batch_inference", "comparison"):
        whole = definition(pipeline)
        for name, task in tasks_in(whole["States"]):
            own = functions.get(name) or jobs.get(name, 0)
            assert own < task["TimeoutSeconds"] < whole["TimeoutSeconds"], name


def test_the_functions_of_states_have_the_memory_that_costs_are_reckoned_with(prod: Platform) -> None:
    functions = named(prod.resources("AWS::Lambda::Function"))
    called = [
        name
        for path in DEFINITIONS.iterdir()
        for name, task in tasks_in(json.loads(path.read_text())["States"])
        if task["Resource"] == f"${{{name}}}"
    ]

    assert {name: functions[name]["MemorySize"] for name in called} == {name: memory_of(name) for name in called}
    assert {memory_of(name) for name in called} == {MEMORY_MB, ONE_VCPU_MB}


def test_the_model_of_a_batch_is_given_what_its_archive_needs_to_answer() -> None:
    container = sdk_task("batch_inference", "CreateBatchModel")[2]["PrimaryContainer"]

    assert container["Environment"] == {**ENVIRONMENT, "ARTIFACT_DIGEST": BATCH_PLAN["artifact_digest"]}
    assert container["ModelDataUrl"] == BATCH_PLAN["container_uri"]


def test_a_batch_is_scored_shard_by_shard_and_joined_without_a_network() -> None:
    created = sdk_task("batch_inference", "CreateBatchModel")[2]
    scoring = sdk_task("batch_inference", "ScoreBatch")[2]
    joining = sdk_task("batch_inference", "JoinResults")[2]

    assert scoring["TransformInput"]["SplitType"] == scoring["TransformOutput"]["AssembleWith"] == "None"
    assert scoring["MaxPayloadInMB"] << 20 > SHARD_BYTES
    assert scoring["TransformInput"]["ContentType"] == scoring["TransformOutput"]["Accept"] == ARROW
    assert created["EnableNetworkIsolation"] is joining["NetworkConfig"]["EnableNetworkIsolation"] is True
    (output,) = joining["ProcessingOutputConfig"]["Outputs"]
    assert output["S3Output"]["S3UploadMode"] == "EndOfJob"


def named(resources: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Logical id without its hash → properties."""
    return {id[:-8]: resource["Properties"] for id, resource in resources.items()}


def test_state_machines_are_standard_traced_and_logged(prod: Platform) -> None:
    for machine in prod.properties("AWS::StepFunctions::StateMachine"):
        assert machine["StateMachineType"] == "STANDARD"
        assert machine["TracingConfiguration"] == {"Enabled": True}
        assert machine["LoggingConfiguration"]["Level"] == "ALL"


def test_every_placeholder_is_filled(prod: Platform) -> None:
    for machine in prod.properties("AWS::StepFunctions::StateMachine"):
        wanted = asl_state_machine.placeholders_in(machine["DefinitionString"])
        assert wanted == set(machine["DefinitionSubstitutions"])


def test_a_state_that_changes_the_registry_tries_again_when_another_change_got_in_between(prod: Platform) -> None:
    """Exactly those: for a state that only reads a Conflict is final."""
    changing = {
        re.sub(r"RoleDefaultPolicy.*", "", id)
        for id, policy in prod.resources("AWS::IAM::Policy").items()
        if "dynamodb:PutItem" in json.dumps(policy["Properties"]["PolicyDocument"])
    }
    retried, expected = set(), set()
    for path in DEFINITIONS.iterdir():
        for name, task in tasks_in(json.loads(path.read_text())["States"]):
            if task["Resource"] == f"${{{name}}}":
                expected |= {name} & changing
                retried |= {name for retry in task["Retry"] if "Conflict" in retry["ErrorEquals"]}

    assert retried == expected
    assert len(expected) > 8


class TestPermissions:
    """What the roles of the state machines may do."""

    @pytest.fixture
    def allowed(self, prod: Platform) -> dict[str, list[Mapping[str, Any]]]:
        return {
            name: [
                statement
                for id, policy in prod.resources("AWS::IAM::Policy").items()
                if id.startswith(f"{name}RoleDefaultPolicy")
                for statement in policy["Properties"]["PolicyDocument"]["Statement"]
            ]
            for name in ("Ingest", "Training", "BatchInference")
        }

    @staticmethod
    def actions(statements: list[Mapping[str, Any]], service: str) -> set[str]:
        return {
            action
            for statement in statements
            for action in (statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]])
            if action.startswith(f"{service}:")
        }

    def test_ingest_starts_waits_for_and_stops_its_glue_job(self, allowed: dict[str, list[Mapping[str, Any]]]) -> None:
        assert self.actions(allowed["Ingest"], "glue") == {
            "glue:StartJobRun",
            "glue:GetJobRun",
            "glue:GetJobRuns",
            "glue:BatchStopJobRun",
        }
        assert self.actions(allowed["Ingest"], "sagemaker") == set()

    def test_training_starts_waits_for_and_stops_its_jobs(self, allowed: dict[str, list[Mapping[str, Any]]]) -> None:
        assert self.actions(allowed["Training"], "sagemaker") == {
            f"sagemaker:{verb}{job}"
            for verb in ("Create", "Describe", "Stop")
            for job in ("TrainingJob", "ProcessingJob")
        } | {"sagemaker:AddTags", "sagemaker:ListTags"}
        assert self.actions(allowed["Training"], "events") == {
            "events:PutTargets",
            "events:PutRule",
            "events:DescribeRule",
        }

    def test_only_the_jobs_role_can_be_passed_and_only_to_sagemaker(
        self, allowed: dict[str, list[Mapping[str, Any]]]
    ) -> None:
        (passing,) = [statement for statement in allowed["Training"] if statement["Action"] == "iam:PassRole"]

        assert passing["Resource"]["Fn::GetAtt"][0].startswith("SageMakerRole")
        assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}

    def test_a_batch_makes_and_removes_its_model_and_runs_its_jobs(
        self, allowed: dict[str, list[Mapping[str, Any]]]
    ) -> None:
        assert self.actions(allowed["BatchInference"], "sagemaker") == {
            f"sagemaker:{verb}{job}"
            for verb in ("Create", "Describe", "Stop")
            for job in ("TransformJob", "ProcessingJob")
        } | {"sagemaker:AddTags", "sagemaker:ListTags", "sagemaker:CreateModel", "sagemaker:DeleteModel"}

    @pytest.mark.parametrize("pipeline", ["Ingest", "Training"])
    def test_each_invokes_the_functions_of_its_own_states(
        self, pipeline: str, allowed: dict[str, list[Mapping[str, Any]]]
    ) -> None:
        (invoking,) = [statement for statement in allowed[pipeline] if statement["Action"] == "lambda:InvokeFunction"]
        raw = json.loads((DEFINITIONS / f"{pipeline.lower()}.asl.json").read_text())
        states = {name for name, task in tasks_in(raw["States"]) if task["Resource"] == f"${{{name}}}"}

        assert {resource["Fn::GetAtt"][0][:-8] for resource in invoking["Resource"]} == states


class TestAslStateMachine:
    """The construct refuses a definition that does not fit its stack."""

    @pytest.fixture
    def stack(self) -> cdk.Stack:
        return cdk.Stack(cdk.App(), "Example")

    @staticmethod
    def define(directory: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
        (directory / "example.asl.json").write_text(text)
        monkeypatch.setattr(asl_state_machine, "DEFINITIONS", directory)

    @pytest.mark.parametrize(
        ("resource", "values"),
        [("${Partition} ${Forgotten}", {}), ("${Partition}", {"Superfluous": "x"})],
    )
    def test_placeholders_and_values_that_disagree_stop_the_synthesis(
        self,
        resource: str,
        values: dict[str, str],
        stack: cdk.Stack,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        states = {"Only": {"Type": "Task", "Resource": resource, "End": True}}
        self.define(tmp_path, json.dumps({"StartAt": "Only", "States": states}), monkeypatch)

        with pytest.raises(ValueError, match=r"example\.asl\.json has the placeholders .* and the stack fills"):
            AslStateMachine(
                stack, "Example", definition="example", config=ENVIRONMENTS["dev"], functions={}, values=values
            )

    def test_tasks_inside_maps_and_branches_are_found(self) -> None:
        task = {"Type": "Task", "Resource": "x"}
        states = {
            "Each": {"Type": "Map", "ItemProcessor": {"States": {"Inner": task}}},
            "Both": {"Type": "Parallel", "Branches": [{"States": {"Left": task}}, {"States": {"Right": task}}]},
            "Outer": task,
        }

        assert {name for name, _ in tasks_in(states)} == {"Inner", "Left", "Right", "Outer"}
