"""Every night the platform checks by itself what champions were asked: once, and only those that were asked."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from lambdas.events.on_day_ended import DayEnded
from millrace.domain import place
from millrace.domain.drift import DriftRequest, DriftSource
from millrace.use_cases.check_champions import ACTOR, ChampionCheck, check_champions
from millrace.use_cases.move_alias import move_alias
from tests.builders import DATA_BUCKET, NOON
from tests.unit.use_cases.world import World

MIDNIGHT = NOON.replace(hour=0)
DUE = MIDNIGHT + timedelta(minutes=30)
YESTERDAY = MIDNIGHT - timedelta(days=1)


@pytest.fixture
def world() -> World:
    return World()


def checked(world: World, due_at: datetime = DUE) -> list[ChampionCheck]:
    return list(
        check_champions(
            registry=world.registry,
            ledger=world.ledger,
            pipelines=world.pipelines,
            store=world.store,
            clock=world.clock,
            data_bucket=DATA_BUCKET,
            due_at=due_at,
        )
    )


def with_champion(world: World) -> str:
    """The id of the version that answers."""
    _, versions = world.trained()
    version = versions[0]
    world.registry.decide("credit", version.number, approve=True, actor="user:ada", reason="good", at=NOON)
    move_alias(
        registry=world.registry,
        clock=world.clock,
        alias="champion",
        version_id=version.id,
        actor="user:ada",
        reason="good",
        expected=None,
    )
    return version.id


def asked(world: World, day: datetime) -> None:
    address = place.inference_records_uri(DATA_BUCKET, "credit", day.date().isoformat(), "some")
    world.store.write(address, b'{"record_id": "1"}')


def test_a_champions_day_is_checked_from_midnight_to_midnight(world: World) -> None:
    champion = with_champion(world)
    asked(world, YESTERDAY)

    (check,) = checked(world)

    run = world.ledger.get(str(check.run_id))
    request = DriftRequest.model_validate(run.input)
    assert (run.pipeline, run.started_by) == ("drift", ACTOR)
    assert (request.source, request.baseline) == (DriftSource.RECORDS, champion)
    assert (request.first, request.until) == (YESTERDAY, MIDNIGHT)
    assert [started.run_id for started in world.pipelines.started if started.pipeline == "drift"] == [run.run_id]
    (entry,) = world.audit.page_of(f"run:{run.run_id}").items
    assert entry.actor == ACTOR


def test_a_night_that_is_announced_twice_or_late_is_checked_once(world: World) -> None:
    with_champion(world)
    asked(world, YESTERDAY)

    first = checked(world)
    world.clock.pass_time(timedelta(hours=3))

    assert checked(world) == checked(world, DUE + timedelta(hours=20)) == first
    assert len(world.ledger.page(pipeline="drift").items) == 1


def test_the_next_night_is_another_check(world: World) -> None:
    with_champion(world)
    asked(world, YESTERDAY)
    asked(world, MIDNIGHT)

    (first,), (second,) = checked(world), checked(world, DUE + timedelta(days=1))

    assert first.run_id != second.run_id


def test_a_model_that_nobody_asked_costs_no_run_and_says_so(world: World) -> None:
    with_champion(world)
    asked(world, YESTERDAY - timedelta(days=1))

    assert checked(world) == [ChampionCheck("credit", skipped="SKIPPED: nobody asked it anything on 2026-11-19")]
    assert world.ledger.page(pipeline="drift").items == []


def test_a_model_without_a_champion_is_not_looked_at(world: World) -> None:
    world.trained()
    asked(world, YESTERDAY)

    assert checked(world) == []


def test_what_one_model_breaks_with_is_raised_after_the_others_were_checked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_champion(world)
    asked(world, YESTERDAY)
    (good,) = world.registry.models()
    monkeypatch.setattr(world.registry, "models", lambda: [good.model_copy(update={"name": "broken"}), good])
    world.store.write(place.inference_records_uri(DATA_BUCKET, "broken", YESTERDAY.date().isoformat(), "some"), b"{}")
    real = world.registry.model

    def model(name: str) -> object:
        if name == "broken":
            raise ConnectionError("throttled")
        return real(name)

    monkeypatch.setattr(world.registry, "model", model)

    with pytest.raises(ConnectionError) as raised:
        checked(world)
    assert raised.value.__notes__ == ["while the day of broken was to be checked"]
    assert [run.model for run in world.ledger.page(pipeline="drift").items] == ["credit"]


def test_the_schedule_says_when_it_was_due() -> None:
    assert DayEnded.model_validate({"due_at": "2026-11-20T00:30:00Z"}).due_at == DUE
