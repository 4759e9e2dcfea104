"""Read the rows of a window in batches: results of a batch job, records of real-time requests, labels."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from millrace.analytics.drift.rows import BATCH_ROWS, Labels, hashes_of, tables_of
from millrace.domain import place
from millrace.ports import ObjectStore

# A set of so many hashes takes 150 MB; what comes beyond is not read, and the report says so.
MAX_RECORDS = 2_000_000


def parquet_tables(
    store: ObjectStore, address: str, *, repeated: Collection[str] = (), columns: Sequence[str] | None = None
) -> Iterator[pa.Table]:
    """Every Parquet file at or below the address, by key, in batches of rows. One file at a time lies on the disk.

    `repeated` are columns of texts that many rows share: they come as codes with their dictionary.
    """
    for found in store.list(address):
        if not found.uri.endswith(".parquet"):
            continue
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch) / "part.parquet"
            with path.open("wb") as file, store.open(found.uri) as stream:
                shutil.copyfileobj(stream, file, 1 << 20)
            yield from tables_of(path, repeated, columns=columns)


class RecordReader:
    """Inference records of one version in `[first, until)`, each once. `truncated` says that there were more.

    `passed_over` is told the ids of the other records of those days: of other versions and other hours.
    """

    def __init__(
        self,
        store: ObjectStore,
        address: str,
        *,
        number: int | None,
        first: datetime,
        until: datetime,
        limit: int = MAX_RECORDS,
        passed_over: Callable[[Sequence[str]], None] | None = None,
    ) -> None:
        self._store, self._address, self._number = store, address, number
        self._first, self._until, self._limit = first, until, limit
        self._seen: set[int] = set()
        self._passed_over = passed_over
        self._others: list[str] = []
        self.truncated = False

    def batches(self) -> Iterator[list[dict[str, Any]]]:
        batch: list[dict[str, Any]] = []
        for record in self._records():
            (key,) = hashes_of([record["record_id"]]).tolist()
            if key in self._seen:
                continue
            if len(self._seen) >= self._limit:
                self.truncated = True
                break
            self._seen.add(key)
            batch.append(record)
            if len(batch) >= BATCH_ROWS:
                yield batch
                batch = []
        if batch:
            yield batch
        self._tell_others()

    def _records(self) -> Iterator[dict[str, Any]]:
        for day in days_between(self._first, self._until):
            for record in json_lines(self._store, f"{self._address}date={day}/"):
                at = datetime.fromisoformat(record["at"])
                if record["number"] == self._number and self._first <= at < self._until:
                    yield record
                else:
                    self._others.append(record["record_id"])
                    if len(self._others) >= BATCH_ROWS:
                        self._tell_others()

    def _tell_others(self) -> None:
        if self._passed_over is not None:
            self._passed_over(self._others)
        self._others = []


def days_between(first: datetime, until: datetime) -> list[str]:
    """The days, in ISO 8601, that `[first, until)` touches."""
    day, last = first.date(), (until - timedelta(microseconds=1)).date()
    return [(day + timedelta(days=ahead)).isoformat() for ahead in range((last - day).days + 1)]


def json_lines(store: ObjectStore, prefix: str) -> Iterator[dict[str, Any]]:
    for found in store.list(prefix):
        with store.open(found.uri) as stream:
            for line in stream:
                if line.strip():
                    yield json.loads(line)


def read_labels(store: ObjectStore, data_bucket: str, model: str, first: datetime, until: datetime) -> Labels:
    """The true values known since the days of `[first, until)`: lines `{"record_id": …, "label": …, "at": …}`."""
    labels = Labels(MAX_RECORDS)
    for day in days_between(first, until):
        lines = list(json_lines(store, place.truth_uri(data_bucket, model, day)))
        known = [line for line in lines if line["label"] is not None]
        labels.add(*([line[name] for line in known] for name in ("record_id", "label", "at")))
    return labels
