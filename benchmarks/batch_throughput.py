"""Rows per second in batch, beside MLflow's server and MLflow's pyfunc of the same pipeline in the same run.

A CSV file of 200,000 rows by 19 columns. `scored` asks the container's program over loopback, shard by shard, as a
transform job does; `whole` adds reading, judging and quarantine before it and the join to Parquet and CSV after it.
MLflow: `served` asks its server for the same rows on one kept connection, 10,000 rows of JSON a request; `pyfunc` is
its `predict` on a data frame that is ready, `file` the same from CSV file to CSV file, as `mlflow models predict`.
Each with one thread. Targets: scored at least served; whole at least file.
"""

from __future__ import annotations

import http.client
import io
import json
import os
import platform as machine
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import joblib
import pandas as pd

from benchmarks.predict_latency import MLFLOW, ROOT, SAVE, mlflow_environment, mlflow_server, trained
from millrace.algorithms.features import model_frame
from millrace.analytics.batch_preparation import batch_contract, prepare_batch_rows
from millrace.domain.batch import BatchReport, BatchRequest
from millrace.domain.dataset import Contract
from sagemaker_scripts.artefact import Artefact, write_artefact
from sagemaker_scripts.inference import ARROW
from sagemaker_scripts.join_results import join
from tests.builders import NOON

ROWS, REQUEST_ROWS, REPEATS = 200_000, 10_000, 3
SERVER = ROOT / "local" / "jobs" / "serving.py"
# In MLflow's environment: rows per second of `predict` on a frame that is ready, and from file to file.
PREDICT = """
import json, sys, time
import mlflow.pyfunc, pandas as pd
model, ready = mlflow.pyfunc.load_model(sys.argv[1]), pd.read_parquet(sys.argv[2])
kinds = {name: "float32" if name.startswith("number") else "str" for name in ready.columns}
alone, files = [], []
for _ in range(int(sys.argv[5])):
    started = time.perf_counter(); model.predict(ready); alone.append(time.perf_counter() - started)
    started = time.perf_counter()
    rows = pd.read_csv(sys.argv[3], dtype=kinds, keep_default_na=True)
    texts = [name for name, kind in kinds.items() if kind == "str"]
    rows[texts] = rows[texts].fillna("")
    rows["prediction"] = model.predict(rows[list(ready.columns)]); rows.to_csv(sys.argv[4], index=False)
    files.append(time.perf_counter() - started)
print(json.dumps({"pyfunc": len(ready) / min(alone), "file": len(ready) / min(files)}))
"""


class LocalFile:
    """The input, as a source of sections."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def size_bytes(self) -> int:
        return self._path.stat().st_size

    def open(self, start: int = 0, length: int | None = None) -> IO[bytes]:
        file = self._path.open("rb")
        file.seek(start)
        return file if length is None else io.BytesIO(file.read(length))


class Folder:
    """Where shards and quarantine go."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def store(self, path: str, body: IO[bytes]) -> None:
        target = self._root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(body.read())

    def clear(self, folder: str) -> None:
        for path in (self._root / folder).glob("*"):
            path.unlink()


@contextmanager
def served(artefact: Artefact, rows: pd.DataFrame, folder: Path) -> Iterator[tuple[http.client.HTTPConnection, int]]:
    """The container's program behind the server that stands in for the image's, and its process id."""
    digest = write_artefact(folder / "model", artefact.pipeline, artefact.manifest, rows)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "SAGEMAKER_BASE_DIR": str(folder),
        "SAGEMAKER_PROGRAM": "inference.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": str(ROOT / "sagemaker_scripts"),
        "ARTIFACT_DIGEST": digest,
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
    }
    server = subprocess.Popen([sys.executable, str(SERVER), str(port)], env=environment)
    try:
        yield _connected(port), server.pid
    finally:
        server.terminate()
        server.wait()


def _connected(port: int) -> http.client.HTTPConnection:
    for _ in range(240):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        try:
            connection.request("GET", "/ping")
            connection.getresponse().read()
            return connection
        except OSError:
            time.sleep(0.5)
    raise SystemExit("the container's program did not start within two minutes")


