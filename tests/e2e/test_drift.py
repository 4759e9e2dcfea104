"""What a model is asked and answers is compared with what it learnt from: reports, metrics, registry, events."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from millrace import names
from millrace.domain import identity, place
from millrace.domain.drift import DriftKind, DriftReport, DriftSummary, DriftVerdict
from millrace.domain.event import BatchInferenceCompleted, GroundTruthArrived
from millrace.domain.model import ModelVersion
from millrace.domain.run import Run, RunState
from millrace.use_cases.check_drift import check_datasets, check_drift
from tests.e2e.conftest import Bench, wait_for

MODEL = "weather"
ROWS = 1500
SETTINGS = {"target": "late", "training": {"trials": 1, "algorithms": ["linear"]}}
DAY = datetime(2026, 3, 2, tzinfo=UTC)


def rows(count: int, *, warmer: float = 0.0, seed: int = 1) -> list[dict[str, Any]]:
    """Flights that are late when it is warm; `warmer` by so many standard deviations."""
    rng = np.random.default_rng(seed)
    temp = rng.normal(10 + 5 * warmer, 5, count)
    late = rng.random(count) < 1 / (1 + np.exp(-(temp - 10) / 2))
    return [
        {
            "temp": round(float(temp[row]), 3),
            "distance": round(float(rng.normal(800, 100)), 1),
            "carrier": str(rng.choice(["AA", "UA", "DL"])),
            "late": "yes" if late[row] else "no",
        }
        for row in range(count)
    ]


def csv_of(table: list[dict[str, Any]]) -> bytes:
    lines = [",".join(table[0]), *(",".join(str(value) for value in row.values()) for row in table)]
    return "\n".join(lines).encode()


def scored(table: list[dict[str, Any]]) -> list[tuple[dict[str, Any], float]]:
    """Each row without its label, with a probability that rises with the temperature as the model's does."""
    return [
        ({name: value for name, value in row.items() if name != "late"}, 1 / (1 + np.exp(-(row["temp"] - 10) / 2)))
        for row in table
    ]


@pytest.fixture(scope="module")
def version(bench: Bench) -> ModelVersion:
    assert bench.configure(MODEL, SETTINGS).state is RunState.SUCCEEDED
    assert bench.drop(MODEL, "winter.csv", csv_of(rows(ROWS))).state is RunState.SUCCEEDED
    trained = bench.trained(MODEL, 1)
    assert trained.state is RunState.SUCCEEDED, trained.reason
    (found,) = bench.platform.registry.versions(MODEL)
    return found


