"""Histories as Step Functions writes them, read as steps."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from millrace.adapters.execution_history import steps_of
from millrace.domain.run import Invocations, RunState, Step
from tests.builders import NOON


class History:
    """Events with ids and links, one second apart. `after` names the event that a branch goes on from."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.add("ExecutionStarted")

    def add(self, kind: str, *, after: int | None = None, **details: Any) -> int:
        identity = len(self.events) + 1
        previous = identity - 1 if after is None else after
        moment = NOON + timedelta(seconds=identity)
        event = {"id": identity, "previousEventId": previous, "type": kind, "timestamp": moment}
        if details:
            event[f"{_details_key(kind)}EventDetails"] = details
        self.events.append(event)
        return identity

    def entered(self, name: str, kind: str = "Task", *, given: Any = None, after: int | None = None) -> int:
        return self.add(f"{kind}StateEntered", after=after, name=name, input=json.dumps(given or {}))

    def exited(self, name: str, kind: str = "Task", *, after: int | None = None) -> int:
        return self.add(f"{kind}StateExited", after=after, name=name, output="{}")

    def steps(self) -> list[Step]:
        return steps_of(self.events)


def _details_key(kind: str) -> str:
    if kind.endswith("StateEntered"):
        return "stateEntered"
    if kind.endswith("StateExited"):
        return "stateExited"
    return kind[0].lower() + kind[1:]


def seconds(identity: int) -> Any:
    return NOON + timedelta(seconds=identity)


def a_task(history: History, name: str, *, after: int | None = None, given: Any = None) -> int:
    at = history.entered(name, after=after, given=given)
    at = history.add("TaskScheduled", after=at)
    at = history.add("TaskStarted", after=at)
    at = history.add("TaskSucceeded", after=at)
    return history.exited(name, after=at)


def test_task_states_become_steps_and_other_states_do_not() -> None:
    history = History()
    a_task(history, "RegisterUpload")
    history.entered("WhatArrived", "Choice")
    history.exited("WhatArrived", "Choice")
    a_task(history, "PrepareDataset")
    history.add("ExecutionSucceeded")

    steps = history.steps()

    assert [(step.name, step.state) for step in steps] == [
        ("RegisterUpload", RunState.SUCCEEDED),
        ("PrepareDataset", RunState.SUCCEEDED),
    ]
    assert (steps[0].started_at, steps[0].ended_at, steps[0].seconds) == (seconds(2), seconds(6), 4)


def test_a_state_that_goes_on_is_running() -> None:
    history = History()
    history.entered("PrepareDataset")
    history.add("TaskScheduled")

    [step] = history.steps()

    assert (step.state, step.ended_at, step.reason) == (RunState.RUNNING, None, None)


def test_a_caught_failure_fails_its_step_though_the_execution_goes_on() -> None:
    history = History()
    history.entered("RegisterUpload")
    history.add("TaskScheduled")
    cause = json.dumps({"errorType": "DatasetInvalid", "errorMessage": "may.csv is empty."})
    history.add("TaskFailed", error="DatasetInvalid", cause=cause)
    history.exited("RegisterUpload")
    a_task(history, "RejectUpload")
    history.entered("UploadRejected", "Fail")
    history.add("ExecutionFailed", error="DatasetInvalid", cause=cause)

    steps = history.steps()

    assert [(step.name, step.state, step.reason) for step in steps] == [
        ("RegisterUpload", RunState.FAILED, "may.csv is empty."),
        ("RejectUpload", RunState.SUCCEEDED, None),
    ]


def test_a_failure_that_nothing_catches_ends_with_the_execution() -> None:
    history = History()
    history.entered("PlanTraining")
    history.add(
        "LambdaFunctionFailed", error="KeyError", cause=json.dumps({"errorType": "KeyError", "errorMessage": "1"})
    )
    history.add("ExecutionFailed")

    [step] = history.steps()

    assert (step.state, step.reason, step.ended_at) == (RunState.FAILED, "KeyError: 1", seconds(4))


