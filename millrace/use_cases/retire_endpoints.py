"""Retire endpoints: of a model's endpoints those remain that answer, or that a rollback would need at once."""

from __future__ import annotations

from collections.abc import Sequence

from millrace.domain import identity
from millrace.domain.model import CHAMPION
from millrace.ports import Endpoints, ModelRegistry
from millrace.use_cases.roll_back import champion_before


def retire_endpoints(*, registry: ModelRegistry, endpoints: Endpoints, model: str, prefix: str) -> Sequence[str]:
    """The names of those that were deleted. Kept are the champion's, the one's before it, and a challenger's."""
    known = registry.model(model)
    champion = known.aliases.get(CHAMPION)
    needed = {champion, champion_before(registry.history(model), champion)}
    if known.rollout is not None:
        needed.add(known.rollout.number)
    kept = {identity.endpoint_name(prefix, model, number) for number in needed if number is not None}
    begin = identity.endpoint_prefix(prefix, model)
    retired = [name for name in endpoints.names(begin) if name not in kept and name.removeprefix(begin).isdigit()]
    for name in retired:
        endpoints.delete(name)
    return retired
