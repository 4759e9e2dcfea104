"""Preparation throughput and memory: seconds, microseconds per row and peak memory at several sizes.

    python benchmarks/preparation.py [rows …]     default 100000 1000000; the issue's third size is 10000000

Each size runs in a process of its own (peak memory is a process's), on one generated CSV file of 10 columns with 1 %
bad rows, once without a contract (first version) and once with it (later version). Results go to benchmarks/results/.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import IO

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
_CHUNK_ROWS = 10_000
_HEADER = "id,age,income,ratio,city,plan,active,joined,seen,note\n"


@dataclass(frozen=True)
class FileSource:
    path: Path

    @cached_property
    def size_bytes(self) -> int:
        return self.path.stat().st_size

    def open(self, start: int = 0, length: int | None = None) -> IO[bytes]:
        stream = self.path.open("rb")
        stream.seek(start)
        return stream if length is None else _Limited(stream, length)  # type: ignore[return-value]


class _Limited:
    """The next `left` bytes of a file."""

    def __init__(self, stream: IO[bytes], left: int) -> None:
        self._stream, self._left = stream, left

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(data)
        return data


@dataclass(frozen=True)
class FolderSink:
    folder: Path

    def store(self, path: str, body: IO[bytes]) -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as stream:
            while chunk := body.read(1 << 20):
                stream.write(chunk)

    def clear(self, folder: str) -> None:
        for found in sorted((self.folder / folder).rglob("*"), reverse=True):
            if found.is_file():
                found.unlink()


def write_rows(path: Path, rows: int) -> None:
    """Integers, money, ratios, categories, booleans, dates, times, text; 3 % of ages missing, 1 % of rows bad."""
    rng = random.Random(7)  # noqa: S311  not for secrets
    cities = [f"city-{number:03}" for number in range(200)]
    with path.open("w") as stream:
        stream.write(_HEADER)
        for begin in range(0, rows, _CHUNK_ROWS):
            stream.writelines(_row(rng, number, cities) for number in range(begin, min(rows, begin + _CHUNK_ROWS)))


def _row(rng: random.Random, number: int, cities: list[str]) -> str:
    age = "" if rng.random() < 0.03 else "old" if rng.random() < 0.01 else str(rng.randrange(18, 90))
    return (
        f"{number},{age},{rng.lognormvariate(10, 0.5):.2f},{rng.random():.6f},{rng.choice(cities)},"
        f"{rng.choice(('basic', 'plus', 'pro'))},{rng.choice(('yes', 'no'))},20{rng.randrange(10, 25)}-"
        f"{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02},2024-05-{rng.randrange(1, 29):02}T"
        f'{rng.randrange(24):02}:{rng.randrange(60):02}:00,"note, {rng.randrange(10**6)}"\n'
    )


def measure(path: Path, rows: int) -> dict[str, float]:
    """In this process: a first version, then a later one against its contract. Checks that no row is lost.

    Processor time is beside wall time: on a busy machine only it says what a row costs.
    """
    from millrace.analytics.detection import SAMPLE_BYTES, detect_dialect
    from millrace.analytics.preparation import prepare
    from millrace.domain.dataset import DatasetSettings, PreparationRequest

    source = FileSource(path)
    dialect = detect_dialect(source.open().read(SAMPLE_BYTES), path.name, source.size_bytes)
    found: dict[str, float] = {"rows": rows, "megabytes": round(source.size_bytes / 1e6, 1)}
    contract = None
    for name in ("first", "later"):
        request = PreparationRequest(
            dataset="bench",
            version=1,
            upload_id="u",
            run_id="r",
            source_uri="file",
            object_version="1",
            dialect=dialect,
            settings=DatasetSettings(target="active"),
            contract=contract,
            location="out",
            quarantine_location="out",
            created_at=datetime.now(UTC),
        )
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            before = time.process_time()
            report = prepare(request, source, FolderSink(Path(folder))).report
            processor = time.process_time() - before
        assert report.rejection is None, report.rejection
        assert report.quality is not None
        assert report.quality.rows_in == rows
        contract = report.contract
        found[f"{name}_seconds"] = report.seconds
        found[f"{name}_processor_microseconds_per_row"] = round(processor / rows * 1e6, 2)
        found[f"{name}_microseconds_per_row"] = round(report.seconds / rows * 1e6, 2)
        found[f"{name}_peak_megabytes"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", type=int, default=[100_000, 1_000_000])
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments.measure, arguments.rows[0])))
        return
    results = [_in_own_process(rows) for rows in arguments.rows]
    RESULTS.mkdir(exist_ok=True)
    machine = {"cpus": os.cpu_count(), "python": platform.python_version(), "machine": platform.machine()}
    report = {"measured_at": datetime.now(UTC).isoformat(timespec="seconds"), **machine, "results": results}
    (RESULTS / "preparation.json").write_text(json.dumps(report, indent=1) + "\n")
    _print(results)


def _in_own_process(rows: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.csv"
        write_rows(path, rows)
        command = [sys.executable, __file__, str(rows), "--measure", str(path)]
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    result: dict[str, float] = json.loads(output.splitlines()[-1])
    return result


def _print(results: list[dict[str, float]]) -> None:
    print(f"{'rows':>10} {'MB':>7}  {'first version':>44}  {'later version':>44}")
    for result in results:
        cells = "  ".join(
            f"{result[f'{name}_seconds']:8.1f} s {result[f'{name}_microseconds_per_row']:6.2f} µs/row"
            f" {result[f'{name}_processor_microseconds_per_row']:6.2f} cpu-µs/row"
            f" {result[f'{name}_peak_megabytes']:5.0f} MB"
            for name in ("first", "later")
        )
        print(f"{result['rows']:>10,} {result['megabytes']:>7}  {cells}")


if __name__ == "__main__":
    main()
