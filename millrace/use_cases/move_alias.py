"""Move an alias by hand: back to an earlier champion, or to a name of one's own."""

from __future__ import annotations

import re

from millrace.domain.model import ModelEvent, parse_version_id
from millrace.errors import InvalidInput
from millrace.ports import Clock, ModelRegistry

_ALIAS = re.compile(r"[a-z][a-z0-9-]{0,38}")


def move_alias(
    *,
    registry: ModelRegistry,
    clock: Clock,
    alias: str,
    version_id: str,
    actor: str,
    reason: str,
    expected: int | None = None,
) -> ModelEvent:
    """Point `alias` at an approved version. `expected` is the number the person saw it at; without it, where it is now.

    Raises InvalidInput for a wrong name or a missing reason, NotFound, Conflict.
    """
    if not _ALIAS.fullmatch(alias):
        raise InvalidInput(f"{alias!r} cannot be an alias: use 1 to 39 lowercase letters, digits and hyphens")
    if not reason.strip():
        raise InvalidInput("say why the alias moves: the reason stays in the model's history")
    model, number = parse_version_id(version_id)
    seen = registry.model(model).aliases.get(alias) if expected is None else expected
    return registry.move_alias(model, alias, number, expected=seen, actor=actor, reason=reason.strip(), at=clock.now())
