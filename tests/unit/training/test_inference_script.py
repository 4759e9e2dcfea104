"""What a container answers: the trained predictions to the bit, in order, from an archive that vouches for itself."""

from __future__ import annotations

import http.client
import io
import json
import os
import socket
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from test_container_imports import ABSENT, code_zip
from training_containers import FEATURES, FRAMES, REPOSITORY, Bomb, TrainedExperiment, pack

from millrace.analytics.container_archive import CODE_ZIP, ENVIRONMENT, write_container_archive
from millrace.analytics.evaluation import labels_of
from millrace.errors import EvaluationInvalid, InvalidInput, RowsInvalid
from sagemaker_scripts import inference
from sagemaker_scripts.artefact import Artefact, extract, json_rows, open_artefact

NAMES = [feature["name"] for feature in FEATURES]
CASES = [(task, algorithm) for task in FRAMES for algorithm in ("linear", "random_forest", "xgboost")]


def artefact_of(trained: Callable[[str], TrainedExperiment], task: str, algorithm: str) -> Artefact:
    return open_artefact(trained(task).results[algorithm].base / "model")


def stream(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def table_of(content: bytes) -> pa.Table:
    with pa.ipc.open_stream(content) as reader:
        return reader.read_all()


def ask(artefact: Artefact, table: pa.Table) -> pa.Table:
    content, kind = inference.transform_fn(artefact, stream(table), inference.ARROW, inference.ARROW)
    assert kind == inference.ARROW
    return table_of(content)


@pytest.mark.parametrize(("task", "algorithm"), CASES)
def test_a_table_is_answered_exactly_as_trained(
    task: str, algorithm: str, trained: Callable[[str], TrainedExperiment]
) -> None:
    artefact = artefact_of(trained, task, algorithm)
    frame = FRAMES[task](rows=1000, seed=77)[NAMES].astype({"code": "string"})
    rows = pa.Table.from_pandas(frame, preserve_index=False).append_column("row_number", pa.array(range(5, 1005)))

    answer = ask(artefact, rows)

    scores = artefact.scores(frame)
    assert answer["row_number"].to_pylist() == list(range(5, 1005))
    if task == "regression":
        assert answer["prediction"].to_pylist() == scores.tolist()
        return
    classes, threshold = artefact.manifest["classes"], artefact.manifest["threshold"]
    found = np.column_stack([answer[name].to_numpy() for name in answer.column_names if name.startswith("probab")])
    assert (found == scores).all()
    assert answer["prediction"].to_pylist() == [classes[n] for n in labels_of(task, scores, threshold)]


@pytest.mark.parametrize("kind", [inference.JSON, inference.JSON_LINES])
@pytest.mark.parametrize("task", FRAMES)
def test_rows_of_json_are_answered_as_the_same_rows_in_a_table(
    kind: str, task: str, trained: Callable[[str], TrainedExperiment]
) -> None:
    artefact = artefact_of(trained, task, "xgboost")
    frame = FRAMES[task](rows=200, seed=78)[NAMES].astype({"code": "string"})
    rows = json_rows(frame, NAMES)
    body = json.dumps({"rows": rows}) if kind == inference.JSON else "\n".join(map(json.dumps, rows))

    content, _ = inference.transform_fn(artefact, body, kind, kind)

    told = (
        json.loads(content)["predictions"]
        if kind == inference.JSON
        else [json.loads(line) for line in content.splitlines()]
    )
    in_table = ask(artefact, pa.Table.from_pandas(frame, preserve_index=False))
    assert [each["prediction"] for each in told] == in_table["prediction"].to_pylist()


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b"a,b\n1,2\n", "text/csv"), (b"{}", inference.JSON), (b"[1]", inference.JSON_LINES), (b"", inference.JSON_LINES),
     (b"no arrow", inference.ARROW)],
)  # fmt: skip
def test_what_holds_no_rows_is_refused(body: bytes, kind: str, trained: Callable[[str], TrainedExperiment]) -> None:
    with pytest.raises(InvalidInput):
        inference.transform_fn(artefact_of(trained, "binary", "linear"), body, kind, kind)


def test_a_row_without_a_column_refuses_the_request(trained: Callable[[str], TrainedExperiment]) -> None:
    artefact = artefact_of(trained, "binary", "linear")
    with pytest.raises(RowsInvalid):
        inference.transform_fn(artefact, json.dumps({"rows": [{"age": 3}]}), inference.JSON, inference.JSON)
    with pytest.raises(InvalidInput, match="income"):
        ask(artefact, pa.table({"age": [3]}))


