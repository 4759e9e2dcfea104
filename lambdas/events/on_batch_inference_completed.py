"""Event BatchInferenceCompleted: what a batch job read and answered is checked for drift."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from millrace import bootstrap
from millrace.domain.event import BatchInferenceCompleted
from millrace.use_cases.check_drift import check_batch

logger = Logger(service="OnBatchInferenceCompleted")


class Envelope(BaseModel):
    detail: BatchInferenceCompleted


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    done = Envelope.model_validate(event).detail
    platform = bootstrap.platform()
    run = check_batch(
        registry=platform.registry,
        ledger=platform.ledger,
        pipelines=platform.pipelines,
        clock=platform.clock,
        model=done.model,
        number=done.number,
        job_id=done.job_id,
        results_uri=done.results_uri,
        actor="batch-inference",
    )
    logger.info("checking", extra={"model": done.model, "job_id": done.job_id, "run_id": run.run_id})
    return {"run_id": run.run_id}
