"""State DeployEndpoint: a version without a graph comes behind a SageMaker endpoint, and is checked there."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from millrace import bootstrap
from millrace.use_cases.deploy_endpoint import deploy_endpoint

logger = Logger(service="DeployEndpoint")


class DeployEndpointInput(BaseModel):
    run_id: str
    model: str
    number: int
    prefix: str
    role_arn: str
    image: str


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    request = DeployEndpointInput.model_validate(event)
    logger.append_keys(run_id=request.run_id, model=request.model)
    platform = bootstrap.platform()
    ready = deploy_endpoint(
        registry=platform.registry,
        store=platform.store,
        endpoints=platform.endpoints,
        uses=platform.endpoint_uses,
        clock=platform.clock,
        artifacts_bucket=platform.settings.require("artifacts_bucket"),
        machine=platform.settings.require("endpoint_machine"),
        most_machines=platform.settings.most_machines,
        **request.model_dump(exclude={"run_id"}),
    )
    logger.info("endpoint", extra={"number": request.number, "ready": ready})
    return {"ready": ready}
