"""Event `Object Created` of S3, under `ground-truth/`: the labels of a file join the records of its model."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.events.on_upload_arrived import ObjectCreated
from millrace import bootstrap
from millrace.use_cases.record_ground_truth_file import record_ground_truth_file

logger = Logger(service="OnGroundTruthDropped")


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    arrived = ObjectCreated.model_validate(event)
    platform = bootstrap.platform()
    outcome = record_ground_truth_file(
        registry=platform.registry,
        store=platform.store,
        store_factory=bootstrap.object_store,
        bus=platform.bus,
        notifier=platform.notifier,
        clock=platform.clock,
        data_bucket=platform.settings.require("data_bucket"),
        key=arrived.detail.object.key,
        object_version=arrived.detail.object.version_id,
        at=arrived.time,
    )
    said = {} if outcome is None else outcome.model_dump(mode="json", exclude={"reasons", "key"})
    logger.info("recorded", extra={"key": arrived.detail.object.key, **said})
    return said
