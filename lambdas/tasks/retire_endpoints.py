"""State RetireEndpoints: endpoints that nobody needs any more are deleted, so that nothing of them is billed."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from millrace import bootstrap
from millrace.use_cases.retire_endpoints import retire_endpoints

logger = Logger(service="RetireEndpoints")


class RetireEndpointsInput(BaseModel):
    run_id: str
    model: str
    prefix: str


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    request = RetireEndpointsInput.model_validate(event)
    logger.append_keys(run_id=request.run_id, model=request.model)
    platform = bootstrap.platform()
    retired = retire_endpoints(
        registry=platform.registry,
        endpoints=platform.endpoints,
        uses=platform.endpoint_uses,
        clock=platform.clock,
        **request.model_dump(exclude={"run_id"}),
    )
    logger.info("retired", extra={"endpoints": retired})
    return {"retired": list(retired)}
