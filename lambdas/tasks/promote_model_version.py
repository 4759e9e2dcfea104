"""State PromoteModelVersion: the alias `champion` moves to the version, and with it what predictions are made by."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from millrace import bootstrap
from millrace.use_cases.promote_model_version import promote_model_version

logger = Logger(service="PromoteModelVersion")


class PromoteModelVersionInput(BaseModel):
    run_id: str
    model: str
    number: int
    actor: str
    reason: str
    again: bool = False


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    request = PromoteModelVersionInput.model_validate(event)
    logger.append_keys(run_id=request.run_id, model=request.model)
    platform = bootstrap.platform()
    move = promote_model_version(
        registry=platform.registry,
        notifier=platform.notifier,
        clock=platform.clock,
        **request.model_dump(exclude={"run_id"}),
    )
    logger.info("promoted", extra={"number": request.number, "moved": move is not None})
    return {"moved": move is not None, "previous_number": move and move.previous_number}