@pytest.fixture(scope="module")
def heard(bench: Bench) -> Iterator[Any]:
    """Messages of the platform's bus that say DriftDetected."""
    events, queues = bench.session.client("events"), bench.session.client("sqs")
    url = queues.create_queue(QueueName="drift-heard")["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    bus = bench.platform.settings.require("event_bus_name")
    pattern = json.dumps({"detail-type": [names.DRIFT_DETECTED]})
    events.put_rule(Name="drift-heard", EventBusName=bus, EventPattern=pattern)
    events.put_targets(Rule="drift-heard", EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
    seen: list[dict[str, Any]] = []

    def listen() -> list[dict[str, Any]]:
        answer = queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        for message in answer.get("Messages", []):
            seen.append(json.loads(message["Body"])["detail"])
            queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return seen

    yield listen
    events.remove_targets(Rule="drift-heard", EventBusName=bus, Ids=["queue"])
    events.delete_rule(Name="drift-heard", EventBusName=bus)
    queues.delete_queue(QueueUrl=url)


def batch_done(bench: Bench, version: ModelVersion, job_id: str, table: list[dict[str, Any]]) -> Run:
    """A finished batch job: its results lie in the bucket, and the bus knows. The run that checks it, ended."""
    results = place.uri(bench.bucket, f"{names.INFERENCE_PREFIX}{MODEL}/batches/{job_id}/results/")
    answers = scored(table)
    columns: dict[str, list[Any]] = {name: [row[name] for row, _ in answers] for name in answers[0][0]}
    body = io.BytesIO()
    pq.write_table(
        pa.table(
            {
                "record_id": [f"{job_id}-{number}" for number in range(len(answers))],
                "row_number": list(range(len(answers))),
                **columns,
                "prediction": ["yes" if score >= 0.5 else "no" for _, score in answers],
                "probability.no": [1 - score for _, score in answers],
                "probability.yes": [score for _, score in answers],
            }
        ),
        body,
    )
    bench.platform.store.write(f"{results}part-00000.parquet", body.getvalue())
    bench.platform.bus.publish(
        BatchInferenceCompleted(
            job_id=job_id, model=MODEL, number=version.number, results_uri=results, rows=len(answers)
        )
    )
    run = bench.ended(identity.drift_run_id(version.id, "batch", job_id, ""))
    assert run.state is RunState.SUCCEEDED, run.reason
    return run


def reports_of(bench: Bench, run: Run) -> dict[DriftKind, DriftSummary]:
    found = bench.platform.drift_reports.page(model=MODEL, limit=100).items
    return {each.kind: each for each in found if each.run_id == run.run_id}


def read(bench: Bench, summary: DriftSummary) -> DriftReport:
    return DriftReport.model_validate_json(bench.platform.store.read(summary.report_uri))


def test_a_registered_version_has_the_profile_of_what_it_learnt_from(bench: Bench, version: ModelVersion) -> None:
    baseline = bench.read_json(str(version.baseline_uri))

    assert set(baseline["inputs"]["columns"]) == {"temp", "distance", "carrier"}
    assert baseline["inputs"]["rows"] == bench.platform.catalog.version(MODEL, 1).quality.split_rows["train"]  # type: ignore[union-attr]
    assert baseline["predictions"]["rows"] == baseline["held_out"]["rows"] > 100
    assert set(baseline["predictions"]["columns"]) == {"prediction", "probability.yes"}
    assert baseline["importances"]["temp"] > baseline["importances"]["distance"]
    assert baseline["held_out"]["metrics"]["roc_auc"]["value"] == version.metrics["roc_auc"].value


def test_a_drifted_batch_becomes_a_report_a_metric_an_entry_in_the_registry_and_an_event(
    bench: Bench, version: ModelVersion, heard: Any
) -> None:
    began = time.monotonic()
    run = batch_done(bench, version, "warm", rows(600, warmer=1.0, seed=2))
    assert time.monotonic() - began < 60

    found = reports_of(bench, run)
    assert {kind: each.verdict for kind, each in found.items()} == {
        DriftKind.DATA: DriftVerdict.DRIFT,
        DriftKind.PREDICTION: DriftVerdict.DRIFT,
        DriftKind.PERFORMANCE: DriftVerdict.SKIPPED,
    }
    assert found[DriftKind.DATA].drifted == ("temp",)
    report = read(bench, found[DriftKind.DATA])
    (temp,) = report.drifted
    assert "`temp` rose by 1.0 sd; this feature carries" in temp.sentence
    assert len(report.overlays["temp"].baseline) == len(report.overlays["temp"].window) <= 30
    assert read(bench, found[DriftKind.PERFORMANCE]).performance[0].estimated
    page = bench.platform.store.read(found[DriftKind.DATA].html_uri).decode()
    assert "<svg" in page
    assert "<script" not in page

    measured = bench.session.client("cloudwatch").get_metric_statistics(
        Namespace=names.METRIC_NAMESPACE,
        MetricName=names.DRIFTED_FEATURES,
        Dimensions=[{"Name": names.MODEL_DIMENSION, "Value": MODEL}],
        StartTime=datetime.now(UTC) - timedelta(hours=1),
        EndTime=datetime.now(UTC) + timedelta(minutes=5),
        Period=3600,
        Statistics=["Maximum"],
    )
    assert [point["Maximum"] for point in measured["Datapoints"]] == [1.0]
    event = wait_for(
        lambda: next((each for each in heard() if each["report_id"] == found[DriftKind.DATA].id), None),
        what="the event DriftDetected",
        seconds=30,
    )
    assert (event["model"], event["number"], event["kind"], event["features"]) == (
        MODEL,
        version.number,
        "data",
        ["temp"],
    )
    assert bench.platform.drift_reports.get(found[DriftKind.DATA].id).sentence == event["sentence"]


def test_labels_of_a_batch_make_its_performance_known(bench: Bench, version: ModelVersion) -> None:
    """Those of the batch before, which nobody had labels for."""
    table = rows(600, warmer=1.0, seed=2)
    today = bench.platform.clock.now()
    lines = [
        json.dumps({"record_id": f"warm-{number}", "label": row["late"], "at": today.isoformat(), "actor": "tester"})
        for number, row in enumerate(table)
    ]
    address = place.truth_uri(bench.bucket, MODEL, today.date().isoformat())
    bench.platform.store.write(f"{address}some.jsonl", "\n".join(lines).encode())
    bench.platform.bus.publish(GroundTruthArrived(model=MODEL, labels=len(lines)))

    def judged() -> DriftSummary | None:
        found = bench.platform.drift_reports.page(model=MODEL, kind=DriftKind.PERFORMANCE).items
        return next((each for each in found if each.verdict is not DriftVerdict.SKIPPED), None)

    summary = wait_for(judged, what="a measured performance", seconds=60)
    report = read(bench, summary)
    assert (summary.window, summary.verdict) == ("batch warm", DriftVerdict.DRIFT)
    assert (report.performance[0].metric, report.performance[0].rows) == ("roc_auc", 600)
    assert not report.performance[0].estimated
    assert "`label` has" in summary.sentence


def records(table: list[dict[str, Any]], version: ModelVersion, day: datetime) -> bytes:
    """What predictions leave behind, each line twice, as queues deliver."""
    lines = [
        json.dumps(
            {
                "record_id": f"{day.date()}-{number}",
                "model": MODEL,
                "number": version.number,
                "at": (day + timedelta(minutes=number)).isoformat(),
                "row": row,
                "prediction": "yes" if score >= 0.5 else "no",
                "probabilities": {"no": 1 - score, "yes": score},
            }
        )
        for number, (row, score) in enumerate(scored(table))
    ]
    return "".join(f"{line}\n" for line in [*lines, *lines]).encode()


def window_checked(bench: Bench, version: ModelVersion, day: datetime, table: list[dict[str, Any]]) -> Run:
    address = place.inference_records_uri(bench.bucket, MODEL, day.date().isoformat(), "some")
    bench.platform.store.write(address, records(table, version, day))
    started = check_drift(
        registry=bench.platform.registry,
        ledger=bench.platform.ledger,
        pipelines=bench.platform.pipelines,
        clock=bench.platform.clock,
        data_bucket=bench.bucket,
        model=MODEL,
        number=version.number,
        first=day,
        until=day + timedelta(days=1),
        actor="tester",
    )
    run = bench.ended(started.run_id)
    assert run.state is RunState.SUCCEEDED, run.reason
    return run


def test_a_day_of_requests_like_those_learnt_from_is_ok_and_its_day_says_so(
    bench: Bench, version: ModelVersion
) -> None:
    run = window_checked(bench, version, DAY, rows(800, seed=3))

    found = reports_of(bench, run)
    assert found[DriftKind.DATA].verdict is DriftVerdict.OK
    assert found[DriftKind.DATA].window_rows == 800
    assert "would have been seen" in found[DriftKind.DATA].sentence
    (day,) = bench.platform.drift_reports.days(MODEL, DriftKind.DATA, DAY.date(), DAY.date())
    assert {cell.feature: cell.verdict for cell in day.cells} == dict.fromkeys(
        ("temp", "distance", "carrier"), DriftVerdict.OK
    )


def test_too_few_requests_are_not_judged_and_the_report_says_why(bench: Bench, version: ModelVersion) -> None:
    run = window_checked(bench, version, DAY + timedelta(days=1), rows(41, warmer=3.0, seed=4))

    found = reports_of(bench, run)[DriftKind.DATA]
    assert found.verdict is DriftVerdict.SKIPPED
    assert "too few rows: 41, need 100" in found.sentence


def test_two_dataset_versions_are_compared_without_reading_a_row(bench: Bench, version: ModelVersion) -> None:
    assert bench.configure(MODEL, {"training": {"on_new_version": False}}).state is RunState.SUCCEEDED
    assert bench.drop(MODEL, "spring.csv", csv_of(rows(600, warmer=0.8, seed=5))).state is RunState.SUCCEEDED
    started = check_datasets(
        catalog=bench.platform.catalog,
        registry=bench.platform.registry,
        ledger=bench.platform.ledger,
        pipelines=bench.platform.pipelines,
        clock=bench.platform.clock,
        model=MODEL,
        baseline_version=1,
        window_version=2,
        actor="tester",
    )
    run = bench.ended(started.run_id)

    assert run.state is RunState.SUCCEEDED, run.reason
    found = reports_of(bench, run)[DriftKind.DATA]
    assert (found.verdict, found.drifted) == (DriftVerdict.DRIFT, ("temp",))
    assert (found.baseline, found.window) == (f"{MODEL} v1", f"{MODEL} v2")
