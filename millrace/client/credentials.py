"""Who asks: an API key, an access token of the user pool, or a machine that gets itself one."""

from __future__ import annotations

import base64
import json
import urllib.parse
from dataclasses import dataclass, field
from typing import Protocol

from millrace.client import transport
from millrace.client.problems import problem_of
from millrace.client.transport import Request, Send


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


@dataclass
class MachineSignIn:
    """A machine that signs in with client credentials when it is first asked who it is, and again when that has ended.

    `token_endpoint` is the one of the pool's discovery document. Raises Problem when the pool knows no such client.
    """

    token_endpoint: str
    client_id: str
    secret: str = field(repr=False)
    prefix: str = ""
    send: Send = field(default=transport.send, repr=False)
    _token: str = field(default="", init=False, repr=False)

    def token(self) -> str:
        return self._token or self._sign_in()

    def renew(self) -> bool:
        self._sign_in()
        return True

    def _sign_in(self) -> str:
        known = base64.b64encode(f"{self.client_id}:{self.secret}".encode()).decode()
        headers = {"Authorization": f"Basic {known}", "Content-Type": "application/x-www-form-urlencoded"}
        body = urllib.parse.urlencode({"grant_type": "client_credentials"}).encode()
        answer = self.send(Request("POST", self.token_endpoint, headers, body))
        if answer.status != 200:
            raise problem_of(answer)
        self._token = str(json.loads(answer.content)["access_token"])
        return self._token
