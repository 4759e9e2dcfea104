"""How a route is declared: its path, who may use it, what it answers, what can go wrong. The contract is made of it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from lambdas.api import problems
from lambdas.api.identity import Caller
from lambdas.api.manners import IDEMPOTENT_METHODS, NotModified, etag_matches, etag_of, header
from lambdas.api.problems import Problem, status_of, title_of
from millrace import errors
from millrace.domain.role import Role

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")
NOBODY_ASKS: frozenset[Role] = frozenset()
JSON = "application/json"


@dataclass(frozen=True)
class Endpoint:
    """One route. `allow` is empty where no sign-in is needed; `keyed` says that it takes an Idempotency-Key.

    `people_only` routes are closed to machines and API keys, whatever their roles.
    """

    method: str
    rule: str
    operation_id: str
    allow: frozenset[Role]
    pattern: re.Pattern[str]
    keyed: bool
    people_only: bool

    @property
    def path(self) -> str:
        """As OpenAPI writes it: `/models/{model}`."""
        return re.sub(r"<(\w+)>", r"{\1}", self.rule)


class Resource(APIGatewayHttpRouter):
    """The routes of one resource. Add it to RESOURCES in app.py, and declare each route with `endpoint`."""

    def __init__(self, tag: str) -> None:
        super().__init__()
        self.tag = tag
        self.registered: list[Endpoint] = []

    def endpoint(
        self,
        method: str,
        rule: str,
        *,
        allow: frozenset[Role],
        raises: Sequence[type[errors.PlatformError]] = (),
        status: int = 200,
        example: Any = None,
        links: dict[str, Any] | None = None,
        keyed: bool = True,
        people_only: bool = False,
        unfinished: Any = None,
    ) -> Callable[[F], F]:
        """Declare a route. `allow` says which roles may use it; NOBODY_ASKS is for what needs no sign-in.

        The function's name is the operation id, its docstring the description, its return type the schema of the
        answer with `status`, and `raises` its errors. `example` is an answer, `links` are OpenAPI's. A POST that is not
        `keyed` takes no Idempotency-Key. What is `people_only` is for people who have signed in. `unfinished` is an
        answer of the same shape that comes with 202.
        """

        def register(function: F) -> F:
            pattern = re.compile(re.sub(r"<(\w+)>", r"[^/]+", rule))
            takes_key = keyed and method == "POST"
            kinds = _always(method, allow, keyed=keyed) | set(raises)
            self.registered.append(Endpoint(method, rule, function.__name__, allow, pattern, takes_key, people_only))
            right = _right(function, status, example, links)
            if unfinished is not None:
                right |= _right(function, 202, unfinished, None)
            description = inspect.cleandoc(function.__doc__ or "")
            self.route(
                rule,
                method,
                operation_id=function.__name__,
                tags=[self.tag],
                summary=description.split("\n", 1)[0].rstrip("."),
                description=description,
                status_code=status,
                responses=_answers(right, kinds),
                security=_security(people_only) if allow else None,
                openapi_extensions={"x-roles": sorted(allow), "x-people-only": people_only},
            )(function)
            return function

        return register

    @property
    def caller(self) -> Caller:
        found: Caller = self.context["caller"]
        return found

    def unless_unchanged(self, *revision: object) -> str:
        """The ETag made of `revision`, the counters of what is shown. Ends the request with 304 when the caller has it.

        Call it before the work that a 304 spares.
        """
        etag = etag_of(*revision)
        if etag_matches(header(self.current_event.raw_event, "if-none-match"), etag):
            raise NotModified(etag)
        return etag

    def if_match(self) -> str | None:
        """What the caller says it has seen (`If-Match`), or None."""
        return header(self.current_event.raw_event, "if-match")


def answer(
    body: T,
    *,
    status: int = 200,
    etag: str | None = None,
    poll_after: int | None = None,
    location: str | None = None,
) -> Response[T]:
    """An answer with manners. `poll_after` is in seconds: when asking again makes sense."""
    said = {"ETag": etag, "X-Poll-After": None if poll_after is None else str(poll_after), "Location": location}
    headers: dict[str, str | list[str]] = {name: value for name, value in said.items() if value is not None}
    return Response(status_code=status, content_type=JSON, body=body, headers=headers)


def _security(people_only: bool) -> list[dict[str, list[str]]]:
    return [{"cognito": []}] if people_only else [{"cognito": []}, {"api_key": []}]


def _always(method: str, allow: frozenset[Role], *, keyed: bool) -> set[type[errors.PlatformError]]:
    """What can go wrong with every route of its kind."""
    found: set[type[errors.PlatformError]] = {errors.InvalidInput}
    if allow:
        found |= {errors.NotAllowed, errors.NotSignedIn, errors.TooManyRequests}
    if keyed and method not in IDEMPOTENT_METHODS:
        found |= {errors.KeyReused, errors.Conflict}
    if method in ("POST", "PUT", "PATCH"):
        found |= {errors.RequestTooLarge, problems.UnsupportedMediaType}
    return found


def _right(function: F, status: int, example: Any, links: dict[str, Any] | None) -> dict[int, Any]:
    """The answer when all is well, by its status."""
    returned = get_type_hints(function)["return"]
    model = get_args(returned)[0] if get_origin(returned) is Response else returned
    content: dict[str, Any] = {"model": model}
    if example is not None:
        content["examples"] = {function.__name__: {"value": example}}
    described: dict[str, Any] = {"description": "Done", "content": {JSON: content}}
    if links:
        described["links"] = links
    return {status: described}


def _answers(right: dict[int, Any], kinds: set[type[errors.PlatformError]]) -> dict[int, Any]:
    found = dict(right)
    by_status: dict[int, list[type[errors.PlatformError]]] = {}
    for kind in sorted(kinds, key=lambda each: each.__name__):
        by_status.setdefault(status_of(kind), []).append(kind)
    for code in sorted(by_status):
        described = "; ".join(f"{kind.__name__}: {title_of(kind)}" for kind in by_status[code])
        found[code] = {"description": described, "content": {problems.CONTENT_TYPE: {"model": Problem}}}
    found[500] = {"description": "Unexpected", "content": {problems.CONTENT_TYPE: {"model": Problem}}}
    return found
