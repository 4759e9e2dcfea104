"""The events of an execution: complete enough to derive its steps, in AWS's names and shapes."""

import copy
import json
import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from ministack.core.responses import get_region, now_iso
from ministack.services import stepfunctions

from local.emulator.persistence import mark_changed

Document = dict[str, Any]

FIRST_EVENT = 1

# Where the input of a task is told, once it is known.
_INPUTS = {"taskScheduledEventDetails": "parameters", "lambdaFunctionScheduledEventDetails": "input"}
_OF_FUNCTIONS = {"output", "error", "cause"}

# The event that the present thread of an execution recorded last. Branches and iterations start with their parent's.
_previous: ContextVar[int] = ContextVar("previous_event", default=FIRST_EVENT)
# What encloses the states being run: ("Map", name of the state) or ("Parallel", name of the state).
_enclosing: ContextVar[tuple[str, str]] = ContextVar("enclosing_state", default=("", ""))
_lock = threading.Lock()


class ExecutionOver(stepfunctions._ExecutionError):  # type: ignore[misc]
    """The execution was stopped or timed out while a thread of it was still working."""

    def __init__(self) -> None:
        super().__init__("States.Runtime", "the execution is over")


def install() -> None:
    """Record map iterations, branches and the states within them; link events; name tasks and timeouts as AWS does."""
    stepfunctions._add_event = add_event
    stepfunctions._run_sub_machine = run_enclosed_states
    stepfunctions._run_map_items = _recorded("Map", stepfunctions._run_map_items)
    stepfunctions._run_parallel_branches = _recorded("Parallel", stepfunctions._run_parallel_branches)


def add_event(execution: Document, event_type: str, details: Document | None = None) -> Document:
    """Append an event to an execution's history and return it.

    Once the execution is over only its own end is recorded: threads that still work leave no trace after it.
    """
    event_type, details = _as_aws(event_type, details or {})
    with _lock:
        last = len(execution["events"])
        event = {
            "id": last + 1,
            # An execution ends after whatever happened last; anything else follows what its own thread did.
            "previousEventId": last if event_type.startswith("Execution") else _previous.get(),
            "type": event_type,
            "timestamp": now_iso(),
            **details,
        }
        if execution["status"] == "RUNNING" or event_type.startswith("Execution"):
            execution["events"].append(event)
            _previous.set(int(event["id"]))
    mark_changed()
    return event


def begin(execution: Document) -> None:
    """Let the present thread record an execution from its start."""
    execution["events"][0].setdefault("previousEventId", 0)
    _previous.set(FIRST_EVENT)


def task_started(execution: Document, resource: str, task_input: Any) -> None:
    """Complete the event recorded last, that the task is scheduled, with its input, and record that it started."""
    scheduled = execution["events"][_previous.get() - 1]
    for key, field in _INPUTS.items():
        if key in scheduled:
            scheduled[key][field] = json.dumps(task_input)
    add_event(execution, "TaskStarted", {"taskStartedEventDetails": {"resource": resource}})


def resource_names(resource: str) -> Document:
    """Split an integration into AWS's `resourceType` and `resource`: `sagemaker`, `createTrainingJob.sync`."""
    parts = resource.split(":")
    return {"resourceType": ":".join(parts[5:-1]), "resource": parts[-1]}


def _as_aws(event_type: str, details: Document) -> tuple[str, Document]:
    if not event_type.startswith("Task"):
        return event_type, details
    [(key, values)] = details.items()
    if "resource" not in values:
        return event_type, details
    if ":::" not in values["resource"]:
        return _as_aws_of_function(event_type.removeprefix("Task"), values)
    values = {**values, **resource_names(values["resource"])}
    if event_type == "TaskScheduled":
        values = {**values, "region": get_region()}
    if event_type == "TaskFailed" and values.get("error") == "States.Timeout":
        return "TaskTimedOut", {"taskTimedOutEventDetails": values}
    return event_type, {key: values}


