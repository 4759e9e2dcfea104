"""The governor on a platform of fakes: what it finds out, what it decides, and that it starts a run once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from millrace.domain.event import DriftDetected
from millrace.domain.retraining import RetrainingDecision, RetrainingFacts, RetrainingReason
from millrace.domain.run import Job, RunState, Step
from millrace.use_cases.govern_retraining import govern_retraining, retraining_facts
from tests.builders import a_quality, later
from tests.unit.use_cases.world import ROWS, World


def governs(world: World, report: str = "report-1") -> RetrainingDecision:
    event = DriftDetected.model_validate(
        {
            "report_id": report,
            "model": "credit",
            "kind": "data",
            "verdict": "DRIFT",
            "severity": "MAJOR",
            "sentence": "`age` rose by 1.2 sd.",
        }
    )
    return govern_retraining(
        catalog=world.catalog,
        registry=world.registry,
        ledger=world.ledger,
        pipelines=world.pipelines,
        log=world.retraining,
        clock=world.clock,
        event=event,
    )


def known(world: World) -> RetrainingFacts:
    return retraining_facts(
        catalog=world.catalog, registry=world.registry, ledger=world.ledger, clock=world.clock, model="credit"
    )


def champion(world: World, **retraining: Any) -> None:
    """credit:1 of dataset version 1 serves, and its training ended."""
    run, _ = world.trained(training={"on_new_version": False}, retraining={"cool_down_hours": 1, **retraining})
    job = Job(service="sagemaker", name="j", machine="ml.m5.large", billable_seconds=3600)
    step = Step(name="TrainOnSpot", state=RunState.SUCCEEDED, job=job)
    world.ledger.close(run.run_id, state=RunState.SUCCEEDED, reason=None, steps=[step], at=later(5))
    world.registry.decide("credit", 1, approve=True, actor="bob", reason="good", at=later(6))
    world.registry.move_alias("credit", "champion", 1, expected=None, actor="bob", reason="good", at=later(7))
    world.clock.pass_time(timedelta(hours=2))


def new_labels(world: World, rows: int = 990) -> None:
    world.ready("uploads/credit/june.csv", ROWS + b"3,9,9,own,new,good\n", quality=a_quality(accepted=rows))


def test_without_new_labels_retraining_cannot_help(world: World) -> None:
    champion(world)
    decision = governs(world)

    assert (decision.start, decision.reason, decision.run_id) == (False, RetrainingReason.NO_NEW_LABELS, None)
    assert "no new labels since v1, which credit:1 was trained on" in decision.sentence


def test_with_new_labels_one_run_starts_however_often_drift_asks(world: World) -> None:
    champion(world)
    new_labels(world)
    before = len(world.ledger.list())

    first = governs(world, "report-1")
    again = governs(world, "report-1")
    other = governs(world, "report-2")

    assert first.start
    assert again == first
    assert (other.start, other.reason) == (False, RetrainingReason.RUN_IN_FLIGHT)
    runs = world.ledger.list()
    assert len(runs) == before + 1
    assert (runs[0].run_id, runs[0].started_by, runs[0].dataset_version) == (first.run_id, "governor", 2)
    assert "`age` rose by 1.2 sd." in runs[0].input["reason"]


def test_a_run_that_was_allowed_and_never_started_starts_when_the_event_comes_again(world: World) -> None:
    champion(world)
    new_labels(world)
    decision = governs(world)
    world.ledger._runs.pop(str(decision.run_id))

    assert governs(world) == decision
    assert world.ledger.get(str(decision.run_id)).state is RunState.RUNNING


def test_every_refusal_is_kept_latest_first(world: World) -> None:
    champion(world)
    for number in range(3):
        world.clock.pass_time(timedelta(minutes=1))
        governs(world, f"report-{number}")

    kept = world.retraining.page("credit").items
    assert [decision.decision_id for decision in kept] == ["report-2", "report-1", "report-0"]
    assert all("report-" in decision.trigger for decision in kept)


def test_the_days_spending_and_the_estimate_come_from_the_costs_of_runs(world: World) -> None:
    champion(world, daily_spend_cap_usd=0.2)
    new_labels(world)

    facts = known(world)
    assert round(facts.spent_today_usd, 3) == 0.115
    assert facts.estimate_usd is not None
    assert governs(world).reason is RetrainingReason.SPEND_CAP

    world.clock.pass_time(timedelta(days=1))
    assert known(world).spent_today_usd == 0.0
    assert governs(world, "tomorrow").start


def test_what_it_finds_out(world: World) -> None:
    champion(world)
    new_labels(world, rows=321)
    facts = known(world)

    assert (facts.champion, facts.champion_version, facts.newest_version) == ("credit:1", 1, 2)
    assert (facts.new_rows, facts.trained_as, facts.run_in_flight) == (321, None, None)


def test_a_version_that_cannot_be_trained_on_is_refused_in_words(world: World) -> None:
    champion(world)
    new_labels(world)
    world.configure(exclude=["id", "age", "income", "home", "remarks"])

    decision = governs(world)

    assert (decision.start, decision.reason) == (False, RetrainingReason.IMPOSSIBLE)
    assert decision.sentence.startswith("Training cannot start: ")
