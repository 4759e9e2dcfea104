"""State RejectUpload: upload and version become REJECTED, with the reason of the state that failed."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, Field

from millrace import bootstrap
from millrace.domain.failure import explain
from millrace.use_cases.reject_upload import reject_upload

logger = Logger(service="RejectUpload")


class Failure(BaseModel):
    """What Step Functions puts in a Catch's result path."""

    error: str = Field(alias="Error")
    cause: str = Field(alias="Cause", default="")


class RejectUploadInput(BaseModel):
    run_id: str
    bucket: str
    key: str
    object_version: str
    dataset: str
    failure: Failure


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    request = RejectUploadInput.model_validate(event)
    logger.append_keys(run_id=request.run_id, dataset=request.dataset)
    reason = explain(None, request.failure.error, request.failure.cause)
    upload = reject_upload(
        catalog=bootstrap.platform().catalog,
        dataset=request.dataset,
        bucket=request.bucket,
        key=request.key,
        object_version=request.object_version,
        reason=reason,
    )
    logger.info("rejected", extra={"reason": reason})
    return {"upload_id": upload and upload.upload_id, "state": upload and upload.state, "reason": reason}
