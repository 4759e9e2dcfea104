"""Step Functions: names make starting idempotent, roles are asked, and every end is reported, whatever it is."""

import contextlib
import contextvars
import json
import threading
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from ministack.core.responses import json_response, now_iso, request_scope
from ministack.services import cloudwatch, eventbridge, stepfunctions

from local.context import TASK_ABANDONED, EmulatorContext
from local.emulator import history, permissions

Document = dict[str, Any]

RESTARTED_ERROR = "Platform.Restarted"
RESTARTED_CAUSE = "The local platform was restarted while this execution was running. Start it again."
# EventBridge limits an event; AWS leaves out an input or output that is longer.
LONGEST_PAYLOAD = 248 * 1024
# On the record of an execution whose end nobody was told yet.
UNANNOUNCED = "endUnannounced"
TERMINAL_ERRORS = ("States.DataLimitExceeded", "States.Runtime")
ENDED_METRICS = {
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "TIMED_OUT": "ExecutionsTimedOut",
    "ABORTED": "ExecutionsAborted",
}

_execution: contextvars.ContextVar[Document | None] = contextvars.ContextVar("execution", default=None)
_start_lock = threading.Lock()
_working_tasks: dict[str, set[threading.Event]] = defaultdict(set)


def install(_context: EmulatorContext) -> None:
    """Replace what ministack does differently from AWS when executions start, work and end."""
    history.install()
    _make_starting_idempotent()
    _time_executions_out()
    _guard_tasks()
    _let_terminal_errors_end_executions()
    _abandon_tasks_of_stopped_executions()
    _mark_interrupted_executions()
    stepfunctions._emit_execution_status_event = announce


def _make_starting_idempotent() -> None:
    start = stepfunctions._start_execution

    def start_once(data: Document) -> Any:
        """The same name with the same input finds the running execution; any other reuse of a name is refused."""
        with _start_lock:
            running = _running_namesake(data)
            if running is not None:
                return json_response({"executionArn": running["executionArn"], "startDate": running["startDate"]})
            return start(data)

    stepfunctions._start_execution = start_once


def _running_namesake(data: Document) -> Document | None:
    machine_arn = stepfunctions._resolve_state_machine_arn(data.get("stateMachineArn", ""))
    if machine_arn is None or not data.get("name"):
        return None
    arn = f"{machine_arn.replace(':stateMachine:', ':execution:')}:{data['name']}"
    execution = stepfunctions._executions.get(arn)
    same = execution and execution["status"] == "RUNNING" and execution["input"] == data.get("input", "{}")
    return dict(execution) if same else None


def _time_executions_out() -> None:
    run, fail = stepfunctions._run_execution, stepfunctions._fail_execution

    def run_timed(execution_arn: str) -> None:
        execution = stepfunctions._executions.get(execution_arn)
        if execution is None:
            return
        history.begin(execution)
        token = _execution.set(execution)
        try:
            with _time_limit(execution):
                run(execution_arn)
        finally:
            _execution.reset(token)

    def fail_running(execution: Document, error: str, cause: str) -> None:
        # A thread that fails after its execution was stopped or timed out must not change how it ended.
        if execution["status"] == "RUNNING":
            fail(execution, error, cause)

    stepfunctions._run_execution = run_timed
    stepfunctions._fail_execution = fail_running


@contextlib.contextmanager
def _time_limit(execution: Document) -> Iterator[None]:
    """End the execution TIMED_OUT when its state machine's TimeoutSeconds have passed."""
    machine = stepfunctions._state_machines.get(execution["stateMachineArn"])
    seconds = json.loads(machine["definition"]).get("TimeoutSeconds") if machine else None
    if seconds is None:
        yield
        return
    scope = contextvars.copy_context()
    timer = threading.Timer(seconds, scope.run, (_time_out, execution))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _time_out(execution: Document) -> None:
    if execution["status"] != "RUNNING":
        return
    execution.update(status="TIMED_OUT", stopDate=now_iso(), error="States.Timeout", cause=None)
    history.add_event(execution, "ExecutionTimedOut", {"executionTimedOutEventDetails": {"error": "States.Timeout"}})
    _abandon_tasks(execution)
    announce(execution)


def _guard_tasks() -> None:
    invoke, invoke_timed = stepfunctions._invoke_resource, stepfunctions._invoke_resource_with_timeout

    def invoke_guarded(resource: str, task_input: Any) -> Any:
        """Carry a task out for a running execution only, with what its role allows, and record that it started."""
        execution = _execution.get()
        if execution is None:
            return invoke(resource, task_input)
        if execution["status"] != "RUNNING":
            raise history.ExecutionOver
        role_arn = execution["events"][0]["executionStartedEventDetails"]["roleArn"]
        permissions.require(role_arn, execution["name"], resource, task_input)
        history.task_started(execution, resource, task_input)
        with _abandonable(execution):
            return invoke(resource, task_input)

    def invoke_until(resource: str, task_input: Any, timeout: float) -> Any:
        """Tell the task when the state gave up waiting for it."""
        abandoned = threading.Event()
        token = TASK_ABANDONED.set(abandoned)
        try:
            return invoke_timed(resource, task_input, timeout)
        except stepfunctions._ExecutionError as error:
            if error.error == "States.Timeout":
                abandoned.set()
            raise
        finally:
            TASK_ABANDONED.reset(token)

    stepfunctions._invoke_resource = invoke_guarded
    stepfunctions._invoke_resource_with_timeout = invoke_until


