"""Record what the preparation found: the version becomes READY, or the upload is refused."""

from __future__ import annotations

from millrace import names
from millrace.domain.dataset import (
    DatasetSettings,
    DatasetVersion,
    PreparationReport,
    PreparationRequest,
    Quality,
    Registration,
)
from millrace.domain.event import DatasetVersionReady
from millrace.errors import DatasetInvalid, InvalidInput
from millrace.ports import DatasetCatalog, EventBus, MetricSink, ObjectStore, RunLedger

_UNITS = {
    "rows_in": "Count",
    "rows_accepted": "Count",
    "rows_quarantined": "Count",
    "schema_changes": "Count",
    "preparation_seconds": "Seconds",
}


def record_dataset_version(
    *,
    catalog: DatasetCatalog,
    store: ObjectStore,
    ledger: RunLedger,
    bus: EventBus,
    metrics: MetricSink,
    run_id: str,
    registration: Registration,
) -> DatasetVersion:
    """Raises DatasetInvalid when the preparation refused the upload, ContractMoved when it has to be done again."""
    request, report = _request(store, registration), _report(store, registration)
    if report.rejection is not None:
        raise DatasetInvalid(report.rejection)
    if report.contract is None or report.quality is None:
        raise InvalidInput(f"the preparation report of {report.dataset} v{report.version} lacks contract or quality")
    ready = catalog.version(report.dataset, report.version).model_copy(
        update={
            "contract_version": report.contract.version,
            "dialect": request.dialect,
            "quality": report.quality,
            "reasons": (),
        }
    )
    catalog.accept_version(ready, report.contract if request.contract is None else None)
    settings = catalog.get(report.dataset).settings
    ledger.annotate(run_id, dataset_version=report.version, outcome=_outcome(ready, report.quality, settings))
    bus.publish(DatasetVersionReady(dataset=report.dataset, version=report.version, run_id=run_id))
    _measure(metrics, report, report.quality)
    return catalog.version(report.dataset, report.version)


def _request(store: ObjectStore, registration: Registration) -> PreparationRequest:
    if registration.request_uri is None:
        raise InvalidInput(f"upload {registration.upload_id} of {registration.dataset} has nothing to prepare")
    return PreparationRequest.read(store.read(registration.request_uri))


def _report(store: ObjectStore, registration: Registration) -> PreparationReport:
    report = PreparationReport.read(store.read(str(registration.report_uri)))
    if (report.dataset, report.version) != (registration.dataset, registration.version):
        raise InvalidInput(
            f"the report at {registration.report_uri} is about {report.dataset} v{report.version}, "
            f"not about {registration.dataset} v{registration.version}"
        )
    return report


def _outcome(version: DatasetVersion, quality: Quality, settings: DatasetSettings) -> str:
    said = (
        f"{version.dataset} v{version.version}: {quality.rows_in:,} rows in, {quality.accepted:,} accepted, "
        f"{quality.quarantined:,} quarantined."
    )
    if settings.target is None:
        return f"{said} It waits for a target: name one in the dataset's settings to train on it."
    return said


def _measure(metrics: MetricSink, report: PreparationReport, quality: Quality) -> None:
    metrics.record(
        {
            "rows_in": quality.rows_in,
            "rows_accepted": quality.accepted,
            "rows_quarantined": quality.quarantined,
            names.QUARANTINED_SHARE: quality.quarantined_share,
            "null_share": quality.null_share,
            "schema_changes": len(quality.schema_changes),
            "preparation_seconds": report.seconds,
        },
        dimensions={"dataset": report.dataset},
        units=_UNITS,
    )
    # Of all datasets together, for the alarm.
    metrics.record({names.QUARANTINED_SHARE: quality.quarantined_share}, dimensions={}, units=_UNITS)
