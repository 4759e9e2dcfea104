"""Gradient-boosted trees: stops early on the validation rows, resumes from a checkpoint, runs on several hosts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from millrace.algorithms.base import (
    BINARY,
    CLASSIFICATION,
    MULTICLASS,
    REGRESSION,
    Algorithm,
    FitContext,
    FitRows,
    Parameter,
    Search,
)
from millrace.algorithms.features import Feature
from millrace.algorithms.preprocessing import column_transformer

ROUNDS_PER_CHECKPOINT = 25
_OBJECTIVES = {BINARY: "binary:logistic", MULTICLASS: "multi:softprob", REGRESSION: "reg:squarederror"}
# Sums over rows, so that several hosts compute exactly what one host computes; AUC would only be approximated.
_STOPPING_METRICS = {BINARY: "logloss", MULTICLASS: "mlogloss", REGRESSION: "rmse"}
_PROGRESS = "millrace_progress"


def build(task: str, params: Mapping[str, Any], features: Sequence[Feature], seed: int, threads: int) -> Any:
    from sklearn.pipeline import Pipeline
    from xgboost import XGBClassifier, XGBRegressor

    given = {name: value for name, value in params.items() if name != "class_weight"}
    kind = XGBRegressor if task == REGRESSION else XGBClassifier
    model = kind(
        **given,
        objective=_OBJECTIVES[task],
        eval_metric=_STOPPING_METRICS[task],
        tree_method="hist",
        random_state=seed,
        n_jobs=threads,
    )
    return Pipeline([("columns", column_transformer(features, "passthrough")), ("trees", model)])


def fit(pipeline: Any, params: Mapping[str, Any], rows: FitRows, context: FitContext) -> None:
    """Boost until the validation loss has not improved for `early_stopping_rounds`; keep the trees up to the best.

    Each host of several takes the rows `index % hosts` and all validation rows, inside a communicator that the caller
    has opened. Several hosts end in the trees of one as long as `subsample` is 1 and the merged quantile sketches are
    exact, as they are for small data; otherwise close to them. A fit that continues from a checkpoint ends in the same
    trees as one that was never interrupted.
    """
    import numpy as np
    import xgboost as xgb

    columns, model = pipeline[:-1], pipeline[-1]
    target = rows.train_target
    mine = np.arange(len(target)) % context.hosts.count == context.hosts.rank
    learn = xgb.QuantileDMatrix(
        columns.fit_transform(rows.train)[mine],
        target[mine],
        weight=_weights(params, target)[mine],
        nthread=model.n_jobs,
    )
    judge = xgb.QuantileDMatrix(
        columns.transform(rows.validation), rows.validation_target, ref=learn, nthread=model.n_jobs
    )
    settings = {**model.get_xgb_params(), "seed_per_iteration": True}
    if model.objective == _OBJECTIVES[MULTICLASS]:
        settings["num_class"] = int(target.max()) + 1
    booster = _boost(settings, learn, judge, params, context)
    model.load_model(booster.save_raw("ubj"))


def _boost(settings: dict[str, Any], learn: Any, judge: Any, params: Mapping[str, Any], context: FitContext) -> Any:
    import xgboost as xgb

    saved, losses = _resume(context)
    booster = xgb.Booster(settings, [learn, judge], model_file=saved)
    rounds, patience = params["n_estimators"], params["early_stopping_rounds"]
    while len(losses) < rounds and not _stale(losses, patience):
        booster.update(learn, len(losses))
        losses.append(float(booster.eval_set([(judge, "validation")], len(losses)).rpartition(":")[2]))
        if len(losses) % ROUNDS_PER_CHECKPOINT == 0:
            context.report("rounds", {"rounds": len(losses), "of": rounds, "validation_loss": losses[-1]})
            # Continue as from a checkpoint even when nothing was interrupted: a booster keeps the state of its column
            # sampler to itself, so only one that starts anew at the same rounds draws the same columns.
            booster = xgb.Booster(settings, [learn, judge], model_file=_saved(booster, losses, context))
    _saved(booster, losses, context)
    booster.set_attr(**{_PROGRESS: None})
    return booster[: losses.index(min(losses)) + 1]


def _stale(losses: Sequence[float], patience: int) -> bool:
    return bool(losses) and len(losses) - 1 - losses.index(min(losses)) >= patience


def _saved(booster: Any, losses: Sequence[float], context: FitContext) -> bytearray:
    """The trees with the losses so far. The first host also keeps them, in a file that appears whole or not at all."""
    booster.set_attr(**{_PROGRESS: json.dumps({"fingerprint": context.fingerprint, "losses": list(losses)})})
    content: bytearray = booster.save_raw("ubj")
    if context.checkpoint is not None and context.hosts.rank == 0:
        unfinished = context.checkpoint.with_name(f".{context.checkpoint.name}")
        unfinished.write_bytes(content)
        unfinished.replace(context.checkpoint)
    return content


def _resume(context: FitContext) -> tuple[Any, list[float]]:
    """The trees and losses to continue from, the same on every host; (None, []) to start afresh."""
    from xgboost import collective

    found = (None, []) if context.hosts.rank or context.checkpoint is None else _read(context.checkpoint, context)
    if context.hosts.count > 1:
        found = collective.broadcast(found, 0)
    saved, losses = found
    if saved is not None:
        context.report("resumed", {"rounds": len(losses)})
    return saved, losses


def _read(checkpoint: Path, context: FitContext) -> tuple[Any, list[float]]:
    import xgboost as xgb

    if not checkpoint.exists():
        return None, []
    saved = bytearray(checkpoint.read_bytes())
    try:
        progress = json.loads(xgb.Booster(model_file=saved).attr(_PROGRESS) or "{}")
    except xgb.core.XGBoostError as error:
        context.report("checkpoint_unreadable", {"checkpoint": checkpoint.name, "reason": str(error)[:200]})
        return None, []
    if progress.get("fingerprint") != context.fingerprint:
        context.report("checkpoint_of_another_fit", {"checkpoint": checkpoint.name})
        return None, []
    return saved, list(progress["losses"])


def _weights(params: Mapping[str, Any], target: Any) -> Any:
    """1 for each row; with balanced classes, each class weighs the same in total and the mean weight is 1."""
    import numpy as np

    if params.get("class_weight") != "balanced":
        return np.ones(len(target))
    counts = np.bincount(target)
    return (len(target) / (np.count_nonzero(counts) * counts))[target]


ALGORITHM = Algorithm(
    name="xgboost",
    title="Gradient-boosted trees (XGBoost)",
    build=build,
    fit=fit,
    resumable=True,
    distributed=True,
    parameters=(
        Parameter("n_estimators", "integer", 600, "rounds, at most", 1, 10000),
        Parameter("early_stopping_rounds", "integer", 30, "rounds without improvement before stopping", 1, 1000),
        Parameter("learning_rate", "number", 0.1, "share of each tree", 1e-4, 1, search=Search(0.03, 0.3, log=True)),
        Parameter("max_depth", "integer", 5, "levels of a tree", 1, 16, search=Search(3, 8)),
        Parameter("min_child_weight", "number", 1.0, "weight in a leaf", 0, 1e6, search=Search(0.5, 20, log=True)),
        # Off and not searched: each host would draw its own rows, and several hosts would no longer equal one.
        Parameter("subsample", "number", 1.0, "share of rows for a tree", 0.05, 1),
        Parameter("colsample_bytree", "number", 0.9, "share of columns for a tree", 0.05, 1, search=Search(0.5, 1)),
        Parameter("reg_lambda", "number", 1.0, "L2 penalty on leaves", 0, 1e6, search=Search(0.1, 20, log=True)),
        Parameter("reg_alpha", "number", 0.0, "L1 penalty on leaves", 0, 1e6),
        Parameter(
            "class_weight", "choice", "none", "balanced gives each class the same total weight",
            choices=("none", "balanced"), tasks=CLASSIFICATION,
        ),
    ),
)  # fmt: skip
