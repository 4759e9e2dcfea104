"""A schedule is due: EventBridge Scheduler says which, and since when."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from millrace import bootstrap
from millrace.domain.entity import Moment
from millrace.use_cases.fire_schedule import Means, fire_due

logger = Logger(service="OnScheduleDue")


class ScheduleDue(BaseModel):
    """What adapters/scheduler.py has the service send."""

    schedule_id: str
    due_at: Moment


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    due = ScheduleDue.model_validate(event)
    platform = bootstrap.platform()
    means = Means(
        catalog=platform.catalog,
        registry=platform.registry,
        ledger=platform.ledger,
        pipelines=platform.pipelines,
        store=platform.store,
        clock=platform.clock,
        data_bucket=platform.settings.require("data_bucket"),
    )
    firing = fire_due(schedules=platform.schedules, means=means, schedule_id=due.schedule_id, due_at=due.due_at)
    outcome = None if firing is None else firing.outcome
    run_id = None if firing is None else firing.run_id
    logger.info("decided", extra={"schedule_id": due.schedule_id, "outcome": outcome, "run_id": run_id})
    return {"outcome": outcome, "run_id": run_id}
