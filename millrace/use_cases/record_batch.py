"""Record a batch inference that was joined: its counts, its outcome, an event, a notification."""

from __future__ import annotations

import json
from typing import Any

from millrace.domain.batch import BatchReport
from millrace.domain.event import BatchInferenceCompleted
from millrace.domain.page import job_page
from millrace.errors import EvaluationInvalid
from millrace.ports import EventBus, MetricSink, Notifier, ObjectStore, RunLedger


def record_batch(
    *,
    ledger: RunLedger,
    store: ObjectStore,
    bus: EventBus,
    notifier: Notifier,
    metrics: MetricSink,
    run_id: str,
    model: str,
    number: int,
    location: str,
) -> dict[str, Any]:
    """Raises EvaluationInvalid when the predictions are not as many as the rows that were accepted."""
    report = BatchReport.read(store.read(f"{location}report.json"))
    joined = json.loads(store.read(f"{location}results/join.json"))
    if joined["rows"] != report.accepted:
        raise EvaluationInvalid(f"{report.accepted} rows were accepted, but {joined['rows']} predictions came back")
    outcome = (
        f"{model}:{number} predicted {report.accepted:,} of {report.rows_in:,} rows; "
        f"{report.quarantined:,} could not be read."
    )
    ledger.annotate(run_id, outcome=outcome)
    results_uri = f"{location}results/"
    bus.publish(
        BatchInferenceCompleted(
            job_id=run_id, model=model, number=number, results_uri=results_uri, rows=report.accepted
        )
    )
    notifier.notify(
        subject=f"Millrace: batch inference of {model} is ready",
        message=f"Run {run_id}: {outcome}\n",
        path=job_page(run_id),
        attributes={"kind": "batch_inference", "model": model, "job_id": run_id},
    )
    metrics.record(
        {"rows_predicted": report.accepted, "rows_rejected": report.quarantined, "seconds": report.seconds},
        dimensions={"Model": model},
        units={"rows_predicted": "Count", "rows_rejected": "Count", "seconds": "Seconds"},
    )
    return {"rows": report.accepted, "rejected": report.quarantined, "results_uri": results_uri}
