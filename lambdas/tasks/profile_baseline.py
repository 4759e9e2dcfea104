"""State ProfileBaseline: what drift is judged against later, before the candidates are registered."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from millrace import bootstrap
from millrace.use_cases.profile_baseline import profile_baseline

logger = Logger(service="ProfileBaseline")


class PlannedPlaces(BaseModel):
    train_uri: str
    evaluation_uri: str


class ProfileBaselineInput(BaseModel):
    run_id: str
    plan: PlannedPlaces


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    request = ProfileBaselineInput.model_validate(event)
    logger.append_keys(run_id=request.run_id)
    platform = bootstrap.platform()
    written = profile_baseline(
        store=platform.store,
        artifacts_bucket=platform.settings.require("artifacts_bucket"),
        run_id=request.run_id,
        **request.plan.model_dump(),
    )
    logger.info("profiled", extra={"baselines": written})
    return {"baselines": written}
