"""State DetectDrift: a window against its baseline, written down as reports."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from millrace import bootstrap
from millrace.domain.drift import DriftRequest
from millrace.use_cases.detect_drift import detect_drift

logger = Logger(service="DetectDrift")


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    request = DriftRequest.model_validate(event)
    logger.append_keys(run_id=request.run_id, model=request.model)
    platform = bootstrap.platform()
    reports = detect_drift(
        store=platform.store,
        data_bucket=platform.settings.require("data_bucket"),
        artifacts_bucket=platform.settings.require("artifacts_bucket"),
        request=request,
    )
    verdicts = {report.kind.value: report.verdict.value for report in reports}
    logger.info("judged", extra={"verdicts": verdicts})
    return {"report_ids": [report.id for report in reports], "verdicts": verdicts}
