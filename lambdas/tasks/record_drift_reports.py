"""State RecordDriftReports: summaries in the registry, metrics, and the event for those who act on drift."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from millrace import bootstrap
from millrace.use_cases.record_drift_reports import record_drift_reports

logger = Logger(service="RecordDriftReports")


class Detected(BaseModel):
    report_ids: list[str]


class RecordDriftReportsInput(BaseModel):
    run_id: str
    model: str
    detected: Detected


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    request = RecordDriftReportsInput.model_validate(event)
    logger.append_keys(run_id=request.run_id, model=request.model)
    platform = bootstrap.platform()
    recorded = record_drift_reports(
        store=platform.store,
        reports=platform.drift_reports,
        ledger=platform.ledger,
        bus=platform.bus,
        metrics=platform.metrics,
        artifacts_bucket=platform.settings.require("artifacts_bucket"),
        run_id=request.run_id,
        model=request.model,
        report_ids=request.detected.report_ids,
    )
    logger.info("recorded", extra={"reports": [each.id for each in recorded]})
    return {"verdicts": {each.kind.value: each.verdict.value for each in recorded}}
