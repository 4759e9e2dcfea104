"""What the API says of registered models and their versions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from millrace.domain.dataset import Task
from millrace.domain.model import (
    CHAMPION,
    Approval,
    ApprovalState,
    Lineage,
    Metric,
    ModelEvent,
    ModelEventKind,
    ModelVersion,
    RegisteredModel,
    Verdict,
    VerdictOutcome,
)
from millrace.domain.rollout import Rollout, Strategy
from millrace.use_cases.describe_model_version import Descent

Versions = Mapping[tuple[str, int], ModelVersion]


class VersionBrief(BaseModel):
    """A model version in a list. `metric` names the primary metric that `value` is of."""

    id: str
    number: int
    algorithm: str
    metric: str
    value: Metric
    approval: ApprovalState
    verdict: VerdictOutcome
    recommended: bool
    created_at: datetime


class RolloutAnswer(BaseModel):
    """A version on its way beside the champion. In the shadow its share is 0: it answers, and nobody is told."""

    version: str
    champion: str
    run_id: str
    strategy: Strategy
    share: float
    step: int
    steps: int
    step_seconds: int
    started_at: datetime
    step_started_at: datetime


class ModelSummary(BaseModel):
    """A registered model. `pending` are the ids of the versions that wait for a decision."""

    name: str
    dataset: str
    aliases: dict[str, str] = Field(description="Alias → id of the version it points at.")
    champion: VersionBrief | None
    latest: VersionBrief | None
    rollout: RolloutAnswer | None
    pending: list[str]
    revision: int
    created_at: datetime


class ModelEventAnswer(BaseModel):
    """One entry of a model's history."""

    sequence: int
    kind: ModelEventKind
    version: str
    previous_version: str | None
    alias: str | None
    actor: str
    reason: str
    at: datetime


class ModelDetail(ModelSummary):
    """A registered model with its newest versions and what happened to it latest, newest first: at most 50 of each."""

    versions: list[VersionBrief]
    history: list[ModelEventAnswer]


class VersionDetail(BaseModel):
    """A model version. `aliases` are those that point at it now."""

    id: str
    model: str
    number: int
    algorithm: str
    task: Task
    target: str
    hyperparameters: dict[str, Any]
    metrics: dict[str, Metric]
    primary_metric: str
    verdict: Verdict
    recommended: bool
    approval: Approval
    aliases: list[str]
    signature: dict[str, Any]
    artifact_uri: str
    artifact_digest: str
    lineage: Lineage
    training_seconds: float
    billable_seconds: float
    revision: int
    created_at: datetime


class Curve(BaseModel):
    """One curve, thinned to at most 200 points. `class` is the class it is of, where there are several."""

    class_name: str | None = None
    points: list[dict[str, float | None]]


class Importance(BaseModel):
    """How much worse the primary metric becomes when the feature is shuffled."""

    feature: str
    importance: float
    deviation: float


class EvaluationAnswer(BaseModel):
    """A version on the test split: what it was compared with, and the figures behind the verdict."""

    id: str
    dataset: str
    dataset_version: int
    test_rows: int
    primary_metric: str
    metrics: dict[str, Metric]
    verdict: Verdict
    curves: dict[str, list[Curve]]
    confusion: dict[str, Any]
    importance: list[Importance]
    latency_ms: dict[str, float]
    batch_rows_per_second: float | None
    size_bytes: int | None


class ComparedVersion(BaseModel):
    id: str
    verdict: str


class AliasPeriod(BaseModel):
    """From when to when an alias pointed at the version; `until` is null while it still does."""

    alias: str
    since: datetime
    until: datetime | None


class TakenOver(BaseModel):
    """Of a version that was made in another environment, and imported here."""

    environment: str
    version_id: str
    run_id: str
    approval: Approval
    files: dict[str, str] = Field(description="SHA-256 of each file by its path: it was copied by them.")


class LineageAnswer(BaseModel):
    """Where a version comes from, and what came of it."""

    id: str
    made_from: Lineage
    taken_over: TakenOver | None = Field(description="The version of another environment that it is.")
    upload_id: str | None = Field(description="The upload that became the dataset version.")
    serves_as: list[AliasPeriod]
    compared_with_it: list[ComparedVersion] = Field(description="Later versions that had to beat this one.")


class ModelCard(BaseModel):
    """Markdown, generated from what is recorded."""

    id: str
    markdown: str


class Decision(BaseModel):
    """Why: it is kept with the decision."""

    model_config = {
        "extra": "forbid",
        "json_schema_extra": {"examples": [{"reason": "better on every segment that matters"}]},
    }

    reason: str = Field(min_length=10, max_length=2000)


