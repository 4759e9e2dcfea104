"""The model artefact: what training writes, and how it is opened again without trusting it.

`manifest.json` names the files and their hashes; `artifact_digest` is SHA-256 over the sorted `name sha256` lines of
the files and of the manifest itself (as canonical JSON, without the digest). Unpickling runs code, so nothing is
unpickled before the digest is proven.
"""

from __future__ import annotations

import hashlib
import json
import platform
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import numpy.typing as npt
import pandas as pd

from millrace.algorithms.base import REGRESSION
from millrace.algorithms.features import Feature, model_frame
from millrace.errors import EvaluationInvalid

PIPELINE_FILE, ENVIRONMENT_FILE, GOLDEN_FILE, MANIFEST_FILE = (
    "model.joblib",
    "environment.json",
    "golden.json",
    "manifest.json",
)
GOLDEN_ROWS = 10
# Other processors sum in other orders; anything beyond that is another model.
GOLDEN_TOLERANCE = 1e-5
_LIBRARIES = ("joblib", "numpy", "pandas", "pyarrow", "scipy", "sklearn", "xgboost")


@dataclass(frozen=True)
class Artefact:
    """A fitted pipeline with what is known about it. `manifest` is manifest.json."""

    pipeline: Any
    manifest: Mapping[str, Any]

    @property
    def features(self) -> tuple[Feature, ...]:
        return features_of(self.manifest)

    def scores(self, frame: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Probabilities (rows, classes) or numbers (rows,) for raw rows. Raises InvalidInput for a missing column."""
        return scores_of(self.pipeline, self.manifest["task"], model_frame(frame, self.features))


def features_of(manifest: Mapping[str, Any]) -> tuple[Feature, ...]:
    return tuple(Feature(f["name"], f["kind"], tuple(f["categories"])) for f in manifest["features"])


def scores_of(pipeline: Any, task: str, frame: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Probabilities (rows, classes) or numbers (rows,) for a model frame."""
    answer = pipeline.predict(frame) if task == REGRESSION else pipeline.predict_proba(frame)
    return np.asarray(answer, dtype=np.float64)


def write_artefact(directory: Path, pipeline: Any, manifest: Mapping[str, Any], rows: pd.DataFrame) -> str:
    """Write the artefact with golden rows taken from `rows` (raw); answer its digest."""
    directory.mkdir(parents=True, exist_ok=True)
    joblib.dump(pipeline, directory / PIPELINE_FILE)
    golden = golden_rows(Artefact(pipeline, manifest), rows.head(GOLDEN_ROWS))
    _write(directory / ENVIRONMENT_FILE, _environment())
    _write(directory / GOLDEN_FILE, golden)
    files = {name: _sha256(directory / name) for name in (PIPELINE_FILE, ENVIRONMENT_FILE, GOLDEN_FILE)}
    described = {**manifest, "files": files}
    digest = artifact_digest(described)
    _write(directory / MANIFEST_FILE, {**described, "artifact_digest": digest})
    return digest


def artifact_digest(manifest: Mapping[str, Any]) -> str:
    """SHA-256 over the sorted `name sha256` lines of the files and of the manifest without its digest."""
    described = {name: value for name, value in manifest.items() if name != "artifact_digest"}
    own = hashlib.sha256(_canonical(described)).hexdigest()
    lines = sorted(f"{name} {sha256}\n" for name, sha256 in {**manifest["files"], MANIFEST_FILE: own}.items())
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def extract(archive: Path, directory: Path) -> None:
    """Unpack a model.tar.gz. Raises EvaluationInvalid when it is broken or reaches outside `directory`."""
    try:
        with tarfile.open(archive, "r:gz") as tar:
            tar.extractall(directory, filter="data")
    except (tarfile.TarError, EOFError, OSError) as error:
        raise EvaluationInvalid(f"{archive.name} cannot be unpacked: {error}") from error


def open_artefact(directory: Path, *, expected_digest: str | None = None) -> Artefact:
    """The artefact in `directory`, after its digest and its golden rows were proven, in this order.

    `expected_digest` comes from outside (the registry's, for a champion); without it the manifest's own must hold.
    Raises EvaluationInvalid saying what does not match.
    """
    manifest = _proven_manifest(directory, expected_digest)
    artefact = Artefact(joblib.load(directory / PIPELINE_FILE), manifest)
    _reproduce(artefact, _read(directory / GOLDEN_FILE))
    return artefact


def golden_rows(artefact: Artefact, rows: pd.DataFrame) -> dict[str, Any]:
    """Rows as JSON, and the scores for exactly these JSON rows."""
    names = [feature.name for feature in artefact.features]
    told = json_rows(rows, names)
    return {"rows": told, "scores": artefact.scores(frame_of(told, names)).tolist()}


def json_rows(rows: pd.DataFrame, names: Sequence[str]) -> list[dict[str, Any]]:
    """Raw columns as JSON rows: what is missing is null, moments are ISO 8601."""
    columns = [[_json_value(value) for value in rows[name]] for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def frame_of(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> pd.DataFrame:
    """JSON rows as raw columns."""
    return pd.DataFrame({name: pd.Series([row.get(name) for row in rows], dtype=object) for name in names})


def _reproduce(artefact: Artefact, golden: Mapping[str, Any]) -> None:
    names = [feature.name for feature in artefact.features]
    again, told = artefact.scores(frame_of(golden["rows"], names)), np.asarray(golden["scores"], dtype=np.float64)
    if again.shape != told.shape:
        raise EvaluationInvalid(f"the model answers {again.shape} for golden rows that were answered with {told.shape}")
    scale = np.maximum(1.0, np.abs(told))
    wrong = np.abs(again - told) / scale > GOLDEN_TOLERANCE
    if wrong.any():
        raise EvaluationInvalid(
            f"the model no longer reproduces its golden rows: {int(wrong.sum())} of {wrong.size} scores differ, by up "
            f"to {float(np.abs(again - told).max()):.3g}. It was trained with other packages; see environment.json"
        )


def _proven_manifest(directory: Path, expected_digest: str | None) -> dict[str, Any]:
    manifest = _read(directory / MANIFEST_FILE)
    try:
        files, told = dict(manifest["files"]), manifest["artifact_digest"]
        found = artifact_digest(manifest)
    except (KeyError, TypeError) as error:
        raise EvaluationInvalid(f"manifest.json is not one of ours: {error!r}") from error
    if found != (told if expected_digest is None else expected_digest):
        raise EvaluationInvalid(f"the artefact's digest is {found}, expected {expected_digest or told}: it was changed")
    if PIPELINE_FILE not in files or GOLDEN_FILE not in files:
        raise EvaluationInvalid("manifest.json does not vouch for the pipeline and its golden rows")
    for name, sha256 in files.items():
        if not (directory / name).is_file() or _sha256(directory / name) != sha256:
            raise EvaluationInvalid(f"{name} is not the file the manifest vouches for: it is refused, unopened")
    return manifest


def _environment() -> dict[str, Any]:
    import importlib

    packages = {name: str(importlib.import_module(name).__version__) for name in _LIBRARIES}
    return {"python": platform.python_version(), "packages": packages}


def _json_value(value: Any) -> Any:
    if value is None or pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return value.item() if isinstance(value, np.generic) else value


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _canonical(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, allow_nan=False, sort_keys=True, separators=(",", ":")).encode()


def _write(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, allow_nan=False, sort_keys=True, indent=1) + "\n", "utf-8")


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise EvaluationInvalid(f"{path.name} of the artefact cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise EvaluationInvalid(f"{path.name} of the artefact is not a JSON object")
    return content
