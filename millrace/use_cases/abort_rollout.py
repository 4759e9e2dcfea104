"""Abort a rollout: the challenger gets no more requests, and its run ends with the reason at its next look."""

from __future__ import annotations

from millrace.domain.model import ModelEvent
from millrace.errors import Conflict, InvalidInput
from millrace.ports import Clock, ModelRegistry


def abort_rollout(*, registry: ModelRegistry, clock: Clock, model: str, actor: str, reason: str) -> ModelEvent:
    """Raises InvalidInput without a reason, NotFound, Conflict when nothing is rolled out."""
    if not reason.strip():
        raise InvalidInput("say why the rollout is aborted: the reason stays in the model's history")
    rollout = registry.model(model).rollout
    ended = (
        None
        if rollout is None
        else registry.move_rollout(
            model,
            None,
            run_id=rollout.run_id,
            number=rollout.number,
            actor=actor,
            reason=reason.strip(),
            at=clock.now(),
        )
    )
    if ended is None:
        raise Conflict(f"no version of {model} is being rolled out")
    return ended
