"""State StartRollout: the version gets its first requests beside the champion, or takes everything at once."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from millrace import bootstrap
from millrace.use_cases.start_rollout import start_rollout
from millrace.use_cases.watch_rollout import Next

logger = Logger(service="StartRollout")


class StartRolloutInput(BaseModel):
    run_id: str
    model: str
    number: int
    again: bool = False


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    request = StartRolloutInput.model_validate(event)
    logger.append_keys(run_id=request.run_id, model=request.model)
    platform = bootstrap.platform()
    rollout = start_rollout(
        catalog=platform.catalog,
        registry=platform.registry,
        notifier=platform.notifier,
        clock=platform.clock,
        **request.model_dump(),
    )
    if rollout is None:
        logger.info("everything at once", extra={"number": request.number})
        return {"next": Next.PROMOTE, "wait_seconds": 0}
    logger.info("rolling out", extra={"number": request.number, "share": rollout.share})
    return {"next": Next.WAIT, "wait_seconds": rollout.policy.look_seconds}
