"""State CheckServingArtefact: the golden rows are answered as in training, here where they will be served."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from millrace import bootstrap
from millrace.use_cases.check_serving_artefact import check_serving_artefact

logger = Logger(service="CheckServingArtefact")


class CheckServingArtefactInput(BaseModel):
    run_id: str
    model: str
    number: int
    serving_uri: str


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    request = CheckServingArtefactInput.model_validate(event)
    logger.append_keys(run_id=request.run_id, model=request.model)
    platform = bootstrap.platform()
    document = check_serving_artefact(
        registry=platform.registry,
        ledger=platform.ledger,
        store=platform.store,
        artifacts_bucket=platform.settings.require("artifacts_bucket"),
        **request.model_dump(),
    )
    logger.info("checked", extra={"served_by": document["served_by"], "check": document.get("check")})
    return {"served_by": document["served_by"], "parity": document["parity"], "check": document.get("check")}
