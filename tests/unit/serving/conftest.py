"""A small model, exported as the job exports it, in a world of fakes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from millrace.algorithms.features import Feature, model_frame
from millrace.algorithms.preprocessing import column_transformer, median_imputer
from millrace.domain import place
from millrace.domain.model import ModelVersion
from millrace.use_cases.check_serving_artefact import check_serving_artefact
from sagemaker_scripts import export
from sagemaker_scripts.artefact import Artefact, golden_rows
from tests.builders import ARTIFACTS_BUCKET, later
from tests.unit.use_cases.world import World

FEATURES = (Feature("age", "integer"), Feature("home", "category", ("own", "rent")))
SERVING_URI = place.run_uri(ARTIFACTS_BUCKET, "deployment-1", "serving")


@dataclass(frozen=True)
class Exported:
    """What the export job leaves of one model: name → content, and the pipeline itself."""

    artefact: Artefact
    files: dict[str, bytes]

    @property
    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.files["serving.json"])
        return document

    def saying(self, **facts: Any) -> dict[str, bytes]:
        """The files, with other words in serving.json."""
        return {**self.files, "serving.json": json.dumps(self.document | facts).encode()}


def exported(directory: Path, seed: int, digest: str) -> Exported:
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame({"age": rng.integers(18, 80, 200), "home": rng.choice(["own", "rent"], 200)})
    truth = ((rows["age"] > 40) ^ (rng.random(200) < 0.2)).astype(int)
    pipeline = Pipeline([("columns", column_transformer(FEATURES, median_imputer())), ("m", LogisticRegression())])
    pipeline.fit(model_frame(rows, FEATURES), truth)
    manifest = {
        "artifact_digest": digest,
        "algorithm": "linear",
        "task": "binary",
        "target": "status",
        "classes": ["bad", "good"],
        "threshold": 0.5,
        "features": [{"name": f.name, "kind": f.kind, "categories": list(f.categories)} for f in FEATURES],
    }
    artefact = Artefact(pipeline, manifest)
    document = export.serving_artefact(artefact, rows, directory)
    golden = json.dumps(golden_rows(artefact, rows.head(10))).encode()
    document["files"]["golden.json"] = hashlib.sha256(golden).hexdigest()
    graph = (directory / "model.onnx").read_bytes()
    return Exported(
        artefact, {"model.onnx": graph, "golden.json": golden, "serving.json": json.dumps(document).encode()}
    )


@pytest.fixture(scope="session")
def first(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return exported(tmp_path_factory.mktemp("first"), 1, "digest-random_forest")


@pytest.fixture(scope="session")
def second(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return exported(tmp_path_factory.mktemp("second"), 2, "digest-xgboost")


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def versions(world: World) -> list[ModelVersion]:
    """Registered and approved; nothing serves yet."""
    _, registered = world.trained()
    for version in registered:
        world.registry.decide("credit", version.number, approve=True, actor="ada", reason="good", at=later(1))
    return sorted(registered, key=lambda version: version.number)


def put(world: World, files: dict[str, bytes]) -> None:
    """What the export job of `deployment-1` leaves behind."""
    for name, content in files.items():
        world.store.write(f"{SERVING_URI}/{name}", content)


def check(world: World, number: int = 1) -> dict[str, Any]:
    return check_serving_artefact(
        registry=world.registry,
        ledger=world.ledger,
        store=world.store,
        artifacts_bucket=ARTIFACTS_BUCKET,
        run_id="deployment-1",
        model="credit",
        number=number,
        serving_uri=SERVING_URI,
    )


def promote(world: World, number: int) -> None:
    present = world.registry.model("credit").aliases.get("champion")
    world.registry.move_alias("credit", "champion", number, expected=present, actor="ada", reason="good", at=later(2))
