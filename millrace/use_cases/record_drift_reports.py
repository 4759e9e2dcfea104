"""Record what a drift check found: summary in the registry, metrics, and the news for those who act on it."""

from __future__ import annotations

from collections.abc import Sequence

from millrace import names
from millrace.domain import place
from millrace.domain.drift import (
    DriftCell,
    DriftKind,
    DriftReport,
    DriftSummary,
    DriftVerdict,
    cell_of,
    day_of,
    summary_of,
    worst_first,
)
from millrace.domain.event import DriftDetected
from millrace.ports import DriftReports, EventBus, MetricSink, ObjectStore, RunLedger

# CloudWatch bills each metric by the month: those of the worst features are enough to draw and to alarm on.
MEASURED_FEATURES = 20


def record_drift_reports(
    *,
    store: ObjectStore,
    reports: DriftReports,
    ledger: RunLedger,
    bus: EventBus,
    metrics: MetricSink,
    artifacts_bucket: str,
    run_id: str,
    model: str,
    report_ids: Sequence[str],
) -> list[DriftSummary]:
    """Repeating it records nothing twice; events may be published twice, under the same report id."""
    recorded = []
    for report_id in report_ids:
        address = place.drift_uri(artifacts_bucket, model, report_id, "report.json")
        page = place.drift_uri(artifacts_bucket, model, report_id, "report.html")
        report = DriftReport.read(store.read(address))
        summary = summary_of(report, address, page)
        before = _before(reports, summary)
        reports.record(summary, day_of(report))
        _tell(bus, summary, before)
        _measure(metrics, report)
        recorded.append(summary)
    ledger.annotate(run_id, outcome=" ".join(f"{each.kind.capitalize()}: {each.sentence}" for each in recorded))
    return recorded


def _before(reports: DriftReports, summary: DriftSummary) -> DriftVerdict | None:
    """The verdict of the latest judged report of the same kind before this one."""
    earlier = reports.page(model=summary.model, kind=summary.kind, limit=10).items
    return next(
        (
            each.verdict
            for each in earlier
            if each.id != summary.id
            and each.created_at <= summary.created_at
            and each.verdict is not DriftVerdict.SKIPPED
        ),
        None,
    )


def _tell(bus: EventBus, summary: DriftSummary, before: DriftVerdict | None) -> None:
    """Every DRIFT, and the OK that ends one."""
    over = summary.verdict is DriftVerdict.OK and before is DriftVerdict.DRIFT
    if summary.verdict is not DriftVerdict.DRIFT and not over:
        return
    bus.publish(
        DriftDetected(
            report_id=summary.id,
            model=summary.model,
            number=summary.number,
            kind=summary.kind.value,
            verdict=summary.verdict,
            severity=summary.severity,
            features=summary.drifted,
            sentence=summary.sentence,
            report_uri=summary.report_uri,
        )
    )


def _measure(metrics: MetricSink, report: DriftReport) -> None:
    """Nothing for what was not judged: a gap in a metric is not a zero."""
    if report.verdict is DriftVerdict.SKIPPED:
        return
    drifted = int(report.verdict is DriftVerdict.DRIFT)
    metrics.record({names.DRIFT_REPORTS: drifted}, dimensions={names.DRIFT_KIND: report.kind}, units=_COUNT)
    where = {names.MODEL_DIMENSION: report.model}
    if report.kind is DriftKind.DATA:
        metrics.record({names.DRIFTED_FEATURES: len(report.drifted)}, dimensions=where, units=_COUNT)
        for cell in (cell_of(feature) for feature in worst_first(report.features)[:MEASURED_FEATURES]):
            _measure_feature(metrics, report.model, cell)
    elif report.kind is DriftKind.PREDICTION:
        metrics.record({names.PREDICTION_DRIFT: drifted}, dimensions=where, units=_COUNT)
    else:
        primary = report.performance[0]
        lost = (primary.held_out - primary.window) * (1 if primary.higher_is_better else -1)
        metrics.record({names.PERFORMANCE_DECAY: lost}, dimensions=where, units={})


def _measure_feature(metrics: MetricSink, model: str, cell: DriftCell) -> None:
    """How often the score's threshold is reached: 1 is the threshold, whatever the metric behind it."""
    if cell.score is None or not cell.threshold:
        return
    metrics.record(
        {names.FEATURE_DRIFT: cell.score / cell.threshold},
        dimensions={names.MODEL_DIMENSION: model, names.FEATURE_DIMENSION: cell.feature},
        units={},
    )


_COUNT = dict.fromkeys((names.DRIFT_REPORTS, names.DRIFTED_FEATURES, names.PREDICTION_DRIFT), "Count")
