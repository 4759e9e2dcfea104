"""Counts that are kept, not counted: what there is, however much of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date

from millrace.domain.cost import cost_of_steps
from millrace.domain.dataset import DatasetVersion, VersionState
from millrace.domain.entity import Entity
from millrace.domain.model import ApprovalState, ModelVersion
from millrace.domain.run import Run, RunState

RunCounts = dict[str, dict[RunState, int]]
"""Pipeline → state → runs. What is not there is none."""

_DATASETS, _DATASET_VERSIONS, _MODELS = "datasets", "dataset_versions", "models"
# Counts are whole numbers, and a small job costs less than a cent.
_COST = "cost_micro_usd"
_MICRO_USD = 1_000_000


class Tally(Entity):
    """`dataset_versions` are those that are READY; `model_versions` are counted by their approval.

    `cost_micro_usd` is what runs that have ended cost by list prices, in millionths of a US dollar.
    """

    datasets: int = 0
    dataset_versions: int = 0
    models: int = 0
    model_versions: dict[ApprovalState, int]
    runs: RunCounts
    cost_micro_usd: int = 0


class DayTally(Entity):
    """The runs that started on one day (UTC), by what has become of them, and what those that ended cost."""

    day: date
    runs: RunCounts
    cost_micro_usd: int = 0

    @property
    def cost_usd(self) -> float:
        return self.cost_micro_usd / _MICRO_USD


Amounts = Mapping[str, int]
"""What a change adds to kept counts, by their names."""

ONE_DATASET: Amounts = {_DATASETS: 1}
ONE_DATASET_VERSION: Amounts = {_DATASET_VERSIONS: 1}
ONE_MODEL: Amounts = {_MODELS: 1}
ONE_MODEL_VERSION: Amounts = {f"model_versions:{ApprovalState.PENDING}": 1}


def decided(state: ApprovalState) -> Amounts:
    return {f"model_versions:{ApprovalState.PENDING}": -1, f"model_versions:{state}": 1}


def opened(run: Run) -> Amounts:
    return {_run_count(run.pipeline, run.state): 1}


def closed(run: Run) -> Amounts:
    """`run` is how it ended; it was RUNNING before."""
    cost = round((cost_of_steps(run.steps) or 0) * _MICRO_USD)
    return {_run_count(run.pipeline, RunState.RUNNING): -1, _run_count(run.pipeline, run.state): 1, _COST: cost}


def whole(run: Run) -> Amounts:
    """Everything that a run has added so far."""
    before = opened(run.model_copy(update={"state": RunState.RUNNING}))
    return before if run.state == RunState.RUNNING else _summed((before, closed(run)))


def day_tally(day: date, parts: Iterable[Amounts]) -> DayTally:
    """What the parts of a day's kept counts say together."""
    summed = _summed(parts)
    return DayTally(day=day, runs=run_counts([summed]), cost_micro_usd=summed[_COST])


def counted(
    *,
    datasets: int,
    dataset_versions: Iterable[DatasetVersion],
    models: int,
    model_versions: Iterable[ModelVersion],
    runs: Iterable[Run],
) -> Tally:
    """The tally of what there is: what the kept counts must equal."""
    approvals = Counter(version.approval.state for version in model_versions)
    of_runs = _summed(map(whole, runs))
    return Tally(
        datasets=datasets,
        dataset_versions=sum(version.state == VersionState.READY for version in dataset_versions),
        models=models,
        model_versions={state: approvals[state] for state in ApprovalState},
        runs=run_counts([of_runs]),
        cost_micro_usd=of_runs[_COST],
    )


def total(parts: Iterable[Amounts]) -> Tally:
    """What the parts of the kept counts say together."""
    summed = _summed(parts)
    versions = {state: summed[f"model_versions:{state}"] for state in ApprovalState}
    return Tally(
        datasets=summed[_DATASETS],
        dataset_versions=summed[_DATASET_VERSIONS],
        models=summed[_MODELS],
        model_versions=versions,
        runs=run_counts([summed]),
        cost_micro_usd=summed[_COST],
    )


def run_counts(parts: Iterable[Amounts]) -> RunCounts:
    """Only the runs of the parts, without the zeros."""
    found: RunCounts = {}
    for name, count in sorted(_summed(parts).items()):
        kind, _, rest = name.partition(":")
        if kind == "runs" and count:
            pipeline, _, state = rest.rpartition(":")
            found.setdefault(pipeline, {})[RunState(state)] = count
    return found


def _summed(parts: Iterable[Amounts]) -> Counter[str]:
    summed: Counter[str] = Counter()
    for part in parts:
        summed.update(part)
    return summed


def _run_count(pipeline: str, state: RunState) -> str:
    return f"runs:{pipeline}:{state}"
