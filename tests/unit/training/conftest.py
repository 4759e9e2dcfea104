"""Candidates trained once a session by the real scripts; tests that change one copy it first."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from training_containers import FRAMES, Experiment, TrainedExperiment, splits


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
