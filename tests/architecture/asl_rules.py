"""What every state machine of the platform must keep to, as one function that lists what breaks it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from millrace import errors

States = Mapping[str, Any]

# Names that AWS documents.
SERVICE_ERRORS = {
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.TooManyRequestsException",
    "Glue.AWSGlueException",
    "Glue.ConcurrentRunsExceededException",
    "Glue.InternalServiceException",
    "Glue.OperationTimeoutException",
    "Glue.ResourceNumberLimitExceededException",
    "Glue.ThrottlingException",
    "SageMaker.AmazonSageMakerException",
    "SageMaker.ResourceLimitExceededException",
    "SageMaker.ThrottlingException",
}
STATES_ERRORS = {"States.ALL", "States.Timeout", "States.TaskFailed", "States.Permissions", "States.HeartbeatTimeout"}
PLATFORM_ERRORS = {
    name for name, found in vars(errors).items() if isinstance(found, type) and issubclass(found, errors.PlatformError)
}
# An error of the platform stays one however often it is tried, but for a change that lost against another.
RETRIED_ERRORS = SERVICE_ERRORS | {"Conflict"}
# Each service's throttling must be retried: a limit that passes is not a failure.
THROTTLED_BY = {
    "glue": "Glue.ConcurrentRunsExceededException",
    "sagemaker": "SageMaker.ResourceLimitExceededException",
    "lambda": "Lambda.TooManyRequestsException",
}
TERMINAL = {"Succeed", "Fail"}


def violations(definition: Mapping[str, Any]) -> list[str]:
    """What breaks the rules, in words; nothing when the state machine is in order."""
    found = [] if definition.get("TimeoutSeconds") else ["the execution has no TimeoutSeconds"]
    if "JSONata" in json.dumps(definition):
        found.append("JSONata is used")
    return found + list(_violations_of(definition))


def _violations_of(machine: Mapping[str, Any]) -> Iterator[str]:
    states: States = machine["States"]
    known = {machine["StartAt"], *(name for state in states.values() for name in successors(state))}
    yield from (f"{name} is not a state" for name in sorted(known - states.keys()))
    yield from (f"{name} is never reached" for name in sorted(states.keys() - _reachable(machine)))
    for name, state in states.items():
        yield from (f"{name} {fault}" for fault in _faults(state))
        for inner in _machines_inside(state):
            yield from _violations_of(inner)


def successors(state: Mapping[str, Any]) -> set[str]:
    choices = [choice["Next"] for choice in state.get("Choices", [])]
    caught = [catch["Next"] for catch in state.get("Catch", [])]
    return {*choices, *caught, *(state[name] for name in ("Next", "Default") if name in state)}


def _reachable(machine: Mapping[str, Any]) -> set[str]:
    reached: set[str] = set()
    waiting = [machine["StartAt"]]
    while waiting:
        name = waiting.pop()
        if name in machine["States"] and name not in reached:
            reached.add(name)
            waiting += successors(machine["States"][name])
    return reached


def _machines_inside(state: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [state["ItemProcessor"]] if "ItemProcessor" in state else state.get("Branches", [])


def _faults(state: Mapping[str, Any]) -> Iterator[str]:
    kind = state["Type"]
    if kind not in TERMINAL | {"Choice"} and not (state.get("End") or "Next" in state):
        yield "leads nowhere and does not end"
    if kind == "Choice" and "Default" not in state:
        yield "has no Default"
    if kind in {"Task", "Map", "Parallel"}:
        yield from _catch_faults(state)
    if kind == "Task":
        yield from _task_faults(state)
    if kind == "Fail" and not {"ErrorPath", "CausePath"} <= state.keys():
        yield "does not pass the error and its cause on"


def _catch_faults(state: Mapping[str, Any]) -> Iterator[str]:
    caught = [name for catch in state.get("Catch", []) for name in catch["ErrorEquals"]]
    if "States.ALL" not in caught:
        yield "does not catch States.ALL"
    yield from _unknown(caught, STATES_ERRORS | SERVICE_ERRORS | PLATFORM_ERRORS, "catches")
    if any(catch.get("ResultPath", "$") == "$" for catch in state.get("Catch", [])):
        yield "throws its input away when it catches"


def _task_faults(state: Mapping[str, Any]) -> Iterator[str]:
    if not state.get("TimeoutSeconds"):
        yield "has no TimeoutSeconds"
    retried = [name for retry in state.get("Retry", []) for name in retry["ErrorEquals"]]
    if THROTTLED_BY[service_of(state["Resource"])] not in retried:
        yield f"does not retry {THROTTLED_BY[service_of(state['Resource'])]}"
    yield from _unknown(retried, RETRIED_ERRORS, "retries")


def _unknown(names: Collection[str], allowed: Collection[str], verb: str) -> Iterator[str]:
    yield from (f"{verb} {name}, which is no such error" for name in names if name not in allowed)


def service_of(resource: str) -> str:
    """The service a task calls; a bare placeholder is a function."""
    return resource.split(":")[-2] if ":::" in resource else "lambda"
