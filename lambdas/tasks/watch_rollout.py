"""State WatchRollout: how the challenger does beside the champion, and what follows from it."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from millrace import bootstrap
from millrace.use_cases.watch_rollout import watch_rollout

logger = Logger(service="WatchRollout")


class WatchRolloutInput(BaseModel):
    run_id: str
    model: str
    number: int
    wait_seconds: int


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    request = WatchRolloutInput.model_validate(event)
    logger.append_keys(run_id=request.run_id, model=request.model)
    platform = bootstrap.platform()
    following, sentence = watch_rollout(
        registry=platform.registry,
        store=platform.store,
        notifier=platform.notifier,
        clock=platform.clock,
        data_bucket=platform.settings.require("data_bucket"),
        **request.model_dump(exclude={"wait_seconds"}),
    )
    logger.info("looked", extra={"number": request.number, "next": following, "sentence": sentence})
    return {"next": following, "wait_seconds": request.wait_seconds, "sentence": sentence}
