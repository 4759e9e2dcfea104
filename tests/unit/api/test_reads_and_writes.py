"""Nothing is made up: every GET says what is stored, and every write is seen by another route."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from lambdas.api.limits import RateLimit
from lambdas.api.resource import Endpoint
from millrace import bootstrap
from millrace.domain import place
from millrace.domain.event import DriftDetected
from millrace.domain.rollout import DeploymentPolicy, Rollout, Strategy
from millrace.domain.row_comparison import RowComparison, RowComparisonRequest
from millrace.domain.run import Job, RunState, Step
from millrace.domain.traffic import Asked, AskedOutcome, counts_of
from millrace.use_cases.govern_retraining import govern_retraining
from tests.builders import (
    ARTIFACTS_BUCKET,
    DATA_BUCKET,
    NOON,
    a_drift_report,
    a_quality,
    a_schedule,
    an_api_key,
    an_endpoint_use,
    later,
)
from tests.unit.api.conftest import REASON, Api
from tests.unit.api.requests_of import PARAMETERS, QUERIES, READS, WRITES, body_of, named, path_of
from tests.unit.domain.test_alert import a_signal
from tests.unit.serving.conftest import Exported, exported
from tests.unit.use_cases.world import a_profile

CONSTANT = {"get_health", "get_openapi"}
JOB = Job(service="sagemaker", name="training-1-xgboost", machine="ml.m5.large", billable_seconds=360.0)
QUARANTINE = place.quarantine_uri(DATA_BUCKET, "credit") + "/v1/part-00000.jsonl"


def populated(accuracy: float, rows: int, lines: list[str]) -> tuple[Api, str]:
    """A platform that went a whole way; what it holds depends on the figures given."""
    api = Api()
    world = api.world
    world.configure(target="status", max_quarantined_share=0.1 if rows == 990 else 0.2)
    world.ready(f"uploads/credit/{rows}.csv", quality=a_quality(accepted=rows), profile=a_profile(rows=rows))
    row = {"line": rows, "text": "1" * rows, "reasons": ["age: 'x' is not an integer"]}
    world.store.write(QUARANTINE, json.dumps(row).encode() + b"\n")
    world.sends("may.csv", rows)
    world.api_keys.add(an_api_key(name=f"of {rows} rows"))
    world.schedules.add(a_schedule(name=f"of {rows} rows"))
    run = world.start()
    candidates = world.train(run, world.plan(run))
    world.collect(run, candidates)
    report = world.evaluate(run, candidates, test_rows=rows)
    for candidate in report["candidates"]:
        candidate["metrics"]["roc_auc"]["value"] = accuracy
    world.write_evaluation(run, report)
    versions = world.register_candidates(run)
    step = Step(name="TrainOnSpot", state=RunState.SUCCEEDED, started_at=NOON, ended_at=later(rows), job=JOB)
    world.ledger.close(run.run_id, state=RunState.SUCCEEDED, reason=None, steps=[step], at=later(rows))
    world.drift_found(a_drift_report(rows=rows))
    told(api, f"`age` rose by {accuracy} sd.", rows)
    for line in lines:
        api.logs.write(JOB.name, NOON, line)
    world.registry.decide("credit", 1, approve=True, actor="ada", reason=f"{accuracy}", at=later(rows))
    world.registry.move_alias(
        "credit", "champion", 1, expected=None, actor="ada", reason=f"{accuracy}", at=later(-rows)
    )
    if len(lines) > 1:
        replaced = {"columns": [{"name": "status", "kind": "category"}, {"name": "age", "kind": "number"}]}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(bootstrap, "platform", api.platform)
            assert api.call("PUT", "/datasets/credit/contract", replaced).status == 200
    compared(api, rows)
    assert [version.number for version in versions] == [1, 2, 3]
    world.batched(rows)
    world.labelled(len(lines))
    asked = Asked(model="credit", at=NOON, outcome=AskedOutcome.ANSWERED, latency_ms=8.0)
    world.traffic.add("credit", NOON, counts_of([asked] * len(lines)), delivery=f"{rows}")
    world.endpoint_uses.begin(an_endpoint_use(minutes=-rows))
    return api, run.run_id


def compared(api: Api, rows: int) -> None:
    """Versions 1 and 2 row by row, as the job leaves it."""
    two_versions_with_a_key(api)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bootstrap, "platform", api.platform)
        started = api.call("POST", "/datasets/credit/diff/rows", COMPARED).json
    request = RowComparisonRequest.model_validate(api.world.ledger.get(started["run_id"]).input)
    counts = dict.fromkeys(("removed", "changed", "unchanged", "repeated_before", "repeated_after"), 0)
    told = request.model_dump(include={"dataset", "from_version", "to_version", "key"})
    result = RowComparison(**told, added=rows, **counts, changed_by_column={}, examples=())
    api.world.store.write(request.result_uri, result.model_dump_json().encode())
    api.world.store.write(place.compared_rows_uri(request.result_uri), b"x" * rows)
    api.world.ledger.close(started["run_id"], state=RunState.SUCCEEDED, reason=None, steps=[], at=later(rows))


def two_versions_with_a_key(api: Api) -> str:
    api.world.configure(key=["age"])
    for name in ("earlier", "later"):
        api.world.ready(f"uploads/credit/{name}.csv", name.encode())
    return ""


def told(api: Api, sentence: str, rows: int) -> None:
    """An alert, a channel that it was told to, and what the governor said to it."""
    world = api.world
    world.adds_channel(address=f"https://hooks.example.com/{rows}")
    world.notices(a_signal(1, sentence=sentence))
    if rows == 990:
        world.notices(a_signal(2, cause="drift:credit:prediction"))
    event = DriftDetected(
        report_id=f"report-{rows}", model="credit", kind="data", verdict="DRIFT", severity="MINOR", sentence=sentence
    )
    govern_retraining(
        catalog=world.catalog,
        registry=world.registry,
        ledger=world.ledger,
        pipelines=world.pipelines,
        log=world.retraining,
        clock=world.clock,
        event=event,
    )


@pytest.mark.parametrize("endpoint", [each for each in READS if each.operation_id not in CONSTANT], ids=named)
def test_two_databases_give_two_answers(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lambdas.api.app.limit", RateLimit())
    said = []
    # Time stands still here, and all routes together ask more often than a caller may in a second.
    monkeypatch.setattr("lambdas.api.app.limit", RateLimit())
    for made in (populated(0.83, 990, ["one"]), populated(0.9125, 880, ["two", "three"])):
        api, run_id = made
        monkeypatch.setattr("lambdas.api.app.limit", RateLimit())
        monkeypatch.setattr(bootstrap, "platform", api.platform)
        answer = api.get(path_of(endpoint, run_id=run_id), query=QUERIES.get(endpoint.operation_id))
        assert answer.status == 200, answer.text
        said.append(answer)

    assert said[0].text != said[1].text


Prepared = Callable[[Api], str]
"""What has to be there before; the id of the run it is about."""


def nothing(_api: Api) -> str:
    return ""


def running(api: Api) -> str:
    api.world.configure(target="status")
    api.world.ready()
    return api.world.start().run_id


def decided(api: Api) -> str:
    run_id = api.trained()
    api.approved(1)
    api.approved(2)
    return run_id


def rolling_out(api: Api) -> str:
    """Version 2 takes a share of the champion's requests."""
    run_id = decided(api)
    champion = api.world.registry.model("credit").aliases["champion"]
    number = 1 if champion == 2 else 2
    rollout = Rollout(
        run_id="deployment-1",
        number=number,
        champion=champion,
        policy=DeploymentPolicy(strategy=Strategy.CANARY),
        started_at=NOON,
        step_started_at=NOON,
    )
    api.world.registry.move_rollout(
        "credit", rollout, run_id="deployment-1", number=number, actor="ada", reason="canary", at=NOON
    )
    return run_id


