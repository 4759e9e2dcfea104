"""`python -m sagemaker_scripts.train` in the layout of a training container."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_info, threadpool_limits
from training_containers import (
    FEATURES,
    SMALL_FITS,
    TARGET,
    Experiment,
    TrainedExperiment,
    binary_frame,
    regression_frame,
    splits,
    write_split,
)

from millrace.algorithms.features import model_frame
from sagemaker_scripts import train
from sagemaker_scripts.artefact import open_artefact

Trained = Callable[[str], TrainedExperiment]
TASKS = ["binary", "multiclass", "regression"]
LINEAR_ONLY: dict[str, dict[str, Any]] = {"linear": {}}


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    return Experiment(tmp_path, "binary", splits(binary_frame(500)), hyperparameters=LINEAR_ONLY)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("algorithm", sorted(SMALL_FITS))
def test_every_algorithm_trains_every_task_on_mixed_columns_with_missing_values(
    trained: Trained, task: str, algorithm: str
) -> None:
    result = trained(task).results[algorithm]
    assert result.code == 0, result.output

    manifest = result.manifest
    assert (manifest["algorithm"], manifest["task"], manifest["target"]) == (algorithm, task, TARGET)
    assert manifest["classes"] == {"binary": ["bad", "good"], "multiclass": [0, 10, 20], "regression": []}[task]
    metric, better_than = {
        "binary": ("roc_auc", 0.75), "multiclass": ("log_loss", 0.9), "regression": ("rmse", 22.0),
    }[task]  # fmt: skip
    value = manifest["metrics"][metric]
    assert value > better_than if metric == "roc_auc" else value < better_than
    assert [trial["trial"] for trial in manifest["trials"]] == [0, 1]
    assert manifest["rows"]["train"] == 540
    assert {item["name"]: item["kind"] for item in manifest["signature"]["inputs"]} == {
        feature["name"]: feature["kind"] for feature in FEATURES
    }
    assert sorted(path.name for path in (result.base / "model").iterdir()) == [
        "environment.json", "golden.json", "manifest.json", "model.joblib",
    ]  # fmt: skip
    assert set(json.loads((result.base / "model/environment.json").read_text())["packages"]) >= {"sklearn", "xgboost"}
    assert not result.failure


def test_the_chosen_trial_is_the_best_on_the_validation_rows(trained: Trained) -> None:
    for task, best in (("binary", max), ("multiclass", min), ("regression", min)):
        for result in trained(task).results.values():
            manifest = result.manifest
            metric = manifest["primary_metric"]
            chosen = best(manifest["trials"], key=lambda trial, metric=metric: trial[metric])
            assert manifest["hyperparameters"] == chosen["hyperparameters"]
            assert manifest["metrics"][metric] == chosen[metric]


def test_metrics_and_progress_are_lines_that_the_service_can_read(trained: Trained) -> None:
    result = trained("binary").results["xgboost"]
    told = dict(re.findall(r"^validation:(\w+)=([0-9.eE+-]+);$", result.output, flags=re.MULTILINE))
    assert {name: float(value) for name, value in told.items()} == pytest.approx(result.manifest["metrics"], abs=1e-6)
    assert [(line["trial"], line["of"]) for line in result.said("trial")] == [(1, 2), (2, 2)]
    assert result.said("rounds")


def test_the_artefact_answers_raw_rows_and_reproduces_its_golden_rows(trained: Trained) -> None:
    for task in TASKS:
        experiment = trained(task)
        for result in experiment.results.values():
            artefact = open_artefact(result.base / "model")
            scores = artefact.scores(experiment.experiment.data["test"])
            assert len(scores) == len(experiment.experiment.data["test"])
            golden = json.loads((result.base / "model/golden.json").read_text())
            assert len(golden["rows"]) == 10
            assert set(golden["rows"][0]) == {feature["name"] for feature in FEATURES}
            if task != "regression":
                assert scores.sum(axis=1) == pytest.approx(np.ones(len(scores)), abs=1e-6)


def test_the_same_seed_data_and_code_give_the_same_artefact_whatever_the_threads_and_files(
    trained: Trained, tmp_path: Path
) -> None:
    for task in TASKS:
        source = trained(task)
        again = replace(source.experiment, root=tmp_path / task)
        shuffled = again.data["train"].sample(frac=1, random_state=3)
        for algorithm, before in source.results.items():
            base = again.training_container(algorithm)
            shutil.rmtree(base / "input/data/train")
            write_split(base / "input/data/train", shuffled, files=5)
            result = again.run("train", base, threads=2)
            assert result.manifest == before.manifest, (task, algorithm)


def test_linear_algebra_has_one_thread_while_models_are_fitted(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With more, sums are taken in another order on another machine, and large data get another hash."""
    seen: list[int] = []

    def search(*arguments: Any) -> Any:
        seen.extend(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")
        return real_search(*arguments)

    real_search = train.search
    monkeypatch.setattr(train, "search", search)
    with threadpool_limits(limits=2, user_api="blas"):
        assert experiment.train("linear").code == 0
    assert set(seen) == {1}


@pytest.mark.parametrize(("task", "algorithm"), [*zip(TASKS, SMALL_FITS, strict=True)])
def test_a_process_of_its_own_gives_the_same_artefact(
    trained: Trained, tmp_path: Path, task: str, algorithm: str
) -> None:
    source = trained(task)
    again = replace(source.experiment, root=tmp_path)
    result = again.run_process("train", again.training_container(algorithm), threads=2)
    assert result.code == 0, result.output
    assert result.manifest == source.results[algorithm].manifest


def test_another_seed_or_other_data_give_another_hash(experiment: Experiment) -> None:
    first = experiment.train("linear").manifest["artifact_digest"]
    experiment.data["train"] = experiment.data["train"].iloc[1:]
    assert experiment.train("linear", "fewer").manifest["artifact_digest"] != first
    forest = {"random_forest": SMALL_FITS["random_forest"]}
    one, other = (
        replace(experiment, root=experiment.root / str(seed), seed=seed, hyperparameters=forest).train("random_forest")
        for seed in (1, 2)
    )
    assert one.manifest["artifact_digest"] != other.manifest["artifact_digest"]


def test_flipping_the_labels_turns_the_model_around(experiment: Experiment) -> None:
    model = open_artefact(experiment.train("linear").base / "model")
    for split in ("train", "validation"):
        flipped = experiment.data[split].copy()
        flipped[TARGET] = flipped[TARGET].map({"good": "bad", "bad": "good"})
        experiment.data[split] = flipped
    mirrored = open_artefact(experiment.train("linear", "flipped").base / "model")
    rows = experiment.data["test"]
    assert mirrored.scores(rows)[:, 0] == pytest.approx(model.scores(rows)[:, 1], abs=1e-4)


def test_fixed_hyperparameters_are_kept_and_equal_trials_are_made_once(experiment: Experiment) -> None:
    experiment.trials = 5
    experiment.hyperparameters = {"linear": {"alpha": 3}}
    manifest = experiment.train("linear").manifest
    assert manifest["hyperparameters"] == {"alpha": 3.0, "class_weight": "none"}
    assert len(manifest["trials"]) == 1


def test_rows_without_target_are_dropped_and_counted(experiment: Experiment) -> None:
    for split, missing in (("train", 11), ("validation", 3)):
        frame = experiment.data[split].copy()
        frame.iloc[:missing, frame.columns.get_loc(TARGET)] = None
        experiment.data[split] = frame
    rows = experiment.train("linear").manifest["rows"]
    assert rows == {
        "train": 289, "train_without_target": 11,
        "validation": 97, "validation_without_target": 3, "validation_of_unknown_class": 0,
    }  # fmt: skip


def test_missing_numbers_in_the_target_of_a_regression_are_dropped_too(tmp_path: Path) -> None:
    experiment = Experiment(tmp_path, "regression", splits(regression_frame(500)), hyperparameters=LINEAR_ONLY)
    frame = experiment.data["train"].copy()
    frame.loc[frame.index[:2], TARGET] = [np.nan, np.inf]
    experiment.data["train"] = frame
    assert experiment.train("linear").manifest["rows"]["train_without_target"] == 2


def test_a_class_that_training_never_saw_is_left_out_of_validation_and_counted(tmp_path: Path) -> None:
    frame = binary_frame(500)
    frame.loc[frame.index[300:304], TARGET] = "ugly"
    experiment = Experiment(tmp_path, "multiclass", splits(frame), hyperparameters=LINEAR_ONLY)
    rows = experiment.train("linear").manifest["rows"]
    assert (rows["validation"], rows["validation_of_unknown_class"]) == (96, 4)


@pytest.mark.parametrize("labels", [[False, True], [3, 7], ["no", "yes"]])
def test_classes_keep_their_type_and_come_in_order(experiment: Experiment, labels: list[Any]) -> None:
    for split, frame in experiment.data.items():
        experiment.data[split] = frame.assign(**{TARGET: [labels[value == "good"] for value in frame[TARGET]]})
    assert experiment.train("linear").manifest["classes"] == labels


def test_integer_classes_with_missing_values_stay_integers(experiment: Experiment) -> None:
    for split, frame in experiment.data.items():
        labels = pd.array([1 if value == "good" else 0 for value in frame[TARGET]], dtype="Int64")
        labels[0] = pd.NA
        experiment.data[split] = frame.assign(**{TARGET: labels})
    assert experiment.train("linear").manifest["classes"] == [0, 1]


def test_integer_categories_with_missing_values_are_their_digits(trained: Trained) -> None:
    features = {feature["name"]: feature for feature in trained("binary").results["linear"].manifest["features"]}
    assert features["code"]["categories"] == ["", "1", "2", "3", "4", "5"]
    assert features["home"]["categories"] == ["", "other", "own", "parents", "rent"]
    assert features["age"]["categories"] == []


@pytest.mark.parametrize("algorithm", sorted(SMALL_FITS))
def test_a_category_that_training_never_saw_is_none_of_the_known(trained: Trained, algorithm: str) -> None:
    source = trained("binary")
    artefact = open_artefact(source.results[algorithm].base / "model")
    rows = source.experiment.data["test"].assign(home="castle")
    one_hot = artefact.pipeline[0].transform(model_frame(rows, artefact.features))
    known = len(next(feature.categories for feature in artefact.features if feature.name == "home"))
    numbers = sum(not feature.is_category for feature in artefact.features)
    assert (one_hot[:, numbers : numbers + known] == 0).all()
    assert artefact.scores(rows) == pytest.approx(artefact.scores(rows.assign(home="palace")))


def test_a_column_without_values_is_set_aside(experiment: Experiment) -> None:
    for split, frame in experiment.data.items():
        experiment.data[split] = frame.assign(income=np.nan)
    result = experiment.train("linear")
    assert result.manifest["ignored_features"] == ["income"]
    assert "income" not in {item["name"] for item in result.manifest["signature"]["inputs"]}


def test_balanced_classes_raise_the_probability_of_the_rare_one(tmp_path: Path) -> None:
    frame = binary_frame(800)
    rare = frame[(frame[TARGET] == "bad") | (np.arange(800) % 6 == 0)]
    for algorithm, fixed in SMALL_FITS.items():
        means = []
        for weight in ("none", "balanced"):
            given = {algorithm: {**fixed, "class_weight": weight}}
            experiment = Experiment(tmp_path / algorithm / weight, "binary", splits(rare), hyperparameters=given)
            model = open_artefact(experiment.train(algorithm).base / "model")
            means.append(model.scores(experiment.data["test"])[:, 1].mean())
        assert means[1] > means[0] + 0.05, algorithm


# What cannot be trained on says so


def failed(experiment: Experiment, algorithm: str = "linear") -> str:
    result = experiment.train(algorithm)
    assert result.code == 1
    assert not (result.base / "model" / "model.joblib").exists()
    assert result.said("failed")
    return result.failure


def test_one_class_is_impossible(experiment: Experiment) -> None:
    experiment.data["train"] = experiment.data["train"].assign(**{TARGET: "good"})
    assert failed(experiment).startswith(
        "TrainingImpossible: a binary model needs two classes, but 'outcome' has 1 in the training rows ('good')"
    )


def test_three_classes_are_not_binary(experiment: Experiment) -> None:
    experiment.data["train"] = experiment.data["train"].assign(**{TARGET: (["a", "b", "c"] * 200)[:300]})
    assert "needs two classes, but 'outcome' has 3" in failed(experiment)


@pytest.mark.parametrize("split", ["train", "validation"])
def test_a_split_without_a_single_target_is_impossible(experiment: Experiment, split: str) -> None:
    experiment.data[split] = experiment.data[split].assign(**{TARGET: pd.Series(dtype="string")})
    told = failed(experiment)
    assert told.startswith(f"TrainingImpossible: the {split} split has no row with a value in 'outcome'")
    assert f"({len(experiment.data[split])} rows without one)" in told


def test_validation_rows_of_one_class_are_impossible(experiment: Experiment) -> None:
    experiment.data["validation"] = experiment.data["validation"].assign(**{TARGET: "good"})
    assert "validation rows hold 1 of the classes" in failed(experiment)


def test_text_is_no_target_of_a_regression(experiment: Experiment) -> None:
    experiment.task = "regression"
    assert failed(experiment).startswith("TrainingImpossible: the task is regression, but 'outcome' holds '")


def test_a_column_that_the_rows_lack_is_named(experiment: Experiment) -> None:
    experiment.features = [*FEATURES, {"name": "height", "kind": "number"}]
    assert failed(experiment) == "InvalidInput: the rows in train lack the columns height"


def test_no_rows_at_all_is_said(experiment: Experiment) -> None:
    base = experiment.training_container("linear")
    shutil.rmtree(base / "input/data/train")
    result = experiment.run("train", base)
    assert (result.code, result.failure.split(" in ")[0]) == (1, "InvalidInput: there is no Parquet file")


def test_no_values_at_all_are_impossible(experiment: Experiment) -> None:
    experiment.features = [{"name": "income", "kind": "number"}]
    experiment.data["train"] = experiment.data["train"].assign(income=np.nan)
    assert failed(experiment).startswith("TrainingImpossible: no feature has a single value")


def test_a_wrong_hyperparameter_fails_with_what_is_allowed(experiment: Experiment) -> None:
    experiment.hyperparameters = {"linear": {"alpha": -1}}
    assert failed(experiment) == "InvalidInput: linear: alpha is -1, but must be a number from 1e-06 to 1e+06"


def test_an_algorithm_that_the_plan_does_not_train_fails(experiment: Experiment) -> None:
    assert failed(experiment, "xgboost") == "InvalidInput: the plan of run training-1 has no candidate 'xgboost'"


def test_a_long_failure_is_cut_to_what_the_service_shows(experiment: Experiment) -> None:
    experiment.features = [{"name": f"column {number:04}", "kind": "number"} for number in range(500)]
    assert len(failed(experiment)) == 1024


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"task": "ranking"}, "no task 'ranking'"),
        ({"features": []}, "names no feature"),
        ({"trials": 0}, "asks for 0 trials"),
        ({"primary_metric": "rmse"}, "a binary model cannot be chosen by 'rmse'"),
        ({"features": [{"name": "notes", "kind": "text"}]}, "feature 'notes' has kind 'text'"),
    ],
)
def test_a_wrong_plan_is_refused_with_what_is_wrong(experiment: Experiment, change: dict[str, Any], said: str) -> None:
    base = experiment.training_container("linear")
    (base / "input/data/plan/plan.json").write_text(json.dumps({**experiment.plan, **change}))
    result = experiment.run("train", base)
    assert result.code == 1
    assert result.failure.startswith("InvalidInput: ")
    assert said in result.failure


def test_a_plan_that_is_missing_or_incomplete_or_not_json_is_named(experiment: Experiment) -> None:
    base = experiment.training_container("linear")
    plan = base / "input/data/plan/plan.json"
    plan.write_text(json.dumps({name: value for name, value in experiment.plan.items() if name != "seed"}))
    assert experiment.run("train", base).failure == "InvalidInput: plan.json has no 'seed'"
    plan.write_text("{")
    assert "is not JSON" in experiment.run("train", base).failure
    plan.write_text("[]")
    assert "must hold a JSON object, not list" in experiment.run("train", base).failure
    plan.unlink()
    assert experiment.run("train", base).failure.startswith("InvalidInput: the file plan.json is missing from ")
