"""What a model is asked and answers is compared with what it learnt from; what follows, until it is trained again."""

from __future__ import annotations

import base64
import hashlib
import hmac
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
from millrace.domain.alert import Alert, AlertKind, AlertState
from millrace.domain.channel import OPERATORS, ChannelKind, Delivery, DeliveryState
from millrace.domain.drift import DriftKind, DriftReport, DriftSummary, DriftVerdict
from millrace.domain.event import BatchInferenceCompleted, GroundTruthArrived
from millrace.domain.model import ModelVersion, VerdictOutcome
from millrace.domain.retraining import RetrainingDecision, RetrainingReason
from millrace.domain.run import Run, RunState
from millrace.domain.schedule import ScheduledAction
from millrace.use_cases.check_champions import ACTOR
from millrace.use_cases.check_drift import check_datasets, check_drift
from millrace.use_cases.keep_schedule import create_schedule
from millrace.use_cases.manage_channels import NewChannel, create_channel, delete_channel
from millrace.use_cases.move_alias import move_alias
from tests.e2e.calling import outputs, shows_the_dashboard
from tests.e2e.conftest import Bench, wait_for
from tests.e2e.deployed import due_now
from tests.e2e.receiving import Inbox, Receiver, subscribed_inbox

MODEL = "weather"
ROWS = 1500
SETTINGS = {
    "target": "late",
    "training": {"trials": 1, "algorithms": ["linear"], "on_new_version": False},
    "retraining": {"cool_down_hours": 0, "min_new_rows": 10},
}
DAY = datetime(2026, 3, 2, tzinfo=UTC)


