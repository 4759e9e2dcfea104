"""Joins what a model answered to the rows it was asked about, inside a SageMaker processing job.

Shard by shard, so that memory holds one, however many rows there are: the shard's rows, its predictions, and a check
that both name the same rows in the same order. Leaves Parquet parts, one CSV file and `join.json`. Outputs of a
processing job appear when it has succeeded: a job that is killed leaves nothing behind.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from millrace.errors import EvaluationInvalid
from millrace.settings import ContainerSettings
from sagemaker_scripts.container import ProcessingPaths, run, say, write_json

ROW_NUMBER = "row_number"
PART_ROWS = 1_000_000
CSV_FILE, COUNTS_FILE = "results.csv", "join.json"


def main() -> int:
    paths = ProcessingPaths(ContainerSettings.from_env().base_dir)
    return run(lambda: join(paths.input("rows"), paths.input("scores"), paths.output), paths.message)


def join(rows: Path, scores: Path, output: Path, *, part_rows: int = PART_ROWS) -> None:
    """The whole job. Raises EvaluationInvalid when a shard has no predictions, or not those of its rows."""
    output.mkdir(parents=True, exist_ok=True)
    writer = _Writer(output, part_rows)
    try:
        for table in joined_shards(rows, scores):
            writer.write(table)
    finally:
        writer.close()
    if not writer.rows:
        raise EvaluationInvalid("there is no shard of rows to join predictions to")
    counts = {"rows": writer.rows, "parts": writer.parts, "columns": writer.columns}
    write_json(output / COUNTS_FILE, counts)
    say("joined", counts)


def joined_shards(rows: Path, scores: Path) -> Iterator[pa.Table]:
    """Each shard with its predictions, in the order of the rows."""
    for shard in sorted(rows.glob("*.arrow")):
        answer = scores / f"{shard.name}.out"
        if not answer.is_file():
            raise EvaluationInvalid(f"the model left no answer to {shard.name}")
        asked, told = _read(shard), _read(answer)
        if not asked.column(ROW_NUMBER).equals(told.column(ROW_NUMBER)):
            raise EvaluationInvalid(
                f"the answer to {shard.name} is about other rows: {asked.num_rows} were sent, {told.num_rows} came back"
            )
        joined = asked
        for name in told.column_names:
            if name != ROW_NUMBER:
                joined = joined.append_column(name, told.column(name))
        yield joined


class _Writer:
    """Parquet parts of about `part_rows` rows, and all rows in one CSV file."""

    def __init__(self, directory: Path, part_rows: int) -> None:
        self._directory, self._part_rows = directory, part_rows
        self._parquet: pq.ParquetWriter | None = None
        self._csv: Any = None
        self._in_part = 0
        self.rows = self.parts = 0
        self.columns: list[str] = []

    def write(self, table: pa.Table) -> None:
        if self._csv is None:
            self.columns = table.column_names
            self._csv = pa_csv.CSVWriter(str(self._directory / CSV_FILE), table.schema)
        if self._parquet is None:
            path = self._directory / f"part-{self.parts:05}.parquet"
            self._parquet = pq.ParquetWriter(path, table.schema, compression="zstd")
            self.parts += 1
        self._csv.write(table)
        self._parquet.write_table(table)
        self.rows += table.num_rows
        self._in_part += table.num_rows
        if self._in_part >= self._part_rows:
            self._end_part()

    def close(self) -> None:
        self._end_part()
        if self._csv is not None:
            self._csv.close()
            self._csv = None

    def _end_part(self) -> None:
        if self._parquet is not None:
            self._parquet.close()
        self._parquet, self._in_part = None, 0


def _read(path: Path) -> pa.Table:
    try:
        with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as reader:
            return reader.read_all()
    except pa.ArrowInvalid as error:
        raise EvaluationInvalid(f"{path.name} cannot be read: {error}") from error


if __name__ == "__main__":
    sys.exit(main())
