"""State RecordDatasetVersion: the prepared version becomes READY, or the upload is refused."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from millrace import bootstrap
from millrace.domain.dataset import Registration
from millrace.use_cases.record_dataset_version import record_dataset_version

logger = Logger(service="RecordDatasetVersion")


class RecordDatasetVersionInput(BaseModel):
    run_id: str
    registration: Registration


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    request = RecordDatasetVersionInput.model_validate(event)
    logger.append_keys(run_id=request.run_id, dataset=request.registration.dataset)
    platform = bootstrap.platform()
    version = record_dataset_version(
        catalog=platform.catalog,
        store=platform.store,
        ledger=platform.ledger,
        bus=platform.bus,
        metrics=platform.metrics,
        run_id=request.run_id,
        registration=request.registration,
    )
    logger.info("recorded", extra={"version": version.version})
    return version.model_dump(mode="json", include={"dataset", "version", "state", "location", "quality"})
