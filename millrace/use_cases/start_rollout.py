"""Start a rollout: a checked version gets its first requests beside the champion, as the dataset's settings say."""

from __future__ import annotations

from millrace.domain.audit import acting
from millrace.domain.model import CHAMPION, ModelEventKind, RegisteredModel
from millrace.domain.page import version_page
from millrace.domain.rollout import DeploymentPolicy, Rollout, Strategy
from millrace.errors import Conflict
from millrace.ports import Clock, DatasetCatalog, ModelRegistry, Notifier
from millrace.use_cases.promote_model_version import settled


def start_rollout(
    *,
    catalog: DatasetCatalog,
    registry: ModelRegistry,
    notifier: Notifier,
    clock: Clock,
    run_id: str,
    model: str,
    number: int,
    again: bool = False,
) -> Rollout | None:
    """None when the version takes everything at once: by the settings, or because nothing serves beside it.

    A rollout of a version that was approved earlier ends for this one, and so does any when a person deploys this one
    `again`. Raises NotFound, and Conflict when a version that was approved later is on its way.
    """
    known = registry.model(model)
    present = known.rollout
    if present is not None and present.run_id == run_id:
        return present
    policy = catalog.get(known.dataset).settings.deployment
    champion = known.aliases.get(CHAMPION)
    nothing_to_do = settled(known, registry.history(model), number, again=again)
    if policy.strategy is Strategy.ALL_AT_ONCE or champion is None or nothing_to_do:
        return None
    if present is not None:
        _supersede(registry, clock, known, present, number, run_id, again)
    now = clock.now()
    rollout = Rollout(
        run_id=run_id, number=number, champion=champion, policy=policy, started_at=now, step_started_at=now
    )
    reason = describe_step(rollout, model)
    registry.move_rollout(
        model, rollout, run_id=run_id, number=number, actor=acting(run_id), reason=reason, at=clock.now()
    )
    tell_step(notifier, model, number, reason)
    return rollout


def describe_step(rollout: Rollout, model: str) -> str:
    """What happens in the present step, in a sentence."""
    policy, beside = rollout.policy, f"beside {model}:{rollout.champion}"
    if rollout.shadows:
        return f"shadow: every request is answered too, {beside}, and not given out, for {_duration(policy)}"
    of = f", step {rollout.step} of {policy.steps}" if policy.steps > 1 else ""
    return f"{policy.strategy}{of}: {rollout.share:.0%} of the requests {beside} for {_duration(policy)}"


def tell_step(notifier: Notifier, model: str, number: int, reason: str) -> None:
    notifier.notify(
        subject=f"Millrace: rollout of {model}:{number}",
        message=f"{model}:{number}: {reason}.\n",
        path=version_page(model, number),
        attributes={"kind": "rollout", "model": model},
    )


def _duration(policy: DeploymentPolicy) -> str:
    seconds = policy.step_seconds
    return f"{seconds // 60} min" if seconds >= 120 and seconds % 60 == 0 else f"{seconds} s"


def _supersede(
    registry: ModelRegistry,
    clock: Clock,
    known: RegisteredModel,
    present: Rollout,
    number: int,
    run_id: str,
    again: bool,
) -> None:
    history = registry.history(known.name)
    approvals = {event.number: event.sequence for event in history if event.kind is ModelEventKind.APPROVED}
    if not again and approvals.get(number, 0) < approvals.get(present.number, 0):
        raise Conflict(f"{known.name}:{present.number}, approved later, is being rolled out")
    registry.move_rollout(
        known.name,
        None,
        run_id=present.run_id,
        number=present.number,
        actor=acting(run_id),
        reason=f"{known.name}:{number}, {'deployed again' if again else 'approved later'}, takes its place",
        at=clock.now(),
    )
