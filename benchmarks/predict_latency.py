"""A prediction's time in the function, beside `mlflow models serve` of the same pipeline in the same run.

One gradient-boosted and one linear model on 10,000 rows by 19 columns. `handler` is the whole function, from API
Gateway's event to its answer, with the registry, the store and the queue as fakes: the network is AWS's. `served` is
MLflow's server asked over loopback on one kept connection, and `model` its `predict` on a data frame that is ready,
without any server: what remains if its server cost nothing. MLflow gets an environment of its own, which is made here.
Targets: handler at least 10 times faster than MLflow's server at the median; at least its rows per second in batch.
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
from typing import Any

import joblib
import numpy as np
import pandas as pd

import app
from benchmarks.drop_to_registered import dataset
from lambdas.inference import predict
from millrace import bootstrap
from millrace.adapters.clock import SystemClock
from millrace.adapters.memory import InMemoryModelRegistry, InMemoryObjectStore, InMemoryRecordQueue
from millrace.algorithms import algorithm_named
from millrace.algorithms.base import FitContext, FitRows, Hosts
from millrace.algorithms.features import Feature, learn_categories, model_frame
from millrace.analytics.onnx_graph import OnnxGraph
from millrace.analytics.serving import Signature, read_rows
from millrace.domain import place
from millrace.settings import Settings
from sagemaker_scripts.artefact import Artefact, json_rows
from sagemaker_scripts.export import serving_artefact
from tests.builders import NOON, a_model_version

ROOT = Path(__file__).parents[1]
MLFLOW = "mlflow==3.17.2"
CALLS, WARM_UP, BATCH_REPEATS, COLD_STARTS = 1000, 50, 5, 5
BUCKET = "artifacts"
SAVE = """
import joblib, mlflow.sklearn, sys
mlflow.sklearn.save_model(joblib.load(sys.argv[1]), sys.argv[2], serialization_format="cloudpickle")
"""
# In MLflow's environment: milliseconds per row of `predict` on one row, and rows per second on all of them.
PREDICT = """
import json, sys, time
import mlflow.pyfunc, pandas as pd
model, frame = mlflow.pyfunc.load_model(sys.argv[1]), pd.read_parquet(sys.argv[2])
rows = [frame.iloc[[n % len(frame)]] for n in range(int(sys.argv[3]))]
times = []
for row in rows:
    started = time.perf_counter(); model.predict(row); times.append((time.perf_counter() - started) * 1000)
batches = []
for _ in range(5):
    started = time.perf_counter(); model.predict(frame); batches.append(time.perf_counter() - started)
