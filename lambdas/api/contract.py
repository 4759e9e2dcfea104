"""The contract, OpenAPI 3.1, made from the routes as they are."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.openapi.models import APIKey, APIKeyIn, HTTPBearer

from lambdas.api.problems import CONTENT_TYPE

TITLE = "Millrace"
VERSION = "1.0.0"
DESCRIPTION = """\
Drop a dataset in a bucket; governed, monitored model versions come out.

Sign in through the user pool (authorization code with PKCE) or, as a machine, with client credentials, and send the
access token: `Authorization: Bearer …`. Roles are groups of the pool for people and scopes `millrace/<role>` for
machines; `x-roles` says which of them may use a route. Errors are problems (RFC 9457) with the request's id, but for
those that API Gateway makes by itself, which have a `message` alone. Lists come in pages. GETs answer with an `ETag`
and take `If-None-Match`; decisions take `If-Match`; POSTs take `Idempotency-Key`.
"""
_KEYS = "A key of one's own (`POST /api-keys`), below the path `/by-key`: `GET /by-key/models`. Also as a bearer token."
# What routes return besides JSON is described by hand; what Powertools adds of its own is not ours.
_NOT_OURS = ("HTTPValidationError", "ValidationError", "ResponseValidationError")
_PARAMETERS: dict[str, dict[str, Any]] = {
    "If-None-Match": {"description": "The `ETag` you have: 304 when it is still true.", "methods": ("get",)},
    "If-Match": {
        "description": "The `ETag` you have seen: 412 when it is no longer true.",
        "methods": ("put", "patch"),
    },
    "Idempotency-Key": {
        "description": "Any text of your own. The same request with it again gets the same answer for 24 hours.",
        "methods": ("post",),
    },
}
_TEXT = {"get_metrics": "application/openmetrics-text; version=1.0.0; charset=utf-8"}
_HEADERS = {
    "ETag": "The revision of what is shown.",
    "X-Request-Id": "Names this request in the logs.",
    "X-Poll-After": "Seconds until asking again makes sense.",
}


def contract_of(app: APIGatewayHttpResolver, unkeyed: Collection[str]) -> dict[str, Any]:
    """The document, with keys in a stable order. The operations `unkeyed` take no Idempotency-Key."""
    text = app.get_openapi_json_schema(
        title=TITLE,
        version=VERSION,
        openapi_version="3.1.0",
        description=DESCRIPTION,
        security_schemes={
            "cognito": HTTPBearer(scheme="bearer", bearerFormat="JWT"),
            "api_key": APIKey(**{"name": "X-Api-Key", "in": APIKeyIn.header}, description=_KEYS),
        },
    )
    document: dict[str, Any] = json.loads(text)
    for path in document["paths"].values():
        for method, operation in path.items():
            _complete(method, operation, keyed=operation["operationId"] not in unkeyed)
    for name in _NOT_OURS:
        document["components"]["schemas"].pop(name, None)
    document.pop("servers", None)
    document["paths"] = dict(sorted(document["paths"].items()))
    return document


def _complete(method: str, operation: dict[str, Any], *, keyed: bool) -> None:
    """What every operation of its kind has: headers in and out, 304, and what API Gateway answers by itself."""
    operation["responses"]["500"] = _problem("Unexpected: the request's id finds it in the log")
    operation["responses"] = dict(sorted(operation["responses"].items()))
    if "security" not in operation:
        operation["security"] = []
        return
    wanted = [name for name, about in _PARAMETERS.items() if method in about["methods"]]
    if not keyed:
        wanted.remove("Idempotency-Key")
    operation["parameters"] = operation.get("parameters", []) + [_parameter(name) for name in wanted]
    for status, response in operation["responses"].items():
        if status.startswith("2"):
            media = _TEXT.get(operation["operationId"], "application/json")
            response["content"] = {media: response["content"]["application/json"]}
            response["headers"] = {name: _header(said) for name, said in _HEADERS.items()}
    if method == "get":
        operation["responses"]["304"] = {"description": "What you have is still true."}
    # The authorizer answers before we do, in a form of API Gateway's own; an ID token is refused by us.
    operation["responses"]["401"]["content"]["application/json"] = {
        "schema": {"type": "object", "properties": {"message": {"type": "string"}}, "required": ["message"]}
    }


def _problem(said: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": said, "content": {CONTENT_TYPE: {"schema": schema}}}


def _parameter(name: str) -> dict[str, Any]:
    schema = {"type": "string", "maxLength": 200}
    said = _PARAMETERS[name]["description"]
    return {"name": name, "in": "header", "required": False, "description": said, "schema": schema}


def _header(said: str) -> dict[str, Any]:
    return {"description": said, "schema": {"type": "string"}}
