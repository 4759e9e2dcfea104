"""Do what a schedule says: when it is due, or because a person wants it now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple

from millrace.domain.run import Run
from millrace.domain.schedule import Firing, FiringOutcome, Schedule, ScheduledAction, ScheduleState
from millrace.errors import Conflict, InvalidInput, NotFound, TrainingImpossible
from millrace.ports import Clock, DatasetCatalog, ModelRegistry, ObjectStore, Pipelines, RunLedger, Schedules
from millrace.use_cases.check_drift import LONGEST_WINDOW, check_drift
from millrace.use_cases.start_batch_inference import start_batch_inference
from millrace.use_cases.start_training import train_on_schedule


class Means(NamedTuple):
    """What scheduled actions work with."""

    catalog: DatasetCatalog
    registry: ModelRegistry
    ledger: RunLedger
    pipelines: Pipelines
    store: ObjectStore
    clock: Clock
    data_bucket: str


class _Stopped(NamedTuple):
    """A clock that shows the time in question: what is named after the time is then named alike each time."""

    moment: datetime

    def now(self) -> datetime:
        return self.moment


def _train(means: Means, schedule: Schedule, due_at: datetime, actor: str, requested_by: str) -> Run:
    return train_on_schedule(
        catalog=means.catalog,
        ledger=means.ledger,
        pipelines=means.pipelines,
        clock=means.clock,
        dataset=schedule.about,
        schedule_id=schedule.schedule_id,
        due_at=due_at,
        started_by=actor,
        requested_by=requested_by,
    )


def _score(means: Means, schedule: Schedule, due_at: datetime, actor: str, _requested_by: str) -> Run:
    """The champion's predictions for the newest version of the dataset that it was trained on."""
    dataset = means.registry.model(schedule.about).dataset
    newest = means.catalog.get(dataset).latest_ready_version
    if not newest:
        raise Conflict(f"{dataset} has no version that is ready: upload a file first")
    return start_batch_inference(
        catalog=means.catalog,
        registry=means.registry,
        ledger=means.ledger,
        pipelines=means.pipelines,
        store=means.store,
        clock=_Stopped(due_at),
        data_bucket=means.data_bucket,
        model=schedule.about,
        dataset=dataset,
        dataset_version=newest,
        actor=actor,
        reason=f"schedule {schedule.schedule_id}",
    )


def _check_drift(means: Means, schedule: Schedule, due_at: datetime, actor: str, _requested_by: str) -> Run:
    """What the model's champion was asked since the schedule was due before."""
    first, until = schedule.window(due_at, at_most=LONGEST_WINDOW)
    return check_drift(
        registry=means.registry,
        ledger=means.ledger,
        pipelines=means.pipelines,
        clock=means.clock,
        data_bucket=means.data_bucket,
        model=schedule.about,
        first=first,
        until=until,
        actor=actor,
    )


# To make an action schedulable: a function that starts its run, under a name computed of schedule and time, and a line.
ACTIONS: Mapping[ScheduledAction, Callable[[Means, Schedule, datetime, str, str], Run]] = {
    ScheduledAction.TRAIN: _train,
    ScheduledAction.SCORE: _score,
    ScheduledAction.CHECK_DRIFT: _check_drift,
}
# What the state of things may forbid this time. Anything else is a failure, and the firing is tried again.
_REFUSALS = (InvalidInput, NotFound, Conflict, TrainingImpossible)


def fire_due(*, schedules: Schedules, means: Means, schedule_id: str, due_at: datetime) -> Firing | None:
    """What came of the time `due_at`; the same however often it is announced.

    None when there is no such schedule any more, or it was paused meanwhile.
    """
    try:
        schedule = schedules.get(schedule_id)
    except NotFound:
        return None
    known = schedules.firing(schedule_id, due_at)
    if known is not None or schedule.state is ScheduleState.PAUSED:
        return known
    return _fire(schedules, means, schedule, due_at, schedule.actor, schedule.created_by)


def run_now(*, schedules: Schedules, means: Means, schedule_id: str, actor: str) -> Firing:
    """Also while the schedule is paused. Raises NotFound."""
    return _fire(schedules, means, schedules.get(schedule_id), means.clock.now(), actor, actor)


def _fire(
    schedules: Schedules, means: Means, schedule: Schedule, due_at: datetime, actor: str, requested_by: str
) -> Firing:
    said = {"schedule_id": schedule.schedule_id, "due_at": due_at, "fired_at": means.clock.now(), "actor": actor}
    try:
        run = ACTIONS[schedule.action](means, schedule, due_at, actor, requested_by)
    except _REFUSALS as refusal:
        return schedules.record(Firing(**said, outcome=FiringOutcome.REFUSED, reason=str(refusal)))
    return schedules.record(Firing(**said, outcome=FiringOutcome.STARTED, run_id=run.run_id))
