"""Kept counts equal a count of everything, whatever happened, and reading them takes the same few requests."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple

import pytest

from millrace.adapters.dynamodb import (
    DynamoDatasetCatalog,
    DynamoModelRegistry,
    DynamoRunLedger,
    DynamoTallies,
    Table,
)
from millrace.adapters.memory import (
    InMemoryDatasetCatalog,
    InMemoryModelRegistry,
    InMemoryRunLedger,
    InMemoryTallies,
)
from millrace.domain.dataset import UploadState
from millrace.domain.model import ApprovalState
from millrace.domain.run import Job, RunState, Step
from millrace.domain.tally import DayTally, Tally
from millrace.ports import DatasetCatalog, ModelRegistry, RunLedger, Tallies
from millrace.use_cases.check_tallies import TallyCheck, check_tallies
from tests.builders import NOON, a_contract, a_model_version, a_run, an_upload, later, prepared
from tests.contract.concurrency import all_at_once
from tests.contract.conftest import IMPLEMENTATIONS


class World(NamedTuple):
    catalog: DatasetCatalog
    ledger: RunLedger
    registry: ModelRegistry
    tallies: Tallies


@pytest.fixture(params=IMPLEMENTATIONS)
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "memory":
        parts = (InMemoryDatasetCatalog(), InMemoryRunLedger(), InMemoryModelRegistry())
        return World(*parts, InMemoryTallies(*parts))
    table = request.getfixturevalue("table")
    return World(DynamoDatasetCatalog(table), DynamoRunLedger(table), DynamoModelRegistry(table), DynamoTallies(table))


def check(world: World) -> TallyCheck:
    return check_tallies(catalog=world.catalog, ledger=world.ledger, registry=world.registry, tallies=world.tallies)


def close(world: World, run_id: str, state: RunState) -> bool:
    return world.ledger.close(run_id, state=state, reason=None, steps=[], at=later(1))


def candidate(world: World, model: str, run_id: str) -> None:
    number = world.registry.claim_number(model, dataset=model, run_id=run_id, algorithm="xgboost", at=NOON)
    world.registry.register(a_model_version(number, model=model, run_id=run_id), actor="training")


def a_busy_day(world: World) -> None:
    """Everything that is counted, each change also repeated."""
    for _ in range(2):
        for name in ("credit", "churn", "flights"):
            world.catalog.ensure(name, at=NOON, actor="ada")
        for name in ("a.csv", "b.csv"):
            upload = world.catalog.open_upload(an_upload(name))
            if upload.state != UploadState.REJECTED:
                world.catalog.claim_content(upload, location_prefix="s3://d/x", quarantine_prefix="s3://d/q", at=NOON)
        world.catalog.accept_version(prepared(world.catalog.version("credit", 1)), a_contract())
        world.catalog.reject_upload(an_upload("b.csv"), ["torn"])
        for number in range(12):
            world.ledger.open(a_run(f"run-{number}", pipeline="ingest" if number % 4 == 0 else "training"))
        for number in range(6):
            close(world, f"run-{number}", RunState.FAILED if number % 2 else RunState.SUCCEEDED)
        for model, run_id in (("credit", "run-1"), ("credit", "run-2"), ("churn", "run-3"), ("credit", "run-5")):
            candidate(world, model, run_id)
    world.registry.decide("credit", 1, approve=True, actor="ada", reason="good", at=NOON)
    world.registry.decide("churn", 1, approve=False, actor="ada", reason="bad", at=NOON)


def test_nothing_is_nothing(world: World) -> None:
    assert world.tallies.now() == Tally(model_versions=dict.fromkeys(ApprovalState, 0), runs={})
    assert list(world.tallies.days(NOON.date(), NOON.date())) == []


def test_the_counts_say_what_there_is(world: World) -> None:
    a_busy_day(world)

    assert world.tallies.now() == Tally(
        datasets=3,
        dataset_versions=1,
        models=2,
        model_versions={ApprovalState.PENDING: 2, ApprovalState.APPROVED: 1, ApprovalState.REJECTED: 1},
        runs={
            "ingest": {RunState.RUNNING: 1, RunState.SUCCEEDED: 2},
            "training": {RunState.RUNNING: 5, RunState.SUCCEEDED: 1, RunState.FAILED: 3},
        },
    )


def test_kept_counts_equal_a_recount(world: World) -> None:
    a_busy_day(world)

    found = check(world)

    assert found.agrees
    assert found.kept == found.counted == world.tallies.now()


def test_a_wrong_count_is_found(table: Table, dynamodb: Any) -> None:
    world = World(DynamoDatasetCatalog(table), DynamoRunLedger(table), DynamoModelRegistry(table), DynamoTallies(table))
    a_busy_day(world)
    table.write(table.add("TALLY", "TOTAL#3", {"datasets": 1}))

    found = check(world)

    assert not found.agrees
    assert (found.kept.datasets, found.counted.datasets) == (4, 3)


def test_runs_are_counted_on_the_day_they_started_with_what_became_of_them(world: World) -> None:
    for number, days in enumerate((0, 0, 1, 3)):
        world.ledger.open(a_run(f"run-{number}", minutes=days * 24 * 60))
    close(world, "run-0", RunState.FAILED)
    close(world, "run-3", RunState.SUCCEEDED)
    today = NOON.date()

    first, second, last = world.tallies.days(today, today + timedelta(days=3))

    assert first == DayTally(day=today, runs={"training": {RunState.RUNNING: 1, RunState.FAILED: 1}})
    assert second == DayTally(day=today + timedelta(days=1), runs={"training": {RunState.RUNNING: 1}})
    assert last == DayTally(day=today + timedelta(days=3), runs={"training": {RunState.SUCCEEDED: 1}})
    assert [each.day for each in world.tallies.days(today + timedelta(days=1), today + timedelta(days=2))] == [
        second.day
    ]


def test_what_jobs_cost_is_counted_once_on_the_day_their_run_started(world: World) -> None:
    job = Job(service="sagemaker", name="train", machine="ml.m5.large", billable_seconds=3600)
    steps = [Step(name="Train", state=RunState.SUCCEEDED, job=job)] * 2
    world.ledger.open(a_run("run-1"))
    for _ in range(2):
        world.ledger.close("run-1", state=RunState.FAILED, reason="torn", steps=steps, at=later(2 * 24 * 60))

    (day,) = world.tallies.days(NOON.date(), NOON.date() + timedelta(days=3))

    assert (day.day, day.cost_usd) == (NOON.date(), 0.23)
    assert world.tallies.now().cost_micro_usd == 230_000
    assert check(world).agrees


def test_runs_that_open_and_close_at_the_same_moment_are_all_counted(world: World) -> None:
    opening = [partial(world.ledger.open, a_run(f"run-{number}")) for number in range(12)]
    all_at_once(opening)

    # Two closes of each: one wins.
    closing = [partial(close, world, f"run-{number}", RunState.SUCCEEDED) for number in range(12)]
    won, errors = all_at_once(closing + closing)

    assert errors == []
    assert sum(won) == 12
    assert world.tallies.now().runs == {"training": {RunState.SUCCEEDED: 12}}
    assert check(world).agrees


@pytest.mark.parametrize("count", [1, 60])
def test_reading_the_counts_takes_one_request_however_many_runs_there_are(
    table: Table, dynamodb: Any, count: int
) -> None:
    ledger, tallies = DynamoRunLedger(table), DynamoTallies(table)
    for number in range(count):
        ledger.open(a_run(f"run-{number}"))
    asked: list[str] = []
    dynamodb.meta.events.register("before-call.dynamodb", lambda model, **_: asked.append(model.name))

    assert tallies.now().runs == {"training": {RunState.RUNNING: count}}
    assert asked == ["Query"]