def prepare_file(artefact: Artefact, file: Path, sink: Folder) -> BatchReport:
    trained_on = Contract(dataset="bench", version=1, columns=(), created_at=NOON, created_by="bench")
    request = BatchRequest(
        job_id="batch-1", model="bench", number=1, artifact_uri="s3://a/m", container_uri="s3://a/c",
        sources=("s3://d/rows.csv",), object_version=None, contract=trained_on, location="s3://d/", created_at=NOON,
    )  # fmt: skip
    contract = batch_contract(trained_on, artefact.manifest["features"], request.record_id_column)
    return prepare_batch_rows(request, contract, [("rows.csv", LocalFile(file))], sink)


def score(connection: http.client.HTTPConnection, folder: Path) -> None:
    (folder / "scores").mkdir(exist_ok=True)
    for shard in sorted((folder / "rows").glob("*.arrow")):
        (folder / "scores" / f"{shard.name}.out").write_bytes(asked(connection, shard.read_bytes(), ARROW))


def asked(connection: http.client.HTTPConnection, body: bytes, kind: str) -> bytes:
    connection.request("POST", "/invocations", body, {"Content-Type": kind, "Accept": kind})
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != 200:
        raise SystemExit(f"the server answered {answer.status}: {content[:500]!r}")
    return content


def rate(work: Callable[[], object]) -> int:
    """Rows per second, the best of some."""
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return round(ROWS / min(times))


def measure_ours(artefact: Artefact, rows: pd.DataFrame, file: Path, folder: Path) -> dict[str, int]:
    with served(artefact, rows.head(100), folder) as (connection, _):
        report = prepare_file(artefact, file, Folder(folder))
        assert (report.accepted, report.rejection) == (ROWS, None), report

        def whole() -> None:
            prepare_file(artefact, file, Folder(folder))
            score(connection, folder)
            join(folder / "rows", folder / "scores", folder / "results")

        scored = rate(lambda: score(connection, folder))
        return {"scored": scored, "whole": rate(whole), "shards": report.shards}


def measure_mlflow(python: Path, artefact: Artefact, rows: pd.DataFrame, file: Path, folder: Path) -> dict[str, int]:
    frame = model_frame(rows, artefact.features)
    pickled, model, ready = folder / "pipeline.joblib", folder / "mlflow", folder / "rows.parquet"
    joblib.dump(artefact.pipeline, pickled)
    frame.to_parquet(ready)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run([python, "-c", SAVE, pickled, model], check=True, capture_output=True, env=environment)
    done = subprocess.run(
        [python, "-c", PREDICT, model, ready, file, folder / "answered.csv", str(REPEATS)],
        check=True, capture_output=True, text=True, env=environment,
    )  # fmt: skip
    told = {name: round(figure) for name, figure in json.loads(done.stdout.splitlines()[-1]).items()}
    # JSON, not CSV: MLflow's CSV reader would make missing texts of empty ones, which the pipeline does not read.
    bodies = [
        json.dumps({"dataframe_split": json.loads(part.to_json(orient="split", index=False))}).encode()
        for start in range(0, ROWS, REQUEST_ROWS)
        for part in [frame.iloc[start : start + REQUEST_ROWS]]
    ]
    with mlflow_server(python, model) as connection:
        told["served"] = rate(lambda: [asked(connection, body, "application/json") for body in bodies])
    return told


def main() -> None:
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        python = mlflow_environment(Path(scratch))
        for algorithm in ("xgboost", "linear"):
            folder = Path(scratch) / algorithm
            folder.mkdir()
            artefact, some = trained(algorithm)
            rows = pd.concat([some] * -(-ROWS // len(some)), ignore_index=True).head(ROWS)
            file = folder / "rows.csv"
            rows.to_csv(file, index=False)
            ours = measure_ours(artefact, rows, file, folder)
            theirs = measure_mlflow(python, artefact, rows, file, folder)
            results[algorithm] = {
                "rows_per_second": {"ours": ours, "mlflow": theirs},
                "scored_to_served_by_mlflow": round(ours["scored"] / theirs["served"], 2),
                "scored_to_pyfunc": round(ours["scored"] / theirs["pyfunc"], 2),
                "whole_to_file": round(ours["whole"] / theirs["file"], 2),
            }
            print(json.dumps({algorithm: results[algorithm]}, indent=1))
    report = {
        "machine": f"{machine.machine()}, Python {machine.python_version()}, {MLFLOW}",
        "rows": ROWS,
        "models": results,
    }
    (ROOT / "benchmarks" / "results" / "batch_throughput.json").write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
