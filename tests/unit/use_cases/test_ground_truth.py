"""Labels arrive in any order and more than once; what was known last holds."""

from __future__ import annotations

import gzip
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from millrace.domain.audit import Action
from millrace.domain.dataset import Task
from millrace.domain.event import GroundTruthArrived
from millrace.domain.truth import TruthFile
from millrace.errors import InvalidInput, NotFound
from millrace.use_cases.record_ground_truth import (
    DayOfTruth,
    Label,
    count_ground_truth,
    record_ground_truth,
    tell_ground_truth,
)
from millrace.use_cases.record_ground_truth_file import CHUNK, record_ground_truth_file
from tests.builders import DATA_BUCKET, NOON, later
from tests.gauntlet_files import GAUNTLET, HostileFile
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


def test_who_told_labels_over_the_api_is_in_the_audit_trail(world: World) -> None:
    told = [Label("a", "good", NOON), Label("b", 1, later(-24 * 60)), Label("a", "good", NOON)]
    kept = tell_ground_truth(
        registry=world.registry,
        store=world.store,
        bus=world.bus,
        clock=world.clock,
        data_bucket=DATA_BUCKET,
        model="credit",
        labels=told,
        actor="user:ada",
    )

    found = world.audit.page(limit=500).items
    (entry,) = [each for each in found if each.action is Action.GROUND_TRUTH_TOLD]
    assert (entry.subject, entry.actor) == ("model:credit", "user:ada")
    assert entry.detail == {"labels": 2, "days": ["2026-11-19", "2026-11-20"]}
    assert kept == 2
    assert known(world) == {"a": "good", "b": 1}
    assert world.bus.published[-1] == GroundTruthArrived(model="credit", labels=2)


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


def test_a_label_is_of_its_moment_in_utc_whatever_zone_it_is_told_in(world: World) -> None:
    evening = datetime.fromisoformat("2026-11-20T23:30:00-05:00")

    send(world, Label("a", "good", evening))

    assert [line["at"] for line in lines(world)] == ["2026-11-21T04:30:00+00:00"]
    assert [found.uri.split("/")[-2] for found in world.store.list(PREFIX)] == ["date=2026-11-21"]


@pytest.mark.parametrize("other", ["bad", 1, True])
def test_two_truths_of_one_record_at_one_time_are_refused_and_nothing_is_kept(world: World, other: Any) -> None:
    with pytest.raises(InvalidInput, match="two truths"):
        send(world, Label("a", "good", NOON), Label("a", other, NOON))

    assert lines(world) == []


def test_a_model_that_there_is_not_has_no_truth(world: World) -> None:
    with pytest.raises(NotFound):
        send(world, Label("a", "good"), model="debit")


def drop(world: World, body: bytes, key: str = "ground-truth/credit/may.csv") -> TruthFile | None:
    version = world.put(key, body)
    return deliver(world, key, version)


def deliver(world: World, key: str, version: str) -> TruthFile | None:
    return record_ground_truth_file(
        registry=world.registry,
        store=world.store,
        store_factory=lambda: world.store,
        bus=world.bus,
        notifier=world.notifier,
        clock=world.clock,
        data_bucket=DATA_BUCKET,
        key=key,
        object_version=version,
        at=NOON,
    )


def dropped(world: World, body: bytes, key: str = "ground-truth/credit/may.csv") -> TruthFile:
    found = drop(world, body, key)
    assert found is not None
    assert found.rows == found.kept + found.repeated + found.refused
    return found


def aside(world: World, file: TruthFile) -> list[dict[str, Any]]:
    parts = [world.store.read(found.uri) for found in world.store.list(file.quarantine)]
    return [json.loads(line) for part in parts for line in part.splitlines()]


def told(world: World) -> list[str]:
    sent = [each for each in world.notifier.sent if each.attributes["kind"] == "ground_truth"]
    assert all(each.path == f"/monitoring?model={each.attributes['model']}" for each in sent)
    return [each.message for each in sent]


def as_parquet(tmp_path: Path, table: pa.Table) -> bytes:
    pq.write_table(table, tmp_path / "truth.parquet")
    return (tmp_path / "truth.parquet").read_bytes()


