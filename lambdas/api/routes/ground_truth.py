"""Ground truth: labels that arrive after the predictions they belong to."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from lambdas.api.resource import Resource, answer
from lambdas.api.shapes.ground_truth import (
    ANSWER,
    DAYS,
    DayOfTruthAnswer,
    GroundTruthAnswer,
    GroundTruthDays,
    GroundTruthRequest,
    label_standing,
)
from millrace import bootstrap, errors
from millrace.domain.role import EVERYONE, SCIENTISTS
from millrace.use_cases.record_ground_truth import Label, count_ground_truth, tell_ground_truth

resource = Resource("inference")


@resource.endpoint(
    "POST", "/inference/ground-truth", allow=SCIENTISTS, raises=[errors.NotFound], status=202, example=ANSWER
)
def send_ground_truth(request: Annotated[GroundTruthRequest, Body()]) -> Response[GroundTruthAnswer]:
    """Say what was really so. Labels join their records by id, in whatever order the two arrive."""
    platform = bootstrap.platform()
    kept = tell_ground_truth(
        registry=platform.registry,
        store=platform.store,
        bus=platform.bus,
        clock=platform.clock,
        data_bucket=platform.settings.require("data_bucket"),
        model=request.model,
        labels=[Label(each.record_id, each.truth, each.at) for each in request.labels],
        actor=resource.caller.actor,
    )
    return answer(GroundTruthAnswer(model=request.model, labels=kept, received_at=platform.clock.now()), status=202)


@resource.endpoint("GET", "/inference/ground-truth", allow=EVERYONE, raises=[errors.NotFound], example=DAYS)
def list_ground_truth(
    model: Annotated[str, Query(max_length=40, description="The model whose records were labelled.")],
    days: Annotated[int, Query(ge=1, le=31, description="How many days back.")] = 31,
) -> Response[GroundTruthDays]:
    """How many labels there are, by day; how many joined a prediction, and how many wait for theirs."""
    platform = bootstrap.platform()
    found = count_ground_truth(
        registry=platform.registry,
        store=platform.store,
        clock=platform.clock,
        data_bucket=platform.settings.require("data_bucket"),
        model=model,
        days=days,
    )
    standing = label_standing(platform.drift_reports.labels_counted(model))
    told = [DayOfTruthAnswer(**each._asdict()) for each in found]
    return answer(GroundTruthDays(model=model, days=told, standing=standing))
