"""A schedule wakes the platform by itself, once for each time; a paused one does not."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from millrace.domain.run import RunState
from millrace.domain.schedule import FiringOutcome, Schedule, ScheduledAction, ScheduleState
from millrace.use_cases.keep_schedule import change_schedule, create_schedule, delete_schedule
from millrace.use_cases.stop_run import stop_run
from tests.e2e.conftest import Bench, wait_for
from tests.e2e.deployed import function_named

SECONDS_AWAY = 3


def scheduled(bench: Bench, name: str, dataset: str) -> Schedule:
    """A rate that is due for the first time in a few seconds."""
    return create_schedule(
        schedules=bench.platform.schedules,
        timer=bench.platform.timer,
        clock=bench.platform.clock,
        name=name,
        action=ScheduledAction.TRAIN,
        about=dataset,
        expression="rate(1 hour)",
        starts_at=datetime.now(UTC) + timedelta(seconds=SECONDS_AWAY),
        actor="user:ada",
    )


def changed(bench: Bench, schedule: Schedule, **changes: Any) -> Schedule:
    return change_schedule(
        schedules=bench.platform.schedules,
        timer=bench.platform.timer,
        clock=bench.platform.clock,
        schedule_id=schedule.schedule_id,
        changes=changes,
        actor="user:ada",
    )


def test_a_schedule_starts_a_run_when_it_is_due_and_a_paused_one_does_not(bench: Bench) -> None:
    rows = random.Random(3)
    body = b"age,status\n" + b"".join(b"%d,%d\n" % (rows.randint(18, 80), rows.randint(0, 1)) for _ in range(200))
    settings = {"target": "status", "training": {"on_new_version": False, "algorithms": ["linear"], "trials": 1}}
    assert bench.configure("timetable", settings).state is RunState.SUCCEEDED
    assert bench.drop("timetable", "rows.csv", body).state is RunState.SUCCEEDED
    awake, paused = scheduled(bench, "awake", "timetable"), scheduled(bench, "paused", "timetable")
    nowhere = scheduled(bench, "nowhere", "no-such-dataset")
    changed(bench, paused, state=ScheduleState.PAUSED)

    firing = wait_for(lambda: bench.platform.schedules.get(awake.schedule_id).last_firing, what="firing", seconds=60)
    refusal = wait_for(lambda: bench.platform.schedules.get(nowhere.schedule_id).last_firing, what="no", seconds=60)

    assert firing.due_at == awake.starts_at
    assert (firing.outcome, firing.actor) == (FiringOutcome.STARTED, f"schedule:{awake.schedule_id}")
    assert (refusal.outcome, refusal.run_id) == (FiringOutcome.REFUSED, None)
    assert "no-such-dataset" in str(refusal.reason)
    run = bench.platform.ledger.get(str(firing.run_id))
    assert (run.dataset, run.started_by, run.input["requested_by"]) == ("timetable", firing.actor, "user:ada")
    arn = bench.platform.settings.require("training_state_machine_arn").replace(":stateMachine:", ":execution:")
    execution = bench.session.client("stepfunctions").describe_execution(executionArn=f"{arn}:{run.run_id}")
    assert execution["status"] == "RUNNING"
    assert paused.starts_at is not None
    assert datetime.now(UTC) > paused.starts_at
    assert bench.platform.schedules.get(paused.schedule_id).last_firing is None
    announce_again(bench, awake, firing.due_at)
    mine = [each for each in bench.platform.ledger.list(pipeline="training") if each.dataset == "timetable"]
    assert [each.run_id for each in mine] == [run.run_id]
    assert len(bench.platform.schedules.firings(awake.schedule_id, limit=9)) == 1
    stop_run(
        ledger=bench.platform.ledger,
        pipelines=bench.platform.pipelines,
        run_id=run.run_id,
        actor="user:ada",
        reason="that it runs is enough",
    )
    assert bench.ended(run.run_id).state is RunState.ABORTED


def announce_again(bench: Bench, schedule: Schedule, due_at: datetime) -> None:
    """The service may say twice that a time has come."""
    payload = f'{{"schedule_id": "{schedule.schedule_id}", "due_at": "{due_at:%Y-%m-%dT%H:%M:%SZ}"}}'
    answer = bench.session.client("lambda").invoke(
        FunctionName=function_named(bench, "OnScheduleDue"), Payload=payload.encode()
    )
    assert "FunctionError" not in answer, answer["Payload"].read()


def test_a_deleted_schedule_wakes_nobody(bench: Bench) -> None:
    schedule = scheduled(bench, "deleted", "timetable")
    delete_schedule(
        schedules=bench.platform.schedules,
        timer=bench.platform.timer,
        schedule_id=schedule.schedule_id,
        actor="user:ada",
    )

    timers = bench.session.client("scheduler").list_schedules(NamePrefix=schedule.schedule_id)["Schedules"]
    assert timers == []
    time.sleep(SECONDS_AWAY + 1)
    assert bench.platform.schedules.firings(schedule.schedule_id, limit=9) == []