def _let_terminal_errors_end_executions() -> None:
    matches = stepfunctions._error_matches

    def matches_as_aws(error_equals: list[str], error: str) -> bool:
        """`States.ALL` and `States.TaskFailed` do not cover the errors that AWS calls terminal."""
        return error in error_equals if error in TERMINAL_ERRORS else bool(matches(error_equals, error))

    stepfunctions._error_matches = matches_as_aws


@contextlib.contextmanager
def _abandonable(execution: Document) -> Iterator[None]:
    abandoned = TASK_ABANDONED.get() or threading.Event()
    token = TASK_ABANDONED.set(abandoned)
    working = _working_tasks[execution["executionArn"]]
    working.add(abandoned)
    try:
        yield
    finally:
        working.discard(abandoned)
        TASK_ABANDONED.reset(token)


def _abandon_tasks(execution: Document) -> None:
    for abandoned in list(_working_tasks.pop(execution["executionArn"], ())):
        abandoned.set()


def _abandon_tasks_of_stopped_executions() -> None:
    stop = stepfunctions._stop_execution

    def stop_with_tasks(data: Document) -> Any:
        answer = stop(data)
        execution = stepfunctions._executions.get(data.get("executionArn"))
        if execution is not None and execution["status"] == "ABORTED":
            _abandon_tasks(execution)
        return answer

    stepfunctions._stop_execution = stop_with_tasks


def _mark_interrupted_executions() -> None:
    restore = stepfunctions._restore_state

    def restore_and_mark(data: Document) -> None:
        """End what ran when the process died, and remember that nobody was told: the platform is not deployed yet."""
        for execution in data.get("executions", {}).all_values() if data else ():
            if execution["status"] == "RUNNING":
                interrupt(execution)
        restore(data)

    stepfunctions._restore_state = restore_and_mark


def interrupt(execution: Document) -> None:
    """End an execution that died with its process: FAILED with `RESTARTED_ERROR`, its end unannounced."""
    reason = {"error": RESTARTED_ERROR, "cause": RESTARTED_CAUSE}
    execution.update(status="FAILED", stopDate=now_iso(), **reason)
    execution[UNANNOUNCED] = True
    history.add_event(execution, "ExecutionFailed", {"executionFailedEventDetails": reason})


def announce_interrupted() -> list[str]:
    """Announce the end of every execution that a dead process left running. Returns their ARNs."""
    announced = []
    for (account_id, region, arn), execution in list(stepfunctions._executions.all_items()):
        if execution.pop(UNANNOUNCED, False):
            with request_scope(account_id, region):
                announce(execution)
            announced.append(arn)
    return announced


def announce(execution: Document) -> None:
    """Publish `Step Functions Execution Status Change` on the default bus, and count the execution in AWS/States.

    Unlike ministack's own event it carries error and cause however the execution failed to succeed.
    """
    if execution.get("sync"):
        return
    eventbridge._put_events(
        {
            "Entries": [
                {
                    "Source": "aws.states",
                    "DetailType": "Step Functions Execution Status Change",
                    "Detail": json.dumps(status_change(execution)),
                    "Resources": [execution["executionArn"]],
                }
            ]
        },
        allow_aws_source=True,
    )
    _count(execution)


def status_change(execution: Document) -> Document:
    """Return the detail of the status-change event, with AWS's fields. Times are milliseconds since 1970."""
    status = execution["status"]
    payloads = {"input": execution["input"], "output": execution["output"] if status == "SUCCEEDED" else None}
    included = {name: text if text is None or len(text) <= LONGEST_PAYLOAD else None for name, text in payloads.items()}
    return {
        "executionArn": execution["executionArn"],
        "stateMachineArn": execution["stateMachineArn"],
        "name": execution["name"],
        "status": status,
        "startDate": stepfunctions._iso_to_epoch_ms(execution["startDate"]),
        "stopDate": stepfunctions._iso_to_epoch_ms(execution.get("stopDate")),
        **included,
        **{
            f"{name}Details": {"included": included[name] == text}
            for name, text in payloads.items()
            if text is not None
        },
        "error": execution.get("error"),
        "cause": execution.get("cause"),
    }


def _count(execution: Document) -> None:
    dimensions = {"StateMachineArn": execution["stateMachineArn"]}
    if execution["status"] == "RUNNING":
        cloudwatch.record_metric("AWS/States", "ExecutionsStarted", 1, "Count", dimensions)
        return
    cloudwatch.record_metric("AWS/States", ENDED_METRICS[execution["status"]], 1, "Count", dimensions)
    started, stopped = (stepfunctions._iso_to_epoch_ms(execution[name]) for name in ("startDate", "stopDate"))
    cloudwatch.record_metric("AWS/States", "ExecutionTime", stopped - started, "Milliseconds", dimensions)
