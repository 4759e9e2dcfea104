"""Trains one candidate inside a SageMaker training job: search, fit, artefact."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from millrace.algorithms import algorithm_named, validate_hyperparameters
from millrace.algorithms.base import BINARY, REGRESSION, Algorithm, FitContext, FitRows, Hosts, Value
from millrace.algorithms.features import Feature, empty_features, learn_categories, model_frame
from millrace.analytics.evaluation import Predictions, choose_threshold, labels_of, metric_value, metric_values
from millrace.errors import TrainingImpossible
from millrace.settings import ContainerSettings
from sagemaker_scripts.artefact import scores_of, write_artefact
from sagemaker_scripts.container import TrainingPaths, read_json, reproducible_sums, run, say, threads
from sagemaker_scripts.hosts import HostNames, joined, port_of, read_hosts
from sagemaker_scripts.plan import Plan, read_plan
from sagemaker_scripts.rows import Rows, read_rows


@dataclass(frozen=True)
class Prepared:
    """Training and validation rows as the algorithms read them. `classes` are the labels of indices 0…k-1, or empty."""

    features: tuple[Feature, ...]
    ignored: tuple[str, ...]
    classes: tuple[Any, ...]
    fit_rows: FitRows
    golden: pd.DataFrame
    row_counts: Mapping[str, int]


@dataclass(frozen=True)
class Trial:
    """One set of hyperparameters, fitted and judged on the validation rows."""

    number: int
    hyperparameters: Mapping[str, Value]
    pipeline: Any
    predictions: Predictions
    threshold: float | None
    value: float


def main() -> int:
    paths = TrainingPaths(ContainerSettings.from_env().base_dir)
    return run(lambda: train(paths), paths.failure)


def train(paths: TrainingPaths) -> None:
    """The whole job. Raises InvalidInput and TrainingImpossible with what to do about it."""
    plan = read_plan(paths.channel("plan") / "plan.json")
    algorithm = algorithm_named(str(read_json(paths.hyperparameters).get("algorithm")))
    fixed = validate_hyperparameters(algorithm.name, plan.candidate(algorithm.name).hyperparameters, plan.task)
    hosts = read_hosts(paths.resources)
    if not algorithm.distributed:
        if hosts.place.rank:
            say("idle", {"reason": f"{algorithm.name} trains on the first host alone"})
            return
        hosts = HostNames((hosts.current,), hosts.current)
    prepared = prepare(plan, paths)
    with reproducible_sums(), joined(hosts, port_of(plan.run_id, algorithm.name)):
        trials = search(plan, algorithm, fixed, prepared, hosts.place, paths.checkpoints, threads())
    if hosts.place.rank == 0:
        _write(paths.model, plan, algorithm, prepared, trials, hosts.place)


def prepare(plan: Plan, paths: TrainingPaths) -> Prepared:
    """Read both splits and make sure that there is something to learn and something to choose by."""
    rows = {split: read_rows(paths.channel(split), plan.features, plan.target) for split in ("train", "validation")}
    for split, found in rows.items():
        if not len(found):
            raise TrainingImpossible(
                f"the {split} split has no row with a value in {plan.target!r} "
                f"({found.without_target} rows without one): add rows, or change the shares of the split"
            )
    classes = () if plan.task == REGRESSION else _classes(rows["train"], plan)
    validation, unknown = _known_classes(rows["validation"], classes, plan)
    train_frame = model_frame(rows["train"].frame, plan.features)
    ignored = empty_features(train_frame, plan.features)
    used = [feature for feature in plan.features if feature.name not in ignored]
    if not used:
        raise TrainingImpossible("no feature has a single value in the training rows: there is nothing to learn from")
    features = learn_categories(train_frame, used)
    return Prepared(
        features=features,
        ignored=ignored,
        classes=classes,
        fit_rows=FitRows(
            train=train_frame[[feature.name for feature in features]],
            train_target=encode(rows["train"].target, classes, plan),
            validation=model_frame(validation.frame, features),
            validation_target=encode(validation.target, classes, plan),
        ),
        golden=validation.frame,
        row_counts={
            "train": len(rows["train"]),
            "train_without_target": rows["train"].without_target,
            "validation": len(validation),
            "validation_without_target": rows["validation"].without_target,
            "validation_of_unknown_class": unknown,
        },
    )


def encode(target: npt.NDArray[Any], classes: tuple[Any, ...], plan: Plan) -> npt.NDArray[Any]:
    """Class indices, or numbers. Raises TrainingImpossible when numbers are wanted and there are none."""
    if plan.task != REGRESSION:
        index = {label: position for position, label in enumerate(classes)}
        return np.array([index[label] for label in target.tolist()], dtype=np.int64)
    try:
        return target.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise TrainingImpossible(f"the task is regression, but {plan.target!r} holds {target[0]!r}: {error}") from error


def search(
    plan: Plan,
    algorithm: Algorithm,
    fixed: Mapping[str, Value],
    prepared: Prepared,
    place: Hosts,
    checkpoints: Path,
    thread_count: int,
) -> list[Trial]:
    """Fit the plan's number of trials, best first. All hosts find the same, since all hold the same model."""
    checkpoints.mkdir(parents=True, exist_ok=True)
    drawn = [algorithm.trial(plan.task, fixed, seed=plan.seed, number=number) for number in range(plan.trials)]
    distinct = [(n, params) for n, params in enumerate(drawn) if params not in drawn[:n]]
    trials: list[Trial] = []
    for number, params in distinct:
        context = FitContext(
            checkpoint=checkpoints / f"trial-{number:03}.ubj" if algorithm.resumable else None,
            fingerprint=_fingerprint(plan, params, prepared, place),
            hosts=place,
            report=say,
        )
        pipeline = algorithm.build(plan.task, params, prepared.features, plan.seed, thread_count)
        algorithm.fit(pipeline, params, prepared.fit_rows, context)
        # The artefact must not depend on this machine's processors, nor may serving start threads for one row.
        pipeline.set_params(**{name: 1 for name in pipeline.get_params() if name.endswith("n_jobs")})
        trial = _judged(plan, number, params, pipeline, prepared.fit_rows)
        say("trial", {"trial": len(trials) + 1, "of": len(distinct), plan.measure.name: trial.value, **params})
        trials.append(trial if _is_best(trial, trials, plan) else replace(trial, pipeline=None))
    return sorted(trials, key=lambda trial: (-plan.measure.sign * trial.value, trial.number))


