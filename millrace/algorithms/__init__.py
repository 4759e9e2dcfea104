"""The registry of algorithms. A new one is a file beside this one and a line in `ALGORITHMS`.

Class imbalance: no algorithm reweights by default. Judging rests on ranking and on probabilities (roc_auc, log_loss),
which reweighting does not help and which it makes dishonest: a reweighted model overstates the rare class. Labels
come from a threshold chosen on the validation rows instead. `class_weight: balanced` is there for who wants it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from millrace.algorithms import linear, random_forest, xgboost
from millrace.algorithms.base import Algorithm, Value, validate
from millrace.errors import InvalidInput

ALGORITHMS: dict[str, Algorithm] = {
    algorithm.name: algorithm
    for algorithm in (
        random_forest.ALGORITHM,
        xgboost.ALGORITHM,
        linear.ALGORITHM,
    )
}


def algorithm_named(name: str) -> Algorithm:
    """Raises InvalidInput when no algorithm has this name."""
    if name not in ALGORITHMS:
        raise InvalidInput(f"there is no algorithm {name!r}; choose one of {', '.join(ALGORITHMS)}")
    return ALGORITHMS[name]


def validate_hyperparameters(algorithm: str, given: Mapping[str, Any], task: str | None = None) -> dict[str, Value]:
    """The given hyperparameters as their types. Raises InvalidInput: parameter, value given, what is allowed."""
    return validate(algorithm_named(algorithm), given, task)