TEXT = "record_id,truth,remark\na,good,é\nb,bad,\n"


@pytest.mark.parametrize(
    "body",
    [
        TEXT.encode(),
        TEXT.replace(",", "\t").encode("utf-16"),
        TEXT.encode("latin-1"),
        gzip.compress(TEXT.encode(), mtime=0),
        b"\xef\xbb\xbftruth;record_id;remark\r\ngood;a;x\r\nbad;b;y\r\n",
        b'{"record_id": "a", "truth": "good"}\n\n{"record_id": "b", "truth": "bad"}\n',
        b"PARQUET",
    ],
    ids=["csv", "tabs in utf-16", "latin-1", "gzip", "semicolons", "json lines", "parquet"],
)
def test_a_dropped_file_is_read_whatever_its_dialect(world: World, body: bytes, tmp_path: Path) -> None:
    if body == b"PARQUET":
        body = as_parquet(tmp_path, pa.table({"record_id": ["a", "b"], "truth": ["good", "bad"]}))

    found = dropped(world, body)

    assert (found.rows, found.kept, found.rejection) == (2, 2, None)
    assert known(world) == {"a": "good", "b": "bad"}
    assert told(world) == []


def test_a_delivery_that_repeats_changes_and_tells_nothing(world: World) -> None:
    key = "ground-truth/credit/may.csv"
    version = world.put(key, b"record_id,truth\na,good\n,bad\n")
    first = deliver(world, key, version)
    seen = (lines(world), told(world), world.audit.page(limit=500).items)
    assert first is not None

    assert deliver(world, key, version) == first

    assert (lines(world), told(world), world.audit.page(limit=500).items) == seen
    assert aside(world, first) == [{"line": 3, "text": ",bad", "reasons": ["it has no record_id"]}]
    assert world.registry.truth_file("credit", first.file_id) == first


def test_rows_that_say_nothing_are_set_aside_with_every_reason_and_the_others_kept(world: World) -> None:
    found = dropped(world, b"record_id,truth,at\na,good,2026-11-20T13:00:00Z\n,,\nc,\nd,bad,yesterday\n\0,x,\n")

    assert (found.rows, found.kept, found.refused) == (5, 1, 4)
    assert known(world) == {"a": "good"}
    rows = aside(world, found)
    assert [row["line"] for row in sorted(rows, key=lambda row: row["line"])] == [3, 4, 5, 6]
    by_line = {row["line"]: row for row in rows}
    assert by_line[3]["reasons"] == ["it has no record_id", "it has no truth"]
    assert "yesterday" in by_line[5]["reasons"][0]
    assert "4 rows refused" in told(world)[-1]


def test_what_became_of_a_file_is_in_the_audit_trail(world: World) -> None:
    dropped(world, b"record_id,truth\na,good\na,good\n,x\n")

    found = world.audit.page(limit=500).items
    (entry,) = [each for each in found if each.action is Action.GROUND_TRUTH_RECORDED]
    assert (entry.subject, entry.actor) == ("model:credit", "upload")
    assert entry.detail == {
        "key": "ground-truth/credit/may.csv",
        "rows": 3,
        "kept": 1,
        "repeated": 1,
        "refused": 1,
        "rejection": None,
    }


def test_of_two_truths_of_one_record_at_one_time_the_second_is_set_aside(world: World) -> None:
    found = dropped(world, b"record_id,truth,at\na,good,\na,bad,\na,bad,2026-11-21\n")

    assert (found.refused, found.repeated, found.kept) == (1, 1, 1)
    assert aside(world, found)[0]["reasons"] == ["line 2 has another truth of its record at that time"]
    assert known(world) == {"a": "bad"}


@pytest.mark.parametrize("truth", ["dear", True, "nan", "1e999", 10**400])
def test_a_model_that_predicts_numbers_is_told_no_other_truth(
    world: World, monkeypatch: pytest.MonkeyPatch, truth: Any
) -> None:
    get = world.registry.get
    monkeypatch.setattr(world.registry, "get", lambda *which: get(*which).model_copy(update={"task": Task.REGRESSION}))

    with pytest.raises(InvalidInput, match=r"record 'b' is .*, and credit predicts numbers"):
        send(world, Label("a", 1.5), Label("b", truth))

    assert lines(world) == []
    assert send(world, Label("a", 1.5), Label("b", "12.25"), Label("c", -3)) == 3


