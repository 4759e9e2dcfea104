"""Read what a batch inference came to: its counts, where its results are, what was set aside."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from millrace import names
from millrace.domain.batch import BatchReport, batch_folder
from millrace.domain.run import Run, RunState
from millrace.errors import Conflict, NotFound
from millrace.ports import Clock, Downloads, ObjectStore, RunLedger
from millrace.use_cases.read_quarantine import QuarantinePage, read_quarantined_rows

ADDRESS_SECONDS = 900
CSV_FILE = "results.csv"


class ResultFile(NamedTuple):
    """`address` needs no token, until `expires_at`."""

    file_name: str
    format: str
    size_bytes: int
    address: str
    expires_at: datetime


class BatchResults(NamedTuple):
    rows: int
    columns: Sequence[str]
    files: Sequence[ResultFile]


def find_batch(ledger: RunLedger, job_id: str) -> Run:
    """Raises NotFound, also for a run of another pipeline."""
    run = ledger.get(job_id)
    if run.pipeline != names.BATCH_INFERENCE_PIPELINE:
        raise NotFound(f"there is no batch inference {job_id}")
    return run


def read_batch_report(*, store: ObjectStore, run: Run) -> BatchReport | None:
    """None until the input has been read."""
    address = f"{batch_folder(run.input)}report.json"
    if not any(found.uri == address for found in store.list(address)):
        return None
    return BatchReport.read(store.read(address))


def offer_batch_results(*, store: ObjectStore, downloads: Downloads, clock: Clock, run: Run) -> BatchResults:
    """All Parquet parts in order, and one CSV file. Raises Conflict until the job has succeeded: no partial result."""
    if run.state is not RunState.SUCCEEDED:
        raise Conflict(f"{run.run_id} is {run.state}: there are results once it has SUCCEEDED")
    folder = f"{batch_folder(run.input)}results/"
    joined = json.loads(store.read(f"{folder}join.json"))
    until = clock.now() + timedelta(seconds=ADDRESS_SECONDS)
    files = []
    for found in store.list(folder):
        name = found.uri.rpartition("/")[2]
        kind = "csv" if name == CSV_FILE else "parquet"
        if name == CSV_FILE or name.endswith(".parquet"):
            shown = f"{run.run_id}-{name}"
            address = downloads.address(found.uri, file_name=shown, seconds=ADDRESS_SECONDS)
            files.append(ResultFile(shown, kind, found.size_bytes, address, until))
    return BatchResults(joined["rows"], joined["columns"], files)


def read_batch_quarantine(*, store: ObjectStore, run: Run, after: str | None = None, limit: int = 50) -> QuarantinePage:
    """The rows that were set aside, in the order of the input. Raises InvalidInput for a position there is not."""
    return read_quarantined_rows(store, f"{batch_folder(run.input)}quarantine/", after=after, limit=limit)
