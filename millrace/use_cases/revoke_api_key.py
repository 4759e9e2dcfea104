"""Revoke an API key: from the next request on it opens nothing."""

from __future__ import annotations

from millrace.domain.api_key import ApiKey
from millrace.domain.role import Role
from millrace.errors import NotFound
from millrace.ports import ApiKeys, Clock


def revoke_api_key(*, keys: ApiKeys, clock: Clock, key_id: str, actor: str, roles: frozenset[Role]) -> ApiKey:
    """One's own, or any as an admin. Raises NotFound, also for a key of somebody else, and Conflict."""
    return keys.revoke(visible_key(keys, key_id, actor, roles).key_id, actor=actor, at=clock.now())


def visible_key(keys: ApiKeys, key_id: str, actor: str, roles: frozenset[Role]) -> ApiKey:
    """Raises NotFound for a key that `actor` does not own, unless an admin asks."""
    key = keys.get(key_id)
    if key.owner != actor and Role.ADMIN not in roles:
        raise NotFound(f"you have no API key {key_id}")
    return key
