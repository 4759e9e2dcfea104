"""State CollectCandidates: note what each training job said."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from millrace import bootstrap
from millrace.use_cases.collect_candidates import TrainedCandidate, collect_candidates

logger = Logger(service="CollectCandidates")


class CollectCandidatesInput(BaseModel):
    run_id: str
    training: list[TrainedCandidate]


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    request = CollectCandidatesInput.model_validate(event)
    logger.append_keys(run_id=request.run_id)
    platform = bootstrap.platform()
    collected = collect_candidates(
        store=platform.store,
        artifacts_bucket=platform.settings.require("artifacts_bucket"),
        run_id=request.run_id,
        training=request.training,
    )
    logger.info("collected", extra=collected)
    return collected
