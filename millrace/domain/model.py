"""Registered models: immutable versions, approvals, aliases, and the history that proves them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import Field

from millrace.domain.dataset import Contract, Task
from millrace.domain.entity import Entity, Moment
from millrace.domain.rollout import Rollout
from millrace.errors import Conflict, InvalidInput, RolloutEnded

CHAMPION = "champion"


class ApprovalState(StrEnum):
    PENDING = "PENDING"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"


class Approval(Entity):
    state: ApprovalState = ApprovalState.PENDING
    actor: str | None = None
    reason: str | None = None
    decided_at: Moment | None = None


class Metric(Entity):
    """A figure on the test split with its 95 % interval: bootstrap, or Wilson's where no row was told wrongly."""

    value: float
    low: float
    high: float
    higher_is_better: bool


class VerdictOutcome(StrEnum):
    FIRST = "FIRST"
    BETTER = "BETTER"
    NO_DIFFERENCE = "NO_DIFFERENCE"
    WORSE = "WORSE"


class Verdict(Entity):
    """A candidate against the champion (or, for a FIRST version, a constant prediction) on the same test rows.

    `gain` is positive when the candidate is better, whatever the metric's direction; `low` and `high` bound it at 95 %
    by paired bootstrap; `smallest_detectable_gain` is the least true gain this test set would have shown.
    """

    outcome: VerdictOutcome
    metric: str
    gain: float
    low: float
    high: float
    smallest_detectable_gain: float
    compared_with: str
    test_rows: int
    sentence: str


class Lineage(Entity):
    run_id: str
    dataset: str
    dataset_version: int
    dataset_sha256: str
    contract_version: int
    code_digest: str
    image: str
    champion_compared: str | None = None


class Origin(Entity):
    """The version of another environment that this one is: `files` are the digests by which it was copied.

    `approval` and `run_id` are of there; `contract` is what its rows must be like, whatever contracts there are here.
    """

    environment: str
    version_id: str
    run_id: str
    files: dict[str, str]
    approval: Approval
    contract: Contract


class ModelVersion(Entity):
    """Immutable but for its approval. `artifact_digest` hashes the files in the artefact: a retrain can equal it.

    `baseline_uri` is where the profile lies that drift is judged against.
    """

    model: str
    number: int
    algorithm: str
    task: Task
    target: str
    hyperparameters: dict[str, Any]
    artifact_uri: str
    artifact_digest: str
    evaluation_uri: str
    baseline_uri: str | None = None
    signature: dict[str, Any]
    metrics: dict[str, Metric]
    primary_metric: str
    verdict: Verdict
    recommended: bool
    lineage: Lineage
    origin: Origin | None = None
    training_seconds: float
    billable_seconds: float
    approval: Approval = Approval()
    revision: int = 1
    created_at: Moment

    @property
    def id(self) -> str:
        return f"{self.model}:{self.number}"


def since_judged(version: ModelVersion, champion: ModelVersion | None) -> str | None:
    """What a verdict does not know: that `champion` came after it. None when it was compared with that very version.

    Versions of one run were judged on the same rows, so their figures may stand beside each other.
    """
    if champion is None or champion.id == version.id or version.verdict.compared_with == champion.id:
        return None
    mine, theirs = version.metrics.get(version.primary_metric), champion.metrics.get(version.primary_metric)
    if champion.lineage.run_id == version.lineage.run_id and mine is not None and theirs is not None:
        return (
            f"{champion.id} of the same run is the champion since: {theirs.value:.4f} {version.primary_metric} on the "
            f"same {version.verdict.test_rows:,} test rows, and {mine.value:.4f} here."
        )
    return f"{champion.id} is the champion now, and this was not compared with it."


def verdict_now(version: ModelVersion, champion: ModelVersion | None) -> str:
    """The verdict's sentence, and before it what has come since."""
    since = since_judged(version, champion)
    said = version.verdict.sentence
    return said if since is None else f"{since} When it was judged: {said}"


