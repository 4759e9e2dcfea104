"""The entry points of events, in the shapes that EventBridge delivers them."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from pydantic import ValidationError

from lambdas.events import (
    on_dataset_version_ready,
    on_execution_ended,
    on_model_version_approved,
    on_upload_arrived,
)
from millrace.domain.event import DatasetVersionReady, DomainEvent, ModelVersionApproved
from millrace.domain.run import RunState, Step
from millrace.use_cases.approve_model_version import approve_model_version
from tests.builders import DATA_BUCKET, NOON, later
from tests.unit.use_cases.world import World

KEY = "uploads/credit/Größe +%20 & Maß.csv"


def object_created(key: str, version: str, size: int = 89) -> dict[str, Any]:
    """As in the S3 user guide, "EventBridge event message structure"."""
    return {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": "111122223333",
        "time": "2026-11-20T12:00:00Z",
        "region": "us-east-1",
        "resources": [f"arn:aws:s3:::{DATA_BUCKET}"],
        "detail": {
            "version": "0",
            "bucket": {"name": DATA_BUCKET},
            "object": {
                "key": key,
                "version-id": version,
                "size": size,
                "etag": "b1946ac92492d2347c6235b4d2611184",
                "sequencer": "00617F08299329D189",
            },
            "request-id": "N4N7GDK58NMKJ12R",
            "requester": "123456789012",
            "source-ip-address": "1.2.3.4",
            "reason": "PutObject",
        },
    }


def status_change(run_id: str, status: str, **facts: Any) -> dict[str, Any]:
    """As in the Step Functions guide, "EventBridge for Step Functions execution status changes"."""
    return {
        "version": "0",
        "id": "315c1398-40ff-a850-213b-158f73e60175",
        "detail-type": "Step Functions Execution Status Change",
        "source": "aws.states",
        "account": "123456789012",
        "time": "2026-11-20T12:05:01Z",
        "region": "us-east-1",
        "resources": [f"arn:aws:states:us-east-1:123456789012:execution:Ingest:{run_id}"],
        "detail": {
            "executionArn": f"arn:aws:states:us-east-1:123456789012:execution:Ingest:{run_id}",
            "stateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:Ingest",
            "name": run_id,
            "status": status,
            "startDate": int(NOON.timestamp() * 1000),
            "stopDate": int(later(5).timestamp() * 1000),
            "input": "{}",
            "output": None,
            "inputDetails": {"included": True},
            "outputDetails": None,
            "error": None,
            "cause": None,
        }
        | facts,
    }


def published(event: DomainEvent) -> dict[str, Any]:
    return {
        "version": "0",
        "detail-type": type(event).__name__,
        "source": "millrace",
        "time": "2026-11-20T12:00:00Z",
        "detail": event.model_dump(mode="json"),
    }


def answered(handler: Any, event: dict[str, Any], context: Any) -> Any:
    return json.loads(json.dumps(handler(json.loads(json.dumps(event)), context)))


def test_an_upload_opens_a_run_with_the_key_as_it_is(world: World, context: Any) -> None:
    version = world.put(KEY)

    answer = answered(on_upload_arrived.handler, object_created(KEY, version), context)

    run = world.ledger.get(answer["run_id"])
    assert (run.input["key"], run.input["object_version"], run.input["size_bytes"]) == (KEY, version, 89)
    assert run.started_at == NOON
    assert [started.run_id for started in world.pipelines.started] == [run.run_id]


def test_twenty_deliveries_start_one_execution(world: World, context: Any) -> None:
    deliveries = [object_created(KEY, world.put(KEY, b"a\n" + bytes([48 + n]))) for n in range(2)] * 20
    random.Random(3).shuffle(deliveries)

    runs = {answered(on_upload_arrived.handler, delivery, context)["run_id"] for delivery in deliveries}

    assert len(runs) == len(world.pipelines.started) == 2


def test_an_event_without_a_version_is_none_of_a_bucket_that_keeps_them(world: World, context: Any) -> None:
    event = object_created(KEY, "1")
    del event["detail"]["object"]["version-id"]

    with pytest.raises(ValidationError, match="version-id"):
        answered(on_upload_arrived.handler, event, context)

    assert list(world.ledger.list()) == []


def test_a_folder_marker_opens_nothing(world: World, context: Any) -> None:
    event = object_created("uploads/credit/", "1", size=0)

    assert answered(on_upload_arrived.handler, event, context) == {"run_id": None}


def test_a_ready_version_starts_training_when_its_dataset_says_so(world: World, context: Any) -> None:
    world.configure(target="status")
    version = world.ready()
    event = published(DatasetVersionReady(dataset="credit", version=1, run_id=version.run_id))

    first, second = (answered(on_dataset_version_ready.handler, event, context) for _ in range(2))

    assert first == second
    assert world.ledger.get(first["run_id"]).dataset_version == 1
    assert [started.run_id for started in world.pipelines.started if started.pipeline == "training"] == [
        first["run_id"]
    ]


def test_a_ready_version_that_waits_starts_nothing(world: World, context: Any) -> None:
    world.ready()
    event = published(world.bus.published[0])

    assert answered(on_dataset_version_ready.handler, event, context) == {"run_id": None}


def test_an_approved_version_is_deployed_once(world: World, context: Any) -> None:
    _, versions = world.trained()
    approve_model_version(
        registry=world.registry,
        catalog=world.catalog,
        ledger=world.ledger,
        bus=world.bus,
        clock=world.clock,
        version_id=versions[0].id,
        actor="ada",
        reason="good",
    )
    event = published(world.bus.published[-1])
    assert event["detail-type"] == ModelVersionApproved.__name__

    first, second = (answered(on_model_version_approved.handler, event, context) for _ in range(2))

    assert first == second
    (started,) = [e for e in world.pipelines.started if e.pipeline == "deployment"]
    assert started.run_id == first["run_id"]
    assert (started.payload["model"], started.payload["number"], started.payload["actor"]) == ("credit", 1, "ada")
    assert world.registry.model("credit").aliases == {}


@pytest.mark.parametrize("status", ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"])
def test_the_end_of_an_execution_closes_its_run(world: World, context: Any, status: str) -> None:
    run = world.dropped("uploads/credit/may.csv")
    step = Step(name="RegisterUpload", state=RunState.SUCCEEDED, started_at=NOON, ended_at=later(1))
    world.pipelines.finish("ingest", run.run_id, RunState(status), [step])

    answer = answered(on_execution_ended.handler, status_change(run.run_id, status), context)

    closed = world.ledger.get(run.run_id)
    assert answer == {"run_id": run.run_id, "state": status, "reason": closed.reason}
    assert (closed.state, closed.ended_at, closed.steps) == (status, later(5), (step,))


def test_a_failure_is_told_in_plain_words(world: World, context: Any) -> None:
    run = world.dropped("uploads/credit/may.csv")
    cause = json.dumps({"errorType": "DatasetInvalid", "errorMessage": "may.csv is empty.", "stackTrace": []})
    event = status_change(run.run_id, "FAILED", error="DatasetInvalid", cause=cause)

    assert answered(on_execution_ended.handler, event, context)["reason"] == "may.csv is empty."
    assert "may.csv is empty." in world.notifier.sent[0].message
    assert world.notifier.sent[0].path == f"/runs/{run.run_id}"


def test_without_a_stop_date_the_events_own_time_counts(world: World, context: Any) -> None:
    run = world.dropped("uploads/credit/may.csv")
    event = status_change(run.run_id, "ABORTED", stopDate=None)

    answered(on_execution_ended.handler, event, context)

    assert world.ledger.get(run.run_id).ended_at == later(5 + 1 / 60)


@pytest.mark.parametrize(
    "module", [on_upload_arrived, on_dataset_version_ready, on_execution_ended, on_model_version_approved]
)
def test_an_event_of_another_shape_is_refused(context: Any, module: Any) -> None:
    with pytest.raises(ValidationError):
        module.handler({"detail": {}}, context)
