"""Queue of deliveries: tell the channels, each once, and later again when one does not listen."""

from __future__ import annotations

import json
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from millrace import bootstrap
from millrace.domain.channel import Delivery, DeliveryState
from millrace.use_cases.deliver_alert import deliver_alert

logger = Logger(service="DeliverAlert")


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """What could not be worked on comes again; what was tried in vain to the end goes to the dead-letter queue."""
    failed = []
    for record in event["Records"]:
        try:
            delivery = _deliver(**json.loads(record["body"]))
        except Exception as error:
            logger.exception("not worked on", exc_info=error)
            failed.append(record["messageId"])
            continue
        said = {"delivery_id": delivery.delivery_id, "channel_id": delivery.channel_id, "state": delivery.state}
        logger.info("worked on", extra=said | {"attempts": delivery.attempts, "reason": delivery.reason})
        if delivery.state is DeliveryState.EXHAUSTED:
            failed.append(record["messageId"])
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _deliver(channel_id: str, delivery_id: str) -> Delivery:
    platform = bootstrap.platform()
    return deliver_alert(
        channels=platform.channels,
        deliveries=platform.deliveries,
        queue=platform.delivery_queue,
        secrets=platform.channel_secrets,
        notifier=platform.notifier,
        poster=platform.poster,
        clock=platform.clock,
        channel_id=channel_id,
        delivery_id=delivery_id,
    )