def _as_aws_of_function(moment: str, values: Document) -> tuple[str, Document]:
    """A state whose resource is a function's ARN has events of its own, which name the function once."""
    if moment == "Failed" and values.get("error") == "States.Timeout":
        moment = "TimedOut"
    kept = {
        key: value
        for key, value in values.items()
        if key in _OF_FUNCTIONS or (key == "resource" and moment == "Scheduled")
    }
    event_type = f"LambdaFunction{moment}"
    return event_type, {f"lambdaFunction{moment}EventDetails": kept} if kept else {}


def run_enclosed_states(
    states: Document, start_at: str | None, input_data: Any, execution: Document, ctx: Document
) -> Any:
    """Run one iteration of a map, or one branch of a parallel state, and record it. Returns its output."""
    kind, name = _enclosing.get()
    if kind != "Map":
        # Branches run side by side: each needs a current state of its own.
        return _run_states(states, start_at, input_data, execution, {**ctx})
    iteration = {"name": name, "index": ctx["Map"]["Item"]["Index"]}
    add_event(execution, "MapIterationStarted", {"mapIterationStartedEventDetails": iteration})
    try:
        output = _run_states(states, start_at, input_data, execution, ctx)
    except stepfunctions._ExecutionError:
        add_event(execution, "MapIterationFailed", {"mapIterationFailedEventDetails": iteration})
        raise
    add_event(execution, "MapIterationSucceeded", {"mapIterationSucceededEventDetails": iteration})
    return output


def _run_states(states: Document, start_at: str | None, input_data: Any, execution: Document, ctx: Document) -> Any:
    name, value = start_at, copy.deepcopy(input_data)
    while name:
        if execution["status"] != "RUNNING":
            raise ExecutionOver
        state = states.get(name)
        if state is None:
            raise stepfunctions._ExecutionError("States.Runtime", f"State '{name}' not found")
        ctx["State"] = {"Name": name, "EnteredTime": now_iso(), "RetryCount": 0}
        kind = state.get("Type")
        add_event(execution, f"{kind}StateEntered", _state_details("Entered", name, "input", value))
        value, following = _run_state(kind, state, value, execution, ctx)
        add_event(execution, f"{kind}StateExited", _state_details("Exited", name, "output", value))
        name = following
    return value


def _run_state(kind: str | None, state: Document, value: Any, execution: Document, ctx: Document) -> Any:
    if kind == "Succeed":
        entered = stepfunctions._apply_input_path(state, value, ctx)
        return stepfunctions._apply_output_path(state, entered, ctx), None
    if kind == "Fail":
        raise stepfunctions._ExecutionError(*stepfunctions._fail_state_error(state, value, ctx))
    if kind in ("Task", "Parallel", "Map"):
        return getattr(stepfunctions, f"_execute_{kind.lower()}")(state, value, execution, ctx)
    if kind in ("Pass", "Choice", "Wait"):
        return getattr(stepfunctions, f"_execute_{kind.lower()}")(state, value, ctx)
    raise stepfunctions._ExecutionError("States.Runtime", f"Unknown state type: {kind}")


def _state_details(moment: str, name: str, direction: str, value: Any) -> Document:
    return {f"state{moment}EventDetails": {"name": name, direction: json.dumps(value)}}


def _recorded(kind: str, run: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap the function that runs a Map's items or a Parallel's branches: its start, its end and its failure."""

    def run_recorded(state: Document, raw_input: Any, execution: Document, ctx: Document) -> Any:
        started = (
            {"mapStateStartedEventDetails": {"length": _item_count(state, raw_input, ctx)}} if kind == "Map" else {}
        )
        enclosing = _enclosing.set((kind, ctx["State"]["Name"]))
        try:
            add_event(execution, f"{kind}StateStarted", started)
            result = run(state, raw_input, execution, ctx)
            add_event(execution, f"{kind}StateSucceeded")
            return result
        except stepfunctions._ExecutionError:
            add_event(execution, f"{kind}StateFailed")
            raise
        finally:
            _enclosing.reset(enclosing)

    return run_recorded


def _item_count(state: Document, raw_input: Any, ctx: Document) -> int:
    effective = stepfunctions._apply_input_path(state, raw_input, ctx)
    items = stepfunctions._resolve_path_or_ctx(state.get("ItemsPath", "$"), effective, ctx)
    return len(items) if isinstance(items, list) else 1