def archive_of(model: Path, directory: Path) -> Path:
    pack(model, directory / "model.tar.gz")
    target = directory / "container.tar.gz"
    with (directory / "model.tar.gz").open("rb") as source:
        write_container_archive(source, code_zip(directory / "code.zip"), target)
    return target


@pytest.fixture
def served(trained: Callable[[str], TrainedExperiment], tmp_path: Path) -> Iterator[tuple[int, Artefact]]:
    """The archive behind the local server, with nothing but the image's packages: its port, and the model."""
    model = trained("binary").results["xgboost"].base / "model"
    base = tmp_path / "opt/ml"
    extract(archive_of(model, tmp_path), base / "model")
    blocker = tmp_path / "blocker"
    blocker.mkdir()
    (blocker / "sitecustomize.py").write_text(f"import sys\nfor n in {ABSENT!r}:\n    sys.modules[n] = None\n", "utf-8")
    given = {name: value.replace("/opt/ml", str(base)) for name, value in ENVIRONMENT.items()}
    artefact = open_artefact(model)
    environment = {
        "PATH": os.environ["PATH"],
        **given,
        "PYTHONPATH": f"{given['PYTHONPATH']}:{blocker}",
        "SAGEMAKER_BASE_DIR": str(base),
        "ARTIFACT_DIGEST": artefact.manifest["artifact_digest"],
        "OMP_NUM_THREADS": "1",
    }
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, str(REPOSITORY / "local/jobs/serving.py"), str(port)], env=environment, cwd=tmp_path
    )
    try:
        _wait_for(port, server)
        yield port, artefact
    finally:
        server.terminate()
        server.wait(10)


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert server.poll() is None, "the server ended"
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/ping")
            assert connection.getresponse().status == 200
            return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    raise AssertionError("the server did not answer /ping")


def test_the_archive_answers_over_http_with_nothing_but_the_images_packages(served: tuple[int, Artefact]) -> None:
    port, artefact = served
    frame = FRAMES["binary"](rows=50, seed=79)[NAMES].astype({"code": "string"})
    rows = stream(pa.Table.from_pandas(frame, preserve_index=False))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", "/invocations", rows, {"Content-Type": inference.ARROW, "Accept": inference.ARROW})
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Content-Type"]) == (200, inference.ARROW)
    found = table_of(answer.read())

    assert found["probability.good"].to_pylist() == artefact.scores(frame)[:, 1].tolist()


@pytest.mark.parametrize("digest", ["", "0" * 64])
def test_another_digest_than_the_registered_opens_nothing(
    digest: str, trained: Callable[[str], TrainedExperiment], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    model = tmp_path / "model"
    extract(archive_of(trained("binary").results["linear"].base / "model", tmp_path), model)
    import joblib

    joblib.dump(Bomb(tmp_path / "crater"), model / "model.joblib")
    monkeypatch.setenv("ARTIFACT_DIGEST", digest)

    with pytest.raises((InvalidInput, EvaluationInvalid)):
        inference.model_fn(str(model))
    assert not (tmp_path / "crater").exists()


def _tar(path: Path, **files: bytes) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name.replace("__", "/"))
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


@pytest.mark.parametrize("name", ["code__inference.py", "..__outside"])
def test_an_archive_brings_no_code_of_its_own(name: str, tmp_path: Path) -> None:
    files: dict[str, Any] = {name: b"evil"}
    with _tar(tmp_path / "model.tar.gz", **files).open("rb") as source, pytest.raises(EvaluationInvalid):
        write_container_archive(source, code_zip(tmp_path / "code.zip"), tmp_path / "out.tar.gz")


def test_the_archive_holds_the_artefact_unchanged_and_the_code(
    trained: Callable[[str], TrainedExperiment], tmp_path: Path
) -> None:
    model = trained("binary").results["linear"].base / "model"
    extract(archive_of(model, tmp_path), tmp_path / "out")

    for file in model.iterdir():
        assert (tmp_path / "out" / file.name).read_bytes() == file.read_bytes()
    assert {path.name for path in (tmp_path / "out/code").iterdir()} == {"inference.py", CODE_ZIP}


def test_a_table_of_categories_that_are_whole_numbers_is_read_as_text(
    trained: Callable[[str], TrainedExperiment],
) -> None:
    artefact = artefact_of(trained, "binary", "linear")
    frame = FRAMES["binary"](rows=100, seed=80)[NAMES]
    as_numbers = pa.Table.from_pandas(frame.astype({"code": "Int64"}), preserve_index=False)
    as_text = pa.Table.from_pandas(frame.astype({"code": "string"}), preserve_index=False)

    assert ask(artefact, as_numbers).equals(ask(artefact, as_text))
    assert pd.isna(frame["code"]).any()