def rows(
    count: int, *, warmer: float = 0.0, farther: float = 0.0, late_when_far: bool = False, seed: int = 1
) -> list[dict[str, Any]]:
    """Flights that are late when it is warm, or when they go far; `warmer` and `farther` are in standard deviations."""
    rng = np.random.default_rng(seed)
    temp, distance = rng.normal(10 + 5 * warmer, 5, count), rng.normal(800 + 100 * farther, 100, count)
    cause = (distance - 800 - 100 * farther) / 40 if late_when_far else (temp - 10) / 2
    late = rng.random(count) < 1 / (1 + np.exp(-cause))
    return [
        {
            "temp": round(float(temp[row]), 3),
            "distance": round(float(distance[row]), 1),
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
    trained = bench.train(MODEL, 1)
    assert trained.state is RunState.SUCCEEDED, trained.reason
    (found,) = bench.platform.registry.versions(MODEL)
    return found


@pytest.fixture(scope="module")
def champion(bench: Bench, version: ModelVersion) -> ModelVersion:
    platform, said = bench.platform, {"actor": "tester", "reason": "for the test"}
    platform.registry.decide(MODEL, version.number, approve=True, at=platform.clock.now(), **said)
    move_alias(
        registry=platform.registry,
        clock=platform.clock,
        alias="champion",
        version_id=version.id,
        expected=None,
        **said,
    )
    return version


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture(scope="module")
def channel(bench: Bench, receiver: Receiver) -> Iterator[NewChannel]:
    platform = bench.platform
    made = create_channel(
        channels=platform.channels,
        secrets=platform.channel_secrets,
        subscriptions=platform.subscriptions,
        poster=platform.poster,
        clock=platform.clock,
        kind=ChannelKind.WEBHOOK,
        name="on-call",
        address=f"http://127.0.0.1:{receiver.server.server_port}/millrace?team=ml",
        kinds=(),
        actor="tester",
    )
    yield made
    delete_channel(
        channels=platform.channels,
        secrets=platform.channel_secrets,
        subscriptions=platform.subscriptions,
        channel_id=made.channel.channel_id,
        actor="tester",
    )


@pytest.fixture(scope="module")
def inbox(bench: Bench) -> Inbox:
    return subscribed_inbox(bench)


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


def predicted(bench: Bench, version: ModelVersion, name: str, table: list[dict[str, Any]]) -> Run:
    """A file dropped for the model: the run that checks what came of it, ended."""
    key = f"inference/{MODEL}/{name}"
    body = csv_of([row for row, _ in scored(table)])
    answer = bench.session.client("s3").put_object(Bucket=bench.bucket, Key=key, Body=body)
    job = bench.ended(identity.dropped_batch_id(bench.bucket, key, answer["VersionId"]))
    assert job.state is RunState.SUCCEEDED, job.reason
    run = bench.ended(identity.drift_run_id(version.id, "batch", job.run_id, ""))
    assert run.state is RunState.SUCCEEDED, run.reason
    return run


def measured(bench: Bench, metric: str, dimension: str, value: str, statistic: Any) -> float:
    """Of the hours that are now: two of them, when one has just begun."""
    found = bench.session.client("cloudwatch").get_metric_statistics(
        Namespace=names.METRIC_NAMESPACE,
        MetricName=metric,
        Dimensions=[{"Name": dimension, "Value": value}],
        StartTime=datetime.now(UTC) - timedelta(hours=3),
        EndTime=datetime.now(UTC) + timedelta(minutes=5),
        Period=6 * 3600,
        Statistics=[statistic],
    )
    points: list[dict[str, Any]] = [dict(point) for point in found["Datapoints"]]
    return sum(float(point[statistic]) for point in points)


def drift_alarm(bench: Bench) -> str:
    """The state of the alarm on drifted data."""
    alarms = bench.session.client("cloudwatch").describe_alarms()["MetricAlarms"]
    (found,) = [
        alarm
        for alarm in alarms
        if alarm["MetricName"] == names.DRIFT_REPORTS
        and alarm["Dimensions"] == [{"Name": names.DRIFT_KIND, "Value": "data"}]
    ]
    return str(found["StateValue"])


def decided(bench: Bench, report: DriftSummary) -> RetrainingDecision:
    def find() -> RetrainingDecision | None:
        page = bench.platform.retraining.page(MODEL).items
        return next((decision for decision in page if decision.decision_id == report.id), None)

    return wait_for(find, what=f"a decision on {report.id}", seconds=60)


def data_alert(bench: Bench) -> Alert:
    (found,) = [each for each in bench.platform.alerts.page(model=MODEL).items if each.kind is AlertKind.DATA_DRIFT]
    return found


def delivered(bench: Bench, channel_id: str, event: str, alert: Alert) -> Delivery:
    def find() -> Delivery | None:
        page = bench.platform.deliveries.page(channel_id, limit=100).items
        mine = [each for each in page if each.alert_id == alert.alert_id and each.event == event]
        return next((each for each in mine if each.state is DeliveryState.DELIVERED), None)

    return wait_for(find, what=f"{event} at {channel_id}", seconds=60)


def test_a_drifted_batch_is_reported_measured_alarmed_told_once_and_trained_on_when_labels_came(
    bench: Bench, champion: ModelVersion, receiver: Receiver, channel: NewChannel, inbox: Inbox
) -> None:
    before = measured(bench, names.DRIFT_REPORTS, names.DRIFT_KIND, "data", "Sum")
    receiver.refusals[MODEL] = [503]  # busy at first: it comes again

    # A file is dropped; its report.
    found = reports_of(bench, predicted(bench, champion, "far.csv", rows(600, farther=1.0, seed=12)))
    assert {kind: each.verdict for kind, each in found.items()} == {
        DriftKind.DATA: DriftVerdict.DRIFT,
        DriftKind.PREDICTION: DriftVerdict.OK,
        DriftKind.PERFORMANCE: DriftVerdict.SKIPPED,
    }
    assert found[DriftKind.DATA].drifted == ("distance",)

    # Its metric, and the alarm on it.
    assert measured(bench, names.DRIFTED_FEATURES, names.MODEL_DIMENSION, MODEL, "Maximum") == 1.0
    assert measured(bench, names.DRIFT_REPORTS, names.DRIFT_KIND, "data", "Sum") - before == 1.0
    wait_for(lambda: drift_alarm(bench) == "ALARM" or None, what="the alarm", seconds=30)

    # The governor sees no labels that could help.
    refused = decided(bench, found[DriftKind.DATA])
    assert (refused.start, refused.reason) == (False, RetrainingReason.NO_NEW_LABELS)
    assert f"no new labels since v1, which {champion.id} was trained on" in refused.sentence

    # Labelled rows come, the drift goes on: now it may train, and says how good the result is.
    spring = csv_of(rows(ROWS, farther=1.0, late_when_far=True, seed=5))
    assert bench.drop(MODEL, "spring.csv", spring).state is RunState.SUCCEEDED
    again = reports_of(bench, batch_done(bench, champion, "far-again", rows(600, farther=1.0, seed=13)))
    allowed = decided(bench, again[DriftKind.DATA])
    assert (allowed.start, allowed.dataset_version) == (True, 2), allowed.sentence
    retrained = bench.ended(str(allowed.run_id))
    assert (retrained.state, retrained.started_by, retrained.dataset_version) == (RunState.SUCCEEDED, "governor", 2)
    newest = max(bench.platform.registry.versions(MODEL), key=lambda each: each.number)
    assert newest.verdict is not None
    assert (newest.lineage.run_id, newest.verdict.outcome) == (retrained.run_id, VerdictOutcome.BETTER)
    assert newest.verdict.compared_with == champion.id

    # All the while people were told once, and the program once, by a signed message.
    alert = data_alert(bench)
    assert (alert.breaches, alert.state) == (2, AlertState.OPEN)
    delivery = delivered(bench, channel.channel.channel_id, "alert.opened", alert)
    assert (delivery.attempts, delivery.status) == (2, 204)
    delivered(bench, OPERATORS.channel_id, "alert.opened", alert)
    ((headers, body),) = receiver.about(MODEL, "data_drift")
    assert headers["webhook-signature"] == signature(str(channel.secret), headers, body)
    told, dashboard = json.loads(body)["data"], outputs(bench)["DashboardUrl"]
    assert told["link"] == f"{dashboard}/monitoring?model={MODEL}&kind=data"
    assert told["alert_link"] == f"{dashboard}/alerts/{alert.alert_id}"
    (message,) = inbox.about(f"The data that {MODEL} sees")
    assert message["Message"].splitlines()[-1] == told["alert_link"]
    (asked,) = inbox.about(f"approval needed for {newest.id}")
    assert asked["Message"].splitlines()[-1] == f"{dashboard}/models/{MODEL}/{newest.number}"
    for link in (told["link"], told["alert_link"], asked["Message"].splitlines()[-1]):
        assert shows_the_dashboard(link)

    # It is over: one message more to each.
    batch_done(bench, champion, "calm", rows(600, seed=14))
    delivered(bench, OPERATORS.channel_id, "alert.closed", alert)
    delivered(bench, channel.channel.channel_id, "alert.closed", alert)
    assert data_alert(bench).state is AlertState.CLOSED
    assert [json.loads(body)["type"] for _, body in receiver.about(MODEL, "data_drift")] == [
        "alert.opened",
        "alert.closed",
    ]
    assert len(inbox.about(f"The data that {MODEL} sees")) == 2


def signature(secret: str, headers: dict[str, str], body: bytes) -> str:
    """As its receiver computes it (standardwebhooks.com), without our code."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    return f"v1,{base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()}"


def test_a_batch_with_other_answers_has_a_report_with_pictures_that_the_bus_tells_of(
    bench: Bench, champion: ModelVersion, heard: Any
) -> None:
    began = time.monotonic()
    run = batch_done(bench, champion, "warm", rows(600, warmer=1.0, seed=2))
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

    event = wait_for(
        lambda: next((each for each in heard() if each["report_id"] == found[DriftKind.DATA].id), None),
        what="the event DriftDetected",
        seconds=30,
    )
    assert (event["model"], event["number"], event["kind"], event["features"]) == (
        MODEL,
        champion.number,
        "data",
        ["temp"],
    )
    assert bench.platform.drift_reports.get(found[DriftKind.DATA].id).sentence == event["sentence"]
    assert decided(bench, found[DriftKind.DATA]).reason is RetrainingReason.ALREADY_TRAINED


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
                "record_id": f"{day.isoformat()}-{number}",
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


def test_every_night_the_day_before_is_checked_without_anybody_asking(bench: Bench, champion: ModelVersion) -> None:
    """The schedule of the templates, due now: a day of requests like those learnt from is OK, and says so."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    yesterday = today - timedelta(days=1)
    address = place.inference_records_uri(bench.bucket, MODEL, yesterday.date().isoformat(), "some")
    bench.platform.store.write(address, records(rows(800, seed=3), champion, yesterday))

    with due_now(bench):
        asked = (champion.id, "records", yesterday.isoformat(), today.isoformat(), ACTOR)
        run = bench.ended(identity.drift_run_id(*asked), seconds=60)

    assert (run.state, run.started_by) == (RunState.SUCCEEDED, ACTOR), run.reason
    found = reports_of(bench, run)
    assert found[DriftKind.DATA].verdict is DriftVerdict.OK
    assert found[DriftKind.DATA].window_rows == 800
    assert "would have been seen" in found[DriftKind.DATA].sentence
    (day,) = bench.platform.drift_reports.days(MODEL, DriftKind.DATA, yesterday.date(), yesterday.date())
    assert {cell.feature: cell.verdict for cell in day.cells} == dict.fromkeys(
        ("temp", "distance", "carrier"), DriftVerdict.OK
    )
    assert {entry.actor for entry in bench.platform.audit.page_of(f"run:{run.run_id}").items} >= {ACTOR}


def test_too_few_requests_are_not_judged_and_the_report_says_why(bench: Bench, version: ModelVersion) -> None:
    run = window_checked(bench, version, DAY + timedelta(days=1), rows(41, warmer=3.0, seed=4))

    found = reports_of(bench, run)[DriftKind.DATA]
    assert found.verdict is DriftVerdict.SKIPPED
    assert "too few rows: 41, need 100" in found.sentence


def test_two_dataset_versions_are_compared_without_reading_a_row(bench: Bench, champion: ModelVersion) -> None:
    """The second is what came in the spring: the routes are others."""
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
    assert (found.verdict, found.drifted) == (DriftVerdict.DRIFT, ("distance",))
    assert (found.baseline, found.window) == (f"{MODEL} v1", f"{MODEL} v2")


def test_a_schedule_checks_what_the_champion_was_asked_since_it_was_due_before(
    bench: Bench, champion: ModelVersion
) -> None:
    now = datetime.now(UTC)
    asked_at = now - timedelta(hours=5, minutes=50)
    address = place.inference_records_uri(bench.bucket, MODEL, asked_at.date().isoformat(), "lately")
    bench.platform.store.write(address, records(rows(300, warmer=1.0, seed=6), champion, asked_at))

    schedule = create_schedule(
        schedules=bench.platform.schedules,
        timer=bench.platform.timer,
        clock=bench.platform.clock,
        name="four times a day",
        action=ScheduledAction.CHECK_DRIFT,
        about=MODEL,
        expression="rate(6 hours)",
        starts_at=now + timedelta(seconds=3),
        actor="user:ada",
    )
    firing = wait_for(lambda: bench.platform.schedules.get(schedule.schedule_id).last_firing, what="firing", seconds=60)
    run = bench.ended(str(firing.run_id))

    assert (run.state, run.started_by) == (RunState.SUCCEEDED, schedule.actor), run.reason
    found = reports_of(bench, run)[DriftKind.DATA]
    assert (found.verdict, found.window_rows, found.drifted) == (DriftVerdict.DRIFT, 300, ("temp",))
