"""Activity: who did what to what, from the audit trail."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from lambdas.api.paging import Cursor, Limit, PageOf, from_cursor, page_of
from lambdas.api.resource import Resource, answer
from lambdas.api.shapes import activity_examples as examples
from lambdas.api.shapes.activity import ActivityEntry, activity_entry
from millrace import bootstrap
from millrace.domain.role import EVERYONE
from millrace.errors import InvalidInput

resource = Resource("activity")
POLL_SECONDS = 10

Actor = Annotated[str | None, Query(max_length=200, description="Only what this actor did: `user:ada`.")]
Subject = Annotated[
    str | None,
    Query(max_length=200, description="Only changes of this thing: `dataset:churn`, `run:…`, `model:churn`."),
]


@resource.endpoint("GET", "/activity", allow=EVERYONE, example=examples.PAGE)
def list_activity(
    actor: Actor = None, subject: Subject = None, cursor: Cursor = None, limit: Limit = 50
) -> Response[PageOf[ActivityEntry]]:
    """Every change of the platform, latest first: of everybody, of one actor, or of one thing."""
    if actor is not None and subject is not None:
        raise InvalidInput("name an actor or a subject, not both")
    trail, scope = bootstrap.platform().audit, f"activity {actor} {subject}"
    after = from_cursor(cursor, scope)
    if subject is not None:
        found, head = trail.page_of(subject, after=after, limit=limit), trail.head(subject)
        total = head.sequence if head else 0
    else:
        total = None
        found = trail.page(actor=actor, after=after, limit=limit)
    etag = resource.unless_unchanged(*(entry.hash for entry in found.items), found.position, total)
    return answer(page_of(found, scope, activity_entry, total=total), etag=etag, poll_after=POLL_SECONDS)
