"""Events the platform tells the world: past tense, the detail-type is the class name."""

from __future__ import annotations

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


DomainEvent = DatasetVersionReady | ModelVersionApproved
