"""State PlanTraining: check that training is possible, and write down what will be done."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from millrace import bootstrap
from millrace.use_cases.plan_training import plan_training

logger = Logger(service="PlanTraining")


class PlanTrainingInput(BaseModel):
    run_id: str
    dataset: str
    dataset_version: int
    model: str
    training: dict[str, Any]


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    request = PlanTrainingInput.model_validate(event)
    logger.append_keys(run_id=request.run_id, dataset=request.dataset)
    platform = bootstrap.platform()
    plan = plan_training(
        catalog=platform.catalog,
        registry=platform.registry,
        ledger=platform.ledger,
        store=platform.store,
        artifacts_bucket=platform.settings.require("artifacts_bucket"),
        **request.model_dump(exclude={"training"}),
        choices=request.training,
        spot=platform.settings.spot,
    )
    logger.info("planned", extra={"candidates": [candidate["algorithm"] for candidate in plan["candidates"]]})
    return plan
