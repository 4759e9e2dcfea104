"""Candidates trained once a session by the real scripts; tests that change one copy it first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from training_containers import FRAMES, SMALL_FITS, Experiment, Result, splits


class TrainedExperiment:
    """One task's experiment with its training results by algorithm."""

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment
        self.results: dict[str, Result] = {name: experiment.train(name) for name in SMALL_FITS}

    @property
    def containers(self) -> dict[str, Path]:
        return {name: result.base for name, result in self.results.items()}


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], TrainedExperiment]:
    """The trained experiment of a task, trained when first asked for."""
    known: dict[str, TrainedExperiment] = {}

    def get(task: str) -> TrainedExperiment:
        if task not in known:
            root = tmp_path_factory.mktemp(f"trained-{task}")
            known[task] = TrainedExperiment(Experiment(root, task, splits(FRAMES[task]()), trials=2))
        return known[task]

    return get
