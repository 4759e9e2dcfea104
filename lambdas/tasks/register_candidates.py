"""State RegisterCandidates: model versions with verdict and lineage, waiting for approval."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from millrace import bootstrap
from millrace.use_cases.register_candidates import register_candidates

logger = Logger(service="RegisterCandidates")


class RegisterCandidatesInput(BaseModel):
    run_id: str
    dataset: str
    dataset_version: int


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    request = RegisterCandidatesInput.model_validate(event)
    logger.append_keys(run_id=request.run_id, dataset=request.dataset)
    platform = bootstrap.platform()
    versions = register_candidates(
        catalog=platform.catalog,
        registry=platform.registry,
        ledger=platform.ledger,
        store=platform.store,
        notifier=platform.notifier,
        clock=platform.clock,
        artifacts_bucket=platform.settings.require("artifacts_bucket"),
        training_image=platform.settings.require("training_image"),
        code_digest=platform.settings.require("code_digest"),
        **request.model_dump(),
    )
    logger.info("registered", extra={"versions": [version.id for version in versions]})
    return {
        "model_versions": [
            {"id": version.id, "algorithm": version.algorithm, "recommended": version.recommended}
            for version in versions
        ]
    }
