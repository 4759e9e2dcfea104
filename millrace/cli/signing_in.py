"""Signing in at the user pool: authorization code with PKCE (RFC 7636), sent back to this machine (RFC 8252, 7.3)."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from millrace import names
from millrace.client import Answer, Request, Send
from millrace.errors import NotFound, NotSignedIn

SCOPE = "openid email profile"
CALLBACK = urllib.parse.urlsplit(names.SIGN_IN_CALLBACK)
WAIT_SECONDS = 300.0
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
DONE = b"<!doctype html><title>Millrace</title><p>You may close this page and go back to the terminal.</p>"


@dataclass(frozen=True)
class Deployment:
    """What the dashboard's own settings say of where things are."""

    url: str
    environment: str
    api_url: str
    client_id: str
    authorization_endpoint: str
    token_endpoint: str


@dataclass(frozen=True)
class Tokens:
    """`lives_seconds` are of the access token. `refresh` is None where the pool gave none."""

    access: str
    refresh: str | None
    lives_seconds: float


def find_deployment(url: str, send: Send) -> Deployment:
    """The deployment whose dashboard is at `url`. Raises NotFound when there is none."""
    origin = url.rstrip("/")
    answer = send(Request("GET", f"{origin}/config.json"))
    try:
        said = json.loads(answer.content)
        return Deployment(
            url=origin,
            environment=said["environment"],
            api_url=origin + said["apiBase"],
            client_id=said["clientId"],
            authorization_endpoint=said["authorizationEndpoint"],
            token_endpoint=said["tokenEndpoint"],
        )
    except (ValueError, KeyError, TypeError) as error:
        raise NotFound(f"there is no dashboard of Millrace at {origin} (HTTP {answer.status})") from error


class SignIn:
    """One attempt: the address to open, and the exchange of the code that comes back. Nobody else's code is taken."""

    def __init__(self, deployment: Deployment, send: Send) -> None:
        self._deployment, self._send = deployment, send
        self._state, self._verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)

    @property
    def asked(self) -> dict[str, str]:
        digest = hashlib.sha256(self._verifier.encode()).digest()
        return {
            "response_type": "code",
            "client_id": self._deployment.client_id,
            "redirect_uri": names.SIGN_IN_CALLBACK,
            "scope": SCOPE,
            "state": self._state,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }

    @property
    def address(self) -> str:
        return f"{self._deployment.authorization_endpoint}?{urllib.parse.urlencode(self.asked)}"

    def complete(self, came_back: str) -> Tokens:
        """Tokens for the address that the person was sent back to. Raises NotSignedIn."""
        said = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(came_back).query))
        if not secrets.compare_digest(said.get("state", "").encode(), self._state.encode()):
            raise NotSignedIn("what came back belongs to another attempt to sign in: try again")
        if "code" not in said:
            raise NotSignedIn(f"the sign-in page refused: {said.get('error_description') or said.get('error')}")
        form = {
            "grant_type": "authorization_code",
            "client_id": self._deployment.client_id,
            "code": said["code"],
            "redirect_uri": names.SIGN_IN_CALLBACK,
            "code_verifier": self._verifier,
        }
        return exchange(self._deployment.token_endpoint, form, self._send)


def exchange(token_endpoint: str, form: Mapping[str, str], send: Send) -> Tokens:
    """Ask the token endpoint. Raises NotSignedIn with the pool's reason."""
    answer = send(Request("POST", token_endpoint, FORM, urllib.parse.urlencode(form).encode()))
    said = _document(answer)
    if answer.status != 200 or "access_token" not in said:
        raise NotSignedIn(f"the user pool gives no token: {said.get('error', f'HTTP {answer.status}')}")
    return Tokens(said["access_token"], said.get("refresh_token"), float(said.get("expires_in", 3600)))


def sign_in_by_browser(deployment: Deployment, send: Send, *, open_page: Callable[[str], None]) -> Tokens:
    """Open the pool's page, and wait on this machine for the person to be sent back. Raises NotSignedIn."""
    attempt = SignIn(deployment, send)
    came_back: list[str] = []

    class Returned(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            expected = urllib.parse.urlsplit(self.path).path == CALLBACK.path
            self.send_response(200 if expected else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            if expected:
                came_back.append(self.path)
                self.wfile.write(DONE)

        def log_message(self, format: str, *args: Any) -> None:
            """The address has the code in it: it is not for a terminal."""

    with HTTPServer(("127.0.0.1", CALLBACK.port or 0), Returned) as server:
        server.timeout = WAIT_SECONDS
        open_page(attempt.address)
        while not came_back:
            if _timed_out(server):
                raise NotSignedIn(f"nobody came back from the sign-in page within {WAIT_SECONDS:.0f} s")
    return attempt.complete(came_back[0])


def _timed_out(server: HTTPServer) -> bool:
    late: list[bool] = []
    server.handle_timeout = lambda: late.append(True)  # type: ignore[method-assign]
    server.handle_request()
    return bool(late)


def sign_in_by_form(deployment: Deployment, send: Send, *, name: str, password: str) -> Tokens:
    """For the local platform, whose people `millrace up` makes: its sign-in page is a plain form.

    Raises NotSignedIn when it lets nobody in by this name.
    """
    attempt = SignIn(deployment, send)
    page = urllib.parse.urljoin(deployment.authorization_endpoint, "/login")
    form = urllib.parse.urlencode({**attempt.asked, "username": name, "password": password}).encode()
    answer = send(Request("POST", page, FORM, form))
    if "location" not in answer.headers:
        raise NotSignedIn(f"the local user pool does not let {name} in (HTTP {answer.status})")
    return attempt.complete(answer.headers["location"])


def _document(answer: Answer) -> dict[str, Any]:
    try:
        found = json.loads(answer.content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
