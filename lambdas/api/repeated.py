"""Requests that come twice: with the same Idempotency-Key they are done once and answered twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from lambdas.api.identity import Caller
from lambdas.api.manners import header
from millrace import bootstrap
from millrace.errors import InvalidInput

KEPT = timedelta(hours=24)
# Longer than the function may run: whoever began and did not end by then is dead.
WORKED_ON = timedelta(seconds=60)
MAX_KEY = 200


def done_once(event: Mapping[str, Any], caller: Caller, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The answer of `work`, or the one it gave when this caller sent the same POST with the same key before.

    Only answers are kept: a request that was refused may come again, and may then be accepted.
    """
    given = header(event, "idempotency-key")
    if given is None or event["requestContext"]["http"]["method"] != "POST":
        return work()
    if not given.strip() or len(given) > MAX_KEY:
        raise InvalidInput(f"header.Idempotency-Key: 1 to {MAX_KEY} characters")
    platform = bootstrap.platform()
    answers, key = platform.given_answers, _digest(caller.actor, given)
    before = answers.begin(key, _request(event), at=platform.clock.now(), kept=KEPT, worked_on=WORKED_ON)
    if before is not None:
        found: dict[str, Any] = json.loads(before)
        found["headers"]["Idempotent-Replay"] = "true"
        return found
    try:
        answer = work()
    except BaseException:
        answers.forget(key)
        raise
    answers.finish(key, json.dumps(answer))
    return answer


def _request(event: Mapping[str, Any]) -> str:
    return _digest(event["rawPath"], event.get("rawQueryString", ""), event.get("body") or "")


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
