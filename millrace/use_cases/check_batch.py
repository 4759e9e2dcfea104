"""Check what came of preparing a batch inference: go on, or refuse it with its reason."""

from __future__ import annotations

from typing import Any

from millrace.domain.batch import BatchReport
from millrace.errors import DatasetInvalid
from millrace.ports import ObjectStore


def check_batch(*, store: ObjectStore, run_id: str, location: str) -> dict[str, Any]:
    """Raises DatasetInvalid when the input was refused, or the report is another job's.

    Scores and results of an attempt before are removed: what is joined later was answered by this one.
    """
    report = BatchReport.read(store.read(f"{location}report.json"))
    if report.job_id != run_id:
        raise DatasetInvalid(f"the report at {location} is about {report.job_id}, not about {run_id}")
    if report.rejection is not None:
        raise DatasetInvalid(report.rejection)
    for folder in ("scores/", "results/"):
        for left in store.list(f"{location}{folder}"):
            store.delete(left.uri)
    return {"rows_in": report.rows_in, "accepted": report.accepted, "shards": report.shards}
