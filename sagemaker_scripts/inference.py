"""The model behind `/ping` and `/invocations`: what the image's server calls, in an endpoint and in a transform job.

The image looks for this file in `/opt/ml/model/code`, where `millrace.analytics.container_archive` puts it. It defines
`model_fn`, called once, and `transform_fn`, called for each request. Nothing is unpickled before the artefact's digest
is the one that `ARTIFACT_DIGEST` names (the registry's, given when the SageMaker model is made).

| content type | body | answer |
|---|---|---|
| `application/json` | `{"rows": [{column: value}]}`, as `POST /inference/predict` takes them | `{"predictions": [{"prediction", "probabilities"}]}` |
| `application/jsonlines` | a row per line | a prediction per line |
| `application/vnd.apache.arrow.stream` | a table with typed columns | a table: `row_number` if it was sent, `prediction`, `probability.{class}` |

Rows stay in order, one prediction each. A request that holds a row which cannot be read is answered with an error and
without predictions.
"""  # noqa: E501  a table's row is one line

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from millrace.analytics.evaluation import labels_of
from millrace.analytics.serving import ReadRows, Signature, class_name, predictions_of, read_rows
from millrace.errors import InvalidInput
from millrace.settings import ContainerSettings
from sagemaker_scripts.artefact import Artefact, open_artefact, scores_of
from sagemaker_scripts.container import reproducible_sums
from sagemaker_scripts.rows import feature_frame

JSON, JSON_LINES, ARROW = "application/json", "application/jsonlines", "application/vnd.apache.arrow.stream"
ROW_NUMBER, PREDICTION, PROBABILITY = "row_number", "prediction", "probability."


def model_fn(model_dir: str) -> Artefact:
    """The artefact of `model_dir`. Raises EvaluationInvalid when it is not the one that was registered."""
    digest = ContainerSettings.from_env().artifact_digest
    if not digest:
        raise InvalidInput("ARTIFACT_DIGEST is not set: without it nothing is unpickled")
    return open_artefact(Path(model_dir), expected_digest=digest)


def transform_fn(artefact: Artefact, body: str | bytes, content_type: str, accept: str) -> tuple[bytes, str]:
    """The answer and its content type, which is the request's. Raises InvalidInput and RowsInvalid."""
    kind = content_type.partition(";")[0].strip()
    content = body.encode() if isinstance(body, str) else bytes(body)
    with reproducible_sums():
        if kind == ARROW:
            return _answer_table(artefact, content), ARROW
        if kind in (JSON, JSON_LINES):
            return _answer_rows(artefact, _rows_of(content, kind), kind), kind
    raise InvalidInput(f"{content_type} is not read here: send {JSON}, {JSON_LINES} or {ARROW} (asked for: {accept})")


def _rows_of(content: bytes, kind: str) -> Sequence[Mapping[str, Any]]:
    try:
        rows = [json.loads(line) for line in content.splitlines() if line.strip()]
        if kind == JSON:
            rows = json.loads(content)["rows"]
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidInput(f"the body is not {kind} with rows: {error!r}") from error
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise InvalidInput("the body holds no rows; a row is an object with a value per column")
    return rows


def _answer_rows(artefact: Artefact, rows: Sequence[Mapping[str, Any]], kind: str) -> bytes:
    signature = Signature.of(artefact.manifest)
    frame = _frame_of(read_rows(rows, signature), signature)
    scores = scores_of(artefact.pipeline, signature.task, frame)
    told = [
        {"prediction": each.prediction, "probabilities": each.probabilities or None}
        for each in predictions_of(scores.tolist(), signature)
    ]
    if kind == JSON:
        return json.dumps({"predictions": told}).encode()
    return "".join(f"{json.dumps(each)}\n" for each in told).encode()


def _frame_of(rows: ReadRows, signature: Signature) -> pd.DataFrame:
    """Read rows as the pipeline takes them: the same texts and float32 numbers as `model_frame` makes."""
    columns = {
        each.name: np.array(values, dtype=object if each.is_category else np.float32)
        for each, values in zip(signature.inputs, rows.columns, strict=True)
    }
    return pd.DataFrame(columns)


def _answer_table(artefact: Artefact, content: bytes) -> bytes:
    try:
        with pa.ipc.open_stream(content) as reader:
            table = reader.read_all()
    except pa.ArrowInvalid as error:
        raise InvalidInput(f"the body is not a stream of Arrow batches: {error}") from error
    scores = artefact.scores(feature_frame(table, artefact.features))
    answer = predictions_table(scores, Signature.of(artefact.manifest))
    if ROW_NUMBER in table.column_names:
        answer = answer.add_column(0, ROW_NUMBER, table.column(ROW_NUMBER))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, answer.schema) as writer:
        writer.write_table(answer)
    return bytes(sink.getvalue())


def predictions_table(scores: npt.NDArray[np.float64], signature: Signature) -> pa.Table:
    """Scores (rows, classes) or (rows,) as columns: `prediction` (an original label or a number), `probability.…`."""
    if not signature.classes:
        return pa.table({PREDICTION: scores})
    labels = pa.array(list(signature.classes)).take(pa.array(labels_of(signature.task, scores, signature.threshold)))
    of_classes = {f"{PROBABILITY}{class_name(label)}": scores[:, n] for n, label in enumerate(signature.classes)}
    return pa.table({PREDICTION: labels, **of_classes})
