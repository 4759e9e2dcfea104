"""Make an API key: its secret is told to its maker, and to nobody ever again."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from datetime import timedelta

from millrace.domain.api_key import (
    DEFAULT_DAYS,
    ID_BYTES,
    MAX_DAYS,
    SECRET_BYTES,
    ApiKey,
    digest_of,
    grantable,
    token_of,
)
from millrace.domain.role import Role
from millrace.errors import InvalidInput, NotAllowed
from millrace.ports import ApiKeys, Clock


def make_api_key(
    *,
    keys: ApiKeys,
    clock: Clock,
    name: str,
    roles: Iterable[Role],
    maker: str,
    maker_roles: frozenset[Role],
    days: int = DEFAULT_DAYS,
    draw: Callable[[int], str] = secrets.token_hex,
) -> tuple[ApiKey, str]:
    """The key, and what to send with requests. `draw` gives so many random bytes as hexadecimal.

    Raises InvalidInput without a role or for too long a life, NotAllowed for a role that the maker lacks.
    """
    wanted = frozenset(roles)
    if not wanted:
        raise InvalidInput("give the key a role: without one it may do nothing")
    if not 1 <= days <= MAX_DAYS:
        raise InvalidInput(f"a key is good for 1 to {MAX_DAYS} days, not {days}")
    missing = wanted - grantable(maker_roles)
    if missing:
        raise NotAllowed(f"{maker} has not the role {', '.join(sorted(missing))}, so no key of {maker} can have it")
    secret, now = draw(SECRET_BYTES), clock.now()
    key = ApiKey(
        key_id=draw(ID_BYTES),
        name=name.strip(),
        owner=maker,
        roles=tuple(sorted(wanted)),
        secret_sha256=digest_of(secret),
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    keys.add(key)
    return key, token_of(key.key_id, secret)
