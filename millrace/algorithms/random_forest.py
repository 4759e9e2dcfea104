"""Random forest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from millrace.algorithms.base import CLASSIFICATION, REGRESSION, Algorithm, Parameter, Search
from millrace.algorithms.features import Feature
from millrace.algorithms.preprocessing import column_transformer, median_imputer

_MAX_FEATURES = {"sqrt": "sqrt", "third": 1 / 3, "all": 1.0}


def build(task: str, params: Mapping[str, Any], features: Sequence[Feature], seed: int, threads: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
    from sklearn.pipeline import Pipeline

    shape = {
        "n_estimators": params["n_estimators"],
        "max_depth": params["max_depth"],
        "min_samples_leaf": params["min_samples_leaf"],
        "max_features": _MAX_FEATURES[params["max_features"]],
        "random_state": seed,
        "n_jobs": threads,
    }
    if task == REGRESSION:
        forest = RandomForestRegressor(**shape)
    else:
        weight = None if params["class_weight"] == "none" else params["class_weight"]
        forest = RandomForestClassifier(**shape, class_weight=weight)
    return Pipeline([("columns", column_transformer(features, median_imputer())), ("forest", forest)])


ALGORITHM = Algorithm(
    name="random_forest",
    title="Random forest",
    build=build,
    parameters=(
        Parameter("n_estimators", "integer", 150, "trees", 1, 2000),
        Parameter("max_depth", "integer", 16, "levels of a tree", 1, 40, search=Search(6, 24)),
        Parameter("min_samples_leaf", "integer", 2, "least rows in a leaf", 1, 10000, search=Search(1, 20, log=True)),
        Parameter(
            "max_features", "choice", "sqrt", "columns looked at for a split",
            choices=tuple(_MAX_FEATURES), search_choices=("sqrt", "third"),
        ),
        Parameter(
            "class_weight", "choice", "none", "balanced gives each class the same total weight",
            choices=("none", "balanced"), tasks=CLASSIFICATION,
        ),
    ),
)  # fmt: skip
