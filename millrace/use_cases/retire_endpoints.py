"""Retire endpoints: of a model's endpoints those remain that answer, or that a rollback would need at once."""

from __future__ import annotations

from collections.abc import Sequence

from millrace.domain import identity
from millrace.domain.model import CHAMPION, RegisteredModel
from millrace.ports import Clock, Endpoints, EndpointUses, ModelRegistry
from millrace.use_cases.roll_back import champion_before


def retire_endpoints(
    *,
    registry: ModelRegistry,
    endpoints: Endpoints,
    uses: EndpointUses,
    clock: Clock,
    model: str,
    prefix: str,
) -> Sequence[str]:
    """The names of those that were deleted. Kept are the champion's, the one's before it, and a challenger's.

    Uses of what is not there end: of those deleted now, of those that were never made, of those deleted by hand.
    """
    needed = needed_numbers(registry, registry.model(model))
    kept = {identity.endpoint_name(prefix, model, number) for number in needed}
    begin = identity.endpoint_prefix(prefix, model)
    there = endpoints.names(begin)
    retired = [name for name in there if name not in kept and name.removeprefix(begin).isdigit()]
    for name in retired:
        endpoints.delete(name)
    # Last: what is cut off before it ends with the next deployment, too late rather than too early.
    remaining = set(there) - set(retired)
    for use in uses.open():
        if use.model == model and identity.endpoint_name(prefix, model, use.number) not in remaining:
            uses.end(model, use.number, at=clock.now())
    return retired


def needed_numbers(registry: ModelRegistry, known: RegisteredModel) -> frozenset[int]:
    """The versions whose endpoints stay."""
    champion = known.aliases.get(CHAMPION)
    needed = {*known.aliases.values(), champion_before(registry.history(known.name), champion)}
    if known.rollout is not None:
        needed.add(known.rollout.number)
    return frozenset(number for number in needed if number is not None)
