"""However long a batch is, no function of its path reads a row: they read reports, which do not grow with it."""

from __future__ import annotations

import json

import pytest

from millrace.domain import place
from millrace.domain.batch import BatchReport
from millrace.domain.run import Run
from millrace.use_cases.check_batch import check_batch
from millrace.use_cases.plan_batch import plan_batch
from millrace.use_cases.record_batch import record_batch
from millrace.use_cases.start_batch_inference import predict_dropped_file
from tests.builders import ARTIFACTS_BUCKET, DATA_BUCKET, NOON, later
from tests.unit.use_cases.world import World

TEN_MILLION = 10_000_000
KEY = "inference/credit/may.csv"


@pytest.fixture
def world() -> World:
    made = World()
    made.trained()
    made.registry.decide("credit", 1, approve=True, actor="ada", reason="good", at=later(1))
    made.registry.move_alias("credit", "champion", 1, expected=None, actor="ada", reason="good", at=later(2))
    return made


@pytest.fixture
def opened(world: World, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses of all objects of which a byte was asked for."""
    found: list[str] = []
    read, open_ = world.store.read, world.store.open
    monkeypatch.setattr(world.store, "read", lambda uri, **more: found.append(uri) or read(uri, **more))
    monkeypatch.setattr(world.store, "open", lambda uri, **more: found.append(uri) or open_(uri, **more))
    return found


def arrived(world: World) -> Run:
    version = world.put(KEY, b"age,home\n" + b"30,own\n" * 1000)
    run = predict_dropped_file(
        ledger=world.ledger,
        pipelines=world.pipelines,
        bucket=DATA_BUCKET,
        key=KEY,
        object_version=version,
        at=NOON,
    )
    assert run is not None
    return run


def left_by_the_jobs(world: World, run: Run) -> None:
    location = run.input["location"]
    report = BatchReport(
        job_id=run.run_id,
        rows_in=TEN_MILLION,
        accepted=TEN_MILLION - 1,
        quarantined=1,
        shards=800,
        record_ids="generated",
    )
    world.store.write(f"{location}report.json", report.model_dump_json().encode())
    for name in ("rows/part-00000-00000.arrow", "quarantine/part-00000-000.jsonl"):
        world.store.write(f"{location}{name}", b"rows")
    for name in ("scores/part-00000-00000.arrow.out", "results/part-00000.parquet", "results/results.csv"):
        world.store.write(f"{location}{name}", b"of an attempt before")


def test_ten_million_rows_pass_through_no_functions_memory(
    world: World, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    get, inputs = world.registry.get, [{"name": "age", "kind": "integer"}]
    with_inputs = {"signature": {"inputs": inputs}}
    monkeypatch.setattr(world.registry, "get", lambda *which: get(*which).model_copy(update=with_inputs))
    run = arrived(world)
    given = {name: run.input[name] for name in ("run_id", "model", "source_uri", "object_version", "location")}
    plan_batch(
        catalog=world.catalog,
        registry=world.registry,
        store=world.store,
        clock=world.clock,
        artifacts_bucket=ARTIFACTS_BUCKET,
        number=None,
        record_id_column="record_id",
        **given,
    )
    left_by_the_jobs(world, run)
    location = run.input["location"]
    checked = check_batch(store=world.store, run_id=run.run_id, location=location)
    world.store.write(f"{location}results/join.json", json.dumps({"rows": TEN_MILLION - 1}).encode())
    recorded = record_batch(
        ledger=world.ledger,
        store=world.store,
        bus=world.bus,
        notifier=world.notifier,
        metrics=world.metrics,
        run_id=run.run_id,
        model="credit",
        number=1,
        location=location,
    )

    assert (checked["rows_in"], recorded["rows"], recorded["rejected"]) == (TEN_MILLION, TEN_MILLION - 1, 1)
    assert world.notifier.sent[-1].path == f"/predictions/{run.run_id}"
    assert set(opened) == {f"{location}report.json", f"{location}results/join.json"}
    size = max(world.store.head(uri).size_bytes for uri in opened)
    assert size < 1000
    assert place.uri(DATA_BUCKET, KEY) not in opened
