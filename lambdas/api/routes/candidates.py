"""Candidates beside each other: versions, or runs by the best of what they trained."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from lambdas.api.resource import Resource, answer
from lambdas.api.shapes.candidates import EXAMPLE, CandidateComparison, candidate_comparison
from millrace import bootstrap, errors
from millrace.domain.role import EVERYONE
from millrace.use_cases.compare_model_versions import find_candidates, read_curves

resource = Resource("models")
POLL_SECONDS = 30

Of = Annotated[
    str,
    Query(
        max_length=500,
        description="2 to 5 ids with commas between them: of model versions, or of training runs, "
        "which stand for the best candidate that they registered. The first is what the others are held against.",
    ),
]


@resource.endpoint(
    "GET",
    "/comparison",
    allow=EVERYONE,
    raises=[errors.NotFound, errors.Conflict, errors.EvaluationInvalid],
    example=EXAMPLE,
)
def compare_candidates(of: Of) -> Response[CandidateComparison]:
    """Candidates beside each other: how they were made, how good they are, what they cost, and what that comes to."""
    platform = bootstrap.platform()
    found = find_candidates(registry=platform.registry, ledger=platform.ledger, ids=of.split(","))
    etag = resource.unless_unchanged(*(candidate.revision for candidate in found))
    curves = [read_curves(platform.store, candidate.version) for candidate in found]
    return answer(candidate_comparison(found, curves), etag=etag, poll_after=POLL_SECONDS)
