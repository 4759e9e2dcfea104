"""The one mapping from errors to HTTP: RFC 9457 problems, with the request's id and nothing of our insides."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from lambdas.api.limits import AskedTooOften
from millrace import errors

CONTENT_TYPE = "application/problem+json"


class FieldError(BaseModel):
    """One fault of one field. `field` is a path: `body.settings.target`, `query.limit`."""

    field: str
    reason: str


class Problem(BaseModel):
    """What went wrong. `type` is the name of the error, and stays the same; `detail` is for people."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "NotFound",
                    "title": "The named thing does not exist",
                    "status": 404,
                    "detail": "there is no model version churn:99",
                    "request_id": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
                    "fields": [],
                }
            ]
        }
    )

    type: str
    title: str
    status: int
    detail: str
    request_id: str
    fields: list[FieldError] = Field(default_factory=list)


class MethodNotAllowed(errors.PlatformError):
    """There is such a path, but not for this method."""

    def __init__(self, method: str, allowed: Sequence[str]) -> None:
        super().__init__(f"{method} is not possible here: use {' or '.join(allowed)}")
        self.allowed = allowed


class FieldsInvalid(errors.InvalidInput):
    """Fields of the request do not have the form they must have."""

    def __init__(self, fields: Sequence[FieldError]) -> None:
        super().__init__("; ".join(f"{fault.field}: {fault.reason}" for fault in fields))
        self.fields = list(fields)


class UnsupportedMediaType(errors.PlatformError):
    """The body comes in a form that is not read here."""


STATUS: dict[type[errors.PlatformError], int] = {
    errors.InvalidInput: 422,
    errors.DatasetInvalid: 422,
    errors.TrainingImpossible: 422,
    errors.KeyReused: 422,
    errors.EvaluationInvalid: 422,
    errors.TrainingFailed: 422,
    errors.ServingRefused: 422,
    errors.NotSignedIn: 401,
    errors.NotAllowed: 403,
    errors.NotFound: 404,
    MethodNotAllowed: 405,
    errors.Conflict: 409,
    errors.RolloutFailed: 409,
    errors.EndpointFailed: 503,
    errors.ChangedMeanwhile: 412,
    errors.RequestTooLarge: 413,
    UnsupportedMediaType: 415,
    errors.TooManyRequests: 429,
}
UNEXPECTED = "Unexpected"


def status_of(kind: type[errors.PlatformError]) -> int:
    """The nearest class in the tree that has a status decides; what nobody thought of is ours: 500."""
    return next((STATUS[each] for each in kind.__mro__ if each in STATUS), 500)


def problem_of(error: Exception, request_id: str) -> Problem:
    """What the caller is told. Only errors that we raise on purpose speak for themselves."""
    status = status_of(type(error)) if isinstance(error, errors.PlatformError) else 500
    if status == 500:
        return Problem(
            type=UNEXPECTED,
            title="Something unexpected happened",
            status=500,
            detail=f"It is not your fault. Whoever runs the platform finds it in the log by {request_id}.",
            request_id=request_id,
        )
    return Problem(
        type=type(error).__name__,
        title=title_of(type(error)),
        status=status,
        detail=str(error),
        request_id=request_id,
        fields=error.fields if isinstance(error, FieldsInvalid) else [],
    )


def title_of(kind: type[Exception]) -> str:
    """The first sentence that the class says of itself."""
    return (kind.__doc__ or kind.__name__).strip().split(".", 1)[0].split("\n", 1)[0]


def problem_answer(error: Exception, request_id: str) -> dict[str, Any]:
    """A whole HTTP API answer (payload 2.0)."""
    problem = problem_of(error, request_id)
    headers = {"Content-Type": CONTENT_TYPE}
    if isinstance(error, MethodNotAllowed):
        headers["Allow"] = ", ".join(error.allowed)
    if isinstance(error, AskedTooOften):
        headers["Retry-After"] = str(error.retry_after_seconds)
    if isinstance(error, errors.NotSignedIn):
        headers["WWW-Authenticate"] = "Bearer"
    body = json.dumps(problem.model_dump(mode="json"), ensure_ascii=False)
    return {"statusCode": problem.status, "headers": headers, "body": body, "isBase64Encoded": False}
