"""State RegisterUpload: whose upload it is, which bytes it holds, which version they become."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from millrace import bootstrap
from millrace.use_cases.register_upload import register_upload

logger = Logger(service="RegisterUpload")


class RegisterUploadInput(BaseModel):
    run_id: str
    bucket: str
    key: str
    object_version: str
    size_bytes: int
    dataset: str
    received_at: datetime


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    request = RegisterUploadInput.model_validate(event)
    logger.append_keys(run_id=request.run_id, dataset=request.dataset)
    platform = bootstrap.platform()
    registration = register_upload(
        catalog=platform.catalog,
        ledger=platform.ledger,
        store=platform.store,
        bus=platform.bus,
        clock=platform.clock,
        data_bucket=platform.settings.require("data_bucket"),
        **request.model_dump(),
    )
    logger.info("registered", extra={"kind": registration.kind, "version": registration.version})
    return registration.model_dump(mode="json")
