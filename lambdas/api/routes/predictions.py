"""The route of predictions. It is in the contract beside all others; the function `Predict` answers it."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body

from lambdas.api.resource import Resource
from lambdas.inference.shapes import EXAMPLE_ANSWER, PredictRequest, PredictResponse
from millrace import errors
from millrace.domain.role import PREDICTORS

resource = Resource("inference")


@resource.endpoint(
    "POST",
    "/inference/predict",
    allow=PREDICTORS,
    raises=[errors.NotFound, errors.NotDeployed, errors.RowsInvalid, errors.EvaluationInvalid],
    example=EXAMPLE_ANSWER,
    # An answer changes nothing, and remembering it would take longer than giving it.
    keyed=False,
)
def predict(request: Annotated[PredictRequest, Body()]) -> PredictResponse:
    """Predictions for rows, answered now by the model's champion.

    To repeat a request safely, name its rows with `record_ids`: records are told apart by them.
    """
    raise errors.NotFound(f"the API's gateway sends no predictions of {request.model} here: its route is missing")
