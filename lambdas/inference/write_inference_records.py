"""Queue of inference records: written to the data bucket and counted, batch by batch."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from millrace import bootstrap
from millrace.use_cases.write_inference_records import Message, write_inference_records

logger = Logger(service="WriteInferenceRecords")


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    messages = [Message(record["messageId"], record["body"]) for record in event["Records"]]
    platform = bootstrap.platform()
    failed = write_inference_records(
        store=platform.store,
        traffic=platform.traffic,
        data_bucket=platform.settings.require("data_bucket"),
        messages=messages,
    )
    for message_id, reason in failed.items():
        logger.error("not written", extra={"message_id": message_id, "reason": reason})
    logger.info("written", extra={"messages": len(messages) - len(failed)})
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
