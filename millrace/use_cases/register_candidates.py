"""Register a run's candidates as model versions that wait for approval, each with its verdict and its lineage."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from millrace.domain import place
from millrace.domain.dataset import DatasetVersion, Task
from millrace.domain.entity import Entity
from millrace.domain.model import Lineage, Metric, ModelVersion, Verdict
from millrace.domain.page import model_page, version_page
from millrace.errors import EvaluationInvalid, NotFound
from millrace.ports import Clock, DatasetCatalog, ModelRegistry, Notifier, ObjectStore, RunLedger
from millrace.use_cases.collect_candidates import TRAINED, TrainedCandidate, training_uri

_ACTOR = "training"
_TRAINING = TypeAdapter(list[TrainedCandidate])


class EvaluatedCandidate(Entity, extra="ignore"):
    """What registration keeps of a candidate in evaluation.json; curves and importance stay in the file."""

    algorithm: str
    job_name: str
    artifact_digest: str
    hyperparameters: dict[str, Any]
    signature: dict[str, Any]
    metrics: dict[str, Metric]
    verdict: Verdict
    recommended: bool


class UnjudgedCandidate(Entity, extra="ignore"):
    algorithm: str
    reason: str


class JudgedChampion(Entity, extra="ignore"):
    """`obstacle` says why the champion could not score the test rows; then nothing was compared with it."""

    id: str
    obstacle: str | None = None


class Evaluation(Entity, extra="ignore"):
    run_id: str
    task: Task
    primary_metric: str
    candidates: tuple[EvaluatedCandidate, ...]
    failed: tuple[UnjudgedCandidate, ...] = ()
    champion: JudgedChampion | None = None


def register_candidates(
    *,
    catalog: DatasetCatalog,
    registry: ModelRegistry,
    ledger: RunLedger,
    store: ObjectStore,
    notifier: Notifier,
    clock: Clock,
    artifacts_bucket: str,
    training_image: str,
    code_digest: str,
    run_id: str,
    dataset: str,
    dataset_version: int,
) -> list[ModelVersion]:
    """Repeating it registers nothing twice. Raises EvaluationInvalid when the reports do not match the run."""
    evaluation = _evaluation(store, artifacts_bucket, run_id)
    trained = _trained(store, artifacts_bucket, run_id, evaluation)
    plan = json.loads(store.read(place.run_uri(artifacts_bucket, run_id, "plan/plan.json")))
    version = catalog.version(dataset, dataset_version)
    lineage = Lineage(
        run_id=run_id,
        dataset=dataset,
        dataset_version=dataset_version,
        dataset_sha256=version.sha256,
        contract_version=_contract_version(version),
        code_digest=code_digest,
        image=training_image,
        champion_compared=_compared(evaluation.champion),
    )
    at = clock.now()
    registered = [
        _register(
            registry,
            store,
            artifacts_bucket,
            _version(candidate, trained[candidate.algorithm], evaluation, plan, lineage, at),
            str(trained[candidate.algorithm].artifact_uri),
        )
        for candidate in evaluation.candidates
    ]
    failed = {item.algorithm: str(item.reason) for item in _collected(store, artifacts_bucket, run_id) if item.reason}
    unjudged = {item.algorithm: item.reason for item in evaluation.failed}
    outcome = f"{_outcome(registered, unjudged | failed)} Task: {plan['task_reason']}."
    ledger.annotate(run_id, outcome=outcome)
    _notify(notifier, plan["model"], registered, outcome)
    return registered


def _evaluation(store: ObjectStore, bucket: str, run_id: str) -> Evaluation:
    address = _evaluation_uri(bucket, run_id)
    try:
        evaluation = Evaluation.read(store.read(address))
    except NotFound as missing:
        raise EvaluationInvalid(f"the evaluation of {run_id} left no report at {address}") from missing
    except ValidationError as error:
        raise EvaluationInvalid(f"the report at {address} is not an evaluation: {error.errors()[0]['msg']}") from error
    if evaluation.run_id != run_id:
        raise EvaluationInvalid(f"the report at {address} is about run {evaluation.run_id}, not about {run_id}")
    return evaluation


def _collected(store: ObjectStore, bucket: str, run_id: str) -> list[TrainedCandidate]:
    return _TRAINING.validate_json(store.read(training_uri(bucket, run_id)))


def _trained(store: ObjectStore, bucket: str, run_id: str, evaluation: Evaluation) -> dict[str, TrainedCandidate]:
    """The trained candidates by algorithm: each was judged, by the job that trained it, or left out with a reason."""
    trained = {item.algorithm: item for item in _collected(store, bucket, run_id) if item.status == TRAINED}
    judged = {candidate.algorithm: candidate.job_name for candidate in evaluation.candidates}
    left_out = {candidate.algorithm for candidate in evaluation.failed}
    expected = {algorithm: item.job_name for algorithm, item in trained.items() if algorithm not in left_out}
    if not judged or judged != expected:
        raise EvaluationInvalid(
            f"run {run_id} trained {_listed(trained)}, but its evaluation is about {_listed(judged)}"
        )
    return trained


def _version(
    candidate: EvaluatedCandidate,
    trained: TrainedCandidate,
    evaluation: Evaluation,
    plan: Mapping[str, Any],
    lineage: Lineage,
    at: datetime,
) -> ModelVersion:
    """The version but for its number and its places."""
    return ModelVersion(
        model=plan["model"],
        number=0,
        algorithm=candidate.algorithm,
        task=evaluation.task,
        target=plan["target"],
        hyperparameters=candidate.hyperparameters,
        artifact_uri="",
        artifact_digest=candidate.artifact_digest,
        evaluation_uri="",
        signature=candidate.signature,
        metrics=candidate.metrics,
        primary_metric=evaluation.primary_metric,
        verdict=candidate.verdict,
        recommended=candidate.recommended,
        lineage=lineage,
        training_seconds=trained.training_seconds or 0.0,
        billable_seconds=trained.billable_seconds or 0.0,
        created_at=at,
    )


def _register(
    registry: ModelRegistry, store: ObjectStore, bucket: str, version: ModelVersion, artifact_uri: str
) -> ModelVersion:
    """Claim a number, copy the artefact there, then register: nobody ever sees a version without its artefact."""
    number = registry.claim_number(
        version.model,
        dataset=version.lineage.dataset,
        run_id=version.lineage.run_id,
        algorithm=version.algorithm,
        at=version.created_at,
    )
    placed = version.model_copy(
        update={
            "number": number,
            "artifact_uri": place.model_uri(bucket, version.model, number, "model.tar.gz"),
            "evaluation_uri": place.model_uri(bucket, version.model, number, "evaluation.json"),
            "baseline_uri": place.model_uri(bucket, version.model, number, "baseline.json"),
        }
    )
    store.copy(artifact_uri, placed.artifact_uri)
    store.copy(_evaluation_uri(bucket, version.lineage.run_id), placed.evaluation_uri)
    store.copy(place.baseline_uri(bucket, version.lineage.run_id, version.algorithm), str(placed.baseline_uri))
    return registry.register(placed, actor=_ACTOR)


def _compared(champion: JudgedChampion | None) -> str | None:
    return None if champion is None or champion.obstacle else champion.id


def _contract_version(version: DatasetVersion) -> int:
    if version.contract_version is None:
        raise EvaluationInvalid(f"{version.dataset} v{version.version} has no contract, so it was never READY")
    return version.contract_version


def _outcome(registered: Sequence[ModelVersion], failed: Mapping[str, str]) -> str:
    said = [f"Registered {', '.join(f'{version.id} ({version.algorithm})' for version in registered)}."]
    recommended = [version for version in registered if version.recommended]
    if recommended:
        said += [f"{version.id} is recommended: {version.verdict.sentence}" for version in recommended]
    else:
        said.append("None is recommended.")
        said += [f"{version.id}: {version.verdict.sentence}" for version in registered]
    said += [f"{algorithm} is left out: {reason.rstrip('.')}." for algorithm, reason in failed.items()]
    return " ".join(said)


def _notify(notifier: Notifier, model: str, registered: Sequence[ModelVersion], outcome: str) -> None:
    recommended = next((version for version in registered if version.recommended), None)
    subject = f"Millrace: approval needed for {recommended.id if recommended else f'new versions of {model}'}"
    lines = [f"{version.id} {version.algorithm}: {version.verdict.sentence}" for version in registered]
    choices = "\n".join(lines)
    notifier.notify(
        subject=subject,
        message=f"{outcome}\n\n{choices}\n\nApprove or reject them with: millrace approve <id> --reason …\n",
        path=version_page(model, recommended.number) if recommended else model_page(model),
        attributes={"kind": "approval_needed", "model": model},
    )


def _evaluation_uri(bucket: str, run_id: str) -> str:
    return place.run_uri(bucket, run_id, "evaluation/evaluation.json")


def _listed(names: Mapping[str, object]) -> str:
    return ", ".join(sorted(names)) or "nothing"
