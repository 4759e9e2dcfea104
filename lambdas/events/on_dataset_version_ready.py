"""Event DatasetVersionReady: train on the version, when its dataset says so."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from millrace import bootstrap
from millrace.domain.event import DatasetVersionReady
from millrace.use_cases.start_training import train_on_new_version

logger = Logger(service="OnDatasetVersionReady")


class Envelope(BaseModel):
    detail: DatasetVersionReady


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    ready = Envelope.model_validate(event).detail
    platform = bootstrap.platform()
    run = train_on_new_version(
        catalog=platform.catalog,
        ledger=platform.ledger,
        pipelines=platform.pipelines,
        clock=platform.clock,
        dataset=ready.dataset,
        version=ready.version,
        ingest_run_id=ready.run_id,
    )
    run_id = None if run is None else run.run_id
    logger.info("decided", extra={"run_id": run_id, "dataset": ready.dataset, "version": ready.version})
    return {"run_id": run_id}
