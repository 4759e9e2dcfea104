"""Follow a drift report: people are alerted, the governor decides."""

from __future__ import annotations

from datetime import datetime

from millrace.domain.drift import DriftVerdict
from millrace.domain.event import DriftDetected
from millrace.domain.retraining import RetrainingDecision
from millrace.ports import (
    AlertBook,
    ChannelBook,
    Clock,
    Dashboard,
    DatasetCatalog,
    DeliveryBook,
    DeliveryQueue,
    ModelRegistry,
    Pipelines,
    RetrainingLog,
    RunLedger,
)
from millrace.use_cases.govern_retraining import govern_retraining
from millrace.use_cases.raise_alert import raise_alert, settle_cause
from millrace.use_cases.watch_sources import drift_cause, drift_signal


def follow_drift(
    *,
    alerts: AlertBook,
    channels: ChannelBook,
    deliveries: DeliveryBook,
    queue: DeliveryQueue,
    dashboard: Dashboard,
    catalog: DatasetCatalog,
    registry: ModelRegistry,
    ledger: RunLedger,
    pipelines: Pipelines,
    log: RetrainingLog,
    clock: Clock,
    event: DriftDetected,
    at: datetime,
) -> RetrainingDecision | None:
    """The governor's decision; None for a report without drift. Verdict OK closes the alert of this kind of drift.

    The alert comes first: that nobody can retrain is no reason to tell nobody. Raises NotFound for an unknown model.
    """
    if event.verdict is DriftVerdict.SKIPPED:
        return None
    if event.verdict is DriftVerdict.OK:
        settle_cause(
            alerts=alerts,
            channels=channels,
            deliveries=deliveries,
            queue=queue,
            dashboard=dashboard,
            clock=clock,
            cause=drift_cause(event),
            actor=f"report:{event.report_id}",
            at=at,
            reason=event.sentence,
        )
        return None
    signal = drift_signal(event, at)
    raise_alert(
        alerts=alerts,
        channels=channels,
        deliveries=deliveries,
        queue=queue,
        dashboard=dashboard,
        clock=clock,
        signal=signal,
    )
    return govern_retraining(
        catalog=catalog, registry=registry, ledger=ledger, pipelines=pipelines, log=log, clock=clock, event=event
    )
