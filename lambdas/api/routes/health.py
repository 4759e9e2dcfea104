"""Health: does the API answer, without asking who wants to know?"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from lambdas.api.resource import NOBODY_ASKS, Resource

resource = Resource("health")


class Health(BaseModel):
    status: Literal["ok"]


@resource.endpoint("GET", "/healthz", allow=NOBODY_ASKS, example={"status": "ok"})
def get_health() -> Health:
    """Whether the API answers. The embedded AWS keeps `/health` to itself."""
    return Health(status="ok")
