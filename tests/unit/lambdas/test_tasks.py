"""The entry points of states: what the state machine gives in, what it gets out, and the errors it catches by name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from lambdas.tasks import (
    collect_candidates,
    plan_training,
    record_dataset_version,
    register_candidates,
    register_upload,
    reject_upload,
)
from millrace.domain.dataset import Registration, UploadState
from millrace.errors import DatasetInvalid, TrainingFailed, TrainingImpossible
from tests.builders import DATA_BUCKET
from tests.unit.use_cases.world import World

KEY = "uploads/credit/may.csv"


def answered(handler: Any, event: dict[str, Any], context: Any) -> Any:
    """As Lambda does it: JSON in, JSON out."""
    return json.loads(json.dumps(handler(json.loads(json.dumps(event)), context)))


def test_ingest_through_its_states(world: World, context: Any) -> None:
    world.configure(target="status")
    state: dict[str, Any] = dict(world.dropped(KEY).input)

    state["registration"] = answered(register_upload.handler, state, context)
    assert state["registration"]["kind"] == "dataset"
    assert state["registration"]["request_uri"] == f"s3://{DATA_BUCKET}/datasets/credit/v1/request.json"
    world.prepare(Registration.model_validate(state["registration"]))
    given = {"run_id": state["run_id"], "registration": state["registration"]}
    recorded = answered(record_dataset_version.handler, given, context)

    assert (recorded["dataset"], recorded["version"], recorded["state"]) == ("credit", 1, "READY")
    assert world.catalog.get("credit").latest_ready_version == 1
    assert len(world.bus.published) == 1


def test_a_refusal_on_its_way_to_a_rejected_upload(world: World, context: Any) -> None:
    state: dict[str, Any] = dict(world.dropped(KEY, b"").input)
    with pytest.raises(DatasetInvalid) as refusal:
        register_upload.handler(state, context)
    cause = json.dumps({"errorType": type(refusal.value).__name__, "errorMessage": str(refusal.value)})
    state["failure"] = {"Error": "DatasetInvalid", "Cause": cause}

    rejected = answered(reject_upload.handler, state, context)

    assert rejected["state"] == "REJECTED"
    assert "may.csv is empty" in rejected["reason"]
    [upload] = world.catalog.uploads("credit")
    assert (upload.state, upload.reasons) == (UploadState.REJECTED, (rejected["reason"],))


def test_an_upload_that_was_never_registered_is_rejected_without_an_error(world: World, context: Any) -> None:
    state = world.dropped("uploads/My Data/a.csv").input | {"failure": {"Error": "States.Timeout"}}

    rejected = answered(reject_upload.handler, state, context)

    assert rejected == {"upload_id": None, "state": None, "reason": "it took longer than it is allowed to"}


def test_training_through_its_states(world: World, context: Any) -> None:
    world.configure(target="status")
    world.ready()
    run = world.start(reason="new rows")
    state: dict[str, Any] = dict(run.input)

    state["plan"] = answered(plan_training.handler, state, context)
    candidates = world.train(run, state["plan"], failing={"linear": "no rows"})
    state["training"] = [candidate.model_dump() for candidate in candidates]
    state["collected"] = answered(collect_candidates.handler, state, context)
    world.evaluate(run, candidates)
    state["registered"] = answered(register_candidates.handler, state, context)

    assert [candidate["algorithm"] for candidate in state["plan"]["candidates"]] == [
        "random_forest",
        "xgboost",
        "linear",
    ]
    assert state["collected"] == {"trained": ["random_forest", "xgboost"], "failed": {"linear": "no rows"}}
    assert state["registered"] == {
        "model_versions": [
            {"id": "credit:1", "algorithm": "random_forest", "recommended": True},
            {"id": "credit:2", "algorithm": "xgboost", "recommended": False},
        ]
    }
    assert world.registry.get("credit", 1).lineage.code_digest == "code-digest"
    assert world.registry.get("credit", 1).lineage.image == "image:3.2-0"


def test_errors_reach_the_state_machine_under_their_own_names(world: World, context: Any) -> None:
    world.ready()
    state = {"run_id": "training-1", "dataset": "credit", "dataset_version": 1, "model": "credit", "training": {}}

    with pytest.raises(TrainingImpossible):
        plan_training.handler(state, context)
    failed = [{"algorithm": "linear", "job_name": "j", "status": "FAILED", "reason": "no rows"}]
    with pytest.raises(TrainingFailed):
        collect_candidates.handler({"run_id": "training-1", "training": failed}, context)


@pytest.mark.parametrize(
    "handler",
    [
        register_upload.handler,
        record_dataset_version.handler,
        reject_upload.handler,
        plan_training.handler,
        collect_candidates.handler,
        register_candidates.handler,
    ],
)
def test_an_input_without_what_the_state_needs_is_refused(context: Any, handler: Any) -> None:
    with pytest.raises(ValidationError, match="run_id"):
        handler({}, context)


def test_log_lines_carry_the_run(world: World, context: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run = world.dropped(KEY)
    stream = register_upload.logger.registered_handler.stream
    written: list[str] = []
    register_upload.logger.registered_handler.stream = type("Lines", (), {"write": written.append, "flush": int})()

    register_upload.handler(dict(run.input), context)

    register_upload.logger.registered_handler.stream = stream
    line = json.loads("".join(written))
    assert (line["service"], line["run_id"], line["dataset"], line["kind"]) == (
        "RegisterUpload",
        run.run_id,
        "credit",
        "dataset",
    )
