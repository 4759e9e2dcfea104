"""State PlanBatch: which version answers a batch inference, and where everything goes."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from millrace import bootstrap
from millrace.use_cases.plan_batch import plan_batch

logger = Logger(service="PlanBatch")


class PlanBatchInput(BaseModel):
    run_id: str
    model: str
    number: int | None
    source_uri: str
    object_version: str | None
    record_id_column: str
    location: str


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    request = PlanBatchInput.model_validate(event)
    logger.append_keys(run_id=request.run_id, model=request.model)
    platform = bootstrap.platform()
    plan = plan_batch(
        catalog=platform.catalog,
        registry=platform.registry,
        store=platform.store,
        clock=platform.clock,
        artifacts_bucket=platform.settings.require("artifacts_bucket"),
        **request.model_dump(),
    )
    logger.info("planned", extra={"number": plan["number"]})
    return plan
