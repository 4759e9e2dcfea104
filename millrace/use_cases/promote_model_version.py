"""Promote an approved model version: the alias `champion` moves to it, once per approval."""

from __future__ import annotations

from collections.abc import Sequence

from millrace.domain.model import CHAMPION, ModelEvent, ModelEventKind, RegisteredModel
from millrace.domain.page import version_page
from millrace.ports import Clock, ModelRegistry, Notifier


def promote_model_version(
    *,
    registry: ModelRegistry,
    notifier: Notifier,
    clock: Clock,
    model: str,
    number: int,
    actor: str,
    reason: str,
    again: bool = False,
) -> ModelEvent | None:
    """The move, or None when there is nothing to do: this approval led to one before, or a later approval did.

    Events repeat and overtake each other; what the history says decides, unless a person deploys the version `again`.
    Raises NotFound, Conflict.
    """
    known, history = registry.model(model), registry.history(model)
    if settled(known, history, number, again=again):
        return None
    move = registry.move_alias(
        model,
        CHAMPION,
        number,
        expected=known.aliases.get(CHAMPION),
        actor=actor,
        reason=reason,
        at=clock.now(),
    )
    before = f" in place of {model}:{move.previous_number}" if move.previous_number else ""
    notifier.notify(
        subject=f"Millrace: {model}:{number} is champion",
        message=f"{model}:{number} answers every request{before}. {actor}: {reason}\n",
        path=version_page(model, number),
        attributes={"kind": "champion_moved", "model": model},
    )
    return move


def settled(known: RegisteredModel, history: Sequence[ModelEvent], number: int, *, again: bool) -> bool:
    """Whether nothing is left to do for the approval of version `number`, or for a person's wish to have it `again`."""
    if again:
        return known.aliases.get(CHAMPION) == number
    moves = [event for event in history if event.alias == CHAMPION]
    if any(move.number == number for move in moves):
        return True
    approvals = {event.number: event.sequence for event in history if event.kind == ModelEventKind.APPROVED}
    champion = known.aliases.get(CHAMPION)
    return champion is not None and approvals.get(number, 0) < approvals.get(champion, 0)
