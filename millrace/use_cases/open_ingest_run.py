"""Open the run of an object that arrived, and start its execution: once, however often it is announced."""

from __future__ import annotations

from datetime import datetime

from millrace import names
from millrace.domain import identity, place
from millrace.domain.run import Run, RunState
from millrace.ports import Pipelines, RunLedger


def open_ingest_run(
    *,
    ledger: RunLedger,
    pipelines: Pipelines,
    bucket: str,
    key: str,
    object_version: str,
    size_bytes: int,
    at: datetime,
) -> Run | None:
    """The run, or None for the marker of an empty folder.

    A wrong place or name is not refused here but by the run, where whoever dropped the file can see it.
    """
    if key.endswith("/"):
        return None
    run_id = identity.ingest_run_id(bucket, key, object_version)
    dataset = place.dataset_of(key)
    payload = {
        "run_id": run_id,
        "bucket": bucket,
        "key": key,
        "object_version": object_version,
        "size_bytes": size_bytes,
        "dataset": dataset,
        "received_at": at.isoformat(),
    }
    run = ledger.open(
        Run(
            run_id=run_id,
            pipeline=names.INGEST_PIPELINE,
            dataset=dataset,
            started_by="upload",
            started_at=at,
            input=payload,
        )
    )
    if run.state == RunState.RUNNING:
        # The stored input, not this delivery's: the same name with another input would be refused, not repeated.
        pipelines.start(run.pipeline, run_id, run.input)
    return run
