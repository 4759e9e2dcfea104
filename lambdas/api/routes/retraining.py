"""Retraining: what drift would start now, what it started, and what was refused and why."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response

from lambdas.api.paging import Cursor, Limit, from_cursor, page_of
from lambdas.api.resource import Resource, answer
from lambdas.api.shapes import alert_examples as examples
from lambdas.api.shapes.alerts import RetrainingAnswer, retraining_now
from lambdas.api.shapes.names import ModelName
from millrace import bootstrap, errors
from millrace.domain.role import EVERYONE
from millrace.use_cases.govern_retraining import retraining_facts, would_retrain

resource = Resource("retraining")
POLL_SECONDS = 30


@resource.endpoint(
    "GET", "/models/<model>/retraining", allow=EVERYONE, raises=[errors.NotFound], example=examples.RETRAINING
)
def get_retraining(model: ModelName, cursor: Cursor = None, limit: Limit = 50) -> Response[RetrainingAnswer]:
    """The retrain governor of a model: its policy, what it would say to drift now, and every decision it made."""
    platform, scope = bootstrap.platform(), f"retraining {model}"
    facts = retraining_facts(
        catalog=platform.catalog,
        registry=platform.registry,
        ledger=platform.ledger,
        clock=platform.clock,
        model=model,
    )
    verdict = would_retrain(platform.catalog, platform.registry.model(model).dataset, facts)
    found = platform.retraining.page(model, after=from_cursor(cursor, scope), limit=limit)
    shown = facts._replace(now=facts.now.replace(minute=0, second=0, microsecond=0))
    etag = resource.unless_unchanged(shown, verdict, *(each.decision_id for each in found.items), found.position)
    body = RetrainingAnswer(
        model=model,
        policy=facts.policy,
        now=retraining_now(facts, verdict),
        decisions=page_of(found, scope, lambda decision: decision),
    )
    return answer(body, etag=etag, poll_after=POLL_SECONDS)
