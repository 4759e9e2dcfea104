"""Nothing of an artefact is unpickled unless its digest is proven, and a proven one must still answer as it did."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
import pytest
from training_containers import Bomb, TrainedExperiment, manifest_of, vouch

from millrace.errors import EvaluationInvalid
from sagemaker_scripts.artefact import artifact_digest, extract, frame_of, open_artefact

Trained = Callable[[str], TrainedExperiment]


@pytest.fixture
def model(trained: Trained, tmp_path: Path) -> Path:
    """A trained artefact that the test may change."""
    return Path(shutil.copytree(trained("binary").results["linear"].base / "model", tmp_path / "model"))


def test_an_untouched_artefact_opens_with_the_digest_it_was_registered_with(model: Path) -> None:
    digest = manifest_of(model)["artifact_digest"]
    assert open_artefact(model, expected_digest=digest).manifest["artifact_digest"] == digest


def test_the_digest_is_the_hash_of_the_sorted_names_and_hashes_of_the_files_and_the_manifest(model: Path) -> None:
    manifest = manifest_of(model)
    told = {name: value for name, value in manifest.items() if name != "artifact_digest"}
    own = hashlib.sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    hashes = {name: hashlib.sha256((model / name).read_bytes()).hexdigest() for name in manifest["files"]}
    lines = "".join(f"{name} {value}\n" for name, value in sorted({**hashes, "manifest.json": own}.items()))
    assert manifest["artifact_digest"] == hashlib.sha256(lines.encode()).hexdigest()


def test_a_poisoned_pipeline_is_refused_unopened(model: Path, tmp_path: Path) -> None:
    crater = tmp_path / "crater"
    joblib.dump(Bomb(crater), model / "model.joblib")
    with pytest.raises(EvaluationInvalid, match=r"model\.joblib is not the file the manifest vouches for"):
        open_artefact(model)
    assert not crater.exists()
    pickle.loads(pickle.dumps(Bomb(crater)))  # noqa: S301 - the bomb is real
    assert crater.exists()


def test_a_poisoned_pipeline_with_a_manifest_to_match_is_refused_by_the_registered_digest(
    model: Path, tmp_path: Path
) -> None:
    registered, crater = manifest_of(model)["artifact_digest"], tmp_path / "crater"
    joblib.dump(Bomb(crater), model / "model.joblib")
    vouch(model)
    with pytest.raises(EvaluationInvalid, match=f"expected {registered}: it was changed"):
        open_artefact(model, expected_digest=registered)
    assert not crater.exists()


@pytest.mark.parametrize("change", [{"classes": ["good", "bad"]}, {"threshold": 0.99}, {"task": "multiclass"}])
def test_a_changed_manifest_is_refused(model: Path, change: dict[str, Any]) -> None:
    (model / "manifest.json").write_text(json.dumps({**manifest_of(model), **change}))
    with pytest.raises(EvaluationInvalid, match="it was changed"):
        open_artefact(model)


def test_a_manifest_that_does_not_vouch_for_the_pipeline_is_refused(model: Path) -> None:
    manifest = manifest_of(model)
    del manifest["files"]["model.joblib"]
    manifest["artifact_digest"] = artifact_digest(manifest)
    (model / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(EvaluationInvalid, match="does not vouch for the pipeline"):
        open_artefact(model)


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"files": 3, "artifact_digest": ""}'])
def test_a_manifest_that_is_not_ours_is_refused(model: Path, content: str) -> None:
    (model / "manifest.json").write_text(content)
    with pytest.raises(EvaluationInvalid, match=r"manifest\.json"):
        open_artefact(model)


def test_a_missing_file_is_refused(model: Path) -> None:
    (model / "golden.json").unlink()
    with pytest.raises(EvaluationInvalid, match=r"golden\.json is not the file"):
        open_artefact(model)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_an_artefact_that_no_longer_reproduces_its_golden_rows_is_refused(
    trained: Trained, tmp_path: Path, task: str
) -> None:
    model = Path(shutil.copytree(trained(task).results["xgboost"].base / "model", tmp_path / "model"))
    golden = json.loads((model / "golden.json").read_text())
    first = golden["scores"][0]
    golden["scores"][0] = first * 1.001 if task == "regression" else [first[0] + 1e-3, *first[1:]]
    (model / "golden.json").write_text(json.dumps(golden))
    vouch(model)
    with pytest.raises(EvaluationInvalid, match="no longer reproduces its golden rows: 1 of "):
        open_artefact(model)


def test_golden_rows_of_another_shape_are_refused(model: Path) -> None:
    golden = json.loads((model / "golden.json").read_text())
    golden["scores"] = golden["scores"][:-1]
    (model / "golden.json").write_text(json.dumps(golden))
    vouch(model)
    with pytest.raises(EvaluationInvalid, match=r"answers \(10, 2\) for golden rows that were answered with \(9, 2\)"):
        open_artefact(model)


def test_rows_as_json_are_answered_like_rows_from_parquet(trained: Trained) -> None:
    experiment = trained("binary")
    artefact = open_artefact(experiment.results["random_forest"].base / "model")
    frame = experiment.experiment.data["test"].head(30)
    names = [feature.name for feature in artefact.features]
    rows = json.loads(frame[names].to_json(orient="records", date_format="iso"))
    assert artefact.scores(frame_of(rows, names)) == pytest.approx(artefact.scores(frame), abs=1e-12)
    assert isinstance(frame_of([{}], names), pd.DataFrame)


def tarred(path: Path, name: str, content: bytes = b"x", kind: bytes = tarfile.REGTYPE, link: str = "") -> Path:
    with tarfile.open(path, "w:gz") as tar:
        member = tarfile.TarInfo(name)
        member.size, member.type, member.linkname = (len(content) if not link else 0), kind, link
        tar.addfile(member, io.BytesIO(content))
    return path


@pytest.mark.parametrize(
    "archive",
    [
        {"name": "../outside"},
        {"name": "link", "kind": tarfile.SYMTYPE, "link": "/etc/passwd"},
        {"name": "link", "kind": tarfile.LNKTYPE, "link": "../outside"},
        {"name": "device", "kind": tarfile.CHRTYPE},
    ],
)
def test_an_archive_that_reaches_outside_is_refused(tmp_path: Path, archive: dict[str, Any]) -> None:
    with pytest.raises(EvaluationInvalid, match=r"model.tar.gz cannot be unpacked: "):
        extract(tarred(tmp_path / "model.tar.gz", **archive), tmp_path / "inside")
    assert not (tmp_path / "outside").exists()


def test_an_archive_cut_short_is_refused(tmp_path: Path) -> None:
    archive = tarred(tmp_path / "model.tar.gz", "file", bytes(range(256)) * 4000)
    archive.write_bytes(archive.read_bytes()[:-100])
    with pytest.raises(EvaluationInvalid, match=r"model.tar.gz cannot be unpacked: "):
        extract(archive, tmp_path / "inside")
