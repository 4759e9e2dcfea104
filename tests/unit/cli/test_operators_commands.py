"""`millrace restore`, `sweep` and `costs`: what an operator types, what is printed, and what is done."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from millrace import bootstrap
from millrace.adapters.memory import InMemoryEndpoints
from millrace.adapters.memory_recovery import InMemoryObjectHistory, InMemoryRegistryTable
from millrace.bootstrap import Platform
from millrace.cli import app as commands
from millrace.domain.run import Job, RunState, Step
from millrace.ports import ObjectVersion, TableSettings
from millrace.settings import Settings
from tests.builders import ARTIFACTS_BUCKET, NOON, a_run, an_endpoint_use
from tests.unit.use_cases.world import World

GARBAGE = f"s3://{ARTIFACTS_BUCKET}/runs/gone/checkpoints/a"
SETTINGS = TableSettings("expires_at", True, False, {})


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    made.clock._now = NOON
    monkeypatch.setenv("COLUMNS", "200")
    return made


def deploy(monkeypatch: pytest.MonkeyPatch, world: World, **parts: object) -> None:
    settings = Settings(data_bucket="data", artifacts_bucket=ARTIFACTS_BUCKET)
    platform: Platform = bootstrap.platform(settings).with_parts(**vars(world) | parts)
    monkeypatch.setattr(commands, "connect", lambda *_: settings)
    monkeypatch.setattr(commands, "registry_table_settings", lambda _: SETTINGS)
    monkeypatch.setattr(bootstrap, "platform", lambda _: platform)


def typed(*arguments: str) -> Any:
    result = CliRunner().invoke(commands.app, list(arguments))
    assert result.exit_code == 0, result.output
    return result


def version(days: float, *, removed: bool = False, uri: str = GARBAGE) -> ObjectVersion:
    return ObjectVersion(uri, f"{days}", NOON - timedelta(days=days), removed, 10)


def test_restore_says_what_it_would_do_and_then_does_it(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    table = InMemoryRegistryTable("registry", {"a": "1"})
    table.delete(NOON)
    history = InMemoryObjectHistory([version(9), version(1, removed=True)])
    deploy(monkeypatch, world, registry_table=table, object_history=history)
    since = ("--since", f"{NOON - timedelta(days=2):%Y-%m-%dT%H:%M:%SZ}")

    would = typed("restore", *since, "--dry-run").stdout
    assert "would be restored from backup-1" in would
    assert "1 removed object(s) would be brought back" in would
    assert table.items is None

    assert "1 removed object(s) was brought back" in typed("restore", *since).stdout
    assert (table.items, table.settings) == ({"a": "1"}, SETTINGS)
    assert "is there and stays as it is" in typed("restore", *since).stdout


def test_restore_can_be_held_to_a_prefix(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    history = InMemoryObjectHistory([version(9), version(1, removed=True)])
    deploy(monkeypatch, world, registry_table=InMemoryRegistryTable("registry", {}), object_history=history)

    said = typed("restore", "--since", "2026-11-01T00:00:00Z", "--prefix", "s3://data/", "--json").stdout

    assert json.loads(said) == {"dry_run": False, "table": None, "objects": []}


def test_sweep_lists_and_removes_only_when_told_to(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    world.store.write(GARBAGE, b"x")
    deploy(monkeypatch, world, object_history=InMemoryObjectHistory([version(9)]), endpoints=InMemoryEndpoints())

    listed = typed("sweep").stdout
    assert "1 leftover(s), 10 bytes: to be removed with --remove" in listed
    assert "run gone has ended" in listed
    assert [each.uri for each in world.store.list(GARBAGE)] == [GARBAGE]
    assert json.loads(typed("sweep", "--older-than-days", "10", "--json").stdout)["leftovers"] == []

    told = json.loads(typed("sweep", "--remove", "--json").stdout)
    assert (told["removed"], [each["name"] for each in told["leftovers"]]) == (True, [GARBAGE])
    assert list(world.store.list(GARBAGE)) == []


def test_sweep_ends_the_hours_of_the_endpoints_that_it_removes(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    world.endpoint_uses.begin(an_endpoint_use(number=9))
    deploy(monkeypatch, world, object_history=InMemoryObjectHistory([]), endpoints=InMemoryEndpoints())

    assert "there is no endpoint" in typed("sweep").stdout
    assert len(world.endpoint_uses.open()) == 1
    typed("sweep", "--remove")
    assert len(world.endpoint_uses.open()) == 0


def test_costs_are_told_by_month(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    job = Job(service="glue", name="a", machine="G.1X", billable_seconds=3600.0)
    world.ledger.open(a_run("training-1"))
    step = Step(name="A", state=RunState.SUCCEEDED, job=job)
    world.ledger.close("training-1", state=RunState.SUCCEEDED, reason=None, steps=[step], at=NOON)
    deploy(monkeypatch, world)

    of_credit = {"month": "2026-11", "model": "credit", "unknown": 0}
    training = of_credit | {"pipeline": "training", "runs": 1, "cost_usd": 0.44, "hours": 0.0, "at_least": False}
    assert json.loads(typed("costs", "--since", "2026-11", "--json").stdout) == [training]
    assert typed("costs", "--since", "2026-11-01").stdout.startswith("0.4400 USD by list prices of 2026-11")
    assert json.loads(typed("costs", "--since", "2026-12", "--json").stdout) == []

    world.endpoint_uses.begin(an_endpoint_use(minutes=-600, most_machines=2))
    endpoint = {"pipeline": "endpoint", "runs": 0, "cost_usd": pytest.approx(1.15), "hours": 10.0, "at_least": True}
    assert json.loads(typed("costs", "--since", "2026-11", "--json").stdout) == [of_credit | endpoint, training]
    assert "at least 1.5900 USD by list prices of 2026-11" in typed("costs", "--since", "2026-11").stdout


def test_a_version_goes_to_another_environment_by_the_address_that_was_printed(
    monkeypatch: pytest.MonkeyPatch, world: World
) -> None:
    _, (first, *_) = world.trained()
    world.registry.decide("credit", first.number, approve=True, actor="ada", reason="good", at=NOON)
    for file, body in (("serving.json", b"{}"), ("golden.json", b"[]"), ("model.onnx", b"graph")):
        world.store.write(f"{first.artifact_uri.rpartition('/')[0]}/serving/{file}", body)
    deploy(monkeypatch, world)
    address = json.loads(typed("export-version", first.id, "-e", "staging", "--json").stdout)["address"]
    assert f"millrace import-version {address}" in typed("export-version", first.id, "-e", "staging").stdout

    prod = World()
    prod.store = world.store
    deploy(monkeypatch, prod)
    assert "is credit:1 here: PENDING" in typed("import-version", address, "-e", "prod").stdout
    assert json.loads(typed("import-version", address, "-e", "prod", "--json").stdout) == {
        "id": "credit:1",
        "approval": "PENDING",
    }
    assert prod.registry.get("credit", 1).origin is not None
