"""Peak memory of every process that the rows of a batch pass through, for 1 and 10 million rows.

Each step of `batch_inference.asl.json` that touches rows runs as a process of its own, as its job does: PrepareBatch
(reader, quarantine, shards), the container's program that answers shard by shard, JoinResults. Peak is the resident
set as the kernel counted it (VmHWM), Python and libraries included. What a growing input adds is what counts: ten times
the rows must not take much more. The functions of the path read no rows at all: `tests/unit/batch/test_no_rows.py`.
The input is written in chunks, and one row in a thousand is set aside.
"""

from __future__ import annotations

import json
import os
import platform as machine
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import joblib
import pandas as pd

from benchmarks.batch_throughput import Folder, asked, prepare_file, served
from benchmarks.predict_latency import ROOT, trained
from sagemaker_scripts.artefact import Artefact
from sagemaker_scripts.inference import ARROW
from sagemaker_scripts.join_results import join

SIZES = (1_000_000, 10_000_000)
CHUNK_ROWS = 100_000
BAD_EVERY = 1000
COLUMNS = 4
MODEL = "model.joblib"
LARGEST_GROWTH = 1.5


def peak_mb(pid: int | str = "self") -> float:
    """Megabytes that the process ever had in memory."""
    (line,) = [x for x in Path(f"/proc/{pid}/status").read_text().splitlines() if x.startswith("VmHWM")]
    return round(int(line.split()[1]) / 1024, 1)


def write_input(rows: pd.DataFrame, file: Path, size: int) -> None:
    """`size` rows, `CHUNK_ROWS` in memory at a time; every `BAD_EVERY`th has a text where a number belongs."""
    chunk = pd.concat([rows] * -(-CHUNK_ROWS // len(rows)), ignore_index=True).head(CHUNK_ROWS).astype(object)
    number = next(name for name in chunk.columns if name.startswith("number"))
    chunk.loc[::BAD_EVERY, number] = "many"
    text = chunk.to_csv(index=False, header=False)
    with file.open("w") as output:
        output.write(",".join(chunk.columns) + "\n")
        for _ in range(size // CHUNK_ROWS):
            output.write(text)


def run_step(step: str, folder: Path) -> dict[str, Any]:
    """One step in a process of its own: its peak and its seconds."""
    command = [sys.executable, "-m", "benchmarks.batch_memory", step, str(folder)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT, env=environment)
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def step_of(step: str, folder: Path) -> dict[str, Any]:
    """What a child process does."""
    started = time.perf_counter()
    told: dict[str, Any] = {}
    if step == "prepare":
        artefact: Artefact = joblib.load(folder / MODEL)
        report = prepare_file(artefact, folder / "rows.csv", Folder(folder))
        told = {"rows": report.rows_in, "accepted": report.accepted, "aside": report.quarantined}
        told["shards"] = report.shards
    else:
        join(folder / "rows", folder / "scores", folder / "results")
    return told | {"peak_mb": peak_mb(), "seconds": round(time.perf_counter() - started, 1)}


def score(artefact: Artefact, rows: pd.DataFrame, folder: Path) -> dict[str, Any]:
    """Every shard asked once, the server's peak at the end. An answer replaces its file: nothing is held here."""
    started = time.perf_counter()
    (folder / "scores").mkdir()
    with served(artefact, rows.head(100), folder) as (connection, server):
        for shard in sorted((folder / "rows").glob("*.arrow")):
            (folder / "scores" / f"{shard.name}.out").write_bytes(asked(connection, shard.read_bytes(), ARROW))
        return {"peak_mb": peak_mb(server), "seconds": round(time.perf_counter() - started, 1)}


def measure(artefact: Artefact, rows: pd.DataFrame, size: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        joblib.dump(artefact, folder / MODEL)
        write_input(rows, folder / "rows.csv", size)
        size_mb = round((folder / "rows.csv").stat().st_size / 1e6)
        prepared = run_step("prepare", folder)
        scored = score(artefact, rows, folder)
        joined = run_step("join", folder)
        counts = json.loads((folder / "results" / "join.json").read_text())
    if prepared["rows"] != size or counts["rows"] + prepared["aside"] != size or prepared["aside"] != size // BAD_EVERY:
        raise SystemExit(f"rows were lost: {prepared}, {counts}")
    return {"input_mb": size_mb, "prepare": prepared, "answer": scored, "join": joined}


def main() -> None:
    if len(sys.argv) == 3:
        print(json.dumps(step_of(sys.argv[1], Path(sys.argv[2]))))
        return
    artefact, some = trained("xgboost", columns=COLUMNS)
    rows = some[[feature.name for feature in artefact.features]]
    results = {str(size): measure(artefact, rows, size) for size in SIZES}
    small, large = (results[str(size)] for size in SIZES)
    growth = {step: round(large[step]["peak_mb"] / small[step]["peak_mb"], 2) for step in ("prepare", "answer", "join")}
    report = {
        "machine": f"{machine.machine()}, Python {machine.python_version()}",
        "rows": results,
        "peak_of_ten_times_the_rows": growth,
    }
    print(json.dumps(report, indent=1))
    (ROOT / "benchmarks" / "results" / "batch_memory.json").write_text(json.dumps(report, indent=2) + "\n")
    if max(growth.values()) > LARGEST_GROWTH:
        raise SystemExit(f"memory grows with the rows: {growth}")


if __name__ == "__main__":
    main()
