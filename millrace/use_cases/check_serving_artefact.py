"""Check a serving artefact where it will serve, and put it beside its model version."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from statistics import median
from typing import Any

import numpy as np

from millrace.analytics.onnx_graph import OnnxGraph, difference
from millrace.analytics.serving import Signature, read_rows
from millrace.domain import place
from millrace.domain.place import ARCHIVE_FILE, GOLDEN_FILE, GRAPH_FILE, SERVING_FILE
from millrace.errors import EvaluationInvalid, NotFound, ServingRefused
from millrace.ports import ModelRegistry, ObjectStore, RunLedger

LAMBDA = "lambda"
# Another processor sums in another order; anything beyond that is another model.
GOLDEN_TOLERANCE = 1e-5
_TIMED_CALLS = 50


def check_serving_artefact(
    *,
    registry: ModelRegistry,
    ledger: RunLedger,
    store: ObjectStore,
    artifacts_bucket: str,
    run_id: str,
    model: str,
    number: int,
    serving_uri: str,
) -> dict[str, Any]:
    """serving.json as it was put at `models/{model}/v{n}/serving/`, with what this runtime measured.

    A version without a graph is not checked here: its archive is put there, and DeployEndpoint checks what it answers.
    Raises ServingRefused when the golden rows are answered otherwise, EvaluationInvalid for another model's artefact.
    """
    version = registry.get(model, number)
    document = _document(store, serving_uri)
    if document["artifact_digest"] != version.artifact_digest:
        raise EvaluationInvalid(f"the serving artefact of run {run_id} was not made from {version.id}")

    def put(name: str, content: bytes) -> None:
        store.write(place.serving_uri(artifacts_bucket, model, number, name), content)

    if document["served_by"] != LAMBDA:
        put(GOLDEN_FILE, _file(store, serving_uri, GOLDEN_FILE, document["files"]))
        archive = place.serving_uri(artifacts_bucket, model, number, ARCHIVE_FILE)
        store.copy(f"{serving_uri}/{ARCHIVE_FILE}", archive)
        put(SERVING_FILE, _json(document))
        ledger.annotate(run_id, outcome=_endpoint_outcome(version.id, document))
        return document
    files = {name: _file(store, serving_uri, name, document["files"]) for name in (GRAPH_FILE, GOLDEN_FILE)}
    checked = {**document, "check": _checked(document, files)}
    for name, content in files.items():
        put(name, content)
    # Written last: where it lies, the rest lies too.
    put(SERVING_FILE, _json(checked))
    ledger.annotate(run_id, outcome=_outcome(version.id, checked))
    return checked


def _document(store: ObjectStore, serving_uri: str) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(store.read(f"{serving_uri}/{SERVING_FILE}"))
    except NotFound as error:
        raise EvaluationInvalid("the export job ended without a serving artefact") from error
    # What another runtime found, where this was taken over from another environment, says nothing here.
    return {name: said for name, said in document.items() if name not in ("check", "endpoint")}


def _file(store: ObjectStore, serving_uri: str, name: str, known: Mapping[str, str]) -> bytes:
    content = store.read(f"{serving_uri}/{name}")
    if hashlib.sha256(content).hexdigest() != known[name]:
        raise EvaluationInvalid(f"{name} is not the file that {SERVING_FILE} vouches for")
    return content


def _checked(document: Mapping[str, Any], files: Mapping[str, bytes]) -> dict[str, Any]:
    """The golden rows, from JSON to scores, as a request would bring them."""
    signature, golden = Signature.of(document), json.loads(files[GOLDEN_FILE])
    started = time.perf_counter()
    graph = OnnxGraph(files[GRAPH_FILE], signature)
    loaded = time.perf_counter()
    found = graph.scores(read_rows(golden["rows"], signature))
    worst = float(difference(found, np.asarray(golden["scores"], dtype=np.float64)).max())
    if not worst <= GOLDEN_TOLERANCE:
        raise ServingRefused(f"the golden rows are answered otherwise than in training, by up to {worst:.3g}")
    return {
        "golden_rows": len(golden["rows"]),
        "worst_difference": worst,
        "size_bytes": len(files[GRAPH_FILE]),
        "load_ms": (loaded - started) * 1000,
        "single_row_p50_ms": _single_row_ms(graph, signature, golden["rows"][:1]),
    }


def _single_row_ms(graph: OnnxGraph, signature: Signature, row: list[dict[str, Any]]) -> float:
    times = []
    for _ in range(_TIMED_CALLS):
        started = time.perf_counter()
        graph.scores(read_rows(row, signature))
        times.append((time.perf_counter() - started) * 1000)
    return median(times)


def _endpoint_outcome(version_id: str, document: Mapping[str, Any]) -> str:
    why = document["refusal"] or "its dataset's settings say so"
    return f"{version_id} is served by a {document['endpoint_kind']} SageMaker endpoint: {why}"


def _outcome(version_id: str, checked: Mapping[str, Any]) -> str:
    parity, check = checked["parity"], checked["check"]
    return (
        f"{version_id} answers {parity['rows']} rows as trained: the held-out ones, one with nothing known and one of "
        f"unknown categories (worst difference {parity['worst_difference']:.1g}); one row takes "
        f"{check['single_row_p50_ms']:.2g} ms."
    )


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False).encode()
