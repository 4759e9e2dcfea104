"""The serving artefact: a graph that predicts what was trained, or a refusal that says why not."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from training_containers import FEATURES, FRAMES, REPOSITORY, TARGET, TrainedExperiment, pack, write_split
from xgboost import XGBClassifier

from millrace.algorithms.features import Feature, learn_categories, model_frame
from millrace.algorithms.preprocessing import column_transformer, median_imputer
from millrace.analytics.onnx_graph import OnnxGraph, difference
from millrace.analytics.serving import Signature, read_rows
from millrace.errors import EvaluationInvalid, ServingRefused
from sagemaker_scripts import export
from sagemaker_scripts.artefact import Artefact, json_rows, open_artefact
from sagemaker_scripts.container import ProcessingPaths

CASES = [(task, algorithm) for task in FRAMES for algorithm in ("linear", "random_forest", "xgboost")]


def container(experiment: TrainedExperiment, algorithm: str, base: Path, rows: pd.DataFrame | None = None) -> str:
    """A processing job's directories with the trained model; answers the digest that the registry would know."""
    model = experiment.results[algorithm].base / "model"
    pack(model, base / "processing/input/model/model.tar.gz")
    data = experiment.experiment.data["test"] if rows is None else rows
    write_split(base / "processing/input/test", data)
    digest: str = json.loads((model / "manifest.json").read_text())["artifact_digest"]
    return digest


def exported(experiment: TrainedExperiment, algorithm: str, base: Path) -> dict[str, Any]:
    export.export(ProcessingPaths(base), container(experiment, algorithm, base))
    document: dict[str, Any] = json.loads((base / "processing/output/serving.json").read_text())
    return document


@pytest.mark.parametrize(("task", "algorithm"), CASES)
def test_every_algorithm_exports_and_predicts_as_trained(
    task: str, algorithm: str, trained: Callable[[str], TrainedExperiment], tmp_path: Path
) -> None:
    document = exported(trained(task), algorithm, tmp_path)

    assert document["served_by"] == "lambda", document["refusal"]
    assert document["parity"]["rows"] > 100
    artefact = open_artefact(trained(task).results[algorithm].base / "model")
    assert document["artifact_digest"] == artefact.manifest["artifact_digest"]
    # Rows that neither training nor the gate has seen.
    frame = FRAMES[task](rows=1000, seed=77)
    signature = Signature.of(document)
    graph = OnnxGraph((tmp_path / "processing/output/model.onnx").read_bytes(), signature)
    names = [feature["name"] for feature in FEATURES]
    typed = frame.astype({"code": "string"})
    apart = difference(graph.scores(read_rows(json_rows(typed, names), signature)), artefact.scores(typed))
    assert apart.max() < 1e-6


def test_the_document_vouches_for_its_files(trained: Callable[[str], TrainedExperiment], tmp_path: Path) -> None:
    document = exported(trained("binary"), "linear", tmp_path)

    found = {path.name for path in (tmp_path / "processing/output").iterdir()}
    assert found == {"model.onnx", "golden.json", "serving.json"}
    for name, sha256 in document["files"].items():
        assert hashlib.sha256((tmp_path / "processing/output" / name).read_bytes()).hexdigest() == sha256
    assert document["files"].keys() == {"model.onnx", "golden.json"}
    manifest = trained("binary").results["linear"].manifest
    assert {key: document[key] for key in ("task", "classes", "threshold", "features")} == {
        key: manifest[key] for key in ("task", "classes", "threshold", "features")
    }


def test_another_artefact_than_the_registered_one_is_not_opened(
    trained: Callable[[str], TrainedExperiment], tmp_path: Path
) -> None:
    container(trained("binary"), "linear", tmp_path)

    with pytest.raises(EvaluationInvalid, match="it was changed"):
        export.export(ProcessingPaths(tmp_path), "0" * 64)


def an_artefact(pipeline: Any, numbers: Any, rows: pd.DataFrame, fit_on: pd.DataFrame) -> Artefact:
    features = (Feature("age", "integer"), Feature("income", "number"), Feature("home", "category"))
    features = learn_categories(model_frame(rows, features), features)
    columns = column_transformer(features, numbers)
    fitted = Pipeline([("columns", columns), ("model", pipeline)])
    fitted.fit(model_frame(fit_on, features), (fit_on[TARGET] == "good").astype(int))
    manifest = {
        "artifact_digest": "d", "algorithm": "a", "task": "binary", "target": TARGET, "classes": ["bad", "good"],
        "threshold": 0.5, "features": [{"name": f.name, "kind": f.kind, "categories": f.categories} for f in features],
    }  # fmt: skip
    return Artefact(fitted, manifest)


