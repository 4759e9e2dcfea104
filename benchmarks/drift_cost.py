"""What profile and drift cost on 1 million rows of 30 columns: processor seconds and peak memory, beside Evidently.

    python -m benchmarks.drift_cost [--rows 100000 1000000 10000000] [--without-evidently]

Each measurement is a process of its own that reads Parquet files; reading them is measured too. Each is made three
times, in turn with the others, so that what else the machine does is everybody's; the one in the middle counts. Memory
is also measured by number of rows: it must not grow. Evidently (https://evidentlyai.com) is installed from the package
index into an environment beside the data, runs its data drift preset with its defaults on the same two files, and is no
dependency of this project. Writes benchmarks/results/drift_cost.json and its table in docs/drift.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.pages import DRIFT_PAGE, write_between_marks

RESULTS = Path(__file__).resolve().parent / "results" / "drift_cost.json"
BEGIN, END = "<!-- cost: generated -->", "<!-- cost: end -->"
ROWS = 1_000_000
NUMBERS, CATEGORIES = 22, 8
BATCH_ROWS = 65_536
ROUNDS = 3
EVIDENTLY = "evidently==0.7.23"
BESIDE_EVIDENTLY = ("pandas<3", "pyarrow")  # 0.7.23 fails to import with pandas 3
_LEVELS = np.array([f"level-{number:02}" for number in range(30)])
_KINDS = {
    **{f"number_{place:02}": "number" for place in range(NUMBERS)},
    **{f"category_{place}": "category" for place in range(CATEGORIES)},
}
_MEASURE_EVIDENTLY = """
import json, resource, sys
import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset
frames = [pd.read_parquet(path) for path in sys.argv[1:3]]
names = list(frames[0].columns)
definition = DataDefinition(
    numerical_columns=[name for name in names if name.startswith("number")],
    categorical_columns=[name for name in names if name.startswith("category")],
)
baseline, window = (Dataset.from_pandas(frame, data_definition=definition) for frame in frames)
Report([DataDriftPreset()]).run(window, baseline).dict()
usage = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"processor_seconds": usage.ru_utime + usage.ru_stime, "peak_megabytes": usage.ru_maxrss / 1024}))
"""


def batches(seed: int, rows: int) -> Iterator[pa.RecordBatch]:
    """Normal, lognormal, whole and mostly-zero numbers in turn; categories of 30 levels."""
    rng = np.random.default_rng(seed)
    for start in range(0, rows, BATCH_ROWS):
        size = min(BATCH_ROWS, rows - start)
        columns: dict[str, Any] = {}
        for place in range(NUMBERS):
            drawn = (
                rng.normal(50, 10, size),
                rng.lognormal(0, 1, size),
                rng.poisson(20, size).astype(np.float64),
                np.where(rng.random(size) < 0.7, 0.0, rng.exponential(size=size)),
            )[min(place % 6, 3) if place % 6 < 4 else 0]
            columns[f"number_{place:02}"] = drawn
        for place in range(CATEGORIES):
            columns[f"category_{place}"] = rng.choice(_LEVELS, size)
        yield pa.RecordBatch.from_pydict(columns)


def write_rows(path: Path, seed: int, rows: int) -> None:
    writer = None
    for batch in batches(seed, rows):
        writer = writer or pq.ParquetWriter(path, batch.schema)
        writer.write_batch(batch)
    if writer is not None:
        writer.close()


def measure_ours(paths: list[Path]) -> dict[str, float]:
    """In this process, as a drift check does it: profile each file; with two, judge the second against the first."""
    from millrace.analytics.drift.decision import judge_drift
    from millrace.analytics.drift.rows import WindowProfiler, tables_of

    profiles = []
    for path in paths:
        profiler = WindowProfiler(_KINDS)
        for table in tables_of(path, [name for name, kind in _KINDS.items() if kind == "category"]):
            profiler.add(table)
        profiles.append(profiler.profile)
    began = time.process_time()
    if len(profiles) > 1:
        assert len(judge_drift(*profiles).features) == len(_KINDS)
    judging = time.process_time() - began
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "processor_seconds": usage.ru_utime + usage.ru_stime,
        "judging_seconds": judging,
        "peak_megabytes": usage.ru_maxrss / 1024,
        "profile_kilobytes": len(json.dumps(profiles[-1].to_json())) / 1024,
    }


def _in_own_process(command: list[str]) -> dict[str, float]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
    found: dict[str, float] = json.loads(output.splitlines()[-1])
    return {name: round(value, 3) for name, value in found.items()}


def _ours(paths: list[Path]) -> dict[str, float]:
    return _in_own_process([sys.executable, "-m", "benchmarks.drift_cost", "--measure", *map(str, paths)])


def _with_evidently(folder: Path) -> str:
    """The interpreter of an environment that has it."""
    venv.create(folder / "environment", with_pip=True)
    python = str(folder / "environment" / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", EVIDENTLY, *BESIDE_EVIDENTLY], check=True)
    return python


def in_turn(measurements: Mapping[str, Callable[[], dict[str, float]]]) -> dict[str, dict[str, float]]:
    """Of each the one with the processor time in the middle."""
    rounds = [{name: measure() for name, measure in measurements.items()} for _ in range(ROUNDS)]
    return {name: _middle([each[name] for each in rounds]) for name in measurements}


def _middle(found: list[dict[str, float]]) -> dict[str, float]:
    return sorted(found, key=lambda each: each["processor_seconds"])[len(found) // 2]


def measure(sizes: list[int], *, with_evidently: bool) -> dict[str, Any]:
    results: dict[str, Any] = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "rows": ROWS,
        "columns": len(_KINDS),
        "rounds": ROUNDS,
        "by_rows": {},
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = [folder / "baseline.parquet", folder / "window.parquet"]
        for seed, path in enumerate(paths):
            write_rows(path, seed, ROWS)
        measurements: dict[str, Callable[[], dict[str, float]]] = {
            "millrace": lambda: _ours(paths),
            "millrace_window_only": lambda: _ours(paths[1:]),
        }
        if with_evidently:
            python = _with_evidently(folder)
            measurements["evidently"] = lambda: _in_own_process([python, "-c", _MEASURE_EVIDENTLY, *map(str, paths)])
        results |= in_turn(measurements)
        if with_evidently:
            results["evidently"] = {"version": EVIDENTLY, **results["evidently"]}
        for path in paths:
            path.unlink()
        for rows in sizes:
            write_rows(paths[0], rows, rows)
            results["by_rows"][str(rows)] = _middle([_ours(paths[:1]) for _ in range(ROUNDS)])
            paths[0].unlink()
    return results


def table(results: dict[str, Any]) -> str:
    """The generated part of docs/drift.md."""
    ours, window = results["millrace"], results["millrace_window_only"]
    head = "| | processor seconds | peak memory |\n|---|---|---|"
    lines = [
        _line("Millrace: profile both, judge", ours),
        _line("Millrace: profile the window alone (the baseline's profile is kept)", window),
    ]
    said = f"{results['rows']:,} rows of {results['columns']} columns on each side, read from Parquet."
    if "evidently" in results:
        theirs = results["evidently"]
        lines.insert(0, _line(f"{theirs['version'].replace('==', ' ')}, data drift preset", theirs))
        said += (
            f" Evidently took {theirs['processor_seconds'] / ours['processor_seconds']:.0f} times the processor time."
        )
    if "rounds" in results:
        said += f" Of {results['rounds']} rounds the one in the middle."
    by_rows = ["| rows profiled | processor seconds | peak memory | profile |", "|---|---|---|---|"]
    by_rows += [
        f"| {int(rows):,} | {found['processor_seconds']:.1f} | {found['peak_megabytes']:.0f} MB |"
        f" {found['profile_kilobytes']:.0f} KB |"
        for rows, found in results["by_rows"].items()
    ]
    return "\n".join([said, "", head, *lines, "", *by_rows])


def _line(title: str, found: dict[str, float]) -> str:
    return f"| {title} | {found['processor_seconds']:.1f} | {found['peak_megabytes']:.0f} MB |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="*", type=int, default=[100_000, 1_000_000, 10_000_000])
    parser.add_argument("--without-evidently", action="store_true")
    parser.add_argument("--measure", nargs="+", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure_ours(arguments.measure)))
        return
    results = measure(arguments.rows, with_evidently=not arguments.without_evidently)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    write_between_marks(DRIFT_PAGE, BEGIN, END, table(results))
    print(table(results))


if __name__ == "__main__":
    main()
