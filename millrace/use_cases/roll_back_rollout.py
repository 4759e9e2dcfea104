"""Roll a rollout back: the champion answers everything again, and the model's history says why."""

from __future__ import annotations

from datetime import datetime

from millrace.domain.audit import acting
from millrace.domain.model import ModelEvent
from millrace.ports import ModelRegistry


def roll_back_rollout(
    *, registry: ModelRegistry, run_id: str, model: str, number: int, reason: str, at: datetime
) -> ModelEvent | None:
    """None when this run rolls nothing out: it did not begin, or somebody ended it. Raises NotFound."""
    return registry.move_rollout(model, None, run_id=run_id, number=number, actor=acting(run_id), reason=reason, at=at)
