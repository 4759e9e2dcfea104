"""Event `Object Created` of S3, under `inference/`: a file that was dropped for a model is predicted."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.events.on_upload_arrived import ObjectCreated
from millrace import bootstrap
from millrace.use_cases.start_batch_inference import predict_dropped_file

logger = Logger(service="OnBatchInputArrived")


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    arrived = ObjectCreated.model_validate(event)
    platform = bootstrap.platform()
    run = predict_dropped_file(
        ledger=platform.ledger,
        pipelines=platform.pipelines,
        bucket=arrived.detail.bucket.name,
        key=arrived.detail.object.key,
        object_version=arrived.detail.object.version_id,
        at=arrived.time,
    )
    run_id = None if run is None else run.run_id
    logger.info("opened", extra={"run_id": run_id, "key": arrived.detail.object.key})
    return {"run_id": run_id}
