"""Cognito: a token that was renewed says which groups its person is in, as the first one did."""

from typing import Any

from ministack.services import cognito

from local.context import EmulatorContext


def install(_context: EmulatorContext) -> None:
    """ministack's token endpoint leaves the groups out of what it gives for a refresh token."""
    make = cognito._fake_token

    def make_with_groups(sub: str, pool_id: str, client_id: str, *rest: Any, **named: Any) -> Any:
        if named.get("trigger_source") == "TokenGeneration_RefreshTokens" and "groups" not in named:
            named["groups"] = groups_of(pool_id, named.get("username") or sub)
        return make(sub, pool_id, client_id, *rest, **named)

    cognito._fake_token = make_with_groups


def groups_of(pool_id: str, name_or_sub: str) -> list[str]:
    """The groups a person is in now; a renewal is when a change of them takes effect."""
    users = cognito._get_pool_unscoped(pool_id)["_users"]
    for user in users.values():
        attributes = {attribute["Name"]: attribute["Value"] for attribute in user.get("Attributes", [])}
        if name_or_sub in (user["Username"], attributes.get("sub")):
            return list(user.get("_groups", []))
    return []
