"""Serves ministack on loopback until it is told to stop, and answers the platform's own questions about it."""

import asyncio
import json
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

import ministack.app
from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack.core import lambda_runtime

from local.context import EmulatorContext
from local.emulator import events, front_door, persistence, state_machines, templates

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

STATUS_PATH = "/_local/status"
ANNOUNCE_PATH = "/_local/announce"
DISCOVERY_PATH = "/.well-known/openid-configuration"
READ_ACTIONS = (b"Get", b"List", b"Describe", b"Query", b"Scan", b"BatchGet", b"Head", b"Filter")


class Gateway:
    """The ASGI application in front of ministack: transport facts, the dirty flag, and two control paths."""

    def __init__(self, context: EmulatorContext) -> None:
        self._context = context
        self._started = time.monotonic()
        self._front_door_port = urlsplit(context.front_door_url).port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await ministack.app.app(scope, receive, send)
        elif scope["server"][1] == self._front_door_port:
            await self._enter(scope, receive, send)
        elif scope["path"] == STATUS_PATH:
            await _answer(send, self.status())
        elif scope["path"] == ANNOUNCE_PATH:
            await _answer(send, await asyncio.to_thread(self.announce))
        else:
            await ministack.app.app(over_tls(scope), receive, send)
            if changes_state(scope["method"], scope["headers"]):
                persistence.mark_changed()

    async def _enter(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the distribution. It calls the API at the endpoint, so what changes state is seen there."""
        request = front_door.to_distribution(scope)
        if request is None:
            await _answer(send, {"message": "No dashboard is deployed here."}, status=404)
        else:
            await ministack.app.app(over_tls(request), receive, front_door.Compressing(scope, send))

    def announce(self) -> dict[str, Any]:
        """Tell the deployed platform what a dead process left unsaid: its undelivered events, its executions' ends."""
        return {
            "redelivered_events": events.redeliver(self._context),
            "interrupted_executions": state_machines.announce_interrupted(),
        }

    def status(self) -> dict[str, Any]:
        """What only this process knows: its uptime and the resource types it accepts without acting on them."""
        return {
            "endpoint_url": self._context.endpoint_url,
            "dashboard_url": self._context.front_door_url,
            "pid": os.getpid(),
            "uptime_seconds": round(time.monotonic() - self._started, 1),
            "no_op_types": sorted(templates.NO_OP_TYPES),
        }


def over_tls(scope: Scope) -> Scope:
    """Say that the request came over TLS: nobody listens in on loopback, and `enforce_ssl` policies deny plain HTTP.

    Not where ministack answers with its own addresses, made with the scheme it was asked by: there is no TLS to go to.
    """
    if scope.get("path", "").endswith(DISCOVERY_PATH):
        return scope
    return {**scope, "headers": [*scope["headers"], (b"x-forwarded-proto", b"https")]}


def changes_state(method: str, headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a request may change state. Unknown operations count as changes."""
    if method in ("GET", "HEAD", "OPTIONS"):
        return False
    target = dict(headers).get(b"x-amz-target", b"").rpartition(b".")[2]
    return not target.startswith(READ_ACTIONS)


async def _answer(send: Send, document: dict[str, Any], status: int = 200) -> None:
    body = json.dumps(document).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def run(context: EmulatorContext) -> None:
    """Serve until SIGTERM or SIGINT; ministack saves its state when the server stops."""
    config = Config()
    config.bind = [urlsplit(url).netloc for url in (context.endpoint_url, context.front_door_url)]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 2
    config.loglevel = "WARNING"
    try:
        asyncio.run(_serve(context, config))
    finally:
        lambda_runtime.reset()


async def _serve(context: EmulatorContext, config: Config) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve(Gateway(context), config, shutdown_trigger=stop.wait)
