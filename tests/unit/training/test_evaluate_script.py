"""`python -m sagemaker_scripts.evaluate` in the layout of a processing container."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import sklearn.metrics as sk
from training_containers import (
    FEATURES,
    SMALL_FITS,
    TARGET,
    Bomb,
    Experiment,
    Result,
    TrainedExperiment,
    binary_frame,
    manifest_of,
    vouch,
)

from millrace.analytics.measures import measures_for
from sagemaker_scripts import evaluate as script

Trained = Callable[[str], TrainedExperiment]
TASKS = ["binary", "multiclass", "regression"]


@pytest.fixture(scope="session")
def first_evaluation(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Result]:
    """All three candidates of a task judged where there is no champion."""
    known: dict[str, Result] = {}

    def get(task: str) -> Result:
        if task not in known:
            source = trained(task)
            experiment = replace(source.experiment, root=tmp_path_factory.mktemp(f"evaluated-{task}"))
            known[task] = experiment.run("evaluate", experiment.evaluation_container(source.containers))
        return known[task]

    return get


def champion_of(container: Path, number: int = 3) -> dict[str, Any]:
    manifest = manifest_of(container / "model")
    return {
        "id": f"credit:{number}", "algorithm": manifest["algorithm"], "artifact_digest": manifest["artifact_digest"],
    }  # fmt: skip


def judged(
    source: TrainedExperiment, root: Path, candidates: list[str], champion: Path | None = None, **changes: Any
) -> Result:
    """Some of the trained candidates against a champion trained in the container `champion`."""
    fits = {name: SMALL_FITS[name] for name in candidates}
    experiment = replace(source.experiment, root=root, hyperparameters=fits, **changes)
    base = experiment.evaluation_container(
        {name: source.containers[name] for name in candidates},
        champion=None if champion is None else champion_of(champion),
        champion_model=champion,
    )
    return experiment.run("evaluate", base)


def candidate(result: Result, algorithm: str) -> dict[str, Any]:
    return next(item for item in result.evaluation["candidates"] if item["algorithm"] == algorithm)


def refuse_constant(text: str) -> None:
    raise AssertionError(f"{text} is not JSON")


@pytest.mark.parametrize("task", TASKS)
def test_every_candidate_is_judged_completely_and_in_strict_json(
    first_evaluation: Callable[[str], Result], task: str
) -> None:
    result = first_evaluation(task)
    assert result.code == 0, result.output
    text = (result.base / "processing/output/evaluation.json").read_text()
    report = json.loads(text, parse_constant=refuse_constant)

    assert (report["run_id"], report["task"], report["test_rows"]) == ("training-1", task, 180)
    assert (report["champion"], report["failed"]) == (None, [])
    assert [item["algorithm"] for item in report["candidates"]] == list(SMALL_FITS)
    for item in report["candidates"]:
        assert set(item["metrics"]) == {measure.name for measure in measures_for(task)}
        for name, metric in item["metrics"].items():
            assert metric["low"] <= metric["high"], name
        assert {entry["feature"] for entry in item["importance"]} == {feature["name"] for feature in FEATURES}
        assert item["importance"][0]["feature"] in ("age", "income", "home")
        assert 0 < item["latency_ms"]["single_row_p50"] <= item["latency_ms"]["single_row_p99"]
        assert item["batch_rows_per_second"] > 0
        assert item["size_bytes"] > 0
        assert item["curves"]["calibration"]
        assert bool(item["curves"]["roc"]) == bool(item["confusion"]) == (task != "regression")
        assert item["job_name"] == f"training-1-{item['algorithm'].replace('_', '-')}"


def test_the_metrics_are_those_of_the_predictions_on_the_test_rows(
    first_evaluation: Callable[[str], Result], trained: Trained
) -> None:
    result = first_evaluation("binary")
    predictions = result.predictions
    truth = (predictions["truth"] == "good").astype(int)
    for item in result.evaluation["candidates"]:
        scores = predictions[f"{item['algorithm']}.good"]
        assert item["metrics"]["roc_auc"]["value"] == pytest.approx(sk.roc_auc_score(truth, scores))
        threshold = item["signature"]["output"]["threshold"]
        assert item["metrics"]["f1"]["value"] == pytest.approx(sk.f1_score(truth, scores >= threshold))
    test = trained("binary").experiment.data["test"].reset_index(drop=True)
    assert sorted(predictions["row"]) == list(range(180))
    assert (predictions.set_index("row")["truth"].sort_index().to_numpy() == test[TARGET].to_numpy()).all()


def test_predictions_have_a_column_per_class_or_one_of_numbers(first_evaluation: Callable[[str], Result]) -> None:
    several, numbers = first_evaluation("multiclass").predictions, first_evaluation("regression").predictions
    assert list(several.columns[:5]) == ["row", "truth", "random_forest.0", "random_forest.10", "random_forest.20"]
    assert several[["linear.0", "linear.10", "linear.20"]].sum(axis=1).to_numpy() == pytest.approx(
        np.ones(180), abs=1e-6
    )
    assert list(numbers.columns) == ["row", "truth", *SMALL_FITS]
    schema = pq.read_schema(first_evaluation("binary").base / "processing/output/predictions.parquet")
    assert schema.names[2:4] == ["random_forest.bad", "random_forest.good"]


@pytest.mark.parametrize("task", TASKS)
def test_without_a_champion_the_verdict_is_first_against_a_constant_and_the_best_is_recommended(
    first_evaluation: Callable[[str], Result], task: str
) -> None:
    report = first_evaluation(task).evaluation
    for item in report["candidates"]:
        verdict = item["verdict"]
        assert (verdict["outcome"], verdict["compared_with"]) == ("FIRST", "a constant prediction")
        assert verdict["metric"] == report["primary_metric"]
        constant, value = report["constant_prediction"][verdict["metric"]], item["metrics"][verdict["metric"]]
        sign = 1 if value["higher_is_better"] else -1
        assert verdict["gain"] == pytest.approx(sign * (value["value"] - constant))
        assert verdict["sentence"].startswith(f"There is no champion yet. {item['algorithm']} beats a constant ")
        assert "for 3 candidates at once, 180 test rows" in verdict["sentence"]
    best = max(report["candidates"], key=lambda item: item["verdict"]["gain"])
    assert [item["algorithm"] for item in report["candidates"] if item["recommended"]] == [best["algorithm"]]


def test_the_constant_prediction_is_learnt_from_the_training_rows(
    first_evaluation: Callable[[str], Result], trained: Trained
) -> None:
    data = trained("regression").experiment.data
    expected = sk.root_mean_squared_error(data["test"][TARGET], np.full(180, data["train"][TARGET].mean()))
    assert first_evaluation("regression").evaluation["constant_prediction"]["rmse"] == pytest.approx(expected)
    assert first_evaluation("binary").evaluation["constant_prediction"]["roc_auc"] == 0.5
    data = trained("multiclass").experiment.data
    shares = data["train"][TARGET].value_counts(normalize=True)
    expected = -np.log(data["test"][TARGET].map(shares)).mean()
    assert first_evaluation("multiclass").evaluation["constant_prediction"]["log_loss"] == pytest.approx(expected)


def test_absolute_errors_are_compared_with_the_median(trained: Trained, tmp_path: Path) -> None:
    result = judged(trained("regression"), tmp_path, ["linear"], metric="mae")
    data = trained("regression").experiment.data
    expected = np.abs(data["test"][TARGET] - data["train"][TARGET].median()).mean()
    assert result.evaluation["constant_prediction"]["mae"] == pytest.approx(expected)
    assert result.evaluation["candidates"][0]["verdict"]["metric"] == "mae"


def test_the_champion_itself_as_candidate_shows_no_difference_and_is_not_recommended(
    trained: Trained, tmp_path: Path
) -> None:
    source = trained("binary")
    result = judged(source, tmp_path, ["linear"], champion=source.containers["linear"])
    item = candidate(result, "linear")
    assert (item["verdict"]["outcome"], item["verdict"]["gain"]) == ("NO_DIFFERENCE", 0)
    assert item["recommended"] is False
    champion = result.evaluation["champion"]
    assert (champion["id"], champion["obstacle"]) == ("credit:3", None)
    assert champion["metrics"] == item["metrics"]
    assert (result.predictions["champion.good"] == result.predictions["linear.good"]).all()


@pytest.fixture(scope="session")
def weak(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A champion that looks at one column of little use."""
    known: dict[str, Path] = {}

    def get(task: str) -> Path:
        if task not in known:
            experiment = replace(
                trained(task).experiment,
                root=tmp_path_factory.mktemp(f"weak-{task}"),
                features=[{"name": "member", "kind": "boolean"}, {"name": "code", "kind": "category"}],
            )
            known[task] = experiment.train("linear").base
        return known[task]

    return get


