"""From an approval to a serving artefact beside its version: once, checked, or with the reason why not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

import pytest

from millrace.domain import place
from millrace.domain.model import ModelEvent, ModelEventKind, ModelVersion
from millrace.domain.run import Run, RunState
from millrace.errors import Conflict, EvaluationInvalid, InvalidInput, NotFound, ServingRefused
from millrace.use_cases.deploy_model_version import deploy_again, deploy_model_version
from tests.builders import ARTIFACTS_BUCKET, NOON, a_run, later
from tests.contract.concurrency import all_at_once
from tests.unit.serving.conftest import SERVING_URI, Exported, check, put
from tests.unit.use_cases.world import World


def deploy(
    world: World,
    number: int = 1,
    by: Callable[..., Run] = deploy_model_version,
    actor: str = "ada",
    reason: str = "good",
) -> Run:
    return by(
        catalog=world.catalog,
        registry=world.registry,
        ledger=world.ledger,
        pipelines=world.pipelines,
        clock=world.clock,
        artifacts_bucket=ARTIFACTS_BUCKET,
        model="credit",
        number=number,
        actor=actor,
        reason=reason,
    )


def deployments(world: World) -> list[str]:
    return [started.run_id for started in world.pipelines.started if started.pipeline == "deployment"]


def beside(world: World, file: str, number: int = 1) -> bytes:
    return world.store.read(place.serving_uri(ARTIFACTS_BUCKET, "credit", number, file))


@pytest.fixture
def run(world: World, versions: list[ModelVersion]) -> Run:
    return world.ledger.open(a_run("deployment-1", pipeline="deployment"))


def test_an_approval_deploys_once_however_often_it_is_told(world: World, versions: list[ModelVersion]) -> None:
    runs = {deploy(world).run_id for _ in range(5)}

    assert deployments(world) == list(runs)


def failed(world: World, run: Run) -> None:
    world.ledger.close(run.run_id, state=RunState.FAILED, reason="it was worse", steps=[], at=later(3))


def requests(world: World) -> list[ModelEvent]:
    return [e for e in world.registry.history("credit") if e.kind is ModelEventKind.DEPLOYMENT_REQUESTED]


def test_what_failed_is_deployed_again_as_a_run_of_its_own_that_the_history_tells_of(
    world: World, versions: list[ModelVersion]
) -> None:
    failed(world, deploy(world))

    again = deploy(world, by=deploy_again, actor="bob", reason="mended")

    assert deployments(world) == [deploy(world).run_id, again.run_id]
    assert (again.input["again"], again.input["actor"], again.input["reason"]) == (True, "bob", "mended")
    assert [(e.number, e.actor, e.reason) for e in requests(world)] == [(1, "bob", "mended")]


def test_asking_twice_for_a_deployment_deploys_once_and_is_one_request(
    world: World, versions: list[ModelVersion]
) -> None:
    failed(world, deploy(world))

    runs, errors = all_at_once([lambda n=n: deploy(world, by=deploy_again, actor=f"actor {n}") for n in range(8)])

    assert errors == []
    assert len({run.run_id for run in runs}) == len(requests(world)) == 1
    assert len(set(deployments(world))) == 2
    failed(world, runs[0])
    world.clock.pass_time(later(5) - NOON)
    assert deploy(world, by=deploy_again).run_id not in {run.run_id for run in runs}
    assert len(requests(world)) == 2


def test_while_the_approvals_own_deployment_goes_on_there_is_no_other(
    world: World, versions: list[ModelVersion]
) -> None:
    assert deploy(world).run_id == deploy(world, by=deploy_again).run_id
    assert requests(world) == []


def test_an_approval_that_nobody_heard_of_can_be_deployed_by_hand(world: World, versions: list[ModelVersion]) -> None:
    by_hand = deploy(world, by=deploy_again)

    assert by_hand.input["again"] is True
    assert deploy(world).run_id == by_hand.run_id


def test_a_request_that_was_cut_off_before_it_started_anything_is_finished_by_the_next(
    world: World, versions: list[ModelVersion], monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_off(*_: object, **__: object) -> None:
        raise ConnectionError

    failed(world, deploy(world))
    with monkeypatch.context() as broken:
        broken.setattr(world.registry, "note_deployment", cut_off)
        with pytest.raises(ConnectionError):
            deploy(world, by=deploy_again)
    assert (len(deployments(world)), requests(world)) == (1, [])

    again = deploy(world, by=deploy_again)

    assert deployments(world)[1:] == [again.run_id]
    assert len(requests(world)) == 1


def test_a_request_without_a_reason_or_for_what_nobody_approved_changes_nothing(world: World) -> None:
    world.trained()

    with pytest.raises(Conflict, match="PENDING"):
        deploy(world, by=deploy_again)
    with pytest.raises(InvalidInput, match="say why"):
        deploy(world, by=deploy_again, reason=" ")
    with pytest.raises(NotFound):
        deploy(world, number=99, by=deploy_again)
    assert (deployments(world), requests(world)) == ([], [])


def test_the_execution_is_told_what_to_export_and_what_to_hold_it_against(
    world: World, versions: list[ModelVersion]
) -> None:
    told = deploy(world).input

    assert told["artifact_uri"] == versions[0].artifact_uri
    assert told["artifact_digest"] == versions[0].artifact_digest
    assert told["test_uri"].endswith("/datasets/credit/v1/data/split=test/")
    assert told["serving_uri"] == f"s3://{ARTIFACTS_BUCKET}/runs/{told['run_id']}/serving"
    assert told["export_job"] == f"{told['run_id']}-export"


def test_only_an_approved_version_is_deployed(world: World) -> None:
    world.trained()

    with pytest.raises(Conflict, match="PENDING"):
        deploy(world)
    assert deployments(world) == []


def test_what_passes_lies_beside_its_version_with_what_was_measured(world: World, run: Run, first: Exported) -> None:
    put(world, first.files)

    checked = check(world)

    assert beside(world, "model.onnx") == first.files["model.onnx"]
    assert beside(world, "golden.json") == first.files["golden.json"]
    assert json.loads(beside(world, "serving.json")) == checked
    assert checked["check"]["golden_rows"] == 10
    assert checked["check"]["worst_difference"] < 1e-6
    assert checked["check"]["size_bytes"] == len(first.files["model.onnx"])
    assert "202 rows as trained" in (world.ledger.get("deployment-1").outcome or "")


def test_a_version_without_a_graph_is_put_there_for_an_endpoint(world: World, run: Run, first: Exported) -> None:
    files = {"golden.json": first.document["files"]["golden.json"]}
    told = first.saying(
        served_by="sagemaker", endpoint_kind="serverless", refusal="the graph predicts otherwise", files=files
    )
    put(world, {**told, "container.tar.gz": b"model and code"})

    check(world)

    assert json.loads(beside(world, "serving.json"))["served_by"] == "sagemaker"
    assert beside(world, "container.tar.gz") == b"model and code"
    assert world.store.list(place.serving_uri(ARTIFACTS_BUCKET, "credit", 1, "model")) == []
    outcome = world.ledger.get("deployment-1").outcome
    assert outcome == "credit:1 is served by a serverless SageMaker endpoint: the graph predicts otherwise"


def test_golden_rows_that_are_answered_otherwise_stop_the_deployment(
    world: World, run: Run, first: Exported, second: Exported
) -> None:
    document = first.document
    document["files"]["model.onnx"] = second.document["files"]["model.onnx"]
    put(world, {**first.saying(files=document["files"]), "model.onnx": second.files["model.onnx"]})

    with pytest.raises(ServingRefused, match="answered otherwise than in training"):
        check(world)

    assert world.store.list(place.serving_uri(ARTIFACTS_BUCKET, "credit", 1, "")) == []


@pytest.mark.parametrize("name", ["model.onnx", "golden.json"])
def test_a_file_that_was_changed_is_not_opened(name: str, world: World, run: Run, first: Exported) -> None:
    put(world, {**first.files, name: first.files[name] + b" "})

    with pytest.raises(EvaluationInvalid, match=name):
        check(world)


def test_an_artefact_of_another_version_is_refused(world: World, run: Run, first: Exported) -> None:
    put(world, first.files)

    with pytest.raises(EvaluationInvalid, match="was not made from credit:2"):
        check(world, 2)


def test_a_job_that_left_nothing_is_said_so(world: World, run: Run) -> None:
    with pytest.raises(EvaluationInvalid, match="without a serving artefact"):
        check(world)


def test_bytes_that_are_no_graph_are_refused(world: World, run: Run, first: Exported) -> None:
    files = first.document["files"] | {"model.onnx": hashlib.sha256(b"nonsense").hexdigest()}
    put(world, {**first.saying(files=files), "model.onnx": b"nonsense"})

    with pytest.raises(ServingRefused, match="does not read the graph"):
        check(world)
    assert world.store.list(f"{SERVING_URI}/")
