"""State RecordBatch: what a batch inference came to, told to the registry and to the world."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from millrace import bootstrap
from millrace.use_cases.record_batch import record_batch

logger = Logger(service="RecordBatch")


class RecordBatchInput(BaseModel):
    run_id: str
    model: str
    number: int
    location: str


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    request = RecordBatchInput.model_validate(event)
    logger.append_keys(run_id=request.run_id, model=request.model)
    platform = bootstrap.platform()
    recorded = record_batch(
        ledger=platform.ledger,
        store=platform.store,
        bus=platform.bus,
        notifier=platform.notifier,
        metrics=platform.metrics,
        **request.model_dump(),
    )
    logger.info("recorded", extra=recorded)
    return recorded