@pytest.mark.parametrize("task", TASKS)
def test_a_really_better_candidate_is_recommended_over_the_champion(
    trained: Trained, weak: Callable[[str], Path], tmp_path: Path, task: str
) -> None:
    result = judged(trained(task), tmp_path, ["linear"], champion=weak(task))
    item = candidate(result, "linear")
    assert (item["verdict"]["outcome"], item["verdict"]["compared_with"]) == ("BETTER", "credit:3")
    assert item["verdict"]["sentence"].startswith("linear beats credit:3 by ")
    assert item["recommended"] is True


def test_a_worse_candidate_is_worse(trained: Trained, weak: Callable[[str], Path], tmp_path: Path) -> None:
    experiment = replace(trained("binary").experiment, root=tmp_path, hyperparameters={"linear": {}})
    base = experiment.evaluation_container(
        {"linear": weak("binary")},
        champion=champion_of(trained("binary").containers["linear"]),
        champion_model=trained("binary").containers["linear"],
    )
    item = candidate(experiment.run("evaluate", base), "linear")
    assert (item["verdict"]["outcome"], item["recommended"]) == ("WORSE", False)


def test_flipping_the_labels_of_the_test_rows_turns_the_metric_around(trained: Trained, tmp_path: Path) -> None:
    source = trained("binary")
    flipped = source.experiment.data["test"].copy()
    flipped[TARGET] = flipped[TARGET].map({"good": "bad", "bad": "good"})
    data = {**source.experiment.data, "test": flipped}
    there = candidate(judged(source, tmp_path / "there", ["linear"], data=data), "linear")
    here = candidate(judged(source, tmp_path / "here", ["linear"]), "linear")
    assert there["metrics"]["roc_auc"]["value"] == pytest.approx(1 - here["metrics"]["roc_auc"]["value"])
    assert here["recommended"]
    assert not there["recommended"]
    assert there["verdict"]["sentence"].startswith(
        "There is no champion yet. linear is worse than a constant prediction"
    )


