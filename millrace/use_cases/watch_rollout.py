"""Watch a rollout: look at what both versions did, and go on, go ahead, or say why it must end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum
from typing import Any

from millrace.analytics.rollout import Finding, Judgement, judge, tell_apart
from millrace.domain import place
from millrace.domain.audit import acting
from millrace.domain.model import CHAMPION, ModelEventKind, RegisteredModel
from millrace.domain.rollout import Rollout
from millrace.errors import RolloutEnded, RolloutFailed
from millrace.ports import Clock, ModelRegistry, Notifier, ObjectStore
from millrace.use_cases.start_rollout import describe_step, tell_step

# Of more observations than this, a part is read. Objects are named by digests, so those first by name are no selection.
READ_BYTES = 32_000_000


class Next(StrEnum):
    WAIT = "wait"
    PROMOTE = "promote"


def watch_rollout(
    *,
    registry: ModelRegistry,
    store: ObjectStore,
    notifier: Notifier,
    clock: Clock,
    data_bucket: str,
    run_id: str,
    model: str,
    number: int,
) -> tuple[Next, str]:
    """What comes next, and the sentence that says why.

    Raises RolloutFailed when the challenger does worse, or cannot be judged and may not pass unjudged; RolloutEnded
    when somebody ended the rollout; Conflict when the registry moved meanwhile.
    """
    known = registry.model(model)
    rollout = known.rollout
    if rollout is None or rollout.run_id != run_id:
        return _ended(registry, known, number)
    if rollout.passed:
        return Next.PROMOTE, "it passed before"
    judgement = judge(*tell_apart(_observations(store, data_bucket, model, run_id), number), rollout.policy)
    if judgement.finding is Finding.WORSE:
        raise RolloutFailed(judgement.sentence)
    now = clock.now()
    if now - rollout.step_started_at < timedelta(seconds=rollout.policy.step_seconds):
        return Next.WAIT, judgement.sentence
    if not judgement.promotes(rollout.policy.when_quiet):
        raise RolloutFailed(judgement.sentence)
    return _step_over(registry, notifier, clock, model, rollout, judgement)


def _step_over(
    registry: ModelRegistry, notifier: Notifier, clock: Clock, model: str, rollout: Rollout, judgement: Judgement
) -> tuple[Next, str]:
    last = rollout.step == rollout.policy.steps
    change = {"passed": True} if last else {"step": rollout.step + 1, "step_started_at": clock.now()}
    after = rollout.model_copy(update=change)
    reason = judgement.sentence if last else f"{judgement.sentence}. Now {describe_step(after, model)}"
    registry.move_rollout(
        model,
        after,
        run_id=rollout.run_id,
        number=rollout.number,
        actor=acting(rollout.run_id),
        reason=reason,
        at=clock.now(),
    )
    tell_step(notifier, model, rollout.number, reason)
    return (Next.PROMOTE if last else Next.WAIT), reason


def _ended(registry: ModelRegistry, known: RegisteredModel, number: int) -> tuple[Next, str]:
    if known.aliases.get(CHAMPION) == number:
        return Next.PROMOTE, "it is champion already"
    ends = (ModelEventKind.ROLLOUT_ENDED, ModelEventKind.ALIAS_MOVED)
    last = next((event for event in reversed(registry.history(known.name)) if event.kind in ends), None)
    said = f" by {last.actor}: {last.reason}" if last else ""
    raise RolloutEnded(f"the rollout of {known.name}:{number} was ended{said}")


def _observations(store: ObjectStore, data_bucket: str, model: str, run_id: str) -> Iterator[dict[str, Any]]:
    left = READ_BYTES
    for found in store.list(place.rollout_observations_uri(data_bucket, model, run_id)):
        left -= found.size_bytes
        if left < 0:
            return
        yield from (json.loads(line) for line in store.read(found.uri).splitlines())
