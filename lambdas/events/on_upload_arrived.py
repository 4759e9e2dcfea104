"""Event `Object Created` of S3, under `uploads/`: open a run and start its execution."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, Field

from millrace import bootstrap
from millrace.use_cases.open_ingest_run import open_ingest_run

logger = Logger(service="OnUploadArrived")


class Bucket(BaseModel):
    name: str


class ArrivedObject(BaseModel):
    """`key` is as it is: EventBridge does not encode it, unlike S3's own notifications.

    The bucket keeps versions, so that every event names one: these functions read no object to find out.
    """

    key: str
    size: int
    version_id: str = Field(alias="version-id")


class Detail(BaseModel):
    bucket: Bucket
    object: ArrivedObject


class ObjectCreated(BaseModel):
    time: datetime
    detail: Detail


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    arrived = ObjectCreated.model_validate(event)
    platform = bootstrap.platform()
    run = open_ingest_run(
        ledger=platform.ledger,
        pipelines=platform.pipelines,
        bucket=arrived.detail.bucket.name,
        key=arrived.detail.object.key,
        object_version=arrived.detail.object.version_id,
        size_bytes=arrived.detail.object.size,
        at=arrived.time,
    )
    run_id = None if run is None else run.run_id
    logger.info("opened", extra={"run_id": run_id, "key": arrived.detail.object.key})
    return {"run_id": run_id}
