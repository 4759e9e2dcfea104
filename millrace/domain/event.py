"""Events the platform tells the world: past tense, the detail-type is the class name."""

from __future__ import annotations

from pydantic import Field

from millrace.domain.drift import DriftSeverity, DriftVerdict
from millrace.domain.entity import Entity


class DatasetVersionReady(Entity):
    dataset: str
    version: int
    run_id: str


class ModelVersionApproved(Entity):
    model: str
    number: int
    actor: str
    reason: str


class BatchInferenceCompleted(Entity, extra="ignore"):
    """Predictions for `rows` rows by version `number` lie below `results_uri`."""

    job_id: str
    model: str
    number: int
    results_uri: str
    rows: int


class GroundTruthArrived(Entity, extra="ignore"):
    """`labels` true values came for records of the model."""

    model: str
    labels: int


class DriftDetected(Entity):
    """A drift report's outcome. `kind` is what drifted: data, prediction or performance; `number` the model version's.

    Verdict OK says that an earlier drift of this kind is over.
    """

    report_id: str
    model: str
    number: int | None = None
    kind: str = Field(pattern="^(data|prediction|performance)$")
    verdict: DriftVerdict
    severity: DriftSeverity
    features: tuple[str, ...] = ()
    sentence: str
    report_uri: str = ""


DomainEvent = DatasetVersionReady | ModelVersionApproved | BatchInferenceCompleted | GroundTruthArrived | DriftDetected
