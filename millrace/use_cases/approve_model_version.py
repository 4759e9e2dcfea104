"""Approve a model version: a person's verdict, with a reason. The promotion follows from the event."""

from __future__ import annotations

from millrace.domain.event import ModelVersionApproved
from millrace.domain.model import ModelVersion, parse_version_id
from millrace.errors import InvalidInput, NotAllowed, NotFound
from millrace.ports import Clock, DatasetCatalog, EventBus, ModelRegistry, RunLedger


def approve_model_version(
    *,
    registry: ModelRegistry,
    catalog: DatasetCatalog,
    ledger: RunLedger,
    bus: EventBus,
    clock: Clock,
    version_id: str,
    actor: str,
    reason: str,
) -> ModelVersion:
    """Raises InvalidInput without a reason, NotFound, AlreadyDecided, and NotAllowed when four eyes are asked for."""
    if not reason.strip():
        raise InvalidInput("say why this version is approved: the reason stays in the model's history")
    model, number = parse_version_id(version_id)
    check_four_eyes(catalog, ledger, registry.get(model, number), actor)
    approved = registry.decide(model, number, approve=True, actor=actor, reason=reason.strip(), at=clock.now())
    bus.publish(ModelVersionApproved(model=model, number=number, actor=actor, reason=reason.strip()))
    return approved


def check_four_eyes(catalog: DatasetCatalog, ledger: RunLedger, version: ModelVersion, actor: str) -> None:
    """Raises NotAllowed when `actor` asked for the run that made `version`, and its dataset wants a second person.

    A policy is what it is now: switching it on holds for versions that wait already.
    """
    try:
        settings = catalog.get(version.lineage.dataset).settings
        requester = ledger.get(version.lineage.run_id).started_by
    except NotFound:
        return  # neither a policy nor a requester is left to hold against anybody
    if settings.four_eyes and _person(requester) == _person(actor):
        raise NotAllowed(
            f"{actor} asked for the run that made {version.id}, and {version.lineage.dataset} wants four eyes: "
            f"somebody else has to approve it"
        )


def _person(actor: str) -> str:
    """`user:ada` and `cli:ada` are one person."""
    return actor.rpartition(":")[2]
