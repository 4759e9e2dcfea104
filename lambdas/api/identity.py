"""Who asks: by the claims of a token that API Gateway has verified, or by an API key, which is checked here.

The route decides which of the two counts. Where tokens count, API Gateway lets nobody by without one, and no key is
looked at; below KEYED_PATH API Gateway asks for nothing, and only a key counts (adr/0009).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lambdas.api.manners import header
from millrace import bootstrap, names
from millrace.domain.role import Role
from millrace.errors import NotAllowed, NotSignedIn
from millrace.use_cases.check_api_key import check_api_key

_BEARER = "bearer "


@dataclass(frozen=True)
class Caller:
    """`actor` is what history and audit keep: `user:ada` or `client:<app client id>`.

    A key acts as its owner; `key_id` names it.
    """

    actor: str
    roles: frozenset[Role]
    key_id: str | None = None

    def require(self, allowed: frozenset[Role]) -> None:
        """Raises NotAllowed with what would be needed."""
        if not self.roles & allowed:
            has = ", ".join(sorted(self.roles)) or "no role"
            raise NotAllowed(f"this needs the role {' or '.join(sorted(allowed))}, and {self.actor} has {has}")

    def require_person(self) -> None:
        """Raises NotAllowed for whatever is no person who has signed in."""
        if self.key_id is not None or not self.actor.startswith("user:"):
            what = f"API key {self.key_id}" if self.key_id else self.actor
            raise NotAllowed(f"this is for a person who has signed in, and {what} is none")


def caller_of(event: Mapping[str, Any]) -> Caller:
    """The caller of an HTTP API request (payload 2.0). Raises NotSignedIn."""
    return _by_key(event) if comes_with_key(event) else _by_token(event)


def comes_with_key(event: Mapping[str, Any]) -> bool:
    """Whether API Gateway took the request by a route for keys."""
    return f" {names.KEYED_PATH}/" in event["routeKey"]


def without_key_path(event: dict[str, Any]) -> dict[str, Any]:
    """The request with the path that it is about; it is still known to come by a route for keys."""
    if not comes_with_key(event):
        return event
    context, path = event["requestContext"], "/" + event["rawPath"].lstrip("/").removeprefix(names.KEYED_PATH[1:] + "/")
    return {**event, "rawPath": path, "requestContext": {**context, "http": {**context["http"], "path": path}}}


def _by_key(event: Mapping[str, Any]) -> Caller:
    """A key acts for its owner."""
    said, bearing = header(event, "x-api-key") or "", header(event, "authorization") or ""
    if not said and bearing.lower().startswith(_BEARER):
        said = bearing[len(_BEARER) :]
    if not said:
        raise NotSignedIn("send an API key: `Authorization: Bearer mr_…` or `X-Api-Key: mr_…`")
    platform = bootstrap.platform()
    key = check_api_key(keys=platform.api_keys, clock=platform.clock, token=said.strip())
    return Caller(key.owner, frozenset(key.roles), key.key_id)


def _by_token(event: Mapping[str, Any]) -> Caller:
    """People are known by the groups in their access token, machines by the scopes that were granted to them.

    An ID token says who somebody is to an application, and is not meant for an API.
    """
    claims = event.get("requestContext", {}).get("authorizer", {}).get("jwt", {}).get("claims") or {}
    if claims.get("token_use") != "access":
        raise NotSignedIn("send an access token in the Authorization header: `Authorization: Bearer …`")
    username = claims.get("username")
    if username:
        return Caller(f"user:{username}", _roles(_listed(claims.get("cognito:groups", ""))))
    scopes = [scope.removeprefix(f"{names.SCOPE_PREFIX}/") for scope in claims.get("scope", "").split()]
    return Caller(f"client:{claims['client_id']}", _roles(scopes))


def _listed(claim: str) -> list[str]:
    """API Gateway hands a list on as text: `[viewer approver]`."""
    return claim.strip("[]").replace(",", " ").split()


def _roles(said: list[str]) -> frozenset[Role]:
    return frozenset(Role(name) for name in said if name in names.ROLES)
