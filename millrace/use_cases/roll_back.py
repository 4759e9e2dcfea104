"""Roll back: a challenger gets no more requests, or the champion becomes the version that was champion before it."""

from __future__ import annotations

from collections.abc import Sequence

from millrace.domain.model import CHAMPION, ModelEvent
from millrace.errors import Conflict, InvalidInput
from millrace.ports import Clock, ModelRegistry
from millrace.use_cases.abort_rollout import abort_rollout


def roll_back(*, registry: ModelRegistry, clock: Clock, model: str, actor: str, reason: str) -> ModelEvent:
    """During a rollout the challenger is what goes back, and the champion stays.

    Raises InvalidInput without a reason, NotFound, Conflict when there is nothing to go back to.
    """
    if not reason.strip():
        raise InvalidInput("say why the model is rolled back: the reason stays in its history")
    known = registry.model(model)
    if known.rollout is not None:
        return abort_rollout(registry=registry, clock=clock, model=model, actor=actor, reason=reason)
    present = known.aliases.get(CHAMPION)
    before = champion_before(registry.history(model), present)
    if present is None or before is None:
        raise Conflict(f"{model} has no earlier champion to go back to")
    return registry.move_alias(
        model, CHAMPION, before, expected=present, actor=actor, reason=reason.strip(), at=clock.now()
    )


def champion_before(history: Sequence[ModelEvent], present: int | None) -> int | None:
    """The version under the present one. Going back twice goes back two steps, not forth again."""
    under: list[int] = []
    for event in history:
        if event.alias != CHAMPION:
            continue
        if event.number in under:
            under = under[: under.index(event.number) + 1]
        else:
            under.append(event.number)
    return under[-2] if len(under) > 1 and under[-1] == present else None