class RegisteredModel(Entity):
    """A named line of versions. `aliases` maps an alias to exactly one version number.

    `latest_number` is the last one claimed, `newest` the last one registered. `pending` are the numbers that wait for a
    decision. `revision` is the sequence of the latest event: it moves with everything that moves here. `rollout` is the
    challenger that takes a part of the champion's requests now.
    """

    name: str
    dataset: str
    latest_number: int = 0
    newest: int = 0
    pending: tuple[int, ...] = ()
    revision: int = 0
    aliases: dict[str, int] = Field(default_factory=dict)
    rollout: Rollout | None = None
    created_at: Moment


class ModelEventKind(StrEnum):
    REGISTERED = "REGISTERED"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    ALIAS_MOVED = "ALIAS_MOVED"
    DEPLOYMENT_REQUESTED = "DEPLOYMENT_REQUESTED"
    DEPLOYMENT_FAILED = "DEPLOYMENT_FAILED"
    ROLLOUT_STARTED = "ROLLOUT_STARTED"
    ROLLOUT_STEPPED = "ROLLOUT_STEPPED"
    ROLLOUT_PASSED = "ROLLOUT_PASSED"
    ROLLOUT_ENDED = "ROLLOUT_ENDED"


class ModelEvent(Entity):
    """One entry of a model's append-only history. `sequence` has no gaps: 1, 2, 3, …"""

    model: str
    sequence: int
    kind: ModelEventKind
    number: int
    previous_number: int | None = None
    alias: str | None = None
    actor: str
    reason: str
    at: Moment


def with_registered(model: RegisteredModel, number: int) -> RegisteredModel:
    """The model once version `number` is there, waiting for a decision."""
    return model.model_copy(update={"newest": max(model.newest, number), "pending": (*model.pending, number)})


def with_decided(model: RegisteredModel, number: int) -> RegisteredModel:
    """The model once version `number` no longer waits."""
    return model.model_copy(update={"pending": tuple(each for each in model.pending if each != number)})


def with_alias(model: RegisteredModel, alias: str, number: int) -> RegisteredModel:
    """The model once `alias` points at `number`. Another champion ends a rollout: it was a comparison with this one."""
    rollout = None if alias == CHAMPION else model.rollout
    return model.model_copy(update={"aliases": {**model.aliases, alias: number}, "rollout": rollout})


def rollout_moves(
    present: Rollout | None, rollout: Rollout | None, *, champion: int | None, run_id: str
) -> ModelEventKind | None:
    """What it is to replace a model's rollout by `rollout` for the sake of `run_id`; None when that was done before.

    Raises Conflict when the rollout is not this run's any more, or the champion is not the one it is compared with.
    """
    if rollout is not None and champion != rollout.champion:
        raise Conflict(f"the champion is {champion or 'nobody'} now, and not {rollout.champion}: look again")
    if rollout == present:
        return None
    if rollout is None:
        return ModelEventKind.ROLLOUT_ENDED if present is not None and present.run_id == run_id else None
    if rollout.step == 1 and not rollout.passed:
        if present is not None:
            raise Conflict(f"the model has a rollout of version {present.number} already")
        return ModelEventKind.ROLLOUT_STARTED
    if present is None or present.run_id != run_id:
        raise RolloutEnded(f"the rollout of version {rollout.number} was ended")
    return ModelEventKind.ROLLOUT_PASSED if rollout.passed else ModelEventKind.ROLLOUT_STEPPED


def parse_version_id(version_id: str) -> tuple[str, int]:
    """`churn:7` → ("churn", 7). Raises InvalidInput for anything else."""
    model, _, number = version_id.partition(":")
    if not model or not number.isdigit():
        raise InvalidInput(f"{version_id!r} is not a model version id: write <model>:<number>, for example churn:7")
    return model, int(number)


def version_with_alias_at(history: Iterable[ModelEvent], alias: str, at: datetime) -> int | None:
    """The number that `alias` pointed at at the time `at`, or None when it pointed nowhere yet."""
    moves = [event for event in history if event.alias == alias and event.at <= at]
    return max(moves, key=lambda move: move.sequence).number if moves else None
