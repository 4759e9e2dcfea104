"""Reject a model version: a person's verdict, with a reason that helps whoever trains the next one."""

from __future__ import annotations

from millrace.domain.model import ModelVersion, parse_version_id
from millrace.errors import InvalidInput
from millrace.ports import Clock, ModelRegistry

_LEAST_CHARACTERS = 10


def reject_model_version(
    *, registry: ModelRegistry, clock: Clock, version_id: str, actor: str, reason: str
) -> ModelVersion:
    """Raises InvalidInput for a reason too short to be one, NotFound, AlreadyDecided."""
    if len(reason.strip()) < _LEAST_CHARACTERS:
        raise InvalidInput(f"say why in at least {_LEAST_CHARACTERS} characters: what would have to be better?")
    model, number = parse_version_id(version_id)
    return registry.decide(model, number, approve=False, actor=actor, reason=reason.strip(), at=clock.now())
