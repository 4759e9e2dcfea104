"""`millrace audit verify` says whether the trail and the counts hold, also by its exit code."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from millrace import bootstrap
from millrace.adapters.memory import InMemoryTallies
from millrace.bootstrap import Platform
from millrace.cli import app as commands
from millrace.domain.tally import Tally
from millrace.settings import Settings
from tests.builders import NOON
from tests.unit.use_cases.world import World


class StuckTallies(InMemoryTallies):
    """Counts that nobody moves."""

    def now(self) -> Tally:
        return super().now().model_copy(update={"datasets": 7})


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    made.catalog.ensure("credit", at=NOON, actor="ada")
    made.catalog.ensure("churn", at=NOON, actor="ada")
    deploy(monkeypatch, made, InMemoryTallies(made.catalog, made.ledger, made.registry))
    return made


def deploy(monkeypatch: pytest.MonkeyPatch, world: World, tallies: InMemoryTallies) -> None:
    platform: Platform = bootstrap.platform(Settings()).with_parts(**vars(world), tallies=tallies)
    monkeypatch.setattr(commands, "connect", lambda *_: Settings())
    monkeypatch.setattr(bootstrap, "platform", lambda _: platform)


def verify(*options: str) -> Any:
    return CliRunner().invoke(commands.app, ["audit", "verify", *options])


def test_a_whole_trail_and_right_counts_are_a_success(world: World) -> None:
    result = verify()

    assert result.exit_code == 0
    assert "2 entries in 2 chains: whole" in result.stdout
    assert "The kept counts hold." in result.stdout


def test_an_altered_entry_is_named_and_a_failure(world: World) -> None:
    chain = world.audit._chains["dataset:credit"]
    chain[0] = chain[0].model_copy(update={"actor": "eve"})

    result = verify("--json")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["audit"]["faults"] == ["dataset:credit entry 1: it was altered"]


def test_wrong_counts_are_a_failure(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    deploy(monkeypatch, world, StuckTallies(world.catalog, world.ledger, world.registry))

    result = verify()

    assert result.exit_code == 1
    assert "The kept counts differ" in result.stdout
