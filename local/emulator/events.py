"""EventBridge: what it hands to a function is delivered at least once, also across the death of the process."""

import contextvars
import json
import logging
import threading
import time
from typing import Any

from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import eventbridge, lambda_svc

from local.context import EmulatorContext
from local.emulator.persistence import StateStore, open_store

logger = logging.getLogger("local.events")

# AWS tries an asynchronous invocation three times, minutes apart. A laptop's user does not wait minutes.
RETRY_DELAYS_SECONDS = (1.0, 2.0)


def install(context: EmulatorContext) -> None:
    """Journal each event for a function before it runs, and retry a function that fails as AWS does."""
    store = open_store(context)

    def dispatch(arn: str, payload: str) -> None:
        delivery = {"arn": arn, "payload": payload, "account_id": get_account_id(), "region": get_region()}
        _deliver_in_background(store, store.record_delivery(delivery), delivery)

    eventbridge._dispatch_to_lambda = dispatch


def redeliver(context: EmulatorContext) -> int:
    """Deliver what an earlier process recorded and did not confirm. Returns how many events that were.

    Some were delivered and not yet confirmed: as on AWS, a target sees an event at least once.
    """
    store = open_store(context)
    with _running_lock:
        left = [(number, delivery) for number, delivery in store.undelivered() if number not in _running]
    for number, delivery in left:
        _deliver_in_background(store, number, delivery)
    return len(left)


_running: set[int] = set()
_running_lock = threading.Lock()


def _deliver_in_background(store: StateStore, number: int, delivery: dict[str, Any]) -> None:
    with _running_lock:
        _running.add(number)
    # A context of its own: the dispatching thread's belongs to the request.
    scope = contextvars.copy_context()
    threading.Thread(target=scope.run, args=(_deliver, store, number, delivery), daemon=True).start()


def _deliver(store: StateStore, number: int, delivery: dict[str, Any]) -> None:
    with request_scope(delivery["account_id"], delivery["region"]):
        func, config, name = lambda_svc._get_func_record_for_ref(delivery["arn"])
        if not func or not config:
            logger.warning("an event for function %s is dropped: there is no such function", name)
        else:
            _invoke(lambda_svc._execution_record_for_config(func, config), json.loads(delivery["payload"]), str(name))
    store.delivered(number)


def _invoke(record: dict[str, Any], event: Any, name: str) -> None:
    """Run a function until it succeeds or its attempts are used up; then its failure destination gets the event."""
    by_qualifier = record.get("event_invoke_configs") or {}
    configured = record.get("event_invoke_config") or by_qualifier.get("$LATEST") or {}
    attempts = 1 + int(configured.get("MaximumRetryAttempts", len(RETRY_DELAYS_SECONDS)))
    result: dict[str, Any] = {}
    for attempt in range(attempts):
        if attempt:
            time.sleep(RETRY_DELAYS_SECONDS[attempt - 1])
        result = lambda_svc._execute_function_with_config_scope(record, event)
        if not result.get("error"):
            return
        logger.warning("event for function %s: attempt %d failed: %s", name, attempt + 1, result.get("body"))
    destination = (configured.get("DestinationConfig") or {}).get("OnFailure", {}).get("Destination")
    dead_letters = ((record.get("config") or {}).get("DeadLetterConfig") or {}).get("TargetArn")
    if destination or dead_letters:
        lambda_svc._route_async_failure(destination or dead_letters, name, event, result)
