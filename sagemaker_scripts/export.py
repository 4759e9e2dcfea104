"""Makes a model version's serving artefact, inside a SageMaker processing job: an ONNX graph that is proven equal.

The job runs in the image that trained, so the pipeline is opened with the packages that wrote it. What the image lacks
(onnx and its converters) comes as a zip of wheels, unpacked in front of everything else: no network is needed.

`serving.json` says how the version is served. A graph that does not predict what the pipeline predicts is refused: then
there is no graph, `served_by` is "sagemaker" and `refusal` says why.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from millrace.algorithms.base import REGRESSION
from millrace.analytics.container_archive import write_container_archive
from millrace.analytics.onnx_graph import OnnxGraph, difference
from millrace.analytics.serving import Signature, read_rows
from millrace.errors import EvaluationInvalid, ServingRefused
from millrace.settings import ContainerSettings
from sagemaker_scripts import rows as splits
from sagemaker_scripts.artefact import GOLDEN_FILE, Artefact, extract, json_rows, open_artefact
from sagemaker_scripts.container import ProcessingPaths, reproducible_sums, run, say, write_json

GRAPH_FILE, SERVING_FILE = "model.onnx", "serving.json"
ARCHIVE_FILE = "container.tar.gz"
LAMBDA, SAGEMAKER, SERVERLESS = "lambda", "sagemaker", "serverless"
# Beyond what float32 costs; the known wrong conversions differ by a thousand times as much on some rows.
TOLERANCE = 1e-5
# A fault that touches one row in ten thousand is seen, and more rows would only take longer.
MAX_PARITY_ROWS = 50_000
UNKNOWN_CATEGORY = "\u2047 a category that no training row had"
# The newest operator sets that onnx, the converters and the runtime of the lock all know.
OPSETS = {"": 18, "ai.onnx.ml": 3}


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--artifact_digest", required=True)
    parser.add_argument("--served_by", default=LAMBDA)
    arguments = parser.parse_args(argv)
    paths = ProcessingPaths(ContainerSettings.from_env().base_dir)
    return run(lambda: export(paths, arguments.artifact_digest, arguments.served_by), paths.message)


def export(paths: ProcessingPaths, artifact_digest: str, served_by: str = LAMBDA) -> None:
    """The whole job. Raises EvaluationInvalid when the artefact is not the registered one, or there are no rows."""
    paths.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, reproducible_sums():
        add_libraries(paths.input("libraries"), Path(scratch) / "libraries")
        model = Path(scratch) / "model"
        extract(paths.input("model") / "model.tar.gz", model)
        artefact = open_artefact(model, expected_digest=artifact_digest)
        rows = splits.read_rows(paths.input("test"), artefact.features, artefact.manifest["target"]).frame
        if served_by == LAMBDA:
            document = serving_artefact(artefact, rows.head(MAX_PARITY_ROWS), paths.output)
        else:
            document = {**described(artefact), "served_by": SAGEMAKER}
        golden = (model / GOLDEN_FILE).read_bytes()
    if document["served_by"] == SAGEMAKER:
        document["endpoint_kind"] = SERVERLESS if served_by == LAMBDA else served_by
        _write_archive(paths)
    (paths.output / GOLDEN_FILE).write_bytes(golden)
    document["files"][GOLDEN_FILE] = hashlib.sha256(golden).hexdigest()
    write_json(paths.output / SERVING_FILE, document)
    say("exported", {key: document[key] for key in ("served_by", "refusal", "parity")})


def _write_archive(paths: ProcessingPaths) -> None:
    """The model with the code that answers, for an endpoint: it is started without an entry point of ours."""
    (code_zip,) = paths.input("code").glob("*.zip")
    with (paths.input("model") / "model.tar.gz").open("rb") as model:
        write_container_archive(model, code_zip, paths.output / ARCHIVE_FILE)


def described(artefact: Artefact) -> dict[str, Any]:
    """serving.json of a version, before it is known how it is served."""
    return {
        "artifact_digest": artefact.manifest["artifact_digest"],
        **{key: artefact.manifest[key] for key in ("algorithm", "task", "target", "classes", "threshold", "features")},
        "served_by": LAMBDA,
        "refusal": None,
        "parity": None,
        "files": {},
    }


def add_libraries(directory: Path, target: Path) -> None:
    """Unpack the zips in `directory` and put them in front of the path. Compiled modules cannot load from a zip."""
    for archive in sorted(directory.glob("*.zip")):
        with zipfile.ZipFile(archive) as content:
            content.extractall(target)
    sys.path.insert(0, str(target))
    # The image's protobuf claims the namespace `google` for itself when Python starts.
    for name in [name for name in sys.modules if name == "google" or name.startswith("google.")]:
        del sys.modules[name]


def serving_artefact(artefact: Artefact, rows: pd.DataFrame, directory: Path) -> dict[str, Any]:
    """Write the graph into `directory` unless it is refused; answer serving.json."""
    document = described(artefact)
    try:
        graph = converted(artefact)
        document["parity"] = parity(artefact, graph, rows)
    except ServingRefused as refusal:
        return {**document, "served_by": SAGEMAKER, "refusal": str(refusal)}
    (directory / GRAPH_FILE).write_bytes(graph)
    document["files"][GRAPH_FILE] = hashlib.sha256(graph).hexdigest()
    return document


def converted(artefact: Artefact) -> bytes:
    """The whole pipeline as one graph. Raises ServingRefused with the converter's words."""
    from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost
    from skl2onnx import convert_sklearn, update_registered_converter
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType
    from skl2onnx.common.shape_calculator import (
        calculate_linear_classifier_output_shapes,
        calculate_linear_regressor_output_shapes,
    )
    from xgboost import XGBClassifier, XGBRegressor

    update_registered_converter(
        XGBClassifier,
        "XGBoostXGBClassifier",
        calculate_linear_classifier_output_shapes,
        convert_xgboost,
        options={"nocl": [True, False], "zipmap": [True, False, "columns"]},
    )
    update_registered_converter(
        XGBRegressor, "XGBoostXGBRegressor", calculate_linear_regressor_output_shapes, convert_xgboost
    )
    inputs = [
        (feature.name, StringTensorType([None, 1]) if feature.is_category else FloatTensorType([None, 1]))
        for feature in artefact.features
    ]
    pipeline = artefact.pipeline
    options = {} if artefact.manifest["task"] == REGRESSION else {id(pipeline): {"zipmap": False}}
    try:
        graph = convert_sklearn(pipeline, initial_types=inputs, options=options, target_opset=OPSETS)
    except Exception as error:  # converters raise what they like
        raise ServingRefused(f"the pipeline does not convert to ONNX: {type(error).__name__}: {error}") from error
    content: bytes = graph.SerializeToString()
    return content


