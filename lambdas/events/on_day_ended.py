"""A day is over (UTC): EventBridge Scheduler says so, and what champions were asked on it is checked for drift."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from millrace import bootstrap
from millrace.domain.entity import Moment
from millrace.use_cases.check_champions import check_champions

logger = Logger(service="OnDayEnded")


class DayEnded(BaseModel):
    """What stacks/drift_stack.py has the service send: the time that the schedule was due, however late it comes."""

    due_at: Moment


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    platform = bootstrap.platform()
    checks = check_champions(
        registry=platform.registry,
        ledger=platform.ledger,
        pipelines=platform.pipelines,
        store=platform.store,
        clock=platform.clock,
        data_bucket=platform.settings.require("data_bucket"),
        due_at=DayEnded.model_validate(event).due_at,
    )
    told = [check._asdict() for check in checks]
    logger.info("checking", extra={"models": told})
    return {"models": told}
