"""Plan a training run: check that it is possible, decide what it does, and write that down for the jobs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from millrace.algorithms import ALGORITHMS, algorithm_named, validate_hyperparameters
from millrace.analytics.measures import primary_measure
from millrace.domain import identity, place
from millrace.domain.dataset import Contract, Dataset, DatasetVersion, Task, TrainingPolicy
from millrace.domain.model import CHAMPION, ModelVersion
from millrace.domain.task_inference import InferredTask, infer_task
from millrace.errors import NotFound, TrainingImpossible
from millrace.ports import DatasetCatalog, ModelRegistry, ObjectStore, RunLedger
from millrace.use_cases.check_trainable import check_trainable, feature_columns
from millrace.use_cases.judge_settings import judge_settings

_SPLITS = ("train", "validation", "test")
_SPOT_WAIT_FACTOR = 2


def plan_training(
    *,
    catalog: DatasetCatalog,
    registry: ModelRegistry,
    ledger: RunLedger,
    store: ObjectStore,
    artifacts_bucket: str,
    run_id: str,
    dataset: str,
    dataset_version: int,
    model: str,
    choices: Mapping[str, Any],
    spot: bool = True,
) -> dict[str, Any]:
    """What the state machine needs to know (docs/architecture.md, `$.plan`); plan.json and champion.json are written.

    `choices` are what this run does otherwise than the dataset's training policy, which may have changed since they
    were judged; without `spot` no job runs on capacity that may be taken away. Raises TrainingImpossible with what to
    do, InvalidInput for settings that do not fit the task.
    """
    known, version = catalog.get(dataset), catalog.version(dataset, dataset_version)
    policy = judge_settings(known.settings, {"training": choices}).training
    contract = check_trainable(catalog, known, version)
    profile = json.loads(store.read(place.profile_uri(version.location)))
    inferred = _task(known, contract, profile)
    _check_splits(known, profile, inferred.task)
    candidates = _candidates(run_id, policy, inferred.task)
    plan: dict[str, Any] = {
        "run_id": run_id,
        "model": model,
        "dataset": dataset,
        "dataset_version": dataset_version,
        "task": inferred.task,
        "task_reason": inferred.reason,
        "target": known.settings.target,
        "features": [{"name": column.name, "kind": column.kind} for column in feature_columns(known, contract)],
        "primary_metric": primary_measure(inferred.task, policy.metric).name,
        "seed": policy.seed,
        "trials": policy.trials,
        "candidates": candidates,
    }
    _write(store, place.run_uri(artifacts_bucket, run_id, "plan/plan.json"), plan)
    _copy_champion(registry, store, artifacts_bucket, plan)
    ledger.annotate(run_id, dataset_version=dataset_version, outcome=_outcome(plan, inferred))
    return _answer(artifacts_bucket, run_id, version, policy, candidates, spot)


def _task(dataset: Dataset, contract: Contract, profile: Mapping[str, Any]) -> InferredTask:
    target = contract.column(str(dataset.settings.target))
    column = profile["columns"].get(dataset.settings.target)
    if target is None or column is None:
        raise TrainingImpossible(
            f"the profile of {dataset.name} does not know the column {dataset.settings.target!r}: upload the file again"
        )
    return infer_task(target, column["counts"], distinct=column["distinct"], declared=dataset.settings.task)


def _check_splits(dataset: Dataset, profile: Mapping[str, Any], task: Task) -> None:
    """Every split has rows, and for two classes rows of both: otherwise there is no ROC curve to speak of."""
    for split in _SPLITS:
        if not profile["splits"].get(split):
            raise TrainingImpossible(f"the {split} split of {dataset.name} holds no row: upload more rows")
    if task is not Task.BINARY or profile.get("target") != dataset.settings.target or not profile.get("classes"):
        return
    for split in _SPLITS:
        present = [name for name, rows in profile["classes"].get(split, {}).items() if rows]
        if len(present) < 2:
            raise TrainingImpossible(
                f"the {split} split of {dataset.name} holds rows of one class only ({', '.join(present)}): upload more "
                f"rows of the rarer class"
            )


def _candidates(run_id: str, policy: TrainingPolicy, task: Task) -> list[dict[str, Any]]:
    candidates = []
    for name in policy.algorithms:
        if task not in algorithm_named(name).tasks:
            raise TrainingImpossible(f"{name} cannot be trained for {task}: leave it out of training.algorithms")
        candidates.append(
            {
                "algorithm": name,
                "job_name": identity.job_name(run_id, name),
                "hyperparameters": validate_hyperparameters(name, policy.hyperparameters.get(name, {}), task),
            }
        )
    if not candidates:
        raise TrainingImpossible(f"no algorithm is chosen: name some of {', '.join(ALGORITHMS)} in training.algorithms")
    return candidates


def _copy_champion(registry: ModelRegistry, store: ObjectStore, bucket: str, plan: Mapping[str, Any]) -> None:
    """`champion.json`, with the champion's artefact beside it when it predicts the same column.

    Whether it can score the rows of this version is found out by the evaluation, which has both at hand.
    """
    champion = _champion(registry, plan["model"])
    facts: dict[str, Any] = {"champion": None}
    if champion is not None and champion.target == plan["target"]:
        store.copy(champion.artifact_uri, place.run_uri(bucket, plan["run_id"], "champion/model.tar.gz"))
        kept = {"algorithm", "task", "artifact_digest", "signature", "primary_metric", "metrics"}
        facts = {"champion": {"id": champion.id, **champion.model_dump(mode="json", include=kept)}}
    elif champion is not None:
        facts["reason"] = f"{champion.id} predicts another column, {champion.target!r}"
    _write(store, place.run_uri(bucket, plan["run_id"], "champion/champion.json"), facts)


def _champion(registry: ModelRegistry, model: str) -> ModelVersion | None:
    try:
        number = registry.model(model).aliases.get(CHAMPION)
    except NotFound:
        return None
    return None if number is None else registry.get(model, number)


def _outcome(plan: Mapping[str, Any], inferred: InferredTask) -> str:
    names = ", ".join(candidate["algorithm"] for candidate in plan["candidates"])
    return f"Training {names} to predict {plan['target']!r}, judged by {plan['primary_metric']}: {inferred.reason}."


def _answer(
    bucket: str,
    run_id: str,
    version: DatasetVersion,
    policy: TrainingPolicy,
    candidates: Sequence[Mapping[str, Any]],
    spot: bool,
) -> dict[str, Any]:
    def run(path: str) -> str:
        return place.run_uri(bucket, run_id, path)

    return {
        "run_id": run_id,
        "plan_uri": run("plan/"),
        "train_uri": place.split_data_uri(version.location, "train"),
        "validation_uri": place.split_data_uri(version.location, "validation"),
        "test_uri": place.split_data_uri(version.location, "test"),
        "champion_uri": run("champion/"),
        "candidates_uri": run("training/"),
        "evaluation_uri": run("evaluation"),
        "evaluation_job": identity.job_name(run_id, "evaluation"),
        "instance_type": policy.instance_type,
        "max_runtime_seconds": policy.max_runtime_seconds,
        "candidates": [
            {
                "algorithm": candidate["algorithm"],
                "job_name": candidate["job_name"],
                # What CreateTrainingJob takes: texts. The fixed hyperparameters themselves travel in plan.json.
                "hyperparameters": {"algorithm": candidate["algorithm"]},
                # Without a slash at the end: SageMaker appends "/<job>/output/model.tar.gz".
                "output_uri": run("training"),
                "checkpoint_uri": run(f"checkpoints/{candidate['algorithm']}/"),
                **_resources(policy, candidate["algorithm"], spot),
            }
            for candidate in candidates
        ],
    }


def _resources(policy: TrainingPolicy, name: str, spot: bool) -> dict[str, Any]:
    """Spot capacity only where an interruption costs little, several instances only where they help."""
    algorithm = algorithm_named(name)
    return {
        "spot": spot and algorithm.resumable,
        "instance_type": policy.instance_type,
        "instance_count": policy.instance_count if algorithm.distributed else 1,
        "max_runtime_seconds": policy.max_runtime_seconds,
        "max_wait_seconds": policy.max_runtime_seconds * _SPOT_WAIT_FACTOR,
    }


def _write(store: ObjectStore, address: str, content: Mapping[str, Any]) -> None:
    store.write(address, json.dumps(content, indent=2, ensure_ascii=False).encode())