def _is_best(trial: Trial, others: list[Trial], plan: Plan) -> bool:
    return all(plan.measure.sign * (trial.value - other.value) > 0 for other in others)


def _judged(plan: Plan, number: int, params: Mapping[str, Value], pipeline: Any, rows: FitRows) -> Trial:
    scores = scores_of(pipeline, plan.task, rows.validation)
    plain = Predictions(plan.task, rows.validation_target, scores, labels_of(plan.task, scores, None))
    threshold = choose_threshold(plain, plan.measure.name) if plan.task == BINARY else None
    predictions = replace(plain, labels=labels_of(plan.task, scores, threshold))
    value = metric_value(plan.measure.name, predictions)
    if not np.isfinite(value):
        raise TrainingImpossible(
            f"{plan.measure.name} is undefined on the {predictions.rows} validation rows, so no trial can be chosen: "
            "add rows, or choose another metric"
        )
    return Trial(number, params, pipeline, predictions, threshold, value)


def _classes(rows: Rows, plan: Plan) -> tuple[Any, ...]:
    classes = tuple(sorted(set(rows.target.tolist())))
    wanted = "two" if plan.task == BINARY else "at least two"
    if len(classes) < 2 or (plan.task == BINARY and len(classes) > 2):
        shown = ", ".join(repr(label) for label in classes[:5])
        raise TrainingImpossible(
            f"a {plan.task} model needs {wanted} classes, but {plan.target!r} has {len(classes)} in the training rows "
            f"({shown}): correct the task or the target in the dataset's settings, or add rows"
        )
    return classes


def _known_classes(rows: Rows, classes: tuple[Any, ...], plan: Plan) -> tuple[Rows, int]:
    """The rows whose class occurs in the training rows, and how many do not."""
    if plan.task == REGRESSION:
        return rows, 0
    known = np.array([label in classes for label in rows.target.tolist()])
    kept = rows.only(known)
    found = len(set(kept.target.tolist()))
    if found < 2:
        raise TrainingImpossible(
            f"the {len(kept)} validation rows hold {found} of the classes of {plan.target!r}; two are needed: add rows"
        )
    return kept, int((~known).sum())


def _fingerprint(plan: Plan, params: Mapping[str, Value], prepared: Prepared, place: Hosts) -> str:
    rows = prepared.fit_rows
    digest = hashlib.sha256(json.dumps([dict(params), plan.seed, place.count, repr(prepared.features)]).encode())
    for frame, target in ((rows.train, rows.train_target), (rows.validation, rows.validation_target)):
        digest.update(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes())
        digest.update(np.ascontiguousarray(target).tobytes())
    return digest.hexdigest()


def _write(
    directory: Path, plan: Plan, algorithm: Algorithm, prepared: Prepared, trials: list[Trial], place: Hosts
) -> None:
    best = trials[0]
    metrics = metric_values(best.predictions)
    output = {"task": plan.task, "classes": list(prepared.classes), "threshold": best.threshold}
    manifest = {
        "algorithm": algorithm.name,
        "task": plan.task,
        "target": plan.target,
        "classes": list(prepared.classes),
        "threshold": best.threshold,
        "features": [{"name": f.name, "kind": f.kind, "categories": list(f.categories)} for f in prepared.features],
        "ignored_features": list(prepared.ignored),
        "signature": {"inputs": [{"name": f.name, "kind": f.kind} for f in prepared.features], "output": output},
        "hyperparameters": dict(best.hyperparameters),
        "seed": plan.seed,
        "hosts": place.count,
        "primary_metric": plan.measure.name,
        "metrics": metrics,
        "trials": [
            {"trial": t.number, "hyperparameters": dict(t.hyperparameters), plan.measure.name: t.value}
            for t in sorted(trials, key=lambda trial: trial.number)
        ],
        "rows": dict(prepared.row_counts),
        "constant_prediction": _constant_prediction(prepared),
    }
    digest = write_artefact(directory, best.pipeline, manifest, prepared.golden)
    for name, value in metrics.items():
        print(f"validation:{name}={value:.6f};", flush=True)
    say("trained", {"algorithm": algorithm.name, "trial": best.number, "artifact_digest": digest})


def _constant_prediction(prepared: Prepared) -> dict[str, Any]:
    """What to answer without looking at a row: the classes' shares in the training rows, or mean and median."""
    target = prepared.fit_rows.train_target
    if prepared.classes:
        counts = np.bincount(target, minlength=len(prepared.classes))
        return {"class_shares": (counts / len(target)).tolist()}
    return {"mean": float(target.mean()), "median": float(np.median(target))}


if __name__ == "__main__":
    sys.exit(main())