def test_a_retry_that_succeeds_clears_the_failure() -> None:
    history = History()
    history.entered("RegisterUpload")
    history.add("TaskFailed", error="Lambda.TooManyRequestsException", cause="slow down")
    history.add("TaskScheduled")
    history.add("TaskSucceeded")
    history.exited("RegisterUpload")

    [step] = history.steps()

    assert (step.state, step.reason) == (RunState.SUCCEEDED, None)


def test_a_failure_that_may_still_be_retried_is_not_final() -> None:
    history = History()
    history.entered("RegisterUpload")
    history.add("TaskFailed", error="Lambda.TooManyRequestsException", cause="slow down")

    [step] = history.steps()

    assert (step.state, step.reason) == (RunState.RUNNING, None)


def test_a_timeout_is_told_apart_from_a_failure() -> None:
    for kind, details in (
        ("TaskTimedOut", {"error": "States.Timeout"}),
        ("LambdaFunctionTimedOut", {"error": "States.Timeout"}),
        ("TaskFailed", {"error": "States.Timeout", "cause": ""}),
    ):
        history = History()
        history.entered("PrepareDataset")
        history.add(kind, **details)
        history.add("ExecutionFailed")

        [step] = history.steps()

        assert (step.state, step.reason) == (RunState.TIMED_OUT, "it took longer than it is allowed to")


def test_stopping_an_execution_aborts_the_step_it_was_in() -> None:
    history = History()
    a_task(history, "RegisterUpload")
    history.entered("PrepareDataset")
    history.add("ExecutionAborted")

    assert [step.state for step in history.steps()] == [RunState.SUCCEEDED, RunState.ABORTED]


def test_an_execution_out_of_time_times_out_the_step_it_was_in() -> None:
    history = History()
    history.entered("PrepareDataset")
    end = history.add("ExecutionTimedOut")

    [step] = history.steps()

    assert (step.state, step.ended_at) == (RunState.TIMED_OUT, seconds(end))


def test_interleaved_map_items_are_told_apart_by_algorithm() -> None:
    """Two iterations, entered together; the first one's job fails, is caught, and ends last."""
    history = History()
    at = history.entered("TrainCandidates", "Map")
    started = history.add("MapStateStarted", after=at, length=2)
    one = history.add("MapIterationStarted", after=started, name="TrainCandidates", index=0)
    two = history.add("MapIterationStarted", after=started, name="TrainCandidates", index=1)
    one = history.entered("TrainOnSpot", after=one, given={"candidate": {"algorithm": "xgboost"}})
    two = history.entered("TrainOnDemand", after=two, given={"algorithm": "linear"})
    one = history.add("TaskScheduled", after=one)
    two = history.add("TaskScheduled", after=two)
    two = history.add("TaskSucceeded", after=two)
    failure = {"TrainingJobName": "j", "TrainingJobStatus": "Failed", "FailureReason": "AlgorithmError: boom"}
    one = history.add("TaskFailed", after=one, error="States.TaskFailed", cause=json.dumps(failure))
    two = history.exited("TrainOnDemand", after=two)
    one = history.exited("TrainOnSpot", after=one)
    one = history.entered("CandidateFailed", "Pass", after=one)
    history.exited("CandidateFailed", "Pass", after=one)
    at = history.exited("TrainCandidates", "Map")
    a_task(history, "CollectCandidates", after=at)

    steps = history.steps()

    assert [(step.name, step.item, step.state) for step in steps] == [
        ("TrainOnSpot", "xgboost", RunState.FAILED),
        ("TrainOnDemand", "linear", RunState.SUCCEEDED),
        ("CollectCandidates", None, RunState.SUCCEEDED),
    ]
    assert steps[0].reason == "job j ended Failed: boom"
    assert [step.seconds for step in steps[:2]] == [7, 5]


