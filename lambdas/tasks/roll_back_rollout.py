"""State RollBackRollout: the challenger gets no more requests, and the model's history says why."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, Field

from millrace import bootstrap
from millrace.domain.failure import explain
from millrace.use_cases.roll_back_rollout import roll_back_rollout

logger = Logger(service="RollBackRollout")


class Failure(BaseModel):
    """What Step Functions puts in a Catch's result path."""

    error: str = Field(alias="Error")
    cause: str = Field(alias="Cause", default="")


class RollBackRolloutInput(BaseModel):
    run_id: str
    model: str
    number: int
    failure: Failure


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    request = RollBackRolloutInput.model_validate(event)
    logger.append_keys(run_id=request.run_id, model=request.model)
    platform = bootstrap.platform()
    reason = explain(None, request.failure.error, request.failure.cause)
    ended = roll_back_rollout(
        registry=platform.registry,
        at=platform.clock.now(),
        reason=reason,
        **request.model_dump(exclude={"failure"}),
    )
    logger.info("rolled back", extra={"number": request.number, "reason": reason, "ended": ended is not None})
    return {"ended": ended is not None, "reason": reason}
