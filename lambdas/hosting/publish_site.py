"""Custom resource `Custom::PublishedSite`: CloudFormation publishes the dashboard's build as part of a deployment."""

from __future__ import annotations

import json
import urllib.request
from typing import Any, Literal

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, Field, HttpUrl

from millrace import bootstrap
from millrace.use_cases.publish_site import publish_site

logger = Logger(service="PublishSite")

ANSWER_SECONDS = 30
LONGEST_REASON = 1024


class Wanted(BaseModel):
    build: str = Field(alias="Build")
    config: dict[str, str] = Field(alias="Config")


class Request(BaseModel):
    """What CloudFormation sends, and waits for an answer to at `response_url`."""

    kind: Literal["Create", "Update", "Delete"] = Field(alias="RequestType")
    response_url: HttpUrl = Field(alias="ResponseURL")
    stack_id: str = Field(alias="StackId")
    request_id: str = Field(alias="RequestId")
    logical_id: str = Field(alias="LogicalResourceId")
    wanted: Wanted = Field(alias="ResourceProperties")


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    request = Request.model_validate(event)
    try:
        publish(request)
    except Exception as error:
        # Whatever it is: CloudFormation waits for an answer, and shows this one.
        logger.exception("not published")
        answer(request, "FAILED", f"{type(error).__name__}: {error}"[:LONGEST_REASON])
    else:
        answer(request, "SUCCESS", "")


def publish(request: Request) -> None:
    """Nothing is done on `Delete`: what was published goes with its bucket."""
    if request.kind == "Delete":
        return
    platform = bootstrap.platform()
    wanted = request.wanted
    count = publish_site(store=platform.store, site=platform.site, build_uri=wanted.build, config=wanted.config)
    logger.info("published", extra={"build": wanted.build, "files": count})


def answer(request: Request, status: Literal["SUCCESS", "FAILED"], reason: str) -> None:
    """Tell CloudFormation. The physical id never changes, so an update is never taken for a replacement."""
    document = {
        "Status": status,
        "Reason": reason,
        "PhysicalResourceId": request.logical_id,
        "StackId": request.stack_id,
        "RequestId": request.request_id,
        "LogicalResourceId": request.logical_id,
    }
    # The address is signed for a request without a content type.
    sent = urllib.request.Request(  # noqa: S310 - an address that CloudFormation made
        str(request.response_url), data=json.dumps(document).encode(), headers={"Content-Type": ""}, method="PUT"
    )
    with urllib.request.urlopen(sent, timeout=ANSWER_SECONDS):  # noqa: S310
        logger.info("answered", extra={"status": status})
