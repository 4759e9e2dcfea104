"""Approve a model version: a person's verdict, with a reason. The promotion follows from the event."""

from __future__ import annotations

from millrace.domain.event import ModelVersionApproved
from millrace.domain.identity import automatic_deployment_run_id
from millrace.domain.model import ApprovalState, ModelVersion, parse_version_id
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
    four_eyes: bool = False,
) -> ModelVersion:
    """An approval of which nobody heard is announced again when the same is said again, in the same words.

    That is harmless, since an approval deploys once, however often it is announced. Raises InvalidInput without a
    reason, NotFound, AlreadyDecided, and NotAllowed when four eyes are asked for: by the dataset, or for all by
    `four_eyes`.
    """
    if not reason.strip():
        raise InvalidInput("say why this version is approved: the reason stays in the model's history")
    model, number = parse_version_id(version_id)
    known = registry.get(model, number)
    check_four_eyes(catalog, ledger, known, actor, always=four_eyes)
    if was_not_heard(ledger, known, actor, reason):
        approved = known
    else:
        approved = registry.decide(model, number, approve=True, actor=actor, reason=reason.strip(), at=clock.now())
    bus.publish(ModelVersionApproved(model=model, number=number, actor=actor, reason=reason.strip()))
    return approved


def was_not_heard(ledger: RunLedger, version: ModelVersion, actor: str, reason: str) -> bool:
    """Whether this very approval was recorded, and no deployment came of it: its announcement was lost."""
    said = version.approval
    if (said.state, said.actor, said.reason) != (ApprovalState.APPROVED, actor, reason.strip()):
        return False
    try:
        ledger.get(automatic_deployment_run_id(version.model, version.number))
    except NotFound:
        return True
    return False


def check_four_eyes(
    catalog: DatasetCatalog, ledger: RunLedger, version: ModelVersion, actor: str, *, always: bool = False
) -> None:
    """Raises NotAllowed when `actor` asked for the run that made `version`, and a second person is wanted.

    A policy is what it is now: switching it on holds for versions that wait already.
    """
    try:
        settings = catalog.get(version.lineage.dataset).settings
        run = ledger.get(version.lineage.run_id)
        # A schedule starts what the person asked for who made it.
        requester = str(run.input.get("requested_by", run.started_by))
    except NotFound:
        return  # neither a policy nor a requester is left to hold against anybody
    if (always or settings.four_eyes) and _person(requester) == _person(actor):
        wanting = "this environment" if always else version.lineage.dataset
        raise NotAllowed(
            f"{actor} asked for the run that made {version.id}, and {wanting} wants four eyes: "
            f"somebody else has to approve it"
        )


def _person(actor: str) -> str:
    """`user:ada` and `cli:ada` are one person."""
    return actor.rpartition(":")[2]
