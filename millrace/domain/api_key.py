"""API keys: how scripts call the API without a person at hand, and what may be known of a key's secret."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import Field

from millrace.domain.entity import Entity, Moment
from millrace.domain.role import EVERYONE, Role

DEFAULT_DAYS = 90
MAX_DAYS = 365
# Longer than this ago, a use is noted again: reading does not become writing.
USE_NOTED_EVERY = timedelta(hours=1)
ID_BYTES = 8
SECRET_BYTES = 32
PREFIX = "mr_"
_TOKEN = re.compile(rf"{PREFIX}([0-9a-f]{{{2 * ID_BYTES}}})_([0-9a-f]{{{2 * SECRET_BYTES}}})")


@dataclass(frozen=True)
class Presented:
    """A key as somebody sent it. Its text form leaves the secret out, so that no log gets it by accident."""

    key_id: str
    secret: str = field(repr=False)


class ApiKey(Entity):
    """What is kept of a key: never the secret. It acts as `owner`, with no more than `roles`."""

    key_id: str
    name: str = Field(min_length=1, max_length=80)
    owner: str
    roles: tuple[Role, ...] = Field(min_length=1)
    # 256 random bits cannot be guessed from their digest: a slow hash would protect nothing more.
    secret_sha256: str = Field(repr=False)
    created_at: Moment
    expires_at: Moment
    last_used_at: Moment | None = None
    revoked_at: Moment | None = None
    revoked_by: str | None = None

    def opens_with(self, secret: str) -> bool:
        """Whether the secret is this key's, in a time that does not tell how much of it is right."""
        return hmac.compare_digest(self.secret_sha256, digest_of(secret))

    def refusal(self, at: datetime) -> str | None:
        """Why the key is no longer good; None while it is."""
        if self.revoked_at is not None:
            return f"API key {self.key_id} was revoked at {self.revoked_at:%Y-%m-%d %H:%M} UTC: make a new one"
        if at >= self.expires_at:
            return f"API key {self.key_id} expired at {self.expires_at:%Y-%m-%d %H:%M} UTC: make a new one"
        return None

    def use_is_worth_noting(self, at: datetime) -> bool:
        return self.last_used_at is None or at - self.last_used_at >= USE_NOTED_EVERY


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def token_of(key_id: str, secret: str) -> str:
    """What the owner is shown, once."""
    return f"{PREFIX}{key_id}_{secret}"


def parse_token(token: str) -> Presented | None:
    """None for what is no key at all."""
    found = _TOKEN.fullmatch(token)
    return None if found is None else Presented(found[1], found[2])


def grantable(held: frozenset[Role]) -> frozenset[Role]:
    """The roles that somebody who holds `held` may give to a key: the same, and of an admin, who may do all, any."""
    return EVERYONE if Role.ADMIN in held else held