def test_a_model_that_predicts_numbers_takes_no_other_truth(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    get = world.registry.get
    monkeypatch.setattr(world.registry, "get", lambda *which: get(*which).model_copy(update={"task": Task.REGRESSION}))

    found = dropped(world, b"record_id,truth\na,1.5\nb,dear\nc,nan\nd,1e999\n")

    assert (found.kept, found.refused) == (1, 3)
    assert known(world) == {"a": "1.5"}
    assert "'dear', and the model predicts numbers" in aside(world, found)[0]["reasons"][0]


CUT = gzip.compress(b"record_id,truth\n" + b"".join(b"%d,good\n" % n for n in range(60_000)), mtime=0)[:-2000]


@pytest.mark.parametrize(
    ("key", "body", "said"),
    [
        ("ground-truth/credit/a.csv", b"id,label\na,good\n", "record_id and truth"),
        ("ground-truth/debit/a.csv", b"record_id,truth\na,good\n", "debit"),
        ("ground-truth/credit/a.parquet", b"PAR1\xff\xfe", "Parquet"),
        ("ground-truth/credit/a.csv.gz", CUT, "damaged"),
        ("ground-truth/credit/a.csv", b"", "empty"),
        ("ground-truth/credit/a.xlsx", b"PK\x03\x04" + b"\0" * 60, "a.xlsx"),
        ("ground-truth/credit/a.csv", b"record_id,record_id,truth\na,b,good\n", "twice"),
    ],
)
def test_a_file_that_cannot_be_read_to_its_end_leaves_nothing_and_is_told(
    world: World, key: str, body: bytes, said: str
) -> None:
    found = dropped(world, body, key)

    assert (found.rows, lines(world), aside(world, found)) == (0, [], [])
    assert said in (found.rejection or "")
    assert said in told(world)[-1]


HOSTILE = st.lists(
    st.tuples(st.text(max_size=8), st.one_of(st.text(max_size=8), st.sampled_from(["good", "bad", ""]))), max_size=30
)


@settings(deadline=None)
@given(HOSTILE)
def test_whatever_the_rows_hold_each_is_kept_or_repeated_or_set_aside(rows: list[tuple[str, str]]) -> None:
    world = World()
    world.trained()
    body = "".join(json.dumps({"record_id": key, "truth": truth}) + "\n" for key, truth in rows)

    found = dropped(world, ('{"record_id": "first", "truth": "good"}\n' + body).encode())

    assert found.rows == len(rows) + 1
    assert len(aside(world, found)) == found.refused
    told_first: dict[str, str] = {}
    for key, truth in rows:
        if key.strip() and truth.strip() and not {"\0", "\ufffd"} & set(key + truth):
            told_first.setdefault(key.strip(), truth.strip())
    assert known(world) == {"first": "good", **told_first} | ({"first": "good"})


@pytest.mark.parametrize("case", GAUNTLET, ids=lambda case: case.name)
def test_a_hostile_file_is_counted_to_the_last_row_or_refused(world: World, case: HostileFile) -> None:
    found = dropped(world, case.body(), f"ground-truth/credit/{case.name}")

    assert (found.rejection is None) == (found.rows > 0)
    assert found.kept == len(lines(world))


def test_a_long_file_holds_only_a_chunk_of_labels_in_memory(world: World) -> None:
    rows = 3 * CHUNK + 5
    found = dropped(world, b"record_id,truth\n" + b"".join(b"%d,good\n" % n for n in range(rows)))

    assert found.kept == rows
    assert len(world.store.list(PREFIX)) == 4
    assert len(lines(world)) == rows


def test_what_lies_deeper_or_elsewhere_is_nobodys_truth(world: World) -> None:
    assert drop(world, b"record_id,truth\na,good\n", "ground-truth/credit/old/a.csv") is None
    assert drop(world, b"record_id,truth\na,good\n", "inference/credit/a.csv") is None
