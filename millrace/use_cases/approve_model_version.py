"""Approve a model version: a person's verdict, with a reason. The promotion follows from the event."""

from __future__ import annotations

from millrace.domain.event import ModelVersionApproved
from millrace.domain.model import ModelVersion, parse_version_id
from millrace.errors import InvalidInput
from millrace.ports import Clock, EventBus, ModelRegistry


def approve_model_version(
    *, registry: ModelRegistry, bus: EventBus, clock: Clock, version_id: str, actor: str, reason: str
) -> ModelVersion:
    """Raises InvalidInput without a reason, NotFound, AlreadyDecided."""
    if not reason.strip():
        raise InvalidInput("say why this version is approved: the reason stays in the model's history")
    model, number = parse_version_id(version_id)
    approved = registry.decide(model, number, approve=True, actor=actor, reason=reason.strip(), at=clock.now())
    bus.publish(ModelVersionApproved(model=model, number=number, actor=actor, reason=reason.strip()))
    return approved
