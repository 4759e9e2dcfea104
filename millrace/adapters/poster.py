"""HTTP POST to addresses that users of the platform chose, without becoming their tool inside our network.

The name is resolved once, every address it has must be a public one, and the connection goes to the address that was
looked at: a name that answers differently a moment later (DNS rebinding) changes nothing. TLS still checks the name.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import SplitResult, urlsplit

from millrace.errors import InvalidInput
from millrace.ports import PostAnswer

TIMEOUT_SECONDS = 10.0
_READ_BYTES = 4096
_ALLOWED_PORTS = (443, 8443)

Resolve = Callable[[str, int], Sequence[str]]


def resolved(host: str, port: int) -> Sequence[str]:
    """The IP addresses of a host. Raises OSError."""
    return sorted({str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)})


class HttpPoster:
    """`loopback` also allows http to this machine: for a receiver beside the local platform."""

    def __init__(
        self, *, loopback: bool = False, resolve: Resolve = resolved, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> None:
        self._loopback = loopback
        self._resolve = resolve
        self._timeout = timeout_seconds

    def check(self, url: str) -> None:
        self._target(url)

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> PostAnswer:
        try:
            parts, host, port = self._target(url)
            address = self._address(host, port)
        except (InvalidInput, OSError) as refusal:
            return PostAnswer(None, f"nothing was sent: {refusal}")
        connection = self._connection(parts.scheme, host, port, address)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            connection.request("POST", path, body, {"Content-Type": "application/json", **headers})
            answer = connection.getresponse()
            answer.read(_READ_BYTES)
        except (OSError, http.client.HTTPException) as error:
            return PostAnswer(None, f"no answer: {type(error).__name__}: {error}")
        finally:
            connection.close()
        if 200 <= answer.status < 300:
            return PostAnswer(answer.status, None)
        followed = "; redirects are not followed" if 300 <= answer.status < 400 else ""
        return PostAnswer(answer.status, f"it answered {answer.status}{followed}")

    def _target(self, url: str) -> tuple[SplitResult, str, int]:
        """Raises InvalidInput for an address that nothing is ever posted to."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError as error:
            raise InvalidInput(f"the address is no URL: {error}") from error
        local = self._loopback and parts.scheme == "http" and _is_loopback(host)
        if not host or (parts.scheme != "https" and not local):
            raise InvalidInput("the address must begin with https:// and name a host")
        if parts.username is not None or parts.password is not None:
            raise InvalidInput("the address may hold no user name and no password")
        if not local and port not in (None, *_ALLOWED_PORTS):
            raise InvalidInput(f"the address may name the ports {' and '.join(map(str, _ALLOWED_PORTS))} only")
        if not local and (_is_private_literal(host) or "." not in host.rstrip(".")):
            raise InvalidInput("the address must be a public one")
        return parts, host, port or (443 if parts.scheme == "https" else 80)

    def _address(self, host: str, port: int) -> str:
        """The IP address to connect to. Raises InvalidInput unless every address of the host is public."""
        found = self._resolve(host, port)
        if not found:
            raise InvalidInput(f"{host} has no address")
        for each in found:
            if not _is_public(each) and not (self._loopback and _is_loopback(each)):
                raise InvalidInput(f"{host} is at {each}, which is no public address")
        return found[0]

    def _connection(self, scheme: str, host: str, port: int, address: str) -> http.client.HTTPConnection:
        if scheme == "https":
            return _PinnedTls(host, port, address, self._timeout)
        return http.client.HTTPConnection(address, port, timeout=self._timeout)


class _PinnedTls(http.client.HTTPSConnection):
    """TLS to `address`, with the certificate of `host`."""

    def __init__(self, host: str, port: int, address: str, timeout_seconds: float) -> None:
        self._tls = ssl.create_default_context()
        super().__init__(host, port, timeout=timeout_seconds, context=self._tls)
        self._address = address

    def connect(self) -> None:
        plain = socket.create_connection((self._address, self.port), self.timeout)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)


def _is_public(address: str) -> bool:
    """Neither ours nor a special one, also when an IPv4 address hides in an IPv6 one."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour or (parsed.teredo[1] if parsed.teredo else None)
        if inner is not None:
            return _is_public(str(inner))
        if parsed in ipaddress.ip_network("64:ff9b::/96"):
            return False
    return parsed.is_global and not parsed.is_multicast


def _is_private_literal(host: str) -> bool:
    try:
        return not _is_public(host)
    except ValueError:
        return False


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
