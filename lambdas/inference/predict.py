"""`POST /inference/predict`: rows in, predictions out, by the champion of a model or the challenger beside it."""

from __future__ import annotations

import base64
import time
from typing import Any

import onnxruntime  # noqa: F401 - loaded while the function starts, not while the first caller waits
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import ValidationError

from lambdas.api.identity import caller_of
from lambdas.api.limits import PREDICTIONS_PER_SECOND, RateLimit
from lambdas.api.manners import MAX_BODY_BYTES, NEVER_KEEP, body_bytes
from lambdas.api.problems import FieldError, FieldsInvalid, problem_answer
from lambdas.inference.shapes import PredictRequest, PredictResponse, RowExplanation, RowPrediction
from millrace import bootstrap, errors
from millrace.domain.role import PREDICTORS
from millrace.use_cases.predict_rows import Answer, predict_rows

logger = Logger(service="Predict")
limit = RateLimit(per_second=PREDICTIONS_PER_SECOND, burst=2 * PREDICTIONS_PER_SECOND)


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """One HTTP API request (payload 2.0)."""
    started = time.perf_counter()
    request_id = event["requestContext"]["requestId"]
    logger.append_keys(request_id=request_id)
    try:
        answer = _answer(event, request_id, started)
    except Exception as error:
        answer = problem_answer(error, request_id)
        if answer["statusCode"] >= 500:
            logger.exception("unexpected", exc_info=error)
        else:
            logger.info("refused", extra={"error": type(error).__name__, "detail": str(error)})
    answer["headers"] |= {"Cache-Control": NEVER_KEEP, "X-Request-Id": request_id, "X-Content-Type-Options": "nosniff"}
    return answer


def _answer(event: dict[str, Any], request_id: str, started: float) -> dict[str, Any]:
    caller = caller_of(event)
    platform = bootstrap.platform()
    limit.take(caller.actor, platform.clock.now())
    caller.require(PREDICTORS)
    if body_bytes(event) > MAX_BODY_BYTES:
        raise errors.RequestTooLarge(f"a request may hold {MAX_BODY_BYTES} bytes: send fewer rows at once")
    request = _request(event)
    try:
        answer = predict_rows(
            served_models=platform.served_models,
            records=platform.inference_records,
            clock=platform.clock,
            actor=caller.actor,
            request_id=request_id,
            **request.model_dump(),
        )
    except errors.RowsInvalid as invalid:
        raise FieldsInvalid(
            [FieldError(field=f"body.rows.{fault.row}.{fault.column}", reason=fault.reason) for fault in invalid.faults]
        ) from invalid
    body = _response(answer, (time.perf_counter() - started) * 1000).model_dump_json()
    headers = {"Content-Type": "application/json"}
    return {"statusCode": 200, "headers": headers, "body": body, "isBase64Encoded": False}


def _request(event: dict[str, Any]) -> PredictRequest:
    body = event.get("body") or ""
    content = base64.b64decode(body) if event.get("isBase64Encoded") else body
    try:
        return PredictRequest.model_validate_json(content)
    except ValidationError as invalid:
        faults = [
            FieldError(field=".".join(["body", *map(str, fault["loc"])]), reason=fault["msg"])
            for fault in invalid.errors(include_input=False, include_url=False)
        ]
        raise FieldsInvalid(faults) from invalid


def _response(answer: Answer, latency_ms: float) -> PredictResponse:
    notices: dict[int, dict[str, str]] = {}
    for notice in answer.read.notices:
        notices.setdefault(notice.row, {})[notice.column] = notice.reason
    explanations = {row: RowExplanation(**vars(each)) for row, each in enumerate(answer.explanations)}
    return PredictResponse(
        model_version=answer.version_id,
        predictions=[
            RowPrediction(
                record_id=record_id,
                prediction=told.prediction,
                probabilities=told.probabilities or None,
                notices=notices.get(row, {}),
                explanation=explanations.get(row),
            )
            for row, (record_id, told) in enumerate(zip(answer.record_ids, answer.predictions, strict=True))
        ],
        ignored_columns=list(answer.read.ignored_columns),
        latency_ms=latency_ms,
    )
