"""Batch inferences over the API: from the file that is sent to results that are downloaded, and never half of them."""

from __future__ import annotations

import json

import pytest

from lambdas.api.shapes.batches import STEPS
from millrace import names
from millrace.domain import place
from millrace.domain.run import RunState
from stacks.constructs.asl_state_machine import DEFINITIONS, tasks_in
from tests.builders import DATA_BUCKET
from tests.unit.api.conftest import Api


@pytest.fixture
def approved(api: Api) -> Api:
    api.trained()
    api.approved(1)
    return api


def test_a_file_that_was_sent_is_predicted_by_the_version_that_was_named(approved: Api) -> None:
    ticket = approved.call(
        "POST", "/inference/batch/uploads", {"model": "credit", "file_name": "may.csv", "size_bytes": 7}
    ).json
    asked = {"model": "credit", "version": 1, "input": {"upload_id": ticket["upload_id"]}}
    assert approved.call("POST", "/inference/batch", asked).status == 409  # its part is missing

    transfer = approved.world.transfers.get("credit", ticket["upload_id"])
    address = place.uri(DATA_BUCKET, "inference/credit/uploads/may.csv")
    approved.world.multipart.put(address, transfer.multipart_id, 1, b"a,b\n1,2")
    job = approved.call("POST", "/inference/batch", asked).json

    assert job["source"] == address
    assert (job["model"], job["version"], job["state"]) == ("credit", 1, "RUNNING")
    (started,) = [each for each in approved.world.pipelines.started if each.run_id == job["job_id"]]
    assert started.pipeline == names.BATCH_INFERENCE_PIPELINE
    assert started.payload["object_version"] == approved.world.store.head(address).version_id
    assert approved.get(f"/inference/batch/{job['job_id']}").json["rows_in"] is None


def test_the_input_of_a_batch_does_not_become_a_dataset_version(approved: Api) -> None:
    body = {"model": "credit", "file_name": "may.csv", "size_bytes": 7}
    ticket = approved.call("POST", "/inference/batch/uploads", body).json

    refused = approved.call("POST", f"/datasets/credit/uploads/{ticket['upload_id']}/complete")

    assert refused.status == 409
    assert "batch inference" in refused.json["detail"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"model": "credit", "version": 2, "input": {"dataset_version": 1}}, 409),  # not approved
        ({"model": "credit", "version": 1, "input": {"dataset_version": 9}}, 404),
        ({"model": "credit", "version": 1, "input": {"upload_id": "0" * 20}}, 404),
        ({"model": "credit", "version": 1, "input": {}}, 422),
        ({"model": "credit", "version": 1, "input": {"dataset_version": 1, "upload_id": "0" * 20}}, 422),
        ({"model": "debit", "input": {"dataset_version": 1}}, 404),
    ],
)
def test_what_cannot_be_predicted_is_refused_and_starts_nothing(
    body: dict[str, object], status: int, approved: Api
) -> None:
    answer = approved.call("POST", "/inference/batch", body)

    assert answer.status == status, answer.text
    assert approved.get("/inference/batch").json["items"] == []


def test_without_a_champion_a_version_has_to_be_named(api: Api) -> None:
    api.trained()

    assert api.call("POST", "/inference/batch", {"model": "credit", "input": {"dataset_version": 1}}).status == 409


def test_results_are_there_once_the_job_has_succeeded_and_not_before(approved: Api) -> None:
    approved.world.batched(10, state=RunState.RUNNING)
    assert approved.get("/inference/batch/batch-1/results").status == 409
    assert approved.get("/inference/batch/batch-1").json["predicted"] is None

    approved.world.ledger.close(
        "batch-1", state=RunState.SUCCEEDED, reason=None, steps=(), at=approved.world.clock.now()
    )
    found = approved.get("/inference/batch/batch-1/results").json

    assert (found["rows"], found["columns"]) == (10, ["record_id", "prediction"])
    assert [(file["format"], file["file_name"]) for file in found["files"]] == [
        ("parquet", "batch-1-part-00000.parquet"),
        ("csv", "batch-1-results.csv"),
    ]
    assert approved.get("/inference/batch/batch-1").json["predicted"] == 10


def test_rows_that_were_set_aside_are_listed_with_their_reasons(approved: Api) -> None:
    approved.world.batched(10)

    (row,) = approved.get("/inference/batch/batch-1/quarantine").json["items"]

    assert row == {"line": 10, "text": "4,many", "cut": False, "reasons": ["age: 'many' is not an integer"]}


def test_the_list_is_of_one_model_or_one_state(approved: Api) -> None:
    approved.world.batched(10)

    def listed(**query: str) -> list[str]:
        return [each["job_id"] for each in approved.get("/inference/batch", query=query).json["items"]]

    assert listed() == listed(model="credit") == listed(state="SUCCEEDED") == ["batch-1"]
    assert listed(model="debit") == listed(state="FAILED") == []


@pytest.mark.parametrize("path", ["", "/results", "/quarantine", "/again"])
def test_a_run_of_another_pipeline_is_no_batch_inference(path: str, approved: Api) -> None:
    (run, *_) = approved.world.ledger.list(pipeline="training")
    method = "POST" if path == "/again" else "GET"

    assert approved.call(method, f"/inference/batch/{run.run_id}{path}").status in (404, 422)


def test_progress_counts_the_steps_that_there_are() -> None:
    definition = json.loads((DEFINITIONS / f"{names.BATCH_INFERENCE_PIPELINE}.asl.json").read_text())

    assert len(list(tasks_in(definition["States"]))) == STEPS
