"""What the API says of candidates beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from lambdas.api.shapes.model_examples import BRIEF, DETAIL, EVALUATION
from lambdas.api.shapes.models import Curve
from millrace.domain.dataset import Task
from millrace.domain.model import ApprovalState, Metric, ModelVersion, Verdict
from millrace.use_cases.compare_model_versions import Candidate, best_of, on_same_rows, say


class ComparedCandidate(BaseModel):
    """One candidate: how it was made, how good it is, what it cost.

    `cost_usd` is what its own training cost by list prices, `run_cost_usd` its whole run with what it had in common
    with other candidates; null while they are not known. `curves` are thinned to at most 60 points.
    """

    id: str
    run_id: str
    algorithm: str
    task: Task
    target: str
    dataset: str
    dataset_version: int
    contract_version: int
    code_digest: str
    hyperparameters: dict[str, Any]
    primary_metric: str
    metrics: dict[str, Metric]
    verdict: Verdict
    recommended: bool
    approval: ApprovalState
    live: bool
    training_seconds: float
    billable_seconds: float
    cost_usd: float | None
    run_seconds: float | None
    run_cost_usd: float | None
    started_by: str
    created_at: datetime
    curves: dict[str, list[Curve]]


class CandidateComparison(BaseModel):
    """The first candidate is what the others are held against. `sentence` is what the comparison comes to."""

    candidates: list[ComparedCandidate]
    sentence: str
    best: str | None = Field(description="The candidate with the best primary metric; null where none can be best.")
    same_rows: bool = Field(description="All were judged on the same test rows.")


_OF_VERSION = (set(ComparedCandidate.model_fields) & set(ModelVersion.model_fields)) - {"approval"}


def compared_candidate(candidate: Candidate, curves: dict[str, list[dict[str, Any]]]) -> ComparedCandidate:
    version, run = candidate.version, candidate.run
    facts = version.model_dump(include=_OF_VERSION)
    return ComparedCandidate(
        **facts | version.lineage.model_dump(include={"dataset", "dataset_version", "contract_version", "code_digest"}),
        id=version.id,
        run_id=run.run_id,
        approval=version.approval.state,
        live=candidate.live,
        cost_usd=candidate.cost_usd,
        run_seconds=(run.ended_at - run.started_at).total_seconds() if run.ended_at else None,
        run_cost_usd=candidate.run_cost_usd,
        started_by=run.started_by,
        curves={name: [Curve(**each) for each in found] for name, found in curves.items()},
    )


def candidate_comparison(
    candidates: Sequence[Candidate], curves: Sequence[dict[str, list[dict[str, Any]]]]
) -> CandidateComparison:
    versions = [candidate.version for candidate in candidates]
    same_rows = on_same_rows(versions)
    return CandidateComparison(
        candidates=[compared_candidate(*each) for each in zip(candidates, curves, strict=True)],
        sentence=say(versions),
        best=best_of(versions).id if same_rows else None,
        same_rows=same_rows,
    )


_COMPARED = {
    "id": "churn:7",
    "run_id": "training-b69cfade296b",
    "algorithm": "xgboost",
    "task": "binary",
    "target": "left",
    "dataset": "churn",
    "dataset_version": 3,
    "contract_version": 1,
    "code_digest": "61359363d013",
    "hyperparameters": {"max_depth": 4},
    "primary_metric": "roc_auc",
    "metrics": DETAIL["metrics"],
    "verdict": DETAIL["verdict"],
    "recommended": True,
    "approval": "PENDING",
    "live": False,
    "training_seconds": 12.0,
    "billable_seconds": 4.0,
    "cost_usd": 0.0003,
    "run_seconds": 41.0,
    "run_cost_usd": 0.0021,
    "started_by": "user:ada",
    "created_at": BRIEF["created_at"],
    "curves": EVALUATION["curves"],
}
EXAMPLE: dict[str, Any] = {
    "candidates": [{**_COMPARED, "id": "churn:6", "live": True, "approval": "APPROVED"}, _COMPARED],
    "sentence": "churn:7 has the best roc_auc, 0.83 against 0.809 of churn:6; their 95 % intervals overlap, "
    "so these test rows may not tell them apart.",
    "best": "churn:7",
    "same_rows": True,
}