print(json.dumps({"times": times, "rows_per_second": len(frame) / min(batches)}))
"""


def trained(algorithm: str, *, columns: int | None = None) -> tuple[Artefact, pd.DataFrame]:
    """A fitted pipeline as the training script makes it, on the first columns or on all, and its raw rows."""
    rows = pd.read_csv(io.BytesIO(dataset(1)))
    names = [name for name in rows.columns if name != "outcome"][:columns]
    kinds = {name: "number" if name.startswith("number") else "category" for name in names}
    features = tuple(Feature(name, kind) for name, kind in kinds.items())
    features = learn_categories(model_frame(rows, features), features)
    frame, truth = model_frame(rows, features), (rows["outcome"] == "yes").astype(int).to_numpy()
    chosen = algorithm_named(algorithm)
    params = chosen.trial("binary", {}, seed=7, number=0)
    pipeline = chosen.build("binary", params, features, 7, 1)
    half = len(rows) // 2
    fit_rows = FitRows(frame[:half], truth[:half], frame[half:], truth[half:])
    chosen.fit(pipeline, params, fit_rows, FitContext(None, "", Hosts(), lambda *_: None))
    manifest = {
        "artifact_digest": "digest", "algorithm": algorithm, "task": "binary", "target": "outcome",
        "classes": ["no", "yes"], "threshold": 0.5,
        "features": [{"name": f.name, "kind": f.kind, "categories": list(f.categories)} for f in features],
    }  # fmt: skip
    return Artefact(pipeline, manifest), rows


def quantiles(times: list[float]) -> dict[str, float]:
    p50, p99 = np.quantile(times[WARM_UP:], [0.5, 0.99])
    return {"p50_ms": round(float(p50), 4), "p99_ms": round(float(p99), 4)}


def timed(call: Callable[[int], Any]) -> list[float]:
    times = []
    for number in range(CALLS + WARM_UP):
        started = time.perf_counter()
        call(number)
        times.append((time.perf_counter() - started) * 1000)
    return times


def deploy(files: Path, document: dict[str, Any]) -> None:
    """Let the function find the model as the champion of fakes."""
    registry, store = InMemoryModelRegistry(), InMemoryObjectStore()
    number = registry.claim_number("bench", dataset="bench", run_id="training-1", algorithm="xgboost", at=NOON)
    registry.register(a_model_version(number, model="bench"), actor="bench")
    registry.decide("bench", number, approve=True, actor="bench", reason="to be measured", at=NOON)
    registry.move_alias("bench", "champion", number, expected=None, actor="bench", reason="measured", at=NOON)
    contents = {"model.onnx": (files / "model.onnx").read_bytes(), "serving.json": json.dumps(document).encode()}
    for name, content in contents.items():
        store.write(place.serving_uri(BUCKET, "bench", number, name), content)
    parts = {"registry": registry, "store": store, "clock": SystemClock(), "inference_records": InMemoryRecordQueue()}
    platform = bootstrap.Platform(Settings(artifacts_bucket=BUCKET)).with_parts(**parts)
    vars(bootstrap)["platform"] = lambda: platform


def handler_call(rows: list[dict[str, Any]]) -> Callable[[int], None]:
    claims = {"token_use": "access", "username": "bench", "cognito:groups": "[scientist]"}
    events = [
        {
            "requestContext": {"requestId": f"r{number}", "authorizer": {"jwt": {"claims": claims}}},
            "body": json.dumps({"model": "bench", "rows": [row]}),
        }
        for number, row in enumerate(rows)
    ]

    class Context:
        function_name = aws_request_id = invoked_function_arn = "bench"
        memory_limit_in_mb = 1769

    def call(number: int) -> None:
        assert predict.handler(events[number % len(events)], Context())["statusCode"] == 200  # type: ignore[arg-type]

    return call


@contextmanager
def mlflow_server(python: Path, model: Path) -> Iterator[http.client.HTTPConnection]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [python.with_name("mlflow"), "models", "serve", "-m", model, "-p", str(port), "--env-manager", "local"]
    environment = {**os.environ, "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"}
    server = subprocess.Popen(
        [*command, "--host", "127.0.0.1"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        yield _connected(port)
    finally:
        os.killpg(server.pid, 15)
        server.wait()


def _connected(port: int) -> http.client.HTTPConnection:
    for _ in range(240):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request("GET", "/ping")
            if connection.getresponse().read() is not None:
                return connection
        except OSError:
            time.sleep(0.5)
    raise SystemExit("MLflow's server did not start within two minutes")


def served_call(connection: http.client.HTTPConnection, frame: pd.DataFrame) -> Callable[[int], None]:
    bodies = [
        json.dumps({"dataframe_split": json.loads(frame.iloc[[number]].to_json(orient="split", index=False))})
        for number in range(100)
    ]

    def call(number: int) -> None:
        headers = {"Content-Type": "application/json"}
        connection.request("POST", "/invocations", bodies[number % len(bodies)], headers)
        answer = connection.getresponse()
        content = answer.read()
        assert answer.status == 200, content

    return call


def measure_mlflow(python: Path, artefact: Artefact, frame: pd.DataFrame, folder: Path) -> dict[str, Any]:
    pickled, model, rows = folder / "pipeline.joblib", folder / "mlflow", folder / "rows.parquet"
    joblib.dump(artefact.pipeline, pickled)
    frame.to_parquet(rows)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run([python, "-c", SAVE, pickled, model], check=True, capture_output=True, env=environment)
    done = subprocess.run(
        [python, "-c", PREDICT, model, rows, str(CALLS + WARM_UP)],
        check=True, capture_output=True, text=True, env=environment,
    )  # fmt: skip
    answered = json.loads(done.stdout.splitlines()[-1])
    with mlflow_server(python, model) as connection:
        served = quantiles(timed(served_call(connection, frame)))
    return {
        "served": served,
        "model": quantiles(answered["times"]),
        "batch_rows_per_second": round(answered["rows_per_second"]),
    }


def measure_ours(artefact: Artefact, rows: pd.DataFrame, folder: Path) -> dict[str, Any]:
    document = serving_artefact(artefact, rows, folder)
    assert document["served_by"] == "lambda", document["refusal"]
    deploy(folder, document)
    names = [feature.name for feature in artefact.features]
    told = json_rows(rows, names)
    signature = Signature.of(document)
    graph = OnnxGraph((folder / "model.onnx").read_bytes(), signature)
    read = read_rows(told, signature)
    batches, graphs = [], []
    for _ in range(BATCH_REPEATS):
        started = time.perf_counter()
        graph.scores(read_rows(told, signature))
        batches.append(time.perf_counter() - started)
        started = time.perf_counter()
        graph.scores(read)
        graphs.append(time.perf_counter() - started)
    return {
        "handler": quantiles(timed(handler_call(told[:100]))),
        "batch_rows_per_second": round(len(told) / min(graphs)),
        "batch_rows_per_second_from_json_rows": round(len(told) / min(batches)),
        "artefact_bytes": (folder / "model.onnx").stat().st_size,
        "worst_difference": document["parity"]["worst_difference"],
    }


def cold_import() -> dict[str, float]:
    """Of the deployed package, in a fresh process that sees nothing else."""
    from stacks.config import this_machine
    from stacks.packaging import lambda_package

    package = lambda_package(this_machine(), brings="predict").path
    program = (
        "import time; w, c = time.perf_counter(), time.process_time(); import lambdas.inference.predict; "
        "print(time.perf_counter() - w, time.process_time() - c); import boto3; "
        "[boto3.client(name, region_name='us-east-1') for name in ('dynamodb', 's3', 'sqs')]; "
        "print(time.perf_counter() - w, time.process_time() - c)"
    )
    command = [sys.executable, "-S", "-s", "-c", program]
    said = [
        subprocess.run(command, cwd=package, capture_output=True, text=True, check=True).stdout.split()
        for _ in range(COLD_STARTS)
    ]
    best = [round(min(float(figures[place]) for figures in said), 3) for place in range(4)]
    names = ("wall_seconds", "cpu_seconds", "wall_seconds_with_clients", "cpu_seconds_with_clients")
    return dict(zip(names, best, strict=True))


def mlflow_environment(folder: Path) -> Path:
    """MLflow beside the packages of the SageMaker image, version for version."""
    from stacks.packaging import locked_requirements

    requirements, uv = folder / "requirements.txt", Path(sys.executable).with_name("uv")
    requirements.write_text(pinned(locked_requirements("sagemaker")))
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    install = [uv, "pip", "install", "--quiet", "--python", python, MLFLOW, "--requirements", requirements]
    subprocess.run(install, check=True)
    return python


def pinned(requirements: str) -> str:
    """Names and versions without hashes: MLflow, which is not in the lock, is installed beside them."""
    return "\n".join(line.split()[0] for line in requirements.splitlines() if "==" in line)


def main() -> None:
    # Before the first import of the stacks, whose aws_cdk starts it.
    app.choose_node()
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        python = mlflow_environment(Path(scratch))
        for algorithm in ("xgboost", "linear"):
            folder = Path(scratch) / algorithm
            folder.mkdir()
            artefact, rows = trained(algorithm)
            ours = measure_ours(artefact, rows, folder)
            theirs = measure_mlflow(python, artefact, model_frame(rows, artefact.features), folder)
            ratio = round(theirs["served"]["p50_ms"] / ours["handler"]["p50_ms"], 1)
            results[algorithm] = {"ours": ours, "mlflow": theirs, "p50_served_by_mlflow_to_handler": ratio}
            print(json.dumps({algorithm: results[algorithm]}, indent=1))
    report = {
        "machine": f"{machine.machine()}, Python {machine.python_version()}, {MLFLOW}",
        "cold_import": cold_import(),
        "models": results,
    }
    print(json.dumps(report["cold_import"]))
    (ROOT / "benchmarks" / "results" / "predict_latency.json").write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
