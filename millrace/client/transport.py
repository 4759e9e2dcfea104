"""One HTTP request and its answer, over urllib."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from millrace.errors import PlatformError

TIMEOUT_SECONDS = 60.0
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Unreachable(PlatformError):
    """No answer came: whether the request arrived is not known."""


@dataclass(frozen=True)
class Request:
    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True)
class Answer:
    """`headers` have lower-case names."""

    status: int
    headers: Mapping[str, str]
    content: bytes


Send = Callable[[Request], Answer]


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer: following it would show the credentials to whoever is named there."""

    def redirect_request(self, *_arguments: Any, **_named: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirects)
# A proxy of the host must not see what stays on the machine.
_DIRECT_OPENER = urllib.request.build_opener(_NoRedirects, urllib.request.ProxyHandler({}))


def is_loopback(url: str) -> bool:
    return urllib.parse.urlsplit(url).hostname in LOOPBACK


def check_address(url: str) -> str:
    """`url` without a slash at its end. Raises Unreachable: credentials travel encrypted, or stay on the machine."""
    scheme = urllib.parse.urlsplit(url).scheme
    if scheme == "https" or (scheme == "http" and is_loopback(url)):
        return url.rstrip("/")
    raise Unreachable(f"{url}: only https addresses are asked, or http on this machine")


def send(request: Request) -> Answer:
    """Whatever status comes is an answer. Raises Unreachable when none comes within a minute."""
    opener = _DIRECT_OPENER if is_loopback(check_address(request.url)) else _OPENER
    asked = urllib.request.Request(  # noqa: S310 check_address
        request.url, method=request.method, headers=dict(request.headers), data=request.body
    )
    try:
        with opener.open(asked, timeout=TIMEOUT_SECONDS) as response:
            return _answer(response.status, response.headers, response.read())
    except urllib.error.HTTPError as error:
        with error:
            return _answer(error.code, error.headers, error.read())
    except (OSError, http.client.HTTPException) as error:
        host = urllib.parse.urlsplit(request.url).netloc
        raise Unreachable(f"{host} does not answer: {getattr(error, 'reason', error)}") from error


def _answer(status: int, headers: Any, content: bytes) -> Answer:
    return Answer(status, {name.lower(): value for name, value in headers.items()}, content)
