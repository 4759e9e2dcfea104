"""Schedules: made, changed, fired once for each time, and refused where they cannot be kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from millrace import names
from millrace.domain.drift import DriftRequest
from millrace.domain.run import RunState
from millrace.domain.schedule import FiringOutcome, Schedule, ScheduledAction, ScheduleState
from millrace.errors import ChangedMeanwhile, InvalidInput, NotAllowed, NotFound
from millrace.use_cases.approve_model_version import check_four_eyes
from millrace.use_cases.fire_schedule import ACTIONS, Means, fire_due, run_now
from millrace.use_cases.keep_schedule import change_schedule, create_schedule, delete_schedule
from tests.builders import DATA_BUCKET, NOON, later
from tests.unit.use_cases.world import World


@pytest.fixture
def world() -> World:
    made = World()
    made.configure(target="status")
    made.ready()
    return made


def means(world: World) -> Means:
    return Means(world.catalog, world.registry, world.ledger, world.pipelines, world.store, world.clock, DATA_BUCKET)


def made(world: World, **facts: Any) -> Schedule:
    known = {"name": "hourly", "action": ScheduledAction.TRAIN, "about": "credit", "expression": "rate(1 hour)"}
    return create_schedule(
        schedules=world.schedules, timer=world.timer, clock=world.clock, **{**known, "actor": "user:ada", **facts}
    )


def changed(world: World, schedule: Schedule, *, revision: int | None = None, **changes: Any) -> Schedule:
    return change_schedule(
        schedules=world.schedules,
        timer=world.timer,
        clock=world.clock,
        schedule_id=schedule.schedule_id,
        changes=changes,
        actor="user:bob",
        revision=revision,
    )


def due(world: World, schedule: Schedule, at: Any = None) -> Any:
    due_at = at or schedule.starts_at or NOON
    return fire_due(schedules=world.schedules, means=means(world), schedule_id=schedule.schedule_id, due_at=due_at)


def trainings(world: World) -> list[str]:
    return [started.run_id for started in world.pipelines.started if started.pipeline == names.TRAINING_PIPELINE]


class TestKeeping:
    def test_a_rate_begins_one_step_from_now_and_the_timer_is_told(self, world: World) -> None:
        schedule = made(world)

        assert schedule.next_times(NOON, 2) == [later(60), later(120)]
        assert world.timer.set_to[schedule.schedule_id] == (schedule, later(60))
        assert world.schedules.get(schedule.schedule_id) == schedule

    def test_a_cron_begins_at_once_unless_it_is_told_to_wait(self, world: World) -> None:
        assert world.timer.set_to[made(world, expression="cron(0 6 * * ? *)").schedule_id].begin_at is None
        waiting = made(world, name="late", expression="cron(0 6 * * ? *)", starts_at=later(60 * 48))
        assert world.timer.set_to[waiting.schedule_id].begin_at == later(60 * 66)

    @pytest.mark.parametrize(
        ("facts", "words"),
        [
            ({"expression": "hourly"}, "no expression"),
            ({"timezone": "Mars/Olympus"}, "time zone"),
            ({"expression": "cron(0 0 1 1 ? 2025)"}, "not due in the coming years"),
            ({"about": "No Name"}, "lowercase"),
        ],
    )
    def test_what_would_never_wake_anybody_is_refused_and_nothing_is_kept(
        self, facts: dict[str, str], words: str, world: World
    ) -> None:
        with pytest.raises(InvalidInput, match=words):
            made(world, **facts)

        assert world.schedules.page().items == []
        assert world.timer.set_to == {}

    def test_pausing_stops_the_timer_and_resuming_goes_on_in_the_old_rhythm(self, world: World) -> None:
        schedule = made(world)
        paused = changed(world, schedule, state=ScheduleState.PAUSED)
        assert paused.next_times(NOON, 3) == []
        assert world.timer.set_to[schedule.schedule_id].schedule.state is ScheduleState.PAUSED

        world.clock.pass_time(timedelta(minutes=150))
        changed(world, schedule, state=ScheduleState.ACTIVE)

        assert world.timer.set_to[schedule.schedule_id].begin_at == later(180)

    def test_a_new_rate_counts_from_now(self, world: World) -> None:
        schedule = made(world)
        world.clock.pass_time(timedelta(minutes=10))

        assert changed(world, schedule, expression="rate(2 hours)").starts_at == later(130)
        assert changed(world, schedule, name="renamed").starts_at == later(130)

    def test_a_change_of_what_somebody_else_changed_is_refused(self, world: World) -> None:
        schedule = made(world)
        changed(world, schedule, name="mine")

        with pytest.raises(ChangedMeanwhile):
            changed(world, schedule, revision=1, name="theirs")
        assert world.schedules.get(schedule.schedule_id).name == "mine"

    def test_repeating_a_change_sets_the_timer_again_and_is_no_change(self, world: World) -> None:
        schedule = made(world)
        changed(world, schedule, name="new")
        world.timer.set_to.clear()

        assert changed(world, schedule, name="new").revision == 2
        assert schedule.schedule_id in world.timer.set_to

    def test_what_a_schedule_does_is_not_changed(self, world: World) -> None:
        with pytest.raises(InvalidInput, match="action"):
            changed(world, made(world), action=ScheduledAction.SCORE)

    def test_a_deleted_one_is_gone_with_its_timer(self, world: World) -> None:
        schedule = made(world)
        delete_schedule(
            schedules=world.schedules, timer=world.timer, schedule_id=schedule.schedule_id, actor="user:ada"
        )

        assert world.timer.set_to == {}
        assert due(world, schedule) is None
        assert trainings(world) == []


class TestFiring:
    def test_when_it_is_due_a_run_starts_that_goes_back_to_its_maker(self, world: World) -> None:
        schedule = made(world)

        firing = due(world, schedule)

        run = world.ledger.get(str(firing.run_id))
        assert (firing.outcome, firing.due_at, firing.actor) == (FiringOutcome.STARTED, later(60), schedule.actor)
        assert (run.state, run.started_by, run.input["requested_by"]) == (RunState.RUNNING, schedule.actor, "user:ada")
        assert world.schedules.get(schedule.schedule_id).last_firing == firing

    def test_one_time_is_one_run_however_often_it_is_announced(self, world: World) -> None:
        schedule = made(world)

        firings = [due(world, schedule) for _ in range(3)]

        assert firings == firings[:1] * 3
        assert len(trainings(world)) == 1
        due(world, schedule, later(120))
        assert len(trainings(world)) == 2

    def test_a_firing_that_died_half_way_starts_no_second_run(self, world: World) -> None:
        schedule = made(world)
        record, world.schedules.record = world.schedules.record, lambda firing: firing  # type: ignore[method-assign]
        due(world, schedule)
        world.schedules.record = record  # type: ignore[method-assign]
        world.ready(body=b"id,age,income,home,remarks,status\n3,31,2,own,x,good\n4,41,2,own,x,bad\n")

        due(world, schedule)

        assert len(trainings(world)) == 1
        assert len(world.schedules.firings(schedule.schedule_id, limit=9)) == 1

    def test_a_paused_one_starts_nothing_when_its_time_comes(self, world: World) -> None:
        schedule = made(world)
        changed(world, schedule, state=ScheduleState.PAUSED)

        assert due(world, schedule) is None
        assert trainings(world) == []

    def test_what_cannot_be_done_this_time_is_recorded_with_why(self, world: World) -> None:
        schedule = made(world, about="unknown")

        firing = due(world, schedule)

        assert (firing.outcome, firing.run_id) == (FiringOutcome.REFUSED, None)
        assert "unknown" in str(firing.reason)

    def test_a_failure_is_not_recorded_so_that_it_is_tried_again(self, world: World) -> None:
        schedule = made(world)

        def broken(*_: Any) -> bool:
            raise ConnectionError("the service does not answer")

        start, world.pipelines.start = world.pipelines.start, broken  # type: ignore[method-assign]
        with pytest.raises(ConnectionError):
            due(world, schedule)
        world.pipelines.start = start  # type: ignore[method-assign]

        assert due(world, schedule).outcome is FiringOutcome.STARTED

    def test_the_champion_scores_the_newest_version_once_for_each_time(self, world: World) -> None:
        world.trained()
        schedule = made(world, action=ScheduledAction.SCORE)
        assert due(world, schedule).outcome is FiringOutcome.REFUSED  # nobody is champion yet
        world.registry.decide("credit", 1, approve=True, actor="bob", reason="good", at=NOON)
        world.registry.move_alias("credit", "champion", 1, expected=None, actor="bob", reason="live", at=NOON)

        firings = [due(world, schedule, later(120)) for _ in range(2)]

        run = world.ledger.get(firings[0].run_id)
        newest = world.catalog.get("credit").latest_ready_version
        assert firings[0] == firings[1]
        assert (run.pipeline, run.model, run.started_by) == (names.BATCH_INFERENCE_PIPELINE, "credit", schedule.actor)
        assert run.input["source_uri"] == f"{world.catalog.version('credit', newest).location}data/"
        assert run.input["number"] == 1

    @pytest.mark.parametrize(
        ("expression", "at", "first"),
        [
            ("rate(2 hours)", later(120), NOON),
            ("rate(40 days)", later(0), NOON - timedelta(days=31)),
            ("cron(0 6 * * ? *)", NOON + timedelta(hours=18), NOON - timedelta(hours=6)),
            ("cron(0/1 * * * ? *)", later(5), later(4)),
            ("cron(0 6 1 1 ? *)", NOON, NOON - timedelta(days=31)),
        ],
    )
    def test_a_drift_check_is_about_what_was_asked_since_the_time_before(
        self, expression: str, at: Any, first: Any, world: World
    ) -> None:
        world.trained()
        schedule = made(world, action=ScheduledAction.CHECK_DRIFT, expression=expression)
        refused = due(world, schedule, at - timedelta(seconds=1))
        assert (refused.outcome, "no champion" in refused.reason) == (FiringOutcome.REFUSED, True)
        world.registry.decide("credit", 1, approve=True, actor="bob", reason="good", at=NOON)
        world.registry.move_alias("credit", "champion", 1, expected=None, actor="bob", reason="live", at=NOON)

        firings = [due(world, schedule, at) for _ in range(2)]

        run = world.ledger.get(firings[0].run_id)
        request = DriftRequest.model_validate(run.input)
        assert firings[0] == firings[1]
        assert (run.pipeline, run.model, run.started_by) == (names.DRIFT_PIPELINE, "credit", schedule.actor)
        assert (request.number, request.first, request.until) == (1, first, at)
        assert [each.run_id for each in world.pipelines.started if each.pipeline == names.DRIFT_PIPELINE] == [
            run.run_id
        ]

    def test_every_action_that_has_a_name_can_be_done(self) -> None:
        assert ACTIONS.keys() == set(ScheduledAction)

    def test_a_person_may_run_it_now_even_while_it_is_paused(self, world: World) -> None:
        schedule = made(world)
        changed(world, schedule, state=ScheduleState.PAUSED)

        firing = run_now(
            schedules=world.schedules, means=means(world), schedule_id=schedule.schedule_id, actor="user:bob"
        )

        assert world.ledger.get(str(firing.run_id)).started_by == firing.actor == "user:bob"
        with pytest.raises(NotFound):
            run_now(schedules=world.schedules, means=means(world), schedule_id="none", actor="user:bob")

    def test_four_eyes_are_held_against_whoever_made_the_schedule(self, world: World) -> None:
        world.configure(four_eyes=True)
        run = world.ledger.get(due(world, made(world)).run_id)
        candidates = world.train(run, world.plan(run))
        world.collect(run, candidates)
        world.evaluate(run, candidates)
        version = world.register_candidates(run)[0]

        with pytest.raises(NotAllowed, match="four eyes"):
            check_four_eyes(world.catalog, world.ledger, version, "user:ada")
        check_four_eyes(world.catalog, world.ledger, version, "user:bob")