class AliasMove(BaseModel):
    """Where an alias goes, and why. `version` is a version's id of the same model."""

    model_config = {
        "extra": "forbid",
        "json_schema_extra": {"examples": [{"version": "churn:6", "reason": "complaints about 7 since Monday"}]},
    }

    version: str = Field(pattern=r"^[a-z0-9-]{1,40}:[1-9][0-9]{0,7}$")
    reason: str = Field(min_length=10, max_length=2000)


class Rollback(BaseModel):
    """Why the champion goes back to the one before it."""

    model_config = {"extra": "forbid", "json_schema_extra": {"examples": [{"reason": "complaints since Monday"}]}}

    reason: str = Field(min_length=10, max_length=2000)


class Deployment(BaseModel):
    """Why an approved version is deployed once more."""

    model_config = {
        "extra": "forbid",
        "json_schema_extra": {"examples": [{"reason": "the quota was raised meanwhile"}]},
    }

    reason: str = Field(min_length=10, max_length=2000)


class ChampionAnswer(BaseModel):
    """Which version was champion at a time; null when there was none yet."""

    model: str
    at: datetime
    champion: VersionBrief | None


def brief(version: ModelVersion) -> VersionBrief:
    return VersionBrief(
        id=version.id,
        number=version.number,
        algorithm=version.algorithm,
        metric=version.primary_metric,
        value=version.metrics[version.primary_metric],
        approval=version.approval.state,
        verdict=version.verdict.outcome,
        recommended=version.recommended,
        created_at=version.created_at,
    )


def rollout_answer(model: str, rollout: Rollout) -> RolloutAnswer:
    return RolloutAnswer(
        version=f"{model}:{rollout.number}",
        champion=f"{model}:{rollout.champion}",
        run_id=rollout.run_id,
        strategy=rollout.policy.strategy,
        share=rollout.share,
        step=rollout.step,
        steps=rollout.policy.steps,
        step_seconds=rollout.policy.step_seconds,
        started_at=rollout.started_at,
        step_started_at=rollout.step_started_at,
    )


def shown_versions(model: RegisteredModel) -> list[tuple[str, int]]:
    """The versions that a summary of `model` shows."""
    numbers = [model.aliases.get(CHAMPION), model.newest or None]
    return [(model.name, number) for number in numbers if number is not None]


def summary(model: RegisteredModel, versions: Versions) -> ModelSummary:
    champion = versions.get((model.name, model.aliases.get(CHAMPION, 0)))
    latest = versions.get((model.name, model.newest))
    return ModelSummary(
        name=model.name,
        dataset=model.dataset,
        aliases={alias: f"{model.name}:{number}" for alias, number in model.aliases.items()},
        champion=brief(champion) if champion else None,
        latest=brief(latest) if latest else None,
        rollout=rollout_answer(model.name, model.rollout) if model.rollout else None,
        pending=[f"{model.name}:{number}" for number in model.pending],
        revision=model.revision,
        created_at=model.created_at,
    )


def detail(version: ModelVersion, model: RegisteredModel) -> VersionDetail:
    return VersionDetail(
        id=version.id,
        aliases=sorted(alias for alias, number in model.aliases.items() if number == version.number),
        **version.model_dump(exclude={"evaluation_uri"}),
    )


def evaluation_answer(version: ModelVersion, said: Mapping[str, Any]) -> EvaluationAnswer:
    return EvaluationAnswer(
        id=version.id,
        dataset=version.lineage.dataset,
        dataset_version=version.lineage.dataset_version,
        test_rows=said["test_rows"],
        primary_metric=version.primary_metric,
        metrics=version.metrics,
        verdict=version.verdict,
        curves=said["curves"],
        confusion=said.get("confusion") or {},
        importance=said.get("importance") or [],
        latency_ms=said.get("latency_ms") or {},
        batch_rows_per_second=said.get("batch_rows_per_second"),
        size_bytes=said.get("size_bytes"),
    )


def lineage_answer(version: ModelVersion, descent: Descent) -> LineageAnswer:
    return LineageAnswer(
        id=version.id,
        made_from=version.lineage,
        taken_over=version.origin and TakenOver(**version.origin.model_dump(exclude={"contract"})),
        upload_id=descent.upload_id,
        serves_as=[AliasPeriod(**period._asdict()) for period in descent.periods],
        compared_with_it=[ComparedVersion(id=each.id, verdict=each.verdict.sentence) for each in descent.challengers],
    )


def event_answer(event: ModelEvent) -> ModelEventAnswer:
    before = event.previous_number
    return ModelEventAnswer(
        sequence=event.sequence,
        kind=event.kind,
        version=f"{event.model}:{event.number}",
        previous_version=None if before is None else f"{event.model}:{before}",
        alias=event.alias,
        actor=event.actor,
        reason=event.reason,
        at=event.at,
    )