def sending(api: Api) -> str:
    run_id = api.trained()
    progress = api.world.sends("may.csv", 3)
    api.world.part_arrives(progress, 1, b"a,b")
    return run_id


def serving(api: Api) -> str:
    run_id = api.trained()
    api.approved(1)
    for name, content in small_model().files.items():
        api.world.store.write(place.serving_uri(ARTIFACTS_BUCKET, "credit", 1, name), content)
    return run_id


@cache
def small_model() -> Exported:
    with tempfile.TemporaryDirectory() as folder:
        return exported(Path(folder), 1, "digest")


def scheduled(api: Api) -> str:
    api.trained()
    api.world.schedules.add(a_schedule())
    return ""


def with_a_key(api: Api) -> str:
    api.world.api_keys.add(an_api_key())
    return ""


def trained(api: Api) -> str:
    return api.trained()


def alerted(api: Api) -> str:
    api.world.adds_channel()
    return api.world.notices(a_signal(1)).alert_id


ALERT = f"/alerts/{PARAMETERS['alert_id']}"
CHANNEL = f"/channels/{PARAMETERS['channel_id']}"


NEW = {"columns": [{"name": "status", "kind": "category"}]}


def batched(api: Api) -> str:
    run_id = api.trained()
    api.approved(1)
    api.world.batched(10)
    return run_id


