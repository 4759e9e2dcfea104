"""Every RunLedger: a run is opened once, closed once, and found again."""

from __future__ import annotations

import pytest

from millrace.domain.run import RunState, Step
from millrace.errors import NotFound
from millrace.ports import RunLedger
from tests.builders import a_run, later
from tests.contract.concurrency import all_at_once

STEPS = [Step(name="PlanTraining", state=RunState.FAILED, started_at=later(0), ended_at=later(1), reason="no target")]


def test_a_run_is_opened_once(ledger: RunLedger) -> None:
    first = ledger.open(a_run(started_by="ada"))

    again = ledger.open(a_run(started_by="bob"))

    assert again == first == ledger.get("training-1")


def test_a_run_that_was_never_opened_is_not_found(ledger: RunLedger) -> None:
    with pytest.raises(NotFound, match="training-9"):
        ledger.get("training-9")
    with pytest.raises(NotFound):
        ledger.annotate("training-9", outcome="nothing")
    with pytest.raises(NotFound):
        ledger.close("training-9", state=RunState.FAILED, reason="", steps=[], at=later(1))


def test_runs_are_listed_newest_first_and_no_more_than_asked_for(ledger: RunLedger) -> None:
    for minute in (2, 0, 1):
        ledger.open(a_run(f"training-{minute}", minutes=minute))

    assert [run.run_id for run in ledger.list()] == ["training-2", "training-1", "training-0"]
    assert [run.run_id for run in ledger.list(limit=2)] == ["training-2", "training-1"]


def test_runs_are_found_by_pipeline_and_state(ledger: RunLedger) -> None:
    ledger.open(a_run("ingest-1", pipeline="ingest"))
    ledger.open(a_run("ingest-2", pipeline="ingest", minutes=1))
    ledger.open(a_run("training-1", minutes=2))
    ledger.close("ingest-1", state=RunState.FAILED, reason="empty", steps=[], at=later(3))

    assert [run.run_id for run in ledger.list(pipeline="ingest")] == ["ingest-2", "ingest-1"]
    assert [run.run_id for run in ledger.list(state=RunState.RUNNING)] == ["training-1", "ingest-2"]
    assert [run.run_id for run in ledger.list(pipeline="ingest", state=RunState.FAILED)] == ["ingest-1"]


def test_annotations_add_up(ledger: RunLedger) -> None:
    ledger.open(a_run())

    ledger.annotate("training-1", dataset_version=3)
    ledger.annotate("training-1", outcome="three versions")

    run = ledger.get("training-1")
    assert (run.dataset_version, run.outcome, run.state) == (3, "three versions", RunState.RUNNING)


def test_a_closed_run_keeps_its_end_its_reason_and_its_steps(ledger: RunLedger) -> None:
    ledger.open(a_run())

    assert ledger.close("training-1", state=RunState.FAILED, reason="no target", steps=STEPS, at=later(2))

    run = ledger.get("training-1")
    assert (run.state, run.reason, run.ended_at, run.steps) == (
        RunState.FAILED,
        "no target",
        later(2),
        tuple(STEPS),
    )
    assert list(ledger.list()) == [run]


def test_the_first_close_wins(ledger: RunLedger) -> None:
    ledger.open(a_run())
    ledger.close("training-1", state=RunState.FAILED, reason="first", steps=STEPS, at=later(2))

    assert not ledger.close("training-1", state=RunState.SUCCEEDED, reason=None, steps=[], at=later(3))

    assert ledger.get("training-1").reason == "first"


def test_one_of_many_closes_at_once_wins(ledger: RunLedger) -> None:
    ledger.open(a_run())

    won, errors = all_at_once(
        [
            lambda number=number: ledger.close(
                "training-1", state=RunState.FAILED, reason=f"reason {number}", steps=[], at=later(number)
            )
            for number in range(10)
        ]
    )

    assert errors == []
    assert sorted(won) == [False] * 9 + [True]


def test_an_annotation_and_a_close_at_once_are_both_kept(ledger: RunLedger) -> None:
    ledger.open(a_run())

    _, errors = all_at_once(
        [
            lambda: ledger.annotate("training-1", outcome="registered"),
            lambda: ledger.annotate("training-1", dataset_version=4),
            lambda: ledger.close("training-1", state=RunState.SUCCEEDED, reason=None, steps=[], at=later(1)),
        ]
    )

    run = ledger.get("training-1")
    assert errors == []
    assert (run.outcome, run.dataset_version, run.state) == ("registered", 4, RunState.SUCCEEDED)
