"""An execution's history, event by event, read as steps."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from millrace.domain.failure import explain
from millrace.domain.run import Invocations, Job, RunState, Step
from millrace.function_memory import memory_of

_FAILURES = {
    "TaskFailed": "taskFailedEventDetails",
    "TaskTimedOut": "taskTimedOutEventDetails",
    "TaskStartFailed": "taskStartFailedEventDetails",
    "TaskSubmitFailed": "taskSubmitFailedEventDetails",
    "LambdaFunctionFailed": "lambdaFunctionFailedEventDetails",
    "LambdaFunctionTimedOut": "lambdaFunctionTimedOutEventDetails",
    "LambdaFunctionStartFailed": "lambdaFunctionStartFailedEventDetails",
    "LambdaFunctionScheduleFailed": "lambdaFunctionScheduleFailedEventDetails",
}
_SUCCESSES = {"TaskSucceeded", "LambdaFunctionSucceeded"}
_ENDINGS = {
    "ExecutionSucceeded": RunState.SUCCEEDED,
    "ExecutionFailed": RunState.FAILED,
    "ExecutionTimedOut": RunState.TIMED_OUT,
    "ExecutionAborted": RunState.ABORTED,
}


# Glue bills a run of Spark by the second, and a minute at least. https://aws.amazon.com/glue/pricing/
_LEAST_GLUE_SECONDS = 60.0
_ATTEMPTS = {"TaskScheduled", "LambdaFunctionScheduled"}
_LAMBDA = "LambdaFunction"


@dataclass
class _Visit:
    """One entry into a task state. `failure` is what its latest attempt said; a retry that succeeds clears it.

    `running_since` is when the function started that runs now; `seconds` how long those before it ran. A function that
    is asked again and again until something is so (DeployEndpoint, WatchRollout) is one visit: a canary of a day has
    more than a thousand looks. While a Wait follows it, it goes on.
    """

    name: str
    item: str | None
    started_at: datetime
    ended_at: datetime | None = None
    failure: tuple[RunState, str] | None = None
    job: Job | None = None
    region: str | None = None
    attempts: int = 0
    transitions: int = 0
    functions: int = 0
    seconds: float = 0.0
    running_since: datetime | None = None
    waits: bool = False
    asked_again: bool = False

    def is_asked_again(self, entered: _Visit) -> bool:
        return (self.name, self.item) == (entered.name, entered.item) and self.functions > 0 and self.failure is None

    def go_on(self) -> None:
        self.ended_at, self.attempts, self.asked_again = None, 0, True


def steps_of(events: Iterable[Mapping[str, Any]]) -> list[Step]:
    """Task states in order of start, from the events of GetExecutionHistory."""
    reader = _Reader()
    for event in events:
        reader.read(event)
    return reader.steps()


class _Reader:
    """Events of parallel branches interleave; `previousEventId` says which branch each belongs to, so a visit and a Map
    item are inherited along it.

    Of each event: the visit that it is in, the latest visit before it in its branch, and its Map item.
    """

    def __init__(self) -> None:
        self._visits: list[_Visit] = []
        self._visit_at: dict[int, _Visit | None] = {}
        self._latest_at: dict[int, _Visit | None] = {}
        self._item_at: dict[int, str | None] = {}
        self._entered_before_any = 0
        self._ending: tuple[RunState, datetime] | None = None

    def read(self, event: Mapping[str, Any]) -> None:
        kind, identity = event["type"], event["id"]
        previous = event.get("previousEventId", identity - 1)
        item = _map_item(event, self._item_at.get(previous))
        visit, latest = self._visit_at.get(previous), self._latest_at.get(previous)
        if kind.endswith("StateEntered"):
            visit = self._enter(event, item, latest)
            latest = visit or latest
            self._count_transition(latest, waits=kind == "WaitStateEntered")
        elif visit is not None:
            _progress(visit, event)
        self._visit_at[identity], self._latest_at[identity], self._item_at[identity] = visit, latest, item
        if kind in _ENDINGS:
            self._ending = _ENDINGS[kind], _moment(event)

    def steps(self) -> list[Step]:
        if self._visits:
            self._visits[0].transitions += self._entered_before_any
            self._entered_before_any = 0
        return [_step(visit, self._ending) for visit in self._visits]

    def _enter(self, event: Mapping[str, Any], item: str | None, latest: _Visit | None) -> _Visit | None:
        """The visit of a task state, which may be the one that was before; None for another state."""
        if latest is not None:
            latest.waits = False
        if event["type"] != "TaskStateEntered":
            return None
        visit = _entered(event, item)
        if latest is not None and latest.is_asked_again(visit):
            latest.go_on()
            return latest
        self._visits.append(visit)
        return visit

    def _count_transition(self, latest: _Visit | None, *, waits: bool) -> None:
        if latest is None:
            self._entered_before_any += 1
        else:
            latest.transitions += 1
            latest.waits = waits


def _entered(event: Mapping[str, Any], item: str | None) -> _Visit:
    details = event["stateEnteredEventDetails"]
    return _Visit(details["name"], _candidate(details.get("input", "")) or item, _moment(event))


def _progress(visit: _Visit, event: Mapping[str, Any]) -> None:
    kind = event["type"]
    visit.job = job_of(event) or visit.job
    visit.region = event.get("taskScheduledEventDetails", {}).get("region") or visit.region
    if kind in _ATTEMPTS:
        visit.attempts += 1
        visit.transitions += visit.attempts > 1
    elif kind.startswith(_LAMBDA):
        _count_function(visit, event)
    if kind in _SUCCESSES:
        visit.failure = None
    elif kind in _FAILURES:
        details = event.get(_FAILURES[kind], {})
        error = "States.Timeout" if kind.endswith("TimedOut") else details.get("error")
        state = RunState.TIMED_OUT if error == "States.Timeout" else RunState.FAILED
        visit.failure = state, explain(None, error, details.get("cause"))
    elif kind == "TaskStateExited":
        visit.ended_at = _moment(event)


def _count_function(visit: _Visit, event: Mapping[str, Any]) -> None:
    """What lies between a start and what follows it is what Lambda bills, to some milliseconds: its own answer has it.

    https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html
    """
    if event["type"] == f"{_LAMBDA}Started":
        visit.functions += 1
        visit.running_since = _moment(event)
    else:
        _stop_function(visit, _moment(event))


def _stop_function(visit: _Visit, at: datetime) -> None:
    if visit.running_since is not None:
        visit.seconds += (at - visit.running_since).total_seconds()
        visit.running_since = None


def _step(visit: _Visit, ending: tuple[RunState, datetime] | None) -> Step:
    if visit.waits and (ending is None or visit.asked_again):
        visit.ended_at = None
    ended_at = visit.ended_at or (ending[1] if ending else None)
    if ended_at is not None:
        _stop_function(visit, ended_at)
    return Step(
        name=visit.name,
        item=visit.item,
        state=_state(visit, ending),
        started_at=visit.started_at,
        ended_at=ended_at,
        reason=visit.failure[1] if visit.failure and ended_at else None,
        job=visit.job and visit.job.model_copy(update={"region": visit.region}),
        invocations=_invocations(visit),
        transitions=visit.transitions,
    )


def _invocations(visit: _Visit) -> Invocations | None:
    if not visit.functions:
        return None
    return Invocations(memory_mb=memory_of(visit.name), count=visit.functions, seconds=visit.seconds)


def _state(visit: _Visit, ending: tuple[RunState, datetime] | None) -> RunState:
    """A failure that was caught ends its step FAILED though the execution goes on; a retry may still follow one."""
    if visit.failure and (visit.ended_at or ending):
        return visit.failure[0]
    if visit.ended_at:
        return RunState.SUCCEEDED
    return ending[0] if ending else RunState.RUNNING


_JOB_TEXTS = {
    "TaskScheduled": ("taskScheduledEventDetails", "parameters"),
    "TaskSubmitted": ("taskSubmittedEventDetails", "output"),
    "TaskSucceeded": ("taskSucceededEventDetails", "output"),
    "TaskFailed": ("taskFailedEventDetails", "cause"),
}


def job_of(event: Mapping[str, Any]) -> Job | None:
    """The job that an event tells of, as far as it does: first what was asked for, in the end what it cost.

    A Glue job run has no name before it is submitted.
    """
    where, field = _JOB_TEXTS.get(event["type"], ("", ""))
    details = event.get(where, {})
    document = _document(details.get(field))
    if details.get("resourceType") == "glue":
        return _glue_job(document)
    if details.get("resourceType") == "sagemaker":
        return _sagemaker_job(document)
    return None


def _glue_job(run: Mapping[str, Any]) -> Job | None:
    name = run.get("JobRunId") or run.get("Id")
    if not name:
        return None
    count, seconds = int(run.get("NumberOfWorkers") or 1), run.get("ExecutionTime")
    return Job(
        service="glue",
        name=name,
        machine=run.get("WorkerType"),
        count=count,
        billable_seconds=None if seconds is None else max(float(seconds), _LEAST_GLUE_SECONDS) * count,
    )


def _sagemaker_job(job: Mapping[str, Any]) -> Job | None:
    name = job.get("TrainingJobName") or job.get("ProcessingJobName") or job.get("TransformJobName")
    if not name:
        return None
    resources = (
        job.get("ResourceConfig")
        or job.get("ProcessingResources", {}).get("ClusterConfig")
        or job.get("TransformResources")
        or {}
    )
    count = int(resources.get("InstanceCount") or 1)
    return Job(
        service="sagemaker",
        name=name,
        machine=resources.get("InstanceType"),
        count=count,
        billable_seconds=_billable_seconds(job, count),
    )


def _billable_seconds(job: Mapping[str, Any], count: int) -> float | None:
    """Training says it itself, spot savings included; other jobs are billed from their start to their end."""
    if "BillableTimeInSeconds" in job:
        return float(job["BillableTimeInSeconds"]) * count
    started = job.get("ProcessingStartTime") or job.get("TransformStartTime")
    ended = job.get("ProcessingEndTime") or job.get("TransformEndTime")
    if not isinstance(started, int | float) or not isinstance(ended, int | float):
        return None
    return (ended - started) / 1000 * count


def _document(text: str | None) -> Mapping[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError:  # a history may truncate what is long
        return {}
    return found if isinstance(found, dict) else {}


def _candidate(text: str) -> str | None:
    """The algorithm a Map item is about, when the state's input names one."""
    try:
        given = json.loads(text)
    except ValueError:  # a history may truncate inputs
        return None
    for place in (given, given.get("candidate")) if isinstance(given, dict) else ():
        if isinstance(place, dict) and isinstance(place.get("algorithm"), str):
            return str(place["algorithm"])
    return None


def _map_item(event: Mapping[str, Any], inherited: str | None) -> str | None:
    """The Map item that an event belongs to. What ends an item follows the item's last event, but is outside."""
    if event["type"] == "MapIterationStarted":
        return str(event["mapIterationStartedEventDetails"]["index"])
    return None if event["type"].startswith("Map") else inherited


def _moment(event: Mapping[str, Any]) -> datetime:
    moment: datetime = event["timestamp"]
    return moment.astimezone(UTC)