def test_a_map_item_without_an_algorithm_is_told_by_its_index() -> None:
    history = History()
    at = history.entered("Each", "Map")
    for index in range(2):
        item = history.add("MapIterationStarted", after=at, name="Each", index=index)
        a_task(history, "Do", after=item)

    assert [step.item for step in history.steps()] == ["0", "1"]


def test_an_input_that_the_history_cut_off_does_no_harm() -> None:
    history = History()
    history.add("TaskStateEntered", name="PlanTraining", input='{"run_id": "tra')

    assert [step.name for step in history.steps()] == ["PlanTraining"]


def test_a_state_that_is_entered_twice_is_two_steps() -> None:
    history = History()
    a_task(history, "RegisterUpload")
    a_task(history, "RecordDatasetVersion")
    a_task(history, "RegisterUpload")

    assert [step.name for step in history.steps()] == ["RegisterUpload", "RecordDatasetVersion", "RegisterUpload"]


def a_call(history: History, name: str, *, after: int | None = None, seconds: int = 1) -> int:
    """A state whose resource is a function, which ends `seconds` events after it started."""
    at = history.entered(name, after=after)
    at = history.add("LambdaFunctionScheduled", after=at, resource=f"arn:aws:lambda:eu-west-1:1:function:{name}")
    at = started = history.add("LambdaFunctionStarted", after=at)
    while len(history.events) < started + seconds - 1:
        history.add("WaitStateExited", after=1)
    at = history.add("LambdaFunctionSucceeded", after=at, output="{}")
    return history.exited(name, after=at)


def test_a_functions_time_is_what_lies_between_its_start_and_its_end() -> None:
    history = History()
    a_call(history, "PlanTraining", seconds=3)
    a_call(history, "ProfileBaseline", seconds=5)
    a_task(history, "EvaluateCandidates")

    assert [step.invocations for step in history.steps()] == [
        Invocations(memory_mb=1024, count=1, seconds=3),
        Invocations(memory_mb=1769, count=1, seconds=5),
        None,
    ]


def test_a_function_that_is_tried_again_is_billed_for_each_time_it_ran_but_not_for_the_pause() -> None:
    history = History()
    history.entered("PlanTraining")
    for kind, details in (("Failed", {"error": "Conflict", "cause": ""}), ("Succeeded", {"output": "{}"})):
        history.add("LambdaFunctionScheduled")
        history.add("LambdaFunctionStarted")
        history.add(f"LambdaFunction{kind}", **details)
    history.exited("PlanTraining")

    [step] = history.steps()

    assert (step.invocations, step.transitions) == (Invocations(memory_mb=1024, count=2, seconds=2), 2)


def test_a_function_that_did_not_start_is_not_billed_and_one_that_was_cut_off_is_until_then() -> None:
    refused, cut_off = History(), History()
    refused.entered("PlanTraining")
    refused.add("LambdaFunctionScheduled")
    refused.add("LambdaFunctionStartFailed", error="Lambda.TooManyRequestsException", cause="slow down")
    refused.add("ExecutionFailed")
    cut_off.entered("PlanTraining")
    cut_off.add("LambdaFunctionScheduled")
    cut_off.add("LambdaFunctionStarted")
    cut_off.add("ExecutionAborted")

    assert refused.steps()[0].invocations is None
    assert cut_off.steps()[0].invocations == Invocations(memory_mb=1024, count=1, seconds=1)


def test_every_state_that_is_entered_is_a_transition_of_the_step_before_it() -> None:
    history = History()
    history.entered("WhereFrom", "Choice")
    history.exited("WhereFrom", "Choice")
    a_call(history, "DeployEndpoint")
    history.entered("WhatNext", "Choice")
    history.exited("WhatNext", "Choice")
    a_call(history, "StartRollout")
    history.entered("Deployed", "Succeed")
    history.add("ExecutionSucceeded")

    assert [step.transitions for step in history.steps()] == [3, 2]


