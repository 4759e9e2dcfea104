"""Who asks, from the claims that API Gateway has verified. Nothing here trusts a token of its own accord."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from millrace import names
from millrace.domain.role import Role
from millrace.errors import NotAllowed, NotSignedIn


@dataclass(frozen=True)
class Caller:
    """`actor` is what history and audit keep: `user:ada` or `client:<app client id>`."""

    actor: str
    roles: frozenset[Role]

    def require(self, allowed: frozenset[Role]) -> None:
        """Raises NotAllowed with what would be needed."""
        if not self.roles & allowed:
            has = ", ".join(sorted(self.roles)) or "no role"
            raise NotAllowed(f"this needs the role {' or '.join(sorted(allowed))}, and {self.actor} has {has}")


def caller_of(event: Mapping[str, Any]) -> Caller:
    """The caller of an HTTP API request (payload 2.0). Raises NotSignedIn.

    People are known by the groups in their access token, machines by the scopes that were granted to them. An ID token
    says who somebody is to an application, and is not meant for an API.
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
