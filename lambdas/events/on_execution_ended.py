"""Event `Step Functions Execution Status Change`: close the run of an execution that ended."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, Field

from millrace import bootstrap
from millrace.domain.run import RunState
from millrace.use_cases.close_run import close_run
from millrace.use_cases.follow_run import follow_run

logger = Logger(service="OnExecutionEnded")


class Detail(BaseModel):
    """An execution's name is its run id. `stopDate` is milliseconds since 1970."""

    name: str
    status: RunState
    stop_date: datetime | None = Field(alias="stopDate", default=None)
    error: str | None = None
    cause: str | None = None


class ExecutionStatusChange(BaseModel):
    time: datetime
    detail: Detail


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    change = ExecutionStatusChange.model_validate(event)
    logger.append_keys(run_id=change.detail.name)
    platform = bootstrap.platform()
    run = close_run(
        ledger=platform.ledger,
        pipelines=platform.pipelines,
        catalog=platform.catalog,
        registry=platform.registry,
        notifier=platform.notifier,
        run_id=change.detail.name,
        state=change.detail.status,
        error=change.detail.error,
        cause=change.detail.cause,
        at=change.detail.stop_date or change.time,
    )
    follow_run(
        alerts=platform.alerts,
        channels=platform.channels,
        deliveries=platform.deliveries,
        queue=platform.delivery_queue,
        dashboard=platform.dashboard,
        metrics=platform.metrics,
        clock=platform.clock,
        run=run,
    )
    logger.info("closed", extra={"state": run.state, "reason": run.reason})
    return {"run_id": run.run_id, "state": run.state, "reason": run.reason}