def test_a_function_that_is_asked_until_something_is_so_is_one_step() -> None:
    history = History()
    a_call(history, "StartRollout")
    first = len(history.events) + 1
    for _ in range(3):
        a_call(history, "WatchRollout", seconds=2)
        for name, kind in (("WhatNext", "Choice"), ("LetTrafficPass", "Wait")):
            history.entered(name, kind)
            last = history.exited(name, kind)
    a_call(history, "PromoteModelVersion")

    started, watched, promoted = history.steps()

    assert (started.name, watched.name, promoted.name) == ("StartRollout", "WatchRollout", "PromoteModelVersion")
    assert watched.invocations == Invocations(memory_mb=1024, count=3, seconds=6)
    assert watched.transitions == 9
    assert (watched.started_at, watched.ended_at) == (seconds(first), seconds(last - 4))


def test_a_step_that_waits_to_be_asked_again_goes_on_and_is_stopped_with_its_execution() -> None:
    live, stopped = History(), History()
    for history in (live, stopped):
        a_call(history, "StartRollout")
        history.entered("LetTrafficPass", "Wait")
        history.exited("LetTrafficPass", "Wait")
        for _ in range(2):
            a_call(history, "WatchRollout")
            history.entered("LetTrafficPass", "Wait")
    end = stopped.add("ExecutionAborted")

    assert [(step.state, step.ended_at is None) for step in live.steps()] == [
        (RunState.SUCCEEDED, False),
        (RunState.RUNNING, True),
    ]
    assert [step.state for step in stopped.steps()] == [RunState.SUCCEEDED, RunState.ABORTED]
    assert stopped.steps()[1].ended_at == seconds(end)
    live.exited("LetTrafficPass", "Wait")
    live.entered("WhatBecame", "Choice")
    assert live.steps()[1].state is RunState.SUCCEEDED


def test_a_step_that_was_done_before_the_execution_was_stopped_in_a_wait_stays_so() -> None:
    history = History()
    done = a_call(history, "StartRollout")
    history.entered("LetTrafficPass", "Wait")
    history.add("ExecutionTimedOut")

    [step] = history.steps()

    assert (step.state, step.ended_at) == (RunState.SUCCEEDED, seconds(done))


def test_a_function_is_not_asked_again_in_the_step_that_failed_or_of_another_item() -> None:
    failed, items = History(), History()
    failed.entered("WatchRollout")
    failed.add("LambdaFunctionStarted")
    failed.add("LambdaFunctionFailed", error="Oops", cause="")
    failed.exited("WatchRollout")
    a_call(failed, "WatchRollout")
    at = items.entered("Each", "Map")
    for index in range(2):
        at = items.add("MapIterationStarted", after=at, name="Each", index=index)
        at = a_call(items, "Do", after=at)

    assert [step.state for step in failed.steps()] == [RunState.FAILED, RunState.SUCCEEDED]
    assert [step.item for step in items.steps()] == ["0", "1"]


def test_the_transitions_of_side_by_side_branches_are_counted_in_each_and_all_of_them_once() -> None:
    history = History()
    at = a_call(history, "PlanTraining")
    at = history.entered("TrainCandidates", "Map", after=at)
    one = history.add("MapIterationStarted", after=at, name="TrainCandidates", index=0)
    two = history.add("MapIterationStarted", after=at, name="TrainCandidates", index=1)
    one = history.entered("SpotOrOnDemand", "Choice", after=one)
    two = history.entered("SpotOrOnDemand", "Choice", after=two)
    one = history.entered("TrainOnDemand", after=one, given={"algorithm": "linear"})
    two = history.entered("TrainOnSpot", after=two, given={"algorithm": "xgboost"})
    history.entered("CandidateTrained", "Pass", after=one)

    steps = history.steps()

    assert [(step.name, step.transitions) for step in steps] == [
        ("PlanTraining", 4),
        ("TrainOnDemand", 2),
        ("TrainOnSpot", 1),
    ]
    entered = [event for event in history.events if event["type"].endswith("StateEntered")]
    assert sum(step.transitions or 0 for step in steps) == len(entered)
