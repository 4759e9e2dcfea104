"""The training plan: what PlanTraining wrote for the jobs of one run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from millrace.algorithms.base import TASKS
from millrace.algorithms.features import Feature
from millrace.analytics.measures import Measure, primary_measure
from millrace.errors import InvalidInput
from sagemaker_scripts.container import read_json


@dataclass(frozen=True)
class Candidate:
    """One algorithm to train, by one training job. `hyperparameters` are fixed; the others are searched."""

    algorithm: str
    job_name: str
    hyperparameters: Mapping[str, Any]


@dataclass(frozen=True)
class Plan:
    run_id: str
    task: str
    target: str
    features: tuple[Feature, ...]
    measure: Measure
    seed: int
    trials: int
    candidates: tuple[Candidate, ...]

    def candidate(self, algorithm: str) -> Candidate:
        """Raises InvalidInput when the plan trains no such algorithm."""
        for candidate in self.candidates:
            if candidate.algorithm == algorithm:
                return candidate
        raise InvalidInput(f"the plan of run {self.run_id} has no candidate {algorithm!r}")


def read_plan(path: Path) -> Plan:
    """Raises InvalidInput naming what is missing or wrong."""
    content = read_json(path)
    try:
        plan = _plan(content)
    except KeyError as error:
        raise InvalidInput(f"{path.name} has no {error.args[0]!r}") from error
    if plan.task not in TASKS:
        raise InvalidInput(f"{path.name} names the task {plan.task!r}; it must be one of {', '.join(TASKS)}")
    if not plan.features:
        raise InvalidInput(f"{path.name} names no feature: there is nothing to learn from")
    if plan.trials < 1:
        raise InvalidInput(f"{path.name} asks for {plan.trials} trials; it must be at least 1")
    return plan


def _plan(content: Mapping[str, Any]) -> Plan:
    return Plan(
        run_id=content["run_id"],
        task=content["task"],
        target=content["target"],
        features=tuple(Feature(feature["name"], feature["kind"]) for feature in content["features"]),
        measure=primary_measure(content["task"], content.get("primary_metric")),
        seed=int(content["seed"]),
        trials=int(content["trials"]),
        candidates=tuple(
            Candidate(candidate["algorithm"], candidate["job_name"], dict(candidate.get("hyperparameters") or {}))
            for candidate in content["candidates"]
        ),
    )
