"""One fault at each task state of each state machine: every run ends with its reason, and somebody is told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from millrace import names
from millrace.domain import identity
from millrace.domain.dataset import UploadState, VersionState
from millrace.domain.model import ApprovalState, ModelEventKind, ModelVersion
from millrace.domain.run import Run, RunState
from millrace.use_cases.start_batch_inference import start_batch_inference
from tests.e2e.conftest import EXAMPLES, ROOT, Bench, wait_for

DEFINITIONS = ROOT / "state_machines"
PENGUINS = (EXAMPLES / "penguins.csv").read_bytes()
SETTINGS = {"target": "species", "training": {"trials": 1, "on_new_version": False}}
HEADER_ONLY = b"a,b\n"
RECOVERS = {"TrainOnSpot", "TrainOnDemand"}


def task_states(pipeline: str) -> list[str]:
    """The names of all task states, those inside a Map included, straight from the definition."""

    def tasks(states: dict[str, Any]) -> Iterator[str]:
        for name, state in states.items():
            if state["Type"] == "Task":
                yield name
            yield from tasks(state.get("ItemProcessor", {}).get("States", {}))

    return sorted(tasks(json.loads((DEFINITIONS / f"{pipeline}.asl.json").read_text())["States"]))


@pytest.fixture(scope="module")
def inbox(bench: Bench) -> Callable[[str], list[str]]:
    """The messages of the notifications topic that name a run, as a subscriber receives them."""
    sqs, sns = bench.session.client("sqs"), bench.session.client("sns")
    queue = sqs.create_queue(QueueName="inbox-of-faults")["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = bench.platform.settings.require("notifications_topic_arn")
    allow = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": queue_arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)
    received: list[str] = []

    def messages(run_id: str) -> list[str]:
        answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        for message in answer.get("Messages", []):
            received.append(json.loads(message["Body"])["Message"])
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return [text for text in received if run_id in text]

    return messages


@contextmanager
def fault_at(bench: Bench, pipeline: str, state_name: str) -> Iterator[None]:
    """Break one state's work while the block runs: its function does not import, its job's program does not exist."""
    client = bench.session.client("stepfunctions")
    arn = bench.platform.settings.require(f"{pipeline}_state_machine_arn")
    original = client.describe_state_machine(stateMachineArn=arn)["definition"]
    definition = json.loads(original)
    state = find_state(definition["States"], state_name)
    if ":function:" in state["Resource"]:
        with broken_function(bench, state["Resource"]):
            yield
        return
    broken = json.dumps(state).replace("sagemaker_scripts.", "sagemaker_scripts.missing_")
    state.update(json.loads(broken))
    if "JobName" in state["Parameters"]:
        state["Parameters"]["JobName"] += "-missing"
    if "ModelName.$" in state["Parameters"]:
        # No model can have that name, and asking again would not help.
        del state["Parameters"]["ModelName.$"], state["Retry"]
        state["Parameters"]["ModelName"] = "no such model"
    assert json.dumps(definition) != original
    client.update_state_machine(stateMachineArn=arn, definition=json.dumps(definition))
    try:
        yield
    finally:
        client.update_state_machine(stateMachineArn=arn, definition=original)


def find_state(states: dict[str, Any], name: str) -> dict[str, Any]:
    for key, state in states.items():
        if key == name:
            return dict_of(state)
        inner = state.get("ItemProcessor", {}).get("States", {})
        if name in inner:
            return dict_of(inner[name])
    raise AssertionError(f"no state {name}")


def dict_of(state: Any) -> dict[str, Any]:
    assert isinstance(state, dict)
    return state


@contextmanager
def broken_function(bench: Bench, function: str) -> Iterator[None]:
    client = bench.session.client("lambda")
    handler = client.get_function_configuration(FunctionName=function)["Handler"]
    client.update_function_configuration(FunctionName=function, Handler="lambdas.tasks.no_such_module.handler")
    try:
        yield
    finally:
        client.update_function_configuration(FunctionName=function, Handler=handler)


@pytest.mark.parametrize("state_name", task_states("ingest"))
def test_a_fault_in_ingest_ends_the_run_with_its_reason_and_a_notification(
    bench: Bench, inbox: Callable[[str], list[str]], state_name: str
) -> None:
    dataset = f"fault-{state_name.lower()}"
    # RejectUpload is only reached by an upload that is refused.
    body = HEADER_ONLY if state_name == "RejectUpload" else PENGUINS
    with fault_at(bench, "ingest", state_name):
        run = bench.drop(dataset, "penguins.csv", body)
    assert run.state is RunState.FAILED
    assert run.reason
    assert wait_for(lambda: inbox(run.run_id) or None, what="a notification", seconds=15)
    assert all(version.state is not VersionState.PREPARING for version in bench.platform.catalog.versions(dataset))
    assert not bench.uploads(dataset, UploadState.PREPARING)
    assert not bench.uploads(dataset, UploadState.RECEIVED)


def test_bytes_that_failed_for_a_fault_of_ours_are_accepted_when_they_come_again(bench: Bench) -> None:
    with fault_at(bench, "ingest", "RecordDatasetVersion"):
        assert bench.drop("second-chance", "penguins.csv", PENGUINS).state is RunState.FAILED
    assert bench.drop("second-chance", "again.csv", PENGUINS).state is RunState.SUCCEEDED
    states = [version.state for version in bench.platform.catalog.versions("second-chance")]
    assert states.count(VersionState.READY) == 1


@pytest.fixture(scope="module")
def penguins(bench: Bench) -> str:
    assert bench.configure("faulty-training", SETTINGS).state is RunState.SUCCEEDED
    assert bench.drop("faulty-training", "penguins.csv", PENGUINS).state is RunState.SUCCEEDED
    return "faulty-training"


@pytest.mark.parametrize("state_name", task_states("training"))
def test_a_fault_in_training_ends_the_run_or_is_survived_and_told(
    bench: Bench, inbox: Callable[[str], list[str]], penguins: str, state_name: str
) -> None:
    with fault_at(bench, names.TRAINING_PIPELINE, state_name):
        run = bench.train(penguins, 1)
    if state_name in RECOVERS:
        check_survived(bench, run)
        return
    assert run.state is RunState.FAILED
    assert run.reason
    assert state_name in run.reason
    assert wait_for(lambda: inbox(run.run_id) or None, what="a notification", seconds=15)


def check_survived(bench: Bench, run: Run) -> None:
    """The candidates that trained are judged; the one that did not is named with its reason."""
    assert run.state is RunState.SUCCEEDED, run.reason
    judged = [v for v in bench.platform.registry.versions("faulty-training") if v.lineage.run_id == run.run_id]
    failed = [step for step in run.steps if step.item and step.state is RunState.FAILED]
    assert judged
    assert failed
    assert all(step.reason for step in failed)
    assert {step.item for step in failed}.isdisjoint(v.algorithm for v in judged)


@pytest.fixture(scope="module")
def candidates(bench: Bench, penguins: str) -> list[ModelVersion]:
    run = bench.train(penguins, 1)
    assert run.state is RunState.SUCCEEDED, run.reason
    return [v for v in bench.platform.registry.versions(penguins) if v.lineage.run_id == run.run_id]


@pytest.fixture(scope="module")
def champion(bench: Bench, penguins: str, candidates: list[ModelVersion]) -> ModelVersion:
    """What a challenger is compared with, by settings that make it wait for nobody."""
    version = candidates[0]
    bench.approve(version.id, "to be compared with")
    run = bench.ended(identity.automatic_deployment_run_id(version.model, version.number))
    assert run.state is RunState.SUCCEEDED, run.reason
    settings = {"deployment": {"strategy": "canary", "step_seconds": 1, "when_quiet": "promote"}}
    assert bench.configure(penguins, settings).state is RunState.SUCCEEDED
    return version


# Told apart below: reached only when something failed, or only by a version without a graph, or when all is done.
ELSEWHERE = {"RollBackRollout", "DeployEndpoint", "RetireEndpoints"}


# One version: it is approved once, and deployed again for each fault.
@pytest.mark.parametrize("state_name", [name for name in task_states("deployment") if name not in ELSEWHERE])
def test_a_fault_in_deployment_leaves_the_champion_alone_and_is_told(
    bench: Bench,
    inbox: Callable[[str], list[str]],
    candidates: list[ModelVersion],
    champion: ModelVersion,
    state_name: str,
) -> None:
    with fault_at(bench, names.DEPLOYMENT_PIPELINE, state_name):
        run = deployed_again(bench, candidates[1])
    check_left_alone(bench, inbox, run, candidates[1], champion)
    assert state_name in (run.reason or "")


def test_a_rollout_that_cannot_even_be_rolled_back_by_its_own_state_ends_with_its_run(
    bench: Bench, inbox: Callable[[str], list[str]], candidates: list[ModelVersion], champion: ModelVersion
) -> None:
    pipeline = names.DEPLOYMENT_PIPELINE
    with fault_at(bench, pipeline, "WatchRollout"), fault_at(bench, pipeline, "RollBackRollout"):
        run = deployed_again(bench, candidates[1])
    check_left_alone(bench, inbox, run, candidates[1], champion)
    ended = bench.platform.registry.history(champion.model)[-2]
    assert (ended.kind, ended.actor) == (ModelEventKind.ROLLOUT_ENDED, f"run:{run.run_id}")


def test_an_endpoint_that_cannot_be_made_leaves_the_champion_alone(
    bench: Bench,
    inbox: Callable[[str], list[str]],
    penguins: str,
    candidates: list[ModelVersion],
    champion: ModelVersion,
) -> None:
    assert bench.configure(penguins, {"deployment": {"served_by": "serverless"}}).state is RunState.SUCCEEDED
    with fault_at(bench, names.DEPLOYMENT_PIPELINE, "DeployEndpoint"):
        run = deployed_again(bench, candidates[1])
    check_left_alone(bench, inbox, run, candidates[1], champion)
    assert "DeployEndpoint" in (run.reason or "")
    assert bench.configure(penguins, {"deployment": {"served_by": "lambda"}}).state is RunState.SUCCEEDED


def test_endpoints_that_could_not_be_retired_are_no_reason_against_the_new_champion(
    bench: Bench, candidates: list[ModelVersion], champion: ModelVersion
) -> None:
    with fault_at(bench, names.DEPLOYMENT_PIPELINE, "RetireEndpoints"):
        run = deployed_again(bench, candidates[2])
    assert run.state is RunState.SUCCEEDED, run.reason
    assert bench.platform.registry.model(champion.model).aliases["champion"] == candidates[2].number


def deployed_again(bench: Bench, version: ModelVersion) -> Run:
    if bench.platform.registry.get(version.model, version.number).approval.state is ApprovalState.PENDING:
        # Not announced: each deployment is started by hand, with a fault in another place.
        bench.platform.registry.decide(
            version.model,
            version.number,
            approve=True,
            actor="tester",
            reason="to see it fail",
            at=bench.platform.clock.now(),
        )
    return bench.ended(bench.deploy_again(version, "to see it fail").run_id)


def check_left_alone(
    bench: Bench, inbox: Callable[[str], list[str]], run: Run, version: ModelVersion, champion: ModelVersion
) -> None:
    assert run.state is RunState.FAILED
    assert wait_for(lambda: inbox(run.run_id) or None, what="a notification", seconds=15)
    model = bench.platform.registry.model(version.model)
    assert (model.aliases, model.rollout) == ({"champion": champion.number}, None)
    noted = bench.platform.registry.history(version.model)[-1]
    assert (noted.kind, noted.number, noted.reason) == (ModelEventKind.DEPLOYMENT_FAILED, version.number, run.reason)


def approved_one(bench: Bench, candidates: list[ModelVersion]) -> ModelVersion:
    """One that the tests of deployment approved; where they did not run, one approved without being deployed."""
    registry, model = bench.platform.registry, candidates[0].model
    for version in registry.versions(model):
        if version.approval.state is ApprovalState.APPROVED:
            return version
    now = bench.platform.clock.now()
    return registry.decide(model, candidates[0].number, approve=True, actor="tester", reason="to predict", at=now)


@pytest.mark.parametrize("state_name", task_states(names.BATCH_INFERENCE_PIPELINE))
def test_a_fault_in_a_batch_inference_ends_the_run_without_results_and_is_told(
    bench: Bench, inbox: Callable[[str], list[str]], candidates: list[ModelVersion], state_name: str
) -> None:
    approved = approved_one(bench, candidates)
    with fault_at(bench, names.BATCH_INFERENCE_PIPELINE, state_name):
        started = start_batch_inference(
            catalog=bench.platform.catalog,
            registry=bench.platform.registry,
            ledger=bench.platform.ledger,
            pipelines=bench.platform.pipelines,
            store=bench.platform.store,
            clock=bench.platform.clock,
            data_bucket=bench.bucket,
            model=approved.model,
            number=approved.number,
            dataset_version=1,
            actor="tester",
        )
        run = bench.ended(started.run_id)
    assert run.state is RunState.FAILED
    assert state_name in (run.reason or "")
    assert wait_for(lambda: inbox(run.run_id) or None, what="a notification", seconds=15)
    assert run.outcome is None


def test_no_run_is_left_running(bench: Bench) -> None:
    client = bench.session.client("stepfunctions")
    for run in bench.platform.ledger.list(state=RunState.RUNNING, limit=500):
        arn = bench.platform.settings.require(f"{run.pipeline}_state_machine_arn")
        execution = arn.replace(":stateMachine:", ":execution:") + f":{run.run_id}"
        assert client.describe_execution(executionArn=execution)["status"] == "RUNNING"
