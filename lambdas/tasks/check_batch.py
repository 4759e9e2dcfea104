"""State CheckBatch: go on with the rows that were accepted, or refuse the batch inference with its reason."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from millrace import bootstrap
from millrace.use_cases.check_batch import check_batch

logger = Logger(service="CheckBatch")


class CheckBatchInput(BaseModel):
    run_id: str
    location: str


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    request = CheckBatchInput.model_validate(event)
    logger.append_keys(run_id=request.run_id)
    checked = check_batch(store=bootstrap.platform().store, run_id=request.run_id, location=request.location)
    logger.info("checked", extra=checked)
    return checked
