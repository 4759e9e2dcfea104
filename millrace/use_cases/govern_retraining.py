"""Decide whether drift may start training, write the decision down, and start what it allows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from millrace import names
from millrace.domain import identity
from millrace.domain.cost import cost_of_steps
from millrace.domain.dataset import DatasetVersion, VersionState
from millrace.domain.event import DriftDetected
from millrace.domain.model import CHAMPION, ModelVersion
from millrace.domain.retraining import (
    RetrainingDecision,
    RetrainingFacts,
    RetrainingReason,
    RetrainingVerdict,
    decide_retraining,
)
from millrace.domain.run import Run, RunState
from millrace.errors import NotFound, TrainingImpossible
from millrace.ports import Clock, DatasetCatalog, ModelRegistry, Pipelines, RetrainingLog, RunLedger
from millrace.use_cases.check_trainable import check_trainable
from millrace.use_cases.estimate_training import estimate_training
from millrace.use_cases.start_training import start_governed_training

_LOOKED_AT = 100


def govern_retraining(
    *,
    catalog: DatasetCatalog,
    registry: ModelRegistry,
    ledger: RunLedger,
    pipelines: Pipelines,
    log: RetrainingLog,
    clock: Clock,
    event: DriftDetected,
) -> RetrainingDecision:
    """The decision on one report. Asked again, the same; a run that it allowed and that is not there yet starts then.

    Raises NotFound when there is no such model.
    """
    dataset = registry.model(event.model).dataset
    facts = retraining_facts(catalog=catalog, registry=registry, ledger=ledger, clock=clock, model=event.model)
    verdict = would_retrain(catalog, dataset, facts)
    allowed = identity.governed_training_run_id(dataset, facts.newest_version) if verdict.start else None
    decision = log.record(
        RetrainingDecision(
            model=event.model,
            decision_id=event.report_id,
            at=facts.now,
            trigger=f"{event.kind} drift in report {event.report_id}: {event.sentence}",
            start=verdict.start,
            reason=verdict.reason,
            sentence=verdict.sentence,
            dataset_version=facts.newest_version,
            new_rows=facts.new_rows,
            run_id=allowed,
        )
    )
    if decision.run_id is not None:
        start_governed_training(
            ledger=ledger,
            pipelines=pipelines,
            clock=clock,
            dataset=dataset,
            version=decision.dataset_version,
            reason=decision.trigger,
        )
    return decision


def would_retrain(catalog: DatasetCatalog, dataset: str, facts: RetrainingFacts) -> RetrainingVerdict:
    """The governor's verdict, and whether the newest version can be trained on at all."""
    verdict = decide_retraining(facts)
    if not verdict.start:
        return verdict
    try:
        check_trainable(catalog, catalog.get(dataset), catalog.version(dataset, facts.newest_version))
    except TrainingImpossible as refusal:
        return RetrainingVerdict(False, RetrainingReason.IMPOSSIBLE, f"Training cannot start: {refusal}.")
    return verdict


def retraining_facts(
    *, catalog: DatasetCatalog, registry: ModelRegistry, ledger: RunLedger, clock: Clock, model: str
) -> RetrainingFacts:
    """What there is to decide from, now. Raises NotFound when there is no such model."""
    known = registry.model(model)
    dataset = catalog.get(known.dataset)
    now = clock.now()
    number = known.aliases.get(CHAMPION)
    champion = None if number is None else registry.get(model, number)
    newest = dataset.latest_ready_version
    labels = _labels(catalog, known.dataset, newest)
    runs = ledger.page(pipeline=names.TRAINING_PIPELINE, dataset=known.dataset, limit=_LOOKED_AT).items
    trained = [
        each.id
        for each in registry.page_versions(model, limit=_LOOKED_AT).items
        if each.origin is None and each.lineage.dataset_version == newest
    ]
    return RetrainingFacts(
        now=now,
        policy=dataset.settings.retraining,
        has_target=dataset.settings.target is not None,
        champion=champion.id if champion else None,
        champion_version=_trained_on(champion, labels) if champion else None,
        newest_version=newest,
        new_rows=labels.quality.accepted if labels and labels.quality else 0,
        trained_as=trained[0] if trained else None,
        run_in_flight=next((run.run_id for run in runs if run.state is RunState.RUNNING), None),
        last_started_at=max((run.started_at for run in runs), default=None),
        spent_today_usd=_spent(runs, now),
        estimate_usd=estimate_training(catalog=catalog, ledger=ledger, dataset=known.dataset).cost_usd,
        trained_in=champion.origin.environment if champion and champion.origin else None,
    )


def _trained_on(champion: ModelVersion, newest: DatasetVersion | None) -> int | None:
    """The dataset's version. One that was taken over has seen a version of here only where the same file came here."""
    if champion.origin is None:
        return champion.lineage.dataset_version
    return newest.version if newest and newest.sha256 == champion.lineage.dataset_sha256 else None


def _labels(catalog: DatasetCatalog, dataset: str, version: int) -> DatasetVersion | None:
    """The version if it is READY; whoever trains on it has seen all its accepted rows."""
    try:
        found = catalog.version(dataset, version)
    except NotFound:
        return None
    return found if found.state is VersionState.READY else None


def _spent(runs: Sequence[Run], now: datetime) -> float:
    """What the dataset's training of this UTC day cost, as far as it is known."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    today = [run for run in runs if midnight <= run.started_at < midnight + timedelta(days=1)]
    return sum(cost_of_steps(run.steps) or 0.0 for run in today)