def test_a_silently_wrong_conversion_is_refused_with_how_wrong_it_is(tmp_path: Path) -> None:
    """A forest that splits on missing values converts without a word, and answers them wrongly."""
    rows = FRAMES["binary"](rows=600, seed=5)
    artefact = an_artefact(RandomForestClassifier(n_estimators=20, random_state=1), "passthrough", rows, rows)

    document = export.serving_artefact(artefact, rows, tmp_path)

    assert document["served_by"] == "sagemaker"
    assert "predicts otherwise than the trained pipeline on" in document["refusal"]
    assert list(tmp_path.iterdir()) == []


def test_a_fault_that_only_missing_values_show_is_found_on_rows_that_miss_nothing(tmp_path: Path) -> None:
    rows = FRAMES["binary"](rows=600, seed=5)
    complete = rows.dropna()
    artefact = an_artefact(RandomForestClassifier(n_estimators=20, random_state=1), "passthrough", rows, rows)

    assert len(complete) > 100
    with pytest.raises(ServingRefused, match="on 1 of"):
        export.parity(artefact, export.converted(artefact), complete)


def test_a_pipeline_that_does_not_convert_is_refused_with_the_converters_words(tmp_path: Path) -> None:
    rows = FRAMES["binary"](rows=300, seed=5)
    artefact = an_artefact(XGBClassifier(booster="gblinear", n_estimators=2), SimpleImputer(), rows, rows)

    document = export.serving_artefact(artefact, rows, tmp_path)

    assert document["served_by"] == "sagemaker"
    assert "does not convert to ONNX" in document["refusal"]
    assert document["parity"] is None


def test_scaling_in_front_of_trees_is_refused(tmp_path: Path) -> None:
    rows = FRAMES["binary"](rows=2000, seed=5)
    numbers = Pipeline([("impute", SimpleImputer()), ("scale", StandardScaler())])
    artefact = an_artefact(RandomForestClassifier(n_estimators=60, random_state=1), numbers, rows, rows)

    assert export.serving_artefact(artefact, rows, tmp_path)["served_by"] == "sagemaker"


@pytest.mark.parametrize("names", [["label", "probabilities"], ["variable", "two words"], ["größe", "a/b:0"]])
def test_columns_may_be_called_as_the_graphs_own_outputs(names: list[str], tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    rows = pd.DataFrame({names[0]: rng.normal(size=300), names[1]: rng.choice(["x", "y"], 300)})
    features = (Feature(names[0], "number"), Feature(names[1], "category", ("x", "y")))
    fitted = Pipeline([("columns", column_transformer(features, median_imputer())), ("model", LogisticRegression())])
    fitted.fit(model_frame(rows, features), (rows[names[0]] > 0.3).astype(int))
    manifest = {
        "artifact_digest": "d", "algorithm": "a", "task": "binary", "target": "t", "classes": [False, True],
        "threshold": 0.5, "features": [{"name": f.name, "kind": f.kind, "categories": f.categories} for f in features],
    }  # fmt: skip
    artefact = Artefact(fitted, manifest)

    assert export.parity(artefact, export.converted(artefact), rows)["worst_difference"] < 1e-6


def test_the_libraries_come_before_what_is_installed_even_where_google_is_taken(tmp_path: Path) -> None:
    """As in the image: an older protobuf's .pth file claims the namespace before any of our code runs."""
    (tmp_path / "installed/google/protobuf").mkdir(parents=True)
    (tmp_path / "installed/google/protobuf/__init__.py").write_text("which = 'the image'")
    (tmp_path / "given").mkdir()
    with zipfile.ZipFile(tmp_path / "given/libraries.zip", "w") as archive:
        archive.writestr("google/protobuf/__init__.py", "which = 'ours'")
    program = f"""
import sys, types
claimed = types.ModuleType("google")
claimed.__path__ = [{str(tmp_path / "installed/google")!r}]
sys.modules["google"] = claimed
from pathlib import Path
from sagemaker_scripts.export import add_libraries
add_libraries(Path({str(tmp_path / "given")!r}), Path({str(tmp_path / "unpacked")!r}))
import google.protobuf
print(google.protobuf.which)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "ours"


def test_the_job_says_how_it_failed_where_the_service_shows_it(
    trained: Callable[[str], TrainedExperiment], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    container(trained("binary"), "linear", tmp_path)
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))

    assert export.main(["--artifact_digest", "0" * 64]) == 1
    assert "EvaluationInvalid: the artefact's digest is" in (tmp_path / "output/message").read_text()