BATCH = {"model": "credit", "version": 1, "input": {"dataset_version": 1}}
BATCH_FILE = {"model": "credit", "file_name": "a.csv", "size_bytes": 7}
UPLOAD = f"/datasets/credit/uploads/{PARAMETERS['upload_id']}"
PREDICT = {"model": "credit", "rows": [{"age": 30, "home": "own"}]}
COMPARED = {"from_version": 1, "to_version": 2}
EFFECTS: dict[str, tuple[Prepared, str, Any, str]] = {
    "acknowledge_alert": (alerted, f"{ALERT}/acknowledge", {"reason": REASON}, "/alerts"),
    "snooze_alert": (alerted, f"{ALERT}/snooze", {"reason": REASON, "until": later(600).isoformat()}, ALERT),
    "close_alert": (alerted, f"{ALERT}/close", {"reason": REASON}, "/metrics"),
    "add_channel": (
        nothing,
        "/channels",
        {"kind": "webhook", "name": "on-call", "address": "https://hooks.example.com/in"},
        "/channels",
    ),
    "edit_channel": (alerted, CHANNEL, {"enabled": False}, CHANNEL),
    "remove_channel": (alerted, CHANNEL, None, "/channels"),
    "test_channel": (alerted, f"{CHANNEL}/test", None, f"{CHANNEL}/deliveries"),
    "start_upload": (trained, "/datasets/credit/uploads", {"file_name": "a.csv", "size_bytes": 7}, "/activity"),
    "complete_upload": (sending, f"{UPLOAD}/complete", None, UPLOAD),
    "abort_upload": (sending, UPLOAD, None, UPLOAD),
    "create_dataset": (nothing, "/datasets", {"name": "churn"}, "/datasets"),
    "change_dataset": (trained, "/datasets/credit", {"exclude": ["remarks"]}, "/datasets/credit"),
    "put_contract": (trained, "/datasets/credit/contract", NEW, "/datasets/credit/contract"),
    "start_training_run": (trained, "/training/start", {"dataset": "credit"}, "/runs"),
    "stop_a_run": (running, "/runs/{run}/stop", {"reason": "wrong data"}, "stopped"),
    "run_again": (trained, "/runs/{run}/again", None, "/runs"),
    "approve_version": (trained, "/models/credit:1/approve", {"reason": REASON}, "/models/credit:1/detail"),
    "reject_version": (trained, "/models/credit:1/reject", {"reason": REASON}, "/models/credit/history"),
    "deploy_version": (decided, "/models/credit:1/deploy", {"reason": REASON}, "/models/credit/history"),
    "put_alias": (
        decided,
        "/models/credit/aliases/shadow",
        {"version": "credit:1", "reason": REASON},
        "/models/credit",
    ),
    "create_schedule": (
        nothing,
        "/schedules",
        {"name": "daily", "action": "train", "about": "credit", "expression": "rate(1 day)"},
        "/schedules",
    ),
    "change_schedule": (scheduled, f"/schedules/{a_schedule().schedule_id}", {"state": "PAUSED"}, "/schedules"),
    "delete_schedule": (scheduled, f"/schedules/{a_schedule().schedule_id}", None, "/schedules"),
    "run_schedule": (scheduled, f"/schedules/{a_schedule().schedule_id}/run", None, "/runs"),
    "create_api_key": (nothing, "/api-keys", {"name": "ci", "roles": ["viewer"]}, "/api-keys"),
    "revoke_key": (with_a_key, f"/api-keys/{an_api_key().key_id}", None, "/api-keys"),
    "start_batch_upload": (trained, "/inference/batch/uploads", BATCH_FILE, "/activity"),
    "start_batch": (batched, "/inference/batch", BATCH, "/inference/batch"),
    "repeat_batch": (batched, "/inference/batch/batch-1/again", None, "/inference/batch"),
    "send_ground_truth": (
        trained,
        "/inference/ground-truth",
        {"model": "credit", "labels": [{"record_id": "a", "truth": "good"}]},
        "/activity",
    ),
    "start_drift_check": (
        trained,
        "/monitoring/drift",
        {"model": "credit", "number": 1, "first": "2026-11-19T00:00:00Z", "until": "2026-11-20T00:00:00Z"},
        "/runs",
    ),
    "start_row_comparison": (two_versions_with_a_key, "/datasets/credit/diff/rows", COMPARED, "/runs"),
    "predict": (serving, "/inference/predict", PREDICT, "records"),
    "abort_model_rollout": (rolling_out, "/models/credit/rollout/abort", {"reason": REASON}, "/models/credit"),
    "roll_back_model": (decided, "/models/credit/rollback", {"reason": REASON}, "/models/credit/champion"),
}


@pytest.mark.parametrize("endpoint", WRITES, ids=named)
def test_every_write_is_seen_elsewhere(endpoint: Endpoint, api: Api) -> None:
    prepare, path, body, probe = EFFECTS[endpoint.operation_id]
    run_id = prepare(api)

    def seen() -> Any:
        kept = {"stopped": api.world.pipelines.stopped, "records": api.records.records}
        path, _, query = probe.partition("?")
        return list(kept[probe]) if probe in kept else api.get(path, query=dict(parse_qsl(query))).text

    before = seen()
    api.world.clock.pass_time(later(1) - NOON)
    answer = api.call(endpoint.method, path.format(run=run_id), body)

    assert answer.status in (200, 201, 202), answer.text
    assert seen() != before


@pytest.mark.parametrize("endpoint", [each for each in WRITES if body_of(each)], ids=named)
def test_a_body_with_a_field_that_nobody_knows_is_refused_by_name(endpoint: Endpoint, api: Api) -> None:
    api.trained()

    answer = api.call(endpoint.method, path_of(endpoint), {**body_of(endpoint), "surprise": 1})

    assert answer.status == 422
    assert "body.surprise" in [fault["field"] for fault in answer.json["fields"]]
