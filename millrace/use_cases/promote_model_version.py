"""Promote an approved model version: the alias `champion` moves to it, once per approval."""

from __future__ import annotations

from collections.abc import Sequence

from millrace.domain.model import CHAMPION, ModelEvent, ModelEventKind, RegisteredModel
from millrace.ports import Clock, ModelRegistry


def promote_model_version(
    *, registry: ModelRegistry, clock: Clock, model: str, number: int, actor: str, reason: str
) -> ModelEvent | None:
    """The move, or None when there is nothing to do: this approval led to one before, or a later approval did.

    Events repeat and overtake each other; what the history says decides. Raises NotFound, Conflict.
    """
    known, history = registry.model(model), registry.history(model)
    if _settled(known, history, number):
        return None
    return registry.move_alias(
        model,
        CHAMPION,
        number,
        expected=known.aliases.get(CHAMPION),
        actor=actor,
        reason=reason,
        at=clock.now(),
    )


def _settled(known: RegisteredModel, history: Sequence[ModelEvent], number: int) -> bool:
    moves = [event for event in history if event.alias == CHAMPION]
    if any(move.number == number for move in moves):
        return True
    approvals = {event.number: event.sequence for event in history if event.kind == ModelEventKind.APPROVED}
    champion = known.aliases.get(CHAMPION)
    return champion is not None and approvals.get(number, 0) < approvals.get(champion, 0)
