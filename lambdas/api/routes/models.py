"""Registered models: what serves, what waits for a decision, how good it is, and the decisions themselves."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from lambdas.api.manners import etag_matches, etag_of
from lambdas.api.paging import ByName, Cursor, Limit, PageOf, from_cursor, page_of, sorted_scope
from lambdas.api.resource import Resource, answer
from lambdas.api.shapes import model_examples as examples
from lambdas.api.shapes.models import (
    AliasMove,
    ChampionAnswer,
    Decision,
    Deployment,
    EvaluationAnswer,
    LineageAnswer,
    ModelCard,
    ModelDetail,
    ModelEventAnswer,
    ModelSummary,
    Rollback,
    VersionBrief,
    VersionDetail,
    brief,
    detail,
    evaluation_answer,
    event_answer,
    lineage_answer,
    shown_versions,
    summary,
)
from lambdas.api.shapes.names import AliasName, ModelName, VersionId
from lambdas.api.shapes.runs import RunSummary, run_summary
from millrace import bootstrap, errors
from millrace.domain.model import ModelVersion, RegisteredModel, parse_version_id
from millrace.domain.role import APPROVERS, EVERYONE
from millrace.use_cases.abort_rollout import abort_rollout
from millrace.use_cases.approve_model_version import approve_model_version, was_not_heard
from millrace.use_cases.deploy_model_version import deploy_again
from millrace.use_cases.describe_model_version import read_evaluation, trace_model_version, write_model_card
from millrace.use_cases.find_champion import champion_at
from millrace.use_cases.move_alias import move_alias
from millrace.use_cases.reject_model_version import reject_model_version
from millrace.use_cases.roll_back import roll_back

resource = Resource("models")
# Nothing here changes by itself: seconds until asking again makes sense.
POLL_SECONDS = 30
SHOWN_AT_ONCE = 50
RUN_SECONDS = 2


@resource.endpoint("GET", "/models", allow=EVERYONE, example=examples.PAGE)
def list_models(order: ByName = "name", cursor: Cursor = None, limit: Limit = 50) -> Response[PageOf[ModelSummary]]:
    """The registered models by name: what serves, what is newest, what waits for a decision."""
    platform = bootstrap.platform()
    registry, total = platform.registry, platform.tallies.now().models
    scope = sorted_scope("models", order, "name")
    found = registry.page(after=from_cursor(cursor, scope), limit=limit, reverse=order == "-name")
    seen = [f"{model.name}.{model.revision}" for model in found.items]
    etag = resource.unless_unchanged(*seen, found.position, total)
    shown = [version for model in found.items for version in shown_versions(model)]
    versions: dict[tuple[str, int], ModelVersion] = {}
    for first in range(0, len(shown), 100):
        versions.update(registry.look_up(shown[first : first + 100]))
    body = page_of(found, scope, lambda model: summary(model, versions), total=total)
    return answer(body, etag=etag, poll_after=POLL_SECONDS)


@resource.endpoint("GET", "/models/<model>", allow=EVERYONE, raises=[errors.NotFound], example=examples.MODEL)
def get_model(model: ModelName) -> Response[ModelDetail]:
    """One registered model, with its newest versions and what happened to it latest."""
    registry = bootstrap.platform().registry
    known = registry.model(model)
    etag = resource.unless_unchanged(known.revision)
    body = ModelDetail(
        **dict(summary(known, registry.look_up(shown_versions(known)))),
        versions=[brief(version) for version in registry.page_versions(model, limit=SHOWN_AT_ONCE).items],
        history=[event_answer(event) for event in registry.page_history(model, limit=SHOWN_AT_ONCE).items],
    )
    return answer(body, etag=etag, poll_after=POLL_SECONDS)


@resource.endpoint(
    "GET", "/models/<model>/versions", allow=EVERYONE, raises=[errors.NotFound], example=examples.VERSIONS
)
def list_model_versions(model: ModelName, cursor: Cursor = None, limit: Limit = 50) -> Response[PageOf[VersionBrief]]:
    """The versions of a model, newest first."""
    registry = bootstrap.platform().registry
    etag = resource.unless_unchanged(registry.model(model).revision)
    scope = f"versions of {model}"
    found = registry.page_versions(model, after=from_cursor(cursor, scope), limit=limit)
    return answer(page_of(found, scope, brief), etag=etag, poll_after=POLL_SECONDS)


@resource.endpoint("GET", "/models/<model>/history", allow=EVERYONE, raises=[errors.NotFound], example=examples.HISTORY)
def get_model_history(model: ModelName, cursor: Cursor = None, limit: Limit = 50) -> Response[PageOf[ModelEventAnswer]]:
    """What happened to a model, latest first: registered, approved, rejected, an alias moved; by whom, and why."""
    registry = bootstrap.platform().registry
    # A model's revision is the sequence of its latest event.
    revision = registry.model(model).revision
    etag = resource.unless_unchanged(revision)
    scope = f"history of {model}"
    found = registry.page_history(model, after=from_cursor(cursor, scope), limit=limit)
    return answer(page_of(found, scope, event_answer, total=revision), etag=etag)


@resource.endpoint(
    "GET", "/models/<model>/champion", allow=EVERYONE, raises=[errors.NotFound], example=examples.CHAMPION
)
def get_champion(
    model: ModelName,
    at: Annotated[datetime | None, Query(description="A time with its zone; now when left out.")] = None,
) -> Response[ChampionAnswer]:
    """Which version was champion at a time."""
    platform = bootstrap.platform()
    moment = at or platform.clock.now()
    if moment.tzinfo is None:
        raise errors.InvalidInput("query.at: a time needs its zone, for example 2026-11-20T12:00:00Z")
    found = champion_at(registry=platform.registry, model=model, at=moment)
    return answer(ChampionAnswer(model=model, at=moment, champion=brief(found) if found else None))


@resource.endpoint(
    "GET",
    "/models/<version>/detail",
    allow=EVERYONE,
    raises=[errors.NotFound],
    example=examples.DETAIL,
)
def get_model_version(version: VersionId) -> Response[VersionDetail]:
    """One model version, with its verdict and its lineage."""
    found, model = _version(version)
    etag = resource.unless_unchanged(found.revision, model.revision)
    return answer(detail(found, model), etag=etag, poll_after=POLL_SECONDS)


@resource.endpoint(
    "GET",
    "/models/<version>/evaluation",
    allow=EVERYONE,
    raises=[errors.NotFound, errors.EvaluationInvalid],
    example=examples.EVALUATION,
)
def get_evaluation(version: VersionId) -> Response[EvaluationAnswer]:
    """How good a version is: curves, confusion, importance, latency, against what it was compared with."""
    found, _ = _version(version)
    etag = resource.unless_unchanged(found.artifact_digest)
    said = read_evaluation(store=bootstrap.platform().store, version=found)
    return answer(evaluation_answer(found, said), etag=etag)


@resource.endpoint(
    "GET", "/models/<version>/lineage", allow=EVERYONE, raises=[errors.NotFound], example=examples.LINEAGE
)
def get_lineage(version: VersionId) -> Response[LineageAnswer]:
    """Where a version comes from, and what came of it."""
    found, model = _version(version)
    etag = resource.unless_unchanged(model.revision)
    platform = bootstrap.platform()
    descent = trace_model_version(registry=platform.registry, catalog=platform.catalog, version=found)
    return answer(lineage_answer(found, descent), etag=etag)


@resource.endpoint(
    "GET",
    "/models/<version>/card",
    allow=EVERYONE,
    raises=[errors.NotFound, errors.EvaluationInvalid],
    example=examples.CARD,
)
def get_model_card(version: VersionId) -> Response[ModelCard]:
    """A page for whoever decides, generated from what is recorded."""
    found, model = _version(version)
    etag = resource.unless_unchanged(model.revision)
    platform = bootstrap.platform()
    evaluation = read_evaluation(store=platform.store, version=found)
    descent = trace_model_version(registry=platform.registry, catalog=platform.catalog, version=found)
    return answer(ModelCard(id=found.id, markdown=write_model_card(found, evaluation, descent)), etag=etag)


DECISION_ERRORS = [errors.NotFound, errors.AlreadyDecided, errors.ChangedMeanwhile]


@resource.endpoint(
    "PUT",
    "/models/<version>/approve",
    allow=APPROVERS,
    raises=DECISION_ERRORS,
    example=examples.DETAIL,
    people_only=True,
)
def approve_version(version: VersionId, decision: Annotated[Decision, Body()]) -> Response[VersionDetail]:
    """Let a version become the champion. Say with `If-Match` what you have seen. Repeat it when it was not answered."""
    platform = bootstrap.platform()
    if not was_not_heard(platform.ledger, _version(version)[0], resource.caller.actor, decision.reason):
        _check_seen(version)
    try:
        approve_model_version(
            registry=platform.registry,
            catalog=platform.catalog,
            ledger=platform.ledger,
            bus=platform.bus,
            clock=platform.clock,
            version_id=version,
            actor=resource.caller.actor,
            reason=decision.reason,
            four_eyes=platform.settings.four_eyes,
        )
    except errors.AlreadyDecided as decided:
        raise _as_seen(decided) from decided
    return _decided(version)


@resource.endpoint(
    "PUT",
    "/models/<version>/reject",
    allow=APPROVERS,
    raises=DECISION_ERRORS,
    example=examples.DETAIL,
    people_only=True,
)
def reject_version(version: VersionId, decision: Annotated[Decision, Body()]) -> Response[VersionDetail]:
    """Refuse a version. Say with `If-Match` what you have seen."""
    platform = bootstrap.platform()
    _check_seen(version)
    try:
        reject_model_version(
            registry=platform.registry,
            clock=platform.clock,
            version_id=version,
            actor=resource.caller.actor,
            reason=decision.reason,
        )
    except errors.AlreadyDecided as decided:
        raise _as_seen(decided) from decided
    return _decided(version)


@resource.endpoint(
    "POST",
    "/models/<version>/deploy",
    allow=APPROVERS,
    raises=[errors.NotFound, errors.Conflict],
    status=202,
    example=examples.DEPLOYING,
    links={"run": {"operationId": "get_run", "parameters": {"run_id": "$response.body#/run_id"}}},
    people_only=True,
)
def deploy_version(version: VersionId, said: Annotated[Deployment, Body()]) -> Response[RunSummary]:
    """Deploy an approved version once more, whatever became of it before. While that goes on, asking again is the same.

    It is checked and rolled out as after its approval, and becomes the champion if it does well.
    """
    platform = bootstrap.platform()
    model, number = parse_version_id(version)
    run = deploy_again(
        catalog=platform.catalog,
        registry=platform.registry,
        ledger=platform.ledger,
        pipelines=platform.pipelines,
        clock=platform.clock,
        artifacts_bucket=platform.settings.require("artifacts_bucket"),
        model=model,
        number=number,
        actor=resource.caller.actor,
        reason=said.reason,
    )
    return answer(run_summary(run), status=202, poll_after=RUN_SECONDS, location=f"/runs/{run.run_id}")


@resource.endpoint(
    "PUT",
    "/models/<model>/aliases/<alias>",
    allow=APPROVERS,
    raises=[errors.NotFound, errors.Conflict, errors.ChangedMeanwhile],
    example=examples.SUMMARY,
    people_only=True,
)
def put_alias(model: ModelName, alias: AliasName, move: Annotated[AliasMove, Body()]) -> Response[ModelSummary]:
    """Point an alias at an approved version of the same model."""
    if parse_version_id(move.version)[0] != model:
        raise errors.InvalidInput(f"body.version: {move.version} is no version of {model}")
    platform = bootstrap.platform()
    known = platform.registry.model(model)
    _check_model_seen(known)
    move_alias(
        registry=platform.registry,
        clock=platform.clock,
        alias=alias,
        version_id=move.version,
        actor=resource.caller.actor,
        reason=move.reason,
        expected=known.aliases.get(alias),
    )
    return _moved(model)


@resource.endpoint(
    "POST",
    "/models/<model>/rollback",
    allow=APPROVERS,
    raises=[errors.NotFound, errors.ChangedMeanwhile],
    example=examples.SUMMARY,
    people_only=True,
)
def roll_back_model(model: ModelName, said: Annotated[Rollback, Body()]) -> Response[ModelSummary]:
    """Make the champion before the present one the champion again; while a version is rolled out, end that instead."""
    platform = bootstrap.platform()
    _check_model_seen(platform.registry.model(model))
    roll_back(
        registry=platform.registry,
        clock=platform.clock,
        model=model,
        actor=resource.caller.actor,
        reason=said.reason,
    )
    return _moved(model)


@resource.endpoint(
    "POST",
    "/models/<model>/rollout/abort",
    allow=APPROVERS,
    raises=[errors.NotFound, errors.Conflict, errors.ChangedMeanwhile],
    example=examples.SUMMARY,
)
def abort_model_rollout(model: ModelName, said: Annotated[Rollback, Body()]) -> Response[ModelSummary]:
    """Take the requests away from the version that is being rolled out. The champion stays."""
    # A measure of safety, so also a machine's: nobody answers afterwards who did not before (adr/0009).
    platform = bootstrap.platform()
    _check_model_seen(platform.registry.model(model))
    abort_rollout(
        registry=platform.registry,
        clock=platform.clock,
        model=model,
        actor=resource.caller.actor,
        reason=said.reason,
    )
    return _moved(model)


def _version(version_id: str) -> tuple[ModelVersion, RegisteredModel]:
    registry = bootstrap.platform().registry
    model, number = parse_version_id(version_id)
    return registry.get(model, number), registry.model(model)


def _check_seen(version_id: str) -> None:
    """Raises ChangedMeanwhile, which says who decided, when the caller has seen another revision of the version."""
    seen = resource.if_match()
    if seen is None:
        return
    found, _ = _version(version_id)
    # The tag's second part is the model's: that something else moved there is no reason to refuse this decision.
    if seen == "*" or seen.removeprefix("W/").strip('"').partition("-")[0] == str(found.revision):
        return
    approval = found.approval
    by = f": {approval.state} by {approval.actor}, {approval.reason}" if approval.decided_at else ""
    raise errors.ChangedMeanwhile(f"{found.id} changed since you looked at it{by}")


def _check_model_seen(known: RegisteredModel) -> None:
    seen = resource.if_match()
    if seen is not None and not etag_matches(seen, etag_of(known.revision)):
        raise errors.ChangedMeanwhile(f"{known.name} changed since you looked at it: look again")


def _as_seen(decided: errors.AlreadyDecided) -> errors.PlatformError:
    """Lost between the look and the decision: who said what was seen is told the same as if it had been before."""
    return decided if resource.if_match() is None else errors.ChangedMeanwhile(str(decided))


def _decided(version_id: str) -> Response[VersionDetail]:
    found, model = _version(version_id)
    return answer(detail(found, model), etag=etag_of(found.revision, model.revision))


def _moved(model: str) -> Response[ModelSummary]:
    registry = bootstrap.platform().registry
    known = registry.model(model)
    return answer(summary(known, registry.look_up(shown_versions(known))), etag=etag_of(known.revision))