def test_the_same_evaluation_twice_differs_in_timing_alone(trained: Trained, tmp_path: Path) -> None:
    reports = []
    for name in ("one", "two"):
        report = judged(trained("binary"), tmp_path / name, ["linear"]).evaluation
        for item in report["candidates"]:
            del item["latency_ms"], item["batch_rows_per_second"], item["size_bytes"]
        reports.append(report)
    assert reports[0] == reports[1]


def test_test_rows_without_a_usable_target_are_dropped_and_counted(trained: Trained, tmp_path: Path) -> None:
    source = trained("binary")
    test = source.experiment.data["test"].reset_index(drop=True)
    test.loc[:4, TARGET] = None
    test.loc[5:7, TARGET] = "ugly"
    result = judged(source, tmp_path, ["linear"], data={**source.experiment.data, "test": test})
    report = result.evaluation
    assert (report["test_rows"], report["test_rows_without_target"], report["test_rows_of_unknown_class"]) == (
        172,
        5,
        3,
    )
    assert sorted(result.predictions["row"]) == list(range(8, 180))


def test_a_class_that_training_never_saw_counts_as_an_error_of_a_multiclass_model(
    trained: Trained, tmp_path: Path
) -> None:
    source = trained("multiclass")
    test = source.experiment.data["test"].reset_index(drop=True)
    test.loc[:17, TARGET] = 30
    result = judged(source, tmp_path, ["linear"], data={**source.experiment.data, "test": test})
    item = candidate(result, "linear")
    assert result.evaluation["test_rows"] == 180
    assert item["confusion"]["classes"] == [0, 10, 20, 30]
    assert sum(item["confusion"]["matrices"][0]["rows"][3]) == 18
    assert item["metrics"]["accuracy"]["value"] <= 0.9
    assert (result.predictions["linear.30"] == 0).all()


