"""Follow a run that has ended: a failure is an alert, the next success closes it; what its jobs did is measured."""

from __future__ import annotations

from collections import Counter

from millrace import names
from millrace.domain.audit import acting
from millrace.domain.cost import cost_of_steps
from millrace.domain.run import Run, RunState
from millrace.ports import AlertBook, ChannelBook, Clock, Dashboard, DeliveryBook, DeliveryQueue, MetricSink
from millrace.use_cases.raise_alert import raise_alert, settle_cause
from millrace.use_cases.watch_sources import run_cause, run_signal


def follow_run(
    *,
    alerts: AlertBook,
    channels: ChannelBook,
    deliveries: DeliveryBook,
    queue: DeliveryQueue,
    dashboard: Dashboard,
    metrics: MetricSink,
    clock: Clock,
    run: Run,
) -> None:
    """Repeating it alerts nobody twice; the metrics count a repeated event again, as CloudWatch metrics do."""
    if run.ended_at is None:
        return
    signal = run_signal(run)
    if signal is not None:
        raise_alert(
            alerts=alerts,
            channels=channels,
            deliveries=deliveries,
            queue=queue,
            dashboard=dashboard,
            clock=clock,
            signal=signal,
        )
    elif run.state is RunState.SUCCEEDED:
        settle_cause(
            alerts=alerts,
            channels=channels,
            deliveries=deliveries,
            queue=queue,
            dashboard=dashboard,
            clock=clock,
            cause=run_cause(run),
            actor=acting(run.run_id),
            at=run.ended_at,
            reason=f"{run.run_id} succeeded.",
        )
    _measure(metrics, run)


def _measure(metrics: MetricSink, run: Run) -> None:
    failed = Counter(step.job.service for step in run.steps if step.job and step.state is not RunState.SUCCEEDED)
    for service, count in failed.items():
        metrics.record(
            {names.FAILED_JOBS: float(count)},
            dimensions={names.JOB_SERVICE: service},
            units={names.FAILED_JOBS: "Count"},
        )
    cost = cost_of_steps(run.steps)
    if cost is not None:
        metrics.record({names.RUN_COST: cost}, dimensions={}, units={})
