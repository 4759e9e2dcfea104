"""Event ModelVersionApproved: the version is deployed, which ends with the alias `champion` moving to it."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from millrace import bootstrap
from millrace.domain.event import ModelVersionApproved
from millrace.use_cases.deploy_model_version import deploy_model_version

logger = Logger(service="OnModelVersionApproved")


class Envelope(BaseModel):
    detail: ModelVersionApproved


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    approved = Envelope.model_validate(event).detail
    platform = bootstrap.platform()
    run = deploy_model_version(
        catalog=platform.catalog,
        registry=platform.registry,
        ledger=platform.ledger,
        pipelines=platform.pipelines,
        clock=platform.clock,
        artifacts_bucket=platform.settings.require("artifacts_bucket"),
        **approved.model_dump(),
    )
    logger.info("deploying", extra={"model": approved.model, "number": approved.number, "run_id": run.run_id})
    return {"run_id": run.run_id}
