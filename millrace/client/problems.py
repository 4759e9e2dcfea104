"""What the API refuses, as exceptions."""

from __future__ import annotations

import json
from typing import Any

from millrace.client.transport import Answer
from millrace.errors import PlatformError


class Problem(PlatformError):
    """The API refused a request. `type` is the name of its error and stays the same; `detail` is for people.

    `fields` are `{"field": …, "reason": …}`. `request_id` is what whoever runs the platform finds in the log.
    """

    def __init__(
        self, status: int, *, type: str, title: str, detail: str, request_id: str, fields: list[dict[str, str]]
    ) -> None:
        super().__init__(f"{detail or title}{f' (request {request_id})' if request_id else ''}")
        self.status, self.type, self.title, self.detail = status, type, title, detail
        self.request_id, self.fields = request_id, fields


class NotSignedIn(Problem):
    """401: no credentials, or ones that open nothing any more."""


class NotAllowed(Problem):
    """403: known, and not allowed to do this."""


class NotFound(Problem):
    """404"""


class Conflict(Problem):
    """409, 412: something else was decided or changed meanwhile, or the thing's state does not allow it."""


class Invalid(Problem):
    """422: what was sent does not have the form it must have; `fields` say where."""


class TooManyRequests(Problem):
    """429, still after waiting as long as was asked for."""


_BY_STATUS: dict[int, type[Problem]] = {
    401: NotSignedIn,
    403: NotAllowed,
    404: NotFound,
    409: Conflict,
    412: Conflict,
    422: Invalid,
    429: TooManyRequests,
}


def problem_of(answer: Answer) -> Problem:
    """What API Gateway refuses by itself has a `message` only; a proxy on the way may say anything."""
    said = _document(answer.content)
    return _BY_STATUS.get(answer.status, Problem)(
        answer.status,
        type=str(said.get("type", "")),
        title=str(said.get("title", f"HTTP {answer.status}")),
        detail=str(said.get("detail") or said.get("message") or ""),
        request_id=str(said.get("request_id") or answer.headers.get("x-request-id", "")),
        fields=list(said.get("fields", [])),
    )


def _document(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
