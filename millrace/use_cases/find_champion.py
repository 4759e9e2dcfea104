"""Find the version that was champion at a time: the answer that an audit asks for."""

from __future__ import annotations

from datetime import datetime

from millrace.domain.model import CHAMPION, ModelVersion, version_with_alias_at
from millrace.ports import ModelRegistry


def champion_at(*, registry: ModelRegistry, model: str, at: datetime) -> ModelVersion | None:
    """None when there was no champion yet. Raises NotFound for an unknown model."""
    registry.model(model)
    number = version_with_alias_at(registry.history(model), CHAMPION, at)
    return None if number is None else registry.get(model, number)
