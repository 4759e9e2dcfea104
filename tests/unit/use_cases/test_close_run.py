"""When an execution ends its run ends too, with steps, a reason in plain words, and nothing left half open."""

from __future__ import annotations

import json
from typing import Any

import pytest

from millrace.domain.dataset import UploadState, VersionState
from millrace.domain.model import ModelEventKind
from millrace.domain.run import Run, RunState, Step
from millrace.errors import NotFound
from millrace.use_cases.close_run import close_run
from millrace.use_cases.deploy_model_version import deploy_model_version
from tests.builders import ARTIFACTS_BUCKET, a_run, later
from tests.contract.concurrency import all_at_once
from tests.unit.use_cases.world import World

KEY = "uploads/credit/may.csv"
EMPTY = json.dumps({"errorType": "DatasetInvalid", "errorMessage": "may.csv is empty."})
BOOM = json.dumps({"TrainingJobName": "j", "TrainingJobStatus": "Failed", "FailureReason": "boom"})


def a_step(name: str, state: RunState = RunState.SUCCEEDED, **facts: Any) -> Step:
    return Step(name=name, state=state, started_at=later(0), ended_at=later(1), **facts)


def close(world: World, run: Run, state: RunState, *, error: str | None = None, cause: str | None = None) -> Run:
    return close_run(
        ledger=world.ledger,
        pipelines=world.pipelines,
        catalog=world.catalog,
        registry=world.registry,
        notifier=world.notifier,
        run_id=run.run_id,
        state=state,
        error=error,
        cause=cause,
        at=later(5),
    )


def started(world: World, steps: list[Step], state: RunState = RunState.FAILED) -> Run:
    run = world.ledger.open(a_run())
    world.pipelines.start("training", run.run_id, {})
    world.pipelines.finish("training", run.run_id, state, steps)
    return run


def test_a_run_that_succeeded_is_closed_with_its_steps_and_nobody_is_bothered(world: World) -> None:
    run = started(world, [a_step("PlanTraining"), a_step("EvaluateCandidates")], RunState.SUCCEEDED)

    closed = close(world, run, RunState.SUCCEEDED)

    assert closed == world.ledger.get(run.run_id)
    assert (closed.state, closed.reason, closed.ended_at) == (RunState.SUCCEEDED, None, later(5))
    assert [step.name for step in closed.steps] == ["PlanTraining", "EvaluateCandidates"]
    assert world.notifier.sent == []


def test_a_failed_run_names_the_step_and_its_reason_and_notifies(world: World) -> None:
    failed = a_step("EvaluateCandidates", RunState.FAILED, reason="job j ended Failed: boom")
    run = started(world, [a_step("PlanTraining"), failed])

    closed = close(world, run, RunState.FAILED, error="States.TaskFailed", cause=BOOM)

    assert closed.reason == "EvaluateCandidates: job j ended Failed: boom"
    [sent] = world.notifier.sent
    assert sent.subject == "Millrace: training of credit FAILED"
    assert "EvaluateCandidates: job j ended Failed: boom" in sent.message
    assert sent.attributes == {"kind": "run_ended", "pipeline": "training", "state": "FAILED", "dataset": "credit"}
    assert sent.path == f"/runs/{run.run_id}"


def test_the_step_to_blame_is_the_one_whose_failure_ended_the_run(world: World) -> None:
    """A candidate that failed earlier was forgiven, and a RejectUpload that failed afterwards is not the cause."""
    steps = [
        a_step("TrainOnSpot", RunState.FAILED, item="xgboost", reason="no capacity"),
        a_step("EvaluateCandidates", RunState.FAILED, reason="job j ended Failed: boom"),
        a_step("RejectUpload", RunState.FAILED, reason="KeyError: 'x'"),
    ]
    run = started(world, steps)

    closed = close(world, run, RunState.FAILED, error="States.TaskFailed", cause=BOOM)

    assert closed.reason == "EvaluateCandidates: job j ended Failed: boom"


def test_a_map_item_is_blamed_by_name(world: World) -> None:
    run = started(world, [a_step("TrainOnSpot", RunState.FAILED, item="xgboost", reason="job j ended Failed: boom")])

    closed = close(world, run, RunState.FAILED, error="States.TaskFailed", cause=BOOM)

    assert closed.reason == "TrainOnSpot (xgboost): job j ended Failed: boom"


def test_a_failure_outside_any_step_is_said_without_one(world: World) -> None:
    run = started(world, [a_step("PlanTraining")])

    closed = close(world, run, RunState.FAILED, error="States.Runtime", cause="the path $.plan does not exist")

    assert closed.reason == "the path $.plan does not exist"


def test_without_a_cause_in_the_event_the_history_tells(world: World) -> None:
    run = started(world, [a_step("PlanTraining", RunState.FAILED, reason="no target")])

    assert close(world, run, RunState.FAILED).reason == "PlanTraining: no target"


def test_a_stopped_run_says_who_stopped_it(world: World) -> None:
    run = started(world, [a_step("TrainOnSpot", RunState.ABORTED)], RunState.ABORTED)

    assert close(world, run, RunState.ABORTED, cause="ada: wrong file").reason == "it was stopped: ada: wrong file"


def test_a_run_out_of_time_names_the_step_it_was_in(world: World) -> None:
    run = started(world, [a_step("PrepareDataset", RunState.TIMED_OUT)], RunState.TIMED_OUT)

    closed = close(world, run, RunState.TIMED_OUT)

    assert (closed.state, closed.reason) == (
        RunState.TIMED_OUT,
        "PrepareDataset: it took longer than it is allowed to",
    )


