"""Labels arrive in any order and more than once; what was known last holds."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.domain.event import GroundTruthArrived
from millrace.errors import InvalidInput, NotFound
from millrace.use_cases.record_ground_truth import DayOfTruth, Label, count_ground_truth, record_ground_truth
from millrace.use_cases.record_ground_truth_file import FileOutcome, record_ground_truth_file
from tests.builders import DATA_BUCKET, NOON, later
from tests.unit.use_cases.world import World

PREFIX = f"s3://{DATA_BUCKET}/inference/credit/truth/"


@pytest.fixture
def world() -> World:
    made = World()
    made.trained()
    return made


def send(world: World, *labels: Label, model: str = "credit") -> int:
    return record_ground_truth(
        registry=world.registry,
        store=world.store,
        bus=world.bus,
        clock=world.clock,
        data_bucket=DATA_BUCKET,
        model=model,
        labels=labels,
        actor="ada",
    )


def lines(world: World) -> list[dict[str, Any]]:
    """As a reader goes through them: days in order, files of a day in order."""
    return [json.loads(line) for found in world.store.list(PREFIX) for line in world.store.read(found.uri).splitlines()]


def known(world: World) -> dict[str, Any]:
    return {line["record_id"]: line["label"] for line in lines(world)}


def counted(world: World) -> list[DayOfTruth]:
    return count_ground_truth(
        registry=world.registry, store=world.store, clock=world.clock, data_bucket=DATA_BUCKET, model="credit", days=31
    )


def test_labels_lie_by_the_day_they_are_of_and_are_announced(world: World) -> None:
    assert send(world, Label("a", "good", NOON), Label("b", 1, later(-24 * 60))) == 2

    assert [found.uri.split("/")[-2] for found in world.store.list(PREFIX)] == ["date=2026-11-19", "date=2026-11-20"]
    assert known(world) == {"a": "good", "b": 1}
    assert world.bus.published[-1] == GroundTruthArrived(model="credit", labels=2)
    assert counted(world) == [DayOfTruth(NOON.date(), 1), DayOfTruth(later(-24 * 60).date(), 1)]


def test_the_same_labels_twice_are_one_file(world: World) -> None:
    send(world, Label("a", "good", NOON), Label("b", "bad", NOON))
    send(world, Label("b", "bad", NOON), Label("a", "good", NOON), Label("a", "good", NOON))

    assert len(world.store.list(PREFIX)) == 1
    assert counted(world) == [DayOfTruth(NOON.date(), 2)]


MOMENTS = st.integers(-200_000, 200_000)


@given(st.lists(st.tuples(st.sampled_from("abc"), MOMENTS), min_size=1, max_size=12, unique_by=lambda each: each[1]))
def test_in_whatever_order_labels_arrive_the_latest_of_a_record_holds(told: list[tuple[str, int]]) -> None:
    world = World()
    world.trained()
    for record_id, seconds in told:
        send(world, Label(record_id, seconds, later(seconds)))

    assert known(world) == {record_id: max(at for other, at in told if other == record_id) for record_id, _ in told}


def test_without_a_time_a_label_is_of_now(world: World) -> None:
    send(world, Label("a", True))

    assert [datetime.fromisoformat(line["at"]) for line in lines(world)] == [world.clock.now()]
    assert known(world) == {"a": True}


@pytest.mark.parametrize("other", ["bad", 1, True])
def test_two_truths_of_one_record_at_one_time_are_refused_and_nothing_is_kept(world: World, other: Any) -> None:
    with pytest.raises(InvalidInput, match="two truths"):
        send(world, Label("a", "good", NOON), Label("a", other, NOON))

    assert lines(world) == []


def test_a_model_that_there_is_not_has_no_truth(world: World) -> None:
    with pytest.raises(NotFound):
        send(world, Label("a", "good"), model="debit")


def drop(world: World, body: bytes, key: str = "ground-truth/credit/may.csv") -> FileOutcome | None:
    world.put(key, body)
    return record_ground_truth_file(
        registry=world.registry,
        store=world.store,
        bus=world.bus,
        notifier=world.notifier,
        clock=world.clock,
        data_bucket=DATA_BUCKET,
        key=key,
        object_version=None,
        at=NOON,
    )


@pytest.mark.parametrize(
    "body",
    [
        b"record_id,truth\na,good\nb,bad\n",
        b"\xef\xbb\xbftruth;record_id;remark\r\ngood;a;x\r\nbad;b;y\r\n",
        b'{"record_id": "a", "truth": "good"}\n\n{"record_id": "b", "truth": "bad"}\n',
    ],
)
def test_a_dropped_file_is_read_whatever_its_dialect_and_once_however_often(world: World, body: bytes) -> None:
    assert drop(world, body) == drop(world, body) == FileOutcome(2, 0, ())

    assert known(world) == {"a": "good", "b": "bad"}
    assert len(world.store.list(PREFIX)) == 1
    assert [each for each in world.notifier.sent if each.attributes["kind"] == "ground_truth"] == []


def test_rows_that_say_nothing_are_named_and_the_others_kept(world: World) -> None:
    outcome = drop(world, b"record_id,truth,at\na,good,2026-11-20T13:00:00Z\n,bad,\nc,,\nd,bad,yesterday\n")

    assert outcome is not None
    assert (outcome.labels, outcome.refused) == (1, 3)
    assert [reason.partition(":")[0] for reason in outcome.reasons] == ["line 3", "line 4", "line 5"]
    assert known(world) == {"a": "good"}
    assert "3 rows refused" in world.notifier.sent[-1].message


@pytest.mark.parametrize(
    ("key", "body", "said"),
    [
        ("ground-truth/credit/a.csv", b"id,label\na,good\n", "record_id and truth"),
        ("ground-truth/debit/a.csv", b"record_id,truth\na,good\n", "debit"),
        ("ground-truth/credit/a.parquet", b"PAR1\xff\xfe", "not read"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(world: World, key: str, body: bytes, said: str) -> None:
    outcome = drop(world, body, key)

    assert outcome is not None
    assert (outcome.labels, lines(world)) == (0, [])
    assert said in world.notifier.sent[-1].message


def test_what_lies_deeper_or_elsewhere_is_nobodys_truth(world: World) -> None:
    assert drop(world, b"record_id,truth\na,good\n", "ground-truth/credit/old/a.csv") is None
    assert drop(world, b"record_id,truth\na,good\n", "inference/credit/a.csv") is None