def test_too_many_test_rows_are_sampled_and_both_numbers_told(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(script, "MAX_TEST_ROWS", 100)
    result = judged(trained("binary"), tmp_path, ["linear"])
    assert (result.evaluation["test_rows"], result.evaluation["test_rows_available"]) == (100, 180)
    assert len(result.predictions) == 100


# Candidates that cannot be judged


def test_a_candidate_without_artefact_is_reported_and_the_others_judged(trained: Trained, tmp_path: Path) -> None:
    source = trained("binary")
    experiment = replace(source.experiment, root=tmp_path)
    containers = {name: base for name, base in source.containers.items() if name != "random_forest"}
    report = experiment.run("evaluate", experiment.evaluation_container(containers)).evaluation
    assert report["failed"] == [
        {
            "algorithm": "random_forest", "job_name": "training-1-random-forest",
            "reason": "its training job left no model.tar.gz",
        }
    ]  # fmt: skip
    assert [item["algorithm"] for item in report["candidates"]] == ["xgboost", "linear"]


def test_without_any_candidate_the_job_fails_with_every_reason(trained: Trained, tmp_path: Path) -> None:
    experiment = replace(trained("binary").experiment, root=tmp_path)
    result = experiment.run("evaluate", experiment.evaluation_container({}))
    assert result.code == 1
    assert result.message.startswith(
        "TrainingFailed: no candidate of run training-1 can be judged. random_forest: its "
    )
    assert result.message.count("left no model.tar.gz") == 3
    assert not (result.base / "processing/output/evaluation.json").exists()


def test_a_poisoned_candidate_is_left_out_unopened(trained: Trained, tmp_path: Path) -> None:
    source = trained("binary")
    experiment = replace(source.experiment, root=tmp_path)
    poisoned, crater = tmp_path / "poisoned", tmp_path / "crater"
    shutil.copytree(source.containers["linear"] / "model", poisoned / "model")
    joblib.dump(Bomb(crater), poisoned / "model/model.joblib")
    result = experiment.run("evaluate", experiment.evaluation_container({**source.containers, "linear": poisoned}))
    assert "model.joblib is not the file the manifest vouches for" in result.evaluation["failed"][0]["reason"]
    assert not crater.exists()


def test_a_candidate_of_another_algorithm_or_of_other_classes_is_left_out(trained: Trained, tmp_path: Path) -> None:
    source = trained("binary")
    other = Experiment(tmp_path / "other", "binary", dict(source.experiment.data), hyperparameters={"linear": {}})
    for split, frame in other.data.items():
        other.data[split] = frame.assign(**{TARGET: frame[TARGET] == "good"})
    experiment = replace(source.experiment, root=tmp_path)
    containers = {**source.containers, "xgboost": source.containers["linear"], "linear": other.train("linear").base}
    report = experiment.run("evaluate", experiment.evaluation_container(containers)).evaluation
    assert [item["algorithm"] for item in report["candidates"]] == ["random_forest"]
    assert [item["reason"] for item in report["failed"]] == [
        "its artefact was trained by linear",
        "it was trained on other classes than the candidates before it",
    ]


# Champions that cannot be judged


def test_a_champion_that_is_not_the_registered_artefact_is_refused_unopened(trained: Trained, tmp_path: Path) -> None:
    source = trained("binary")
    experiment = replace(source.experiment, root=tmp_path)
    poisoned, crater = tmp_path / "poisoned", tmp_path / "crater"
    shutil.copytree(source.containers["linear"] / "model", poisoned / "model")
    joblib.dump(Bomb(crater), poisoned / "model/model.joblib")
    vouch(poisoned / "model")
    base = experiment.evaluation_container(
        source.containers, champion=champion_of(source.containers["linear"]), champion_model=poisoned
    )
    result = experiment.run("evaluate", base)
    assert result.code == 1
    assert result.message.startswith(
        "EvaluationInvalid: the champion credit:3 cannot be judged: the artefact's digest is "
    )
    assert not crater.exists()


def obstructed(result: Result, reason: str) -> None:
    """The candidate was compared with a constant, and the verdict and the champion's entry say why."""
    assert result.code == 0, result.output
    assert reason in result.evaluation["champion"]["obstacle"]
    assert result.evaluation["champion"]["metrics"] == {}
    verdict = result.evaluation["candidates"][0]["verdict"]
    assert verdict["outcome"] == "FIRST"
    assert verdict["compared_with"] == "a constant prediction"
    assert verdict["sentence"].startswith("credit:3 cannot score these rows: ")
    assert reason in verdict["sentence"]
    assert "champion.good" not in result.predictions


def test_a_champion_whose_columns_are_gone_cannot_score_and_the_verdict_says_so(
    trained: Trained, tmp_path: Path
) -> None:
    source = trained("binary")
    fewer = [feature for feature in FEATURES if feature["name"] not in ("income", "member")]
    data = {split: frame.drop(columns=["income", "member"]) for split, frame in source.experiment.data.items()}
    experiment = Experiment(tmp_path, "binary", data, hyperparameters={"linear": {}}, features=fewer)
    base = experiment.evaluation_container(
        {"linear": experiment.train("linear").base},
        champion=champion_of(source.containers["xgboost"]),
        champion_model=source.containers["xgboost"],
    )
    obstructed(experiment.run("evaluate", base), "it needs the columns income, member, which this dataset version")


def test_a_champion_may_read_columns_that_the_plan_no_longer_names(
    trained: Trained, weak: Callable[[str], Path], tmp_path: Path
) -> None:
    source = trained("binary")
    experiment = replace(
        source.experiment, root=tmp_path, hyperparameters={"linear": {}}, features=[FEATURES[0], FEATURES[1]]
    )
    base = experiment.evaluation_container(
        {"linear": experiment.train("linear").base}, champion=champion_of(weak("binary")), champion_model=weak("binary")
    )
    result = experiment.run("evaluate", base)
    assert result.evaluation["champion"]["obstacle"] is None
    assert result.evaluation["champion"]["metrics"]["roc_auc"]["value"] < 0.7
    assert candidate(result, "linear")["verdict"]["outcome"] == "BETTER"


def test_a_champion_whose_columns_changed_kind_cannot_score(
    trained: Trained, weak: Callable[[str], Path], tmp_path: Path
) -> None:
    features = [{"name": "age", "kind": "integer"}, {"name": "code", "kind": "integer"}]
    experiment = replace(trained("binary").experiment, root=tmp_path, features=features, hyperparameters={"linear": {}})
    base = experiment.evaluation_container(
        {"linear": experiment.train("linear").base}, champion=champion_of(weak("binary")), champion_model=weak("binary")
    )
    obstructed(experiment.run("evaluate", base), "the columns code are of another kind now")


def test_a_champion_of_another_task_or_of_other_classes_cannot_score(trained: Trained, tmp_path: Path) -> None:
    source = trained("binary")
    result = judged(source, tmp_path / "task", ["linear"], champion=trained("regression").containers["linear"])
    obstructed(result, "it solves a regression task and this is binary")

    frame = {split: f.assign(**{TARGET: f[TARGET] == "good"}) for split, f in source.experiment.data.items()}
    other = Experiment(tmp_path / "classes", "binary", frame, hyperparameters={"linear": {}})
    base = other.evaluation_container(
        {"linear": other.train("linear").base},
        champion=champion_of(source.containers["linear"]),
        champion_model=source.containers["linear"],
    )
    obstructed(other.run("evaluate", base), "it tells apart ['bad', 'good'] and the target now holds [False, True]")


def test_a_multiclass_champion_without_a_class_of_today_is_judged_with_probability_zero_for_it(
    trained: Trained, tmp_path: Path
) -> None:
    source = trained("multiclass")
    data = {split: frame[frame[TARGET] != 10] for split, frame in source.experiment.data.items()}
    old = Experiment(tmp_path / "old", "multiclass", data, hyperparameters={"linear": {}}).train("linear")
    result = judged(source, tmp_path, ["linear"], champion=old.base)
    assert result.evaluation["champion"]["obstacle"] is None
    assert (result.predictions["champion.10"] == 0).all()
    assert candidate(result, "linear")["verdict"]["outcome"] == "BETTER"


# Other refusals


def test_test_rows_on_which_the_metric_is_undefined_are_refused(trained: Trained, tmp_path: Path) -> None:
    source = trained("binary")
    test = source.experiment.data["test"].assign(**{TARGET: "good"})
    result = judged(source, tmp_path, ["linear"], data={**source.experiment.data, "test": test})
    assert result.code == 1
    assert result.message.startswith("EvaluationInvalid: roc_auc is undefined on the 180 test rows")


def test_no_usable_test_row_is_refused(trained: Trained, tmp_path: Path) -> None:
    source = trained("binary")
    test = source.experiment.data["test"].assign(**{TARGET: pd.Series(dtype="string")})
    result = judged(source, tmp_path, ["linear"], data={**source.experiment.data, "test": test})
    assert result.message == "EvaluationInvalid: the test split has no row with a usable value in 'outcome': add rows"


def test_a_missing_champion_file_is_refused(trained: Trained, tmp_path: Path) -> None:
    experiment = replace(trained("binary").experiment, root=tmp_path)
    base = experiment.evaluation_container(trained("binary").containers)
    (base / "processing/input/champion/champion.json").unlink()
    assert experiment.run("evaluate", base).message.startswith("InvalidInput: the file champion.json is missing from ")


def test_a_process_of_its_own_judges_the_same(
    trained: Trained, first_evaluation: Callable[[str], Result], tmp_path: Path
) -> None:
    experiment = replace(trained("binary").experiment, root=tmp_path)
    result = experiment.run_process("evaluate", experiment.evaluation_container(trained("binary").containers))
    assert result.code == 0, result.output
    for here, there in zip(
        result.evaluation["candidates"], first_evaluation("binary").evaluation["candidates"], strict=True
    ):
        assert here["metrics"] == there["metrics"]
        assert here["verdict"] == there["verdict"]
    assert [line["algorithm"] for line in result.said("verdict")] == list(SMALL_FITS)


def test_an_archive_is_judged_even_if_it_holds_more_than_the_artefact(trained: Trained, tmp_path: Path) -> None:
    source = trained("binary")
    more = Path(shutil.copytree(source.containers["linear"] / "model", tmp_path / "more/model"))
    (more / "notes.txt").write_text("kept beside the model")
    experiment = replace(source.experiment, root=tmp_path, hyperparameters={"linear": {}})
    base = experiment.evaluation_container({"linear": tmp_path / "more"})
    assert experiment.run("evaluate", base).code == 0


def test_a_constant_model_on_real_rows_is_not_recommended(tmp_path: Path) -> None:
    frame = binary_frame(500).assign(noise=np.random.default_rng(0).normal(size=500))
    experiment = Experiment(
        tmp_path, "binary", {"train": frame[:300], "validation": frame[300:400], "test": frame[400:]},
        hyperparameters={"linear": {}}, features=[{"name": "noise", "kind": "number"}],
    )  # fmt: skip
    result = experiment.run("evaluate", experiment.evaluation_container({"linear": experiment.train("linear").base}))
    item = candidate(result, "linear")
    assert (item["verdict"]["outcome"], item["recommended"]) == ("FIRST", False)
    assert "shows no real difference from a constant prediction" in item["verdict"]["sentence"]
