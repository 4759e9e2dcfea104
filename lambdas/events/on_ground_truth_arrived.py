"""Event GroundTruthArrived: how good the answers were that labels came for."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from millrace import bootstrap
from millrace.domain.event import GroundTruthArrived
from millrace.use_cases.check_drift import check_labels

logger = Logger(service="OnGroundTruthArrived")


class Envelope(BaseModel):
    detail: GroundTruthArrived
    time: datetime


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    envelope = Envelope.model_validate(event)
    arrived = envelope.detail
    platform = bootstrap.platform()
    runs = check_labels(
        registry=platform.registry,
        reports=platform.drift_reports,
        ledger=platform.ledger,
        pipelines=platform.pipelines,
        clock=platform.clock,
        data_bucket=platform.settings.require("data_bucket"),
        model=arrived.model,
        at=envelope.time,
        actor="ground-truth",
    )
    logger.info("checking", extra={"model": arrived.model, "run_ids": [run.run_id for run in runs]})
    return {"run_ids": [run.run_id for run in runs]}
