"""The API's entry point: find the route, check who asks, let it answer, and say what went wrong in one form."""

from __future__ import annotations

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import (
    RequestUnsupportedContentType,
    RequestValidationError,
    ResponseValidationError,
)
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.api.contract import contract_of
from lambdas.api.identity import caller_of, comes_with_key, without_key_path
from lambdas.api.limits import RateLimit
from lambdas.api.manners import (
    MAX_BODY_BYTES,
    NEVER_KEEP,
    REVALIDATE,
    NotModified,
    body_bytes,
    compressed,
    header,
)
from lambdas.api.problems import FieldError, FieldsInvalid, MethodNotAllowed, UnsupportedMediaType, problem_answer
from lambdas.api.repeated import done_once
from lambdas.api.resource import JSON, NOBODY_ASKS, Endpoint, Resource
from lambdas.api.routes import (
    activity,
    alerts,
    api_keys,
    batches,
    candidates,
    channels,
    comparison,
    dashboard,
    datasets,
    downloads,
    ground_truth,
    health,
    metrics,
    models,
    monitoring,
    predictions,
    retraining,
    runs,
    schedules,
    screens,
    uploads,
)
from millrace import bootstrap, errors, names

# To add a resource: its module in routes/, and one line here.
RESOURCES = (
    health.resource,
    datasets.resource,
    comparison.resource,
    runs.resource,
    models.resource,
    candidates.resource,
    uploads.resource,
    downloads.resource,
    predictions.resource,
    batches.resource,
    ground_truth.resource,
    schedules.resource,
    api_keys.resource,
    activity.resource,
    dashboard.resource,
    screens.resource,
    monitoring.resource,
    alerts.resource,
    channels.resource,
    retraining.resource,
    metrics.resource,
)

logger = Logger(service="Api")
about = Resource("contract")
limit = RateLimit()


@about.endpoint("GET", "/openapi.json", allow=NOBODY_ASKS)
def get_openapi() -> dict[str, Any]:
    """This contract, OpenAPI 3.1."""
    return contract()


@cache
def contract() -> dict[str, Any]:
    """The contract, made once: it cannot change while the code runs."""
    unkeyed = {each.operation_id for each in ENDPOINTS if each.method == "POST" and not each.keyed}
    return contract_of(app, unkeyed)


app = APIGatewayHttpResolver(enable_validation=True, response_validation_error_http_code=500)
for resource in (about, *RESOURCES):
    app.include_router(resource)
ENDPOINTS: tuple[Endpoint, ...] = (*about.registered, *(each for resource in RESOURCES for each in resource.registered))


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """One HTTP API request (payload 2.0)."""
    request_id = event["requestContext"]["requestId"]
    logger.append_keys(request_id=request_id)
    event = without_key_path(event)
    try:
        answer = _answer(event, context)
    except NotModified as unchanged:
        answer = {"statusCode": 304, "headers": {"ETag": unchanged.etag}, "body": "", "isBase64Encoded": False}
    except Exception as error:
        answer = _told(error, request_id)
    _add_headers(answer, event, request_id)
    return compressed(answer, event)


def _answer(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    endpoint = find_endpoint(event["requestContext"]["http"]["method"], event["rawPath"])
    if not endpoint.allow:
        return app.resolve(event, context)
    platform = bootstrap.platform()
    caller = caller_of(event)
    logger.append_keys(actor=caller.actor, key_id=caller.key_id, operation=endpoint.operation_id)
    limit.take(caller.actor, platform.clock.now())
    caller.require(endpoint.allow)
    if endpoint.people_only:
        caller.require_person()
    if body_bytes(event) > MAX_BODY_BYTES:
        raise errors.RequestTooLarge(f"a request may hold {MAX_BODY_BYTES} bytes: send files to the bucket instead")
    require_json(event)

    def work() -> dict[str, Any]:
        app.append_context(caller=caller)
        return app.resolve(event, context)

    if endpoint.method == "POST" and not endpoint.keyed and header(event, "idempotency-key") is not None:
        raise errors.InvalidInput("header.Idempotency-Key: the answer of this route is not kept, so send none")
    return done_once(event, caller, work)


def find_endpoint(method: str, path: str) -> Endpoint:
    """Raises NotFound, and MethodNotAllowed when the path exists for other methods."""
    there = [endpoint for endpoint in ENDPOINTS if endpoint.pattern.fullmatch(path)]
    # A literal path wins over one with a parameter in its place.
    there.sort(key=lambda endpoint: endpoint.rule.count("<"))
    for endpoint in there:
        if endpoint.method == method:
            return endpoint
    if there:
        raise MethodNotAllowed(method, sorted({endpoint.method for endpoint in there}))
    raise errors.NotFound(f"there is nothing at {path}")


def require_json(event: dict[str, Any]) -> None:
    """Raises UnsupportedMediaType for a body that says it is something else. Powertools would also read forms."""
    said = header(event, "content-type")
    if event.get("body") and said is not None and said.partition(";")[0].strip().lower() != JSON:
        raise UnsupportedMediaType("send JSON: `Content-Type: application/json`")


def _told(error: Exception, request_id: str) -> dict[str, Any]:
    answer = problem_answer(error, request_id)
    if answer["statusCode"] >= 500:
        logger.exception("unexpected", exc_info=error)
    else:
        logger.info("refused", extra={"error": type(error).__name__, "detail": str(error)})
    return answer


def _add_headers(answer: dict[str, Any], event: dict[str, Any], request_id: str) -> None:
    reading = event["requestContext"]["http"]["method"] == "GET"
    kept = REVALIDATE if reading and answer["statusCode"] in (200, 304) else NEVER_KEEP
    if comes_with_key(event) and "Location" in answer.get("headers", {}):
        answer["headers"]["Location"] = f"{names.KEYED_PATH}{answer['headers']['Location']}"
    answer["headers"] = {
        "Cache-Control": kept,
        "X-Request-Id": request_id,
        "X-Content-Type-Options": "nosniff",
        **answer.get("headers", {}),
    }


@app.exception_handler(Exception)
def _raise_on(error: Exception) -> Response[str]:
    """Powertools would answer some errors in a form of its own; the handler above answers all of them in ours."""
    raise error


@app.exception_handler(RequestValidationError)
def _fields_invalid(error: RequestValidationError) -> Response[str]:
    raise FieldsInvalid([_field_error(fault) for fault in error.errors()])


@app.exception_handler(ResponseValidationError)
def _answer_invalid(error: ResponseValidationError) -> Response[str]:
    raise RuntimeError(f"the answer does not keep to the contract: {error.errors()}")


@app.exception_handler(RequestUnsupportedContentType)
def _unsupported(error: RequestUnsupportedContentType) -> Response[str]:
    raise UnsupportedMediaType("send JSON: `Content-Type: application/json`")


@app.exception_handler(NotFoundError)
def _nothing_there(error: NotFoundError) -> Response[str]:
    raise errors.NotFound("there is nothing at this path")


def _field_error(fault: dict[str, Any]) -> FieldError:
    """Of the validator's words only the reason: its input may hold what nobody else should see."""
    if fault["type"] == "json_invalid":
        return FieldError(field="body", reason=f"it is not JSON: {fault['ctx']['error']}")
    reason = str(fault["msg"]).removeprefix("Value error, ")
    return FieldError(field=".".join(str(part) for part in fault["loc"]), reason=reason[:1].lower() + reason[1:])