def test_a_history_that_is_gone_does_not_keep_a_run_open(world: World) -> None:
    run = world.ledger.open(a_run())

    closed = close(world, run, RunState.FAILED, error="E", cause="gone")

    assert (closed.state, closed.reason, closed.steps) == (RunState.FAILED, "gone", ())


def test_an_execution_without_a_run_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        close(world, a_run("training-9"), RunState.FAILED)


def test_a_run_that_goes_on_is_not_closed(world: World) -> None:
    run = started(world, [], RunState.RUNNING)

    assert close(world, run, RunState.RUNNING).state == RunState.RUNNING


def test_an_end_announced_twice_is_notified_once(world: World) -> None:
    run = started(world, [])
    close(world, run, RunState.FAILED, error="E", cause="first")

    again = close(world, run, RunState.SUCCEEDED)

    assert (again.state, again.reason) == (RunState.FAILED, "first")
    assert len(world.notifier.sent) == 1


def test_a_notification_that_fails_leaves_the_run_open_for_the_next_delivery(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = started(world, [])

    def broken(**_: Any) -> None:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(world.notifier, "notify", broken)
        with pytest.raises(ConnectionError):
            close(world, run, RunState.FAILED, error="E", cause="why")
    close(world, run, RunState.FAILED, error="E", cause="why")

    assert world.ledger.get(run.run_id).reason == "why"
    assert len(world.notifier.sent) == 1


@pytest.mark.parametrize("state", [RunState.FAILED, RunState.TIMED_OUT, RunState.ABORTED])
def test_a_failed_ingest_leaves_neither_upload_nor_version_preparing(world: World, state: RunState) -> None:
    run = world.dropped(KEY)
    registration = world.register(run)

    close(world, run, state, error="E", cause="the job crashed")

    upload = world.catalog.upload("credit", registration.upload_id)
    assert upload.state == UploadState.REJECTED
    assert upload.reasons == (world.ledger.get(run.run_id).reason,)
    assert world.catalog.version("credit", 1).state == VersionState.REJECTED
    assert world.register(world.dropped(KEY)).version == 2


def test_a_failed_ingest_that_never_registered_its_upload_is_closed(world: World) -> None:
    run = world.dropped("uploads/My Data/a.csv")

    closed = close(world, run, RunState.FAILED, error="InvalidInput", cause=EMPTY)

    assert closed.state == RunState.FAILED
    assert len(world.notifier.sent) == 1


def test_a_rejection_by_the_state_machine_keeps_its_own_words(world: World) -> None:
    run = world.dropped(KEY)
    registration = world.register(run)
    world.catalog.reject_upload(world.catalog.upload("credit", registration.upload_id), ["too many bad rows"])

    close(world, run, RunState.FAILED, error="DatasetInvalid", cause=EMPTY)

    assert world.catalog.upload("credit", registration.upload_id).reasons == ("too many bad rows",)


def test_an_ingest_that_failed_after_its_version_was_accepted_leaves_it_ready(world: World) -> None:
    run = world.dropped(KEY)
    registration = world.register(run)
    world.prepare(registration)
    world.record(run, registration)

    closed = close(world, run, RunState.FAILED, error="E", cause="metrics were refused")

    assert closed.state == RunState.FAILED
    assert world.catalog.version("credit", 1).state == VersionState.READY


def test_ends_announced_at_once_close_the_run_once(world: World) -> None:
    run = started(world, [])

    closed, errors = all_at_once(
        [lambda n=n: close(world, run, RunState.FAILED, error="E", cause=f"cause {n}") for n in range(10)]
    )

    assert errors == []
    assert {one.reason for one in closed} == {world.ledger.get(run.run_id).reason}


def deploying(world: World) -> Run:
    world.trained()
    world.registry.decide("credit", 1, approve=True, actor="ada", reason="good", at=later(0))
    run = deploy_model_version(
        catalog=world.catalog,
        registry=world.registry,
        ledger=world.ledger,
        pipelines=world.pipelines,
        clock=world.clock,
        artifacts_bucket=ARTIFACTS_BUCKET,
        model="credit",
        number=1,
        actor="ada",
        reason="good",
    )
    world.pipelines.finish("deployment", run.run_id, RunState.FAILED, [])
    return run


def test_a_deployment_that_failed_is_told_once_in_the_models_history_and_by_its_versions_name(world: World) -> None:
    run = deploying(world)

    for _ in range(2):
        close(world, run, RunState.FAILED, error="ServingRefused", cause="it predicts otherwise")

    event = world.registry.history("credit")[-1]
    assert (event.kind, event.number, event.actor) == (ModelEventKind.DEPLOYMENT_FAILED, 1, "ada")
    assert event.reason == "it predicts otherwise"
    assert [e.kind for e in world.registry.history("credit")].count(ModelEventKind.DEPLOYMENT_FAILED) == 1
    assert world.notifier.sent[-1].subject == "Millrace: deployment of credit:1 FAILED"


def test_a_deployment_that_succeeded_notes_no_failure(world: World) -> None:
    run = deploying(world)

    close(world, run, RunState.SUCCEEDED)

    assert ModelEventKind.DEPLOYMENT_FAILED not in [e.kind for e in world.registry.history("credit")]
