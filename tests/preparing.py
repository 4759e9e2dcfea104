"""Preparing bytes in memory, and reading what came of them: shared by the tests of ingest."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from millrace.analytics.detection import SAMPLE_BYTES, detect_dialect
from millrace.analytics.preparation import SECTION_BYTES, Engine, prepare
from millrace.analytics.profiling import DatasetProfile
from millrace.analytics.splitting import SPLITS
from millrace.domain.dataset import Contract, DatasetSettings, Dialect, PreparationReport, PreparationRequest, Quality

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@dataclass(frozen=True)
class BytesSource:
    body: bytes

    @property
    def size_bytes(self) -> int:
        return len(self.body)

    def open(self, start: int = 0, length: int | None = None) -> IO[bytes]:
        return io.BytesIO(self.body[start : None if length is None else start + length])


@dataclass
class MemorySink:
    parts: dict[str, bytes] = field(default_factory=dict)

    def store(self, path: str, body: IO[bytes]) -> None:
        self.parts[path] = body.read()

    def clear(self, folder: str) -> None:
        self.parts = {path: body for path, body in self.parts.items() if not path.startswith(f"{folder}/")}


@dataclass(frozen=True)
class Preparation:
    report: PreparationReport
    profile: DatasetProfile | None
    parts: dict[str, bytes]

    @property
    def quality(self) -> Quality:
        assert self.report.quality is not None, self.report.rejection
        return self.report.quality

    @property
    def contract(self) -> Contract:
        assert self.report.contract is not None, self.report.rejection
        return self.report.contract

    def split(self, name: str) -> pa.Table:
        parts = [self.parts[path] for path in sorted(self.parts) if path.startswith(f"data/split={name}/")]
        return pa.concat_tables([read_table(part) for part in parts])

    def rows(self) -> list[dict[str, Any]]:
        return [row for split in SPLITS for row in self.split(split).to_pylist()]

    def rows_by_first_column(self) -> list[dict[str, Any]]:
        return sorted(self.rows(), key=lambda row: next(iter(row.values())))

    def quarantined(self) -> list[dict[str, Any]]:
        parts = [self.parts[path] for path in sorted(self.parts) if path.startswith("quarantine/")]
        return [json.loads(line) for part in parts for line in part.decode().splitlines()]

    def reasons(self) -> dict[int, list[str]]:
        return {row["line"]: row["reasons"] for row in self.quarantined()}


def read_table(body: bytes) -> pa.Table:
    """Without threads: pyarrow 22 may abort at the interpreter's exit after a threaded read from a buffer."""
    return pq.ParquetFile(io.BytesIO(body), pre_buffer=False).read(use_threads=False)


def a_request(dialect: Dialect, *, contract: Contract | None = None, **settings: Any) -> PreparationRequest:
    return PreparationRequest(
        dataset="people",
        version=1 if contract is None else 2,
        upload_id="upload-1",
        run_id="ingest-1",
        source_uri="s3://data/uploads/people/file",
        object_version="version-1",
        dialect=dialect,
        settings=DatasetSettings(**settings),
        contract=contract,
        location="s3://data/datasets/people/v1",
        quarantine_location="s3://data/quarantine/people/v1",
        created_at=NOON,
    )


def prepare_bytes(
    body: bytes,
    *,
    name: str = "people.csv",
    contract: Contract | None = None,
    engine: Engine | None = None,
    section_bytes: int = SECTION_BYTES,
    **settings: Any,
) -> Preparation:
    """Detects, then prepares. Raises DatasetInvalid when detection refuses; later refusals are in the report."""
    dialect = detect_dialect(body[:SAMPLE_BYTES], name, len(body))
    sink = MemorySink()
    request = a_request(dialect, contract=contract, **settings)
    prepared = prepare(request, BytesSource(body), sink, engine=engine, section_bytes=section_bytes)
    return Preparation(prepared.report, prepared.profile, sink.parts)
