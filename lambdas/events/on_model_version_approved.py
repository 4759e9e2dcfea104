"""Event ModelVersionApproved: the alias `champion` moves to the version."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from millrace import bootstrap
from millrace.domain.event import ModelVersionApproved
from millrace.use_cases.promote_model_version import promote_model_version

logger = Logger(service="OnModelVersionApproved")


class Envelope(BaseModel):
    detail: ModelVersionApproved


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    approved = Envelope.model_validate(event).detail
    platform = bootstrap.platform()
    move = promote_model_version(registry=platform.registry, clock=platform.clock, **approved.model_dump())
    logger.info("promoted", extra={"model": approved.model, "number": approved.number, "moved": move is not None})
    return {"model": approved.model, "number": approved.number, "moved": move is not None}
