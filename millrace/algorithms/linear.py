"""Linear models with an L2 penalty: logistic regression for classes, ridge regression for numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from millrace.algorithms.base import CLASSIFICATION, REGRESSION, Algorithm, Parameter, Search
from millrace.algorithms.features import Feature
from millrace.algorithms.preprocessing import column_transformer, median_imputer


def build(task: str, params: Mapping[str, Any], features: Sequence[Feature], seed: int, threads: int) -> Any:  # noqa: ARG001 - one signature for all; this fit has one thread
    """The penalty's strength is `alpha` for both tasks: ridge calls it alpha, logistic regression C = 1 / alpha."""
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    numbers = Pipeline([("impute", median_imputer()), ("scale", StandardScaler())])
    if task == REGRESSION:
        model = Ridge(alpha=params["alpha"], random_state=seed)
    else:
        weight = None if params["class_weight"] == "none" else params["class_weight"]
        model = LogisticRegression(C=1 / params["alpha"], class_weight=weight, max_iter=2000, random_state=seed)
    return Pipeline([("columns", column_transformer(features, numbers)), ("linear", model)])


ALGORITHM = Algorithm(
    name="linear",
    title="Linear model",
    build=build,
    parameters=(
        Parameter("alpha", "number", 1.0, "strength of the penalty", 1e-6, 1e6, search=Search(1e-3, 1e3, log=True)),
        Parameter(
            "class_weight", "choice", "none", "balanced gives each class the same total weight",
            choices=("none", "balanced"), tasks=CLASSIFICATION,
        ),
    ),
)  # fmt: skip
