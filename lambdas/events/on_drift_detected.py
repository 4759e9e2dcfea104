"""Event DriftDetected: an alert for people, and the question to the governor whether retraining would help."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from millrace import bootstrap
from millrace.domain.event import DriftDetected
from millrace.use_cases.follow_drift import follow_drift

logger = Logger(service="OnDriftDetected")


class Envelope(BaseModel):
    time: datetime
    detail: DriftDetected


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    envelope = Envelope.model_validate(event)
    platform = bootstrap.platform()
    decision = follow_drift(
        alerts=platform.alerts,
        channels=platform.channels,
        deliveries=platform.deliveries,
        queue=platform.delivery_queue,
        dashboard=platform.dashboard,
        catalog=platform.catalog,
        registry=platform.registry,
        ledger=platform.ledger,
        pipelines=platform.pipelines,
        log=platform.retraining,
        clock=platform.clock,
        event=envelope.detail,
        at=envelope.time,
    )
    said = {} if decision is None else decision.model_dump(mode="json", include={"start", "sentence", "run_id"})
    logger.info("followed", extra={"model": envelope.detail.model, "report_id": envelope.detail.report_id, **said})
    return said
