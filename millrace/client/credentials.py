"""Who asks: an API key, or an access token of the user pool."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Credentials(Protocol):
    """`prefix` comes before every path: keys are asked for below one of their own."""

    @property
    def prefix(self) -> str: ...

    def token(self) -> str:
        """What follows `Bearer`. It may be renewed on the way."""
        ...

    def renew(self) -> bool:
        """After a 401: whether there is another token to try with."""
        ...


@dataclass(frozen=True)
class ApiKey:
    """`mr_<id>_<secret>`, as POST /api-keys shows it once."""

    secret: str
    prefix: str = "/by-key"

    def token(self) -> str:
        return self.secret

    def renew(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "ApiKey(…)"


@dataclass(frozen=True)
class AccessToken:
    """A token that somebody else keeps and renews."""

    secret: str
    prefix: str = ""

    def token(self) -> str:
        return self.secret

    def renew(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "AccessToken(…)"
