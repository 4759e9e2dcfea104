"""Compare a window with its baseline, and write what was found: reports as JSON and as pages, each for itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from millrace.analytics.drift.baseline import Baseline
from millrace.analytics.drift.decision import judge_drift
from millrace.analytics.drift.overlay import overlays_of
from millrace.analytics.drift.page import drift_page
from millrace.analytics.drift.performance import (
    awaiting_labels,
    judge_performance,
    label_profile,
    labelled_predictions,
)
from millrace.analytics.drift.rows import (
    Labels,
    RowSample,
    WindowProfiler,
    hashes_of,
    scores_of,
    table_of_predictions,
    table_of_records,
)
from millrace.analytics.profiling import DatasetProfile
from millrace.domain import place
from millrace.domain.drift import (
    DriftJudgement,
    DriftKind,
    DriftOverlay,
    DriftReport,
    DriftRequest,
    DriftRule,
    DriftSource,
    DriftVerdict,
    Performance,
)
from millrace.domain.truth import LABEL_DAYS, LabelCounts
from millrace.errors import NotFound
from millrace.ports import ObjectStore
from millrace.use_cases.read_window import RecordReader, parquet_tables, read_labels

# Scores of so many rows answer for the window's: beyond, intervals hardly become narrower.
SAMPLED_ROWS = 50_000
# What a function fetches within a minute or two.
ELSEWHERE_BYTES = 4 << 30


@dataclass(frozen=True)
class _Window:
    """A window as profiles, and samples of its scored rows: of all of them, and of those with a label."""

    inputs: DatasetProfile
    predictions: DatasetProfile
    sample: RowSample
    labelled: RowSample
    labels: LabelCounts
    truncated: bool


def detect_drift(
    *, store: ObjectStore, data_bucket: str, artifacts_bucket: str, request: DriftRequest
) -> list[DriftReport]:
    """The reports, written below `drift/{model}/`. The same request over the same rows writes the same bytes.

    Raises NotFound when the window does not exist. Memory holds one batch of rows, profiles and samples.
    """
    reports = _of_datasets(store, request) if request.source is DriftSource.DATASET else _of_rows(
        store, data_bucket, request
    )  # fmt: skip
    for report in reports:
        store.write(place.drift_uri(artifacts_bucket, report.model, report.id, "report.json"), _json(report))
        page = drift_page(report).encode()
        address = place.drift_uri(artifacts_bucket, report.model, report.id, "report.html")
        store.write(address, page, content_type="text/html; charset=utf-8")
    return reports


def _json(report: DriftReport) -> bytes:
    return report.model_dump_json(indent=1).encode()


def _of_datasets(store: ObjectStore, request: DriftRequest) -> list[DriftReport]:
    """Two dataset versions: their profiles are there already, so no row is read."""
    window = DatasetProfile.from_json(json.loads(store.read(request.window_uri)))
    if request.baseline_uri is None:
        return [_report(request, DriftKind.DATA, judge_drift(None, window))]
    baseline = DatasetProfile.from_json(json.loads(store.read(request.baseline_uri)))
    judgement = judge_drift(baseline, window, features=request.features)
    return [_report(request, DriftKind.DATA, judgement, _pictured(judgement, baseline, window))]


def _of_rows(store: ObjectStore, data_bucket: str, request: DriftRequest) -> list[DriftReport]:
    baseline = _baseline(store, request)
    if baseline is None:
        empty = DatasetProfile(columns={})
        return [_report(request, kind, judge_drift(None, empty)) for kind in DriftKind]
    labels = read_labels(
        store,
        data_bucket,
        request.model,
        request.requested_at - timedelta(days=LABEL_DAYS),
        request.requested_at + timedelta(microseconds=1),
    )
    window = _read(store, request, baseline, labels)
    inputs = judge_drift(
        baseline.inputs, window.inputs, features=list(baseline.input_kinds), importances=baseline.importances
    )
    predictions = judge_drift(baseline.predictions, window.predictions)
    performance, measured, truth = _performance(baseline, window, labels)
    return [
        _report(request, DriftKind.DATA, inputs, _pictured(inputs, baseline.inputs, window.inputs), window=window),
        _report(
            request,
            DriftKind.PREDICTION,
            predictions,
            _pictured(predictions, baseline.predictions, window.predictions),
            window=window,
        ),
        _report(
            request,
            DriftKind.PERFORMANCE,
            performance,
            {} if truth is None else _pictured(performance, baseline.labels, truth),
            measured,
            window,
        ),
    ]


def _baseline(store: ObjectStore, request: DriftRequest) -> Baseline | None:
    if request.baseline_uri is None:
        return None
    try:
        return Baseline.from_json(json.loads(store.read(request.baseline_uri)))
    except NotFound:
        return None  # registered before baselines were made: the verdict says so


def _read(store: ObjectStore, request: DriftRequest, baseline: Baseline, labels: Labels) -> _Window:
    output = baseline.output
    inputs, predictions = WindowProfiler(baseline.input_kinds), WindowProfiler(output.profiled_kinds)
    columns = max(1, len(output.classes))
    sample, labelled = RowSample(SAMPLED_ROWS, columns), RowSample(SAMPLED_ROWS, columns)
    unlabelled = 0

    def take(rows: pa.Table, answers: pa.Table, ids: Sequence[str]) -> None:
        nonlocal unlabelled
        inputs.add(rows)
        predictions.add(answers)
        hashes, scores = hashes_of(ids), scores_of(answers, output)
        sample.add(hashes, scores)
        known = labels.meet(hashes)
        unlabelled += int(np.count_nonzero(~known))
        labelled.add(hashes[known], scores[known])

    truncated = False
    if request.source is DriftSource.BATCH:
        kinds = {**baseline.input_kinds, **output.profiled_kinds}
        categories = [name for name, kind in kinds.items() if kind == "category"]
        tables = parquet_tables(store, request.window_uri, repeated=categories)
        for position, table in enumerate(_existing(tables, request)):
            take(table, table, _ids(table, position))
    else:
        reader = _records(store, request, labels)
        for records in reader.batches():
            rows = table_of_records([record["row"] for record in records], baseline.input_kinds)
            take(rows, table_of_predictions(records, output), [record["record_id"] for record in records])
        truncated = reader.truncated
    everywhere = request.label_uris is not None and not truncated
    everywhere = everywhere and _look_elsewhere(store, request.label_uris or (), labels)
    counts = labels.counts(unlabelled=unlabelled, everywhere=everywhere)
    return _Window(inputs.profile, predictions.profile, sample, labelled, counts, truncated)


def _look_elsewhere(store: ObjectStore, addresses: Sequence[str], labels: Labels) -> bool:
    """Whether all was looked at that was needed: of batches the ids of their rows, and none once no label waits.

    A file is fetched whole for its ids. A label that will never meet its prediction shall not keep the check from its
    verdict: beyond `ELSEWHERE_BYTES` nothing is looked at, and the report does not claim that a label waits.
    """
    left = ELSEWHERE_BYTES
    for address in addresses:
        if not labels.unmet:
            return True
        left -= sum(found.size_bytes for found in store.list(address) if found.uri.endswith(".parquet"))
        if left < 0:
            return False
        for position, table in enumerate(parquet_tables(store, address, columns=["record_id"])):
            labels.meet_elsewhere(hashes_of(_ids(table, position)))
    return True


def _existing(tables: Iterator[pa.Table], request: DriftRequest) -> Iterator[pa.Table]:
    found = False
    for table in tables:
        found = True
        yield table
    if not found:
        raise NotFound(f"there are no results at {request.window_uri}")


def _ids(table: pa.Table, position: int) -> list[str]:
    """Record ids as texts; rows without one are told apart by their place."""
    if "record_id" not in table.column_names:
        return [f"{position}-{row}" for row in range(table.num_rows)]
    return [
        f"{position}-{row}" if value is None else str(value)
        for row, value in enumerate(table.column("record_id").to_pylist())
    ]


def _records(store: ObjectStore, request: DriftRequest, labels: Labels) -> RecordReader:
    if request.first is None or request.until is None:
        raise NotFound(f"check {request.run_id} of real-time records names no time")
    return RecordReader(
        store,
        request.window_uri,
        number=request.number,
        first=request.first,
        until=request.until,
        passed_over=None if request.label_uris is None else lambda ids: labels.meet_elsewhere(hashes_of(ids)),
    )


def _performance(
    baseline: Baseline, window: _Window, labels: Labels
) -> tuple[DriftJudgement, tuple[Performance, ...], DatasetProfile | None]:
    """Measured when enough labels came, else estimated."""
    output, labelled = baseline.output, window.labelled.rows
    if len(labelled.hashes) < DriftRule().minimum_rows:
        waiting = awaiting_labels(baseline, window.sample.rows, window.inputs.rows, len(labelled.hashes))
        return (*waiting, None)
    truth = label_profile(output, labels.of(labelled.hashes))
    judged = judge_performance(baseline, labelled_predictions(output, labelled, labels), truth)
    return (*judged, truth)


def _pictured(judgement: DriftJudgement, baseline: DatasetProfile, window: DatasetProfile) -> dict[str, DriftOverlay]:
    return overlays_of(baseline, window, [feature.feature for feature in judgement.features])


def _report(
    request: DriftRequest,
    kind: DriftKind,
    judgement: DriftJudgement,
    overlays: dict[str, DriftOverlay] | None = None,
    performance: tuple[Performance, ...] = (),
    window: _Window | None = None,
) -> DriftReport:
    cut = window is not None and window.truncated
    told: dict[str, Any] = dict(judgement)
    if cut:
        told["sentence"] = f"{judgement.sentence} The window held more: only its first records were looked at."
    labels = window.labels if window is not None and kind is DriftKind.PERFORMANCE else None
    if labels is not None and labels.known and (labels.waiting or judgement.verdict is DriftVerdict.SKIPPED):
        told["sentence"] = f"{told['sentence']} {labels.sentence}"
    return DriftReport(
        **told,
        id=f"{request.run_id}-{kind}",
        run_id=request.run_id,
        model=request.model,
        number=request.number,
        kind=kind,
        source=request.source,
        baseline=request.baseline,
        window=request.window,
        day=_day(request),
        created_at=request.requested_at,
        performance=performance,
        labels=labels,
        overlays=overlays or {},
    )


def _day(request: DriftRequest) -> date:
    """The day a window is about: its last one, or that of the check."""
    last = request.requested_at if request.until is None else request.until - timedelta(microseconds=1)
    return last.date()
