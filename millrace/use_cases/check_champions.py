"""Check what every champion was asked on the day that ended: the platform does it by itself, every night."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from millrace.domain import place
from millrace.domain.model import CHAMPION
from millrace.domain.run import Run
from millrace.errors import NotDeployed, NotFound
from millrace.ports import Clock, ModelRegistry, ObjectStore, Pipelines, RunLedger
from millrace.use_cases.check_drift import check_drift

ACTOR = "schedule:daily-drift-check"


class ChampionCheck(NamedTuple):
    """The run that checks a model's day; without one, `skipped` says why."""

    model: str
    run_id: str | None = None
    skipped: str | None = None


def check_champions(
    *,
    registry: ModelRegistry,
    ledger: RunLedger,
    pipelines: Pipelines,
    store: ObjectStore,
    clock: Clock,
    data_bucket: str,
    due_at: datetime,
) -> Sequence[ChampionCheck]:
    """A check of each champion's requests of the last whole day (UTC) before `due_at`; once, however often it is asked.

    A model that nobody asked that day costs no run. One that was asked too little for a verdict gets a report that
    says so. Whatever a model breaks with, the others are checked; then its error is raised, so that it is tried again.
    """
    until = due_at.replace(hour=0, minute=0, second=0, microsecond=0)
    first = until - timedelta(days=1)
    checks: list[ChampionCheck] = []
    broken: list[Exception] = []
    for model in registry.models():
        if CHAMPION not in model.aliases:
            continue
        if not store.list(f"{place.records_uri(data_bucket, model.name)}date={first.date().isoformat()}/"):
            checks.append(ChampionCheck(model.name, skipped=f"SKIPPED: nobody asked it anything on {first.date()}"))
            continue
        start = partial(
            check_drift,
            registry=registry,
            ledger=ledger,
            pipelines=pipelines,
            clock=clock,
            data_bucket=data_bucket,
            model=model.name,
            first=first,
            until=until,
            actor=ACTOR,
        )
        try:
            checks.append(_checked(model.name, start))
        except Exception as error:
            error.add_note(f"while the day of {model.name} was to be checked")
            broken.append(error)
    if broken:
        raise broken[0]
    return checks


def _checked(model: str, start: Callable[[], Run]) -> ChampionCheck:
    try:
        return ChampionCheck(model, run_id=start().run_id)
    except (NotDeployed, NotFound) as gone:  # taken down meanwhile
        return ChampionCheck(model, skipped=f"SKIPPED: {gone}")
