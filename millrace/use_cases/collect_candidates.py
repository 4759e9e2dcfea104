"""Collect what each candidate's training job said; without a trained one there is nothing to evaluate."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from millrace.domain import place
from millrace.domain.entity import Entity
from millrace.domain.failure import explain
from millrace.errors import TrainingFailed
from millrace.ports import ObjectStore

TRAINED = "TRAINED"


class TrainedCandidate(Entity):
    """How one training job ended. `reason` is the sentence of a job that failed."""

    algorithm: str
    job_name: str
    status: str
    artifact_uri: str | None = None
    training_seconds: float | None = None
    billable_seconds: float | None = None
    reason: str | None = None


def collect_candidates(
    *, store: ObjectStore, artifacts_bucket: str, run_id: str, training: Sequence[TrainedCandidate]
) -> dict[str, Any]:
    """Write `training.json`, with reasons in plain words. Raises TrainingFailed with every reason when none trained."""
    collected = [
        candidate if candidate.status == TRAINED else candidate.model_copy(update={"reason": _reason(candidate)})
        for candidate in training
    ]
    document = [candidate.model_dump() for candidate in collected]
    store.write(training_uri(artifacts_bucket, run_id), json.dumps(document, indent=2).encode())
    trained = [candidate.algorithm for candidate in collected if candidate.status == TRAINED]
    failed = {candidate.algorithm: candidate.reason for candidate in collected if candidate.status != TRAINED}
    if not trained:
        reasons = "; ".join(f"{algorithm}: {reason}" for algorithm, reason in failed.items())
        raise TrainingFailed(f"no candidate was trained. {reasons}")
    return {"trained": trained, "failed": failed}


def training_uri(bucket: str, run_id: str) -> str:
    return place.run_uri(bucket, run_id, "training.json")


def _reason(candidate: TrainedCandidate) -> str:
    return explain(None, "States.TaskFailed", candidate.reason)
