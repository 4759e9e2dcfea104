"""A version that an operator takes over is a run like any other, and says that no execution stands behind it."""

from __future__ import annotations

import json

import pytest

from millrace.domain.run import Run, RunState
from millrace.use_cases.export_model_version import export_model_version
from millrace.use_cases.import_model_version import import_model_version
from tests.builders import ARTIFACTS_BUCKET, NOON
from tests.unit.api.conftest import Api
from tests.unit.use_cases.world import World


def exported() -> tuple[World, str]:
    """Another environment, with the address under which it exported credit:1."""
    staging = World()
    _, (first, *_) = staging.trained()
    staging.registry.decide("credit", first.number, approve=True, actor="ada", reason="good", at=NOON)
    for file, body in (("serving.json", b"{}"), ("golden.json", b"[]"), ("model.onnx", b"graph")):
        staging.store.write(f"{first.artifact_uri.rpartition('/')[0]}/serving/{file}", body)
    return staging, export_model_version(
        registry=staging.registry,
        catalog=staging.catalog,
        store=staging.store,
        artifacts_bucket=ARTIFACTS_BUCKET,
        environment="staging",
        version_id=first.id,
    )


def take_over(api: Api) -> Run:
    """The run of an import, as the ledger has it."""
    staging, address = exported()
    world = api.world
    import_model_version(
        catalog=world.catalog,
        registry=world.registry,
        ledger=world.ledger,
        source=staging.store,
        store=world.store,
        notifier=world.notifier,
        clock=world.clock,
        artifacts_bucket=ARTIFACTS_BUCKET,
        environment="prod",
        address=address,
        actor="cli:olga",
    )
    (run,) = world.ledger.page(pipeline="import", limit=10).items
    return run


def broken_off(api: Api, monkeypatch: pytest.MonkeyPatch) -> Run:
    def no_network(uri: str, content: object) -> None:
        raise ConnectionError(uri)

    with monkeypatch.context() as patched:
        patched.setattr(api.world.store, "upload", no_network)
        with pytest.raises(ConnectionError):
            take_over(api)
    (run,) = api.world.ledger.page(pipeline="import", limit=10).items
    return run


def test_an_import_is_found_by_its_pipeline_and_says_who_did_what_and_that_nothing_ran(api: Api) -> None:
    run = take_over(api)

    listed = api.get("/runs", query={"pipeline": "import"}).json["items"]
    told = api.get(f"/runs/{run.run_id}").json

    assert [each["run_id"] for each in listed] == [run.run_id]
    assert (told["state"], told["started_by"], told["outcome"]) == (
        "SUCCEEDED",
        "cli:olga",
        "Took credit:1 of staging over as credit:1.",
    )
    # Trained elsewhere: no version of the dataset here, no steps, no job that costs.
    assert (told["dataset_version"], told["steps"], told["cost_usd"]) == (None, [], None)
    assert told["input"]["address"].startswith(f"s3://{ARTIFACTS_BUCKET}/models/credit/v1/export-")
    log = api.get(f"/runs/{run.run_id}/logs").json
    assert (log["lines"], log["ended"]) == ([], True)


def test_one_that_broke_off_goes_on_without_steps_and_ends_by_being_given_again(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = broken_off(api, monkeypatch)

    told = api.get(f"/runs/{run.run_id}").json
    assert (told["state"], told["ended_at"], told["steps"]) == ("RUNNING", None, [])

    assert take_over(api).run_id == run.run_id
    assert api.get(f"/runs/{run.run_id}").json["state"] == "SUCCEEDED"


def test_there_is_no_execution_to_stop_and_that_is_said(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    run = broken_off(api, monkeypatch)

    answer = api.call("POST", f"/runs/{run.run_id}/stop", {"reason": "takes too long"})

    assert answer.status == 409
    assert "given again, it ends what it began" in answer.json["detail"]
    assert api.world.ledger.get(run.run_id).state is RunState.RUNNING
    assert "stop" not in json.dumps(api.world.ledger.get(run.run_id).input)


def test_an_import_is_not_run_again_as_a_training(api: Api) -> None:
    answer = api.call("POST", f"/runs/{take_over(api).run_id}/again")

    assert answer.status == 422
    assert "only training is run again" in answer.json["detail"]
