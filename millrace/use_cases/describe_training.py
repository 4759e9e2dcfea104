"""Describe what a training run can be told: on which rows, with which algorithms, and what it will take."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from millrace.domain.cost import cost_of_steps
from millrace.domain.dataset import Dataset, DatasetVersion, VersionState
from millrace.domain.run import Run, Step
from millrace.ports import DatasetCatalog, RunLedger
from millrace.use_cases.estimate_training import Estimate, estimate_of, runs_that_tell

_DATASETS, _VERSIONS = 100, 20


class AlgorithmEstimate(NamedTuple):
    """What training one algorithm took before: medians over the `runs` that trained it."""

    algorithm: str
    runs: int
    seconds: float | None
    cost_usd: float | None


class TrainingOptions(NamedTuple):
    """`dataset` is the one asked for, else the first that has rows and a target, else the first there is.

    `versions` are READY, newest first. Algorithms are trained side by side: a run takes as long as the slowest of them
    and what is around them (`around_seconds`), and costs their sum and what is around them.
    """

    datasets: Sequence[Dataset]
    dataset: Dataset | None
    versions: Sequence[DatasetVersion]
    estimate: Estimate | None
    algorithms: Sequence[AlgorithmEstimate]
    around_seconds: float | None
    around_cost_usd: float | None


def describe_training(*, catalog: DatasetCatalog, ledger: RunLedger, dataset: str | None) -> TrainingOptions:
    """Raises NotFound when the dataset asked for does not exist."""
    datasets = catalog.page(limit=_DATASETS).items
    chosen = catalog.get(dataset) if dataset else _first(datasets)
    if chosen is None:
        return TrainingOptions(datasets, None, [], None, [], None, None)
    latest = catalog.page_versions(chosen.name, limit=_VERSIONS).items
    ready = [version for version in latest if version.state is VersionState.READY]
    told = runs_that_tell(ledger, chosen.name)
    names = sorted({step.item for run in told.runs for step in run.steps if step.item})
    around = [_around(run) for run in told.runs]
    return TrainingOptions(
        datasets=datasets,
        dataset=chosen,
        versions=ready,
        estimate=estimate_of(told),
        algorithms=[_estimate(name, told.runs) for name in names],
        around_seconds=_median([seconds for seconds, _ in around]),
        around_cost_usd=_median([cost for _, cost in around]),
    )


def _first(datasets: Sequence[Dataset]) -> Dataset | None:
    trainable = (each for each in datasets if each.latest_ready_version and each.settings.target)
    return next(trainable, datasets[0] if datasets else None)


def _estimate(algorithm: str, runs: Sequence[Run]) -> AlgorithmEstimate:
    trained = [steps for run in runs if (steps := _branch(run, algorithm))]
    costs = [cost_of_steps(steps) for steps in trained]
    return AlgorithmEstimate(algorithm, len(trained), _median([_seconds(steps) for steps in trained]), _median(costs))


def _around(run: Run) -> tuple[float | None, float | None]:
    """Seconds and US dollars of a run without those of its algorithms, which run side by side."""
    branches = [_branch(run, name) for name in {step.item for step in run.steps if step.item}]
    slowest = max((_seconds(steps) for steps in branches), default=0.0)
    whole, trained = cost_of_steps(run.steps), [cost_of_steps(steps) for steps in branches]
    known = [cost for cost in trained if cost is not None]
    cost = None if whole is None or len(known) < len(trained) else max(0.0, whole - sum(known))
    return (max(0.0, _whole_seconds(run) - slowest) if run.ended_at else None), cost


def _branch(run: Run, algorithm: str) -> Sequence[Step]:
    return [step for step in run.steps if step.item == algorithm]


def _seconds(steps: Sequence[Step]) -> float:
    return sum(step.seconds or 0.0 for step in steps)


def _whole_seconds(run: Run) -> float:
    return (run.ended_at - run.started_at).total_seconds() if run.ended_at else 0.0


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None