def parity(artefact: Artefact, graph: bytes, rows: pd.DataFrame) -> dict[str, Any]:
    """How the graph's scores differ from the pipeline's on raw `rows` and on two rows that nobody has seen.

    Each goes its own whole way: the graph from rows of JSON, as a request brings them, the pipeline from the frame.
    Raises ServingRefused when a row differs by more than TOLERANCE, or cannot be read.
    """
    names = [feature.name for feature in artefact.features]
    if not len(rows):
        raise EvaluationInvalid("the test split has no row to compare predictions on")
    strange = pd.DataFrame([_missing(artefact), _unknown(artefact, rows)], columns=names, dtype=object)
    signature = Signature.of(artefact.manifest)
    reader = OnnxGraph(graph, signature)
    apart = np.concatenate(
        [
            difference(reader.scores(read_rows(json_rows(frame, names), signature)), artefact.scores(frame))
            for frame in (rows[names], strange)
        ]
    )
    wrong = int((apart > TOLERANCE).sum())
    if wrong:
        raise ServingRefused(
            f"the ONNX graph predicts otherwise than the trained pipeline on {wrong} of {len(apart)} rows, by up to "
            f"{float(apart.max()):.3g}; {TOLERANCE:g} is allowed"
        )
    return {"rows": len(apart), "worst_difference": float(apart.max()), "tolerance": TOLERANCE}


def _missing(artefact: Artefact) -> list[Any]:
    return [None] * len(artefact.features)


def _unknown(artefact: Artefact, rows: pd.DataFrame) -> list[Any]:
    """The first row, with categories that do not exist."""
    first = json_rows(rows.head(1), [feature.name for feature in artefact.features])[0]
    return [UNKNOWN_CATEGORY if f.is_category else first[f.name] for f in artefact.features]


if __name__ == "__main__":
    sys.exit(main())
