"""What nobody can ask AWS for, for tests on this machine: `POST /_local/jobs/{name}/interrupt`."""

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

from local.jobs.sagemaker import SageMaker
from local.jobs.service_error import ServiceError

INTERRUPT = re.compile(r"/_local/jobs/(?P<name>[A-Za-z0-9-]+)/interrupt")

Application = Callable[[dict[str, Any], Callable[..., Awaitable[Any]], Callable[..., Awaitable[Any]]], Awaitable[None]]


def wrap(application: Application, sagemaker: SageMaker) -> Application:
    """An ASGI application that answers the local routes itself and hands everything else on."""

    async def wrapped(
        scope: dict[str, Any], receive: Callable[..., Awaitable[Any]], send: Callable[..., Awaitable[Any]]
    ) -> None:
        found = INTERRUPT.fullmatch(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if found is None:
            await application(scope, receive, send)
            return
        status, body = _interrupt(sagemaker, found["name"])
        await send(
            {"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]}
        )
        await send({"type": "http.response.body", "body": json.dumps(body).encode()})

    return wrapped


def _interrupt(sagemaker: SageMaker, name: str) -> tuple[int, dict[str, str]]:
    try:
        sagemaker.interrupt_training_job(name)
    except ServiceError as error:
        return 409, {"message": error.message}
    return 202, {"interrupted": name}
