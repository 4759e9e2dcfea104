"""Drift to a person, a program and the governor: one message, one signed webhook, one decision, on the templates."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from millrace.domain.alert import Alert, AlertKind, AlertState
from millrace.domain.channel import OPERATORS, ChannelKind, Delivery, DeliveryState
from millrace.domain.event import DriftDetected
from millrace.domain.retraining import RetrainingDecision, RetrainingReason
from millrace.domain.run import Run, RunState
from millrace.use_cases.manage_channels import NewChannel, create_channel, delete_channel
from millrace.use_cases.move_alias import move_alias
from tests.e2e.conftest import EXAMPLES, Bench, wait_for

PENGUINS = (EXAMPLES / "penguins.csv").read_bytes()
DATASET = "watched"
SETTINGS = {
    "target": "species",
    "training": {"trials": 1, "on_new_version": False, "algorithms": ["linear"]},
    "retraining": {"cool_down_hours": 0, "min_new_rows": 10},
}


class Receiver:
    """Somebody else's server. `statuses` are its next answers, then it answers 204."""

    def __init__(self) -> None:
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.statuses: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.statuses.pop(0) if receiver.statuses else 204
                if status == 204:
                    receiver.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def about(self, model: str, kind: str) -> list[tuple[dict[str, str], bytes]]:
        return [
            (headers, body)
            for headers, body in list(self.received)
            if json.loads(body)["data"].get("model") == model and json.loads(body)["data"]["kind"] == kind
        ]


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


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
    """What a subscriber of the topic receives: `collect` empties the queue into it."""
    sqs, sns = bench.session.client("sqs"), bench.session.client("sns")
    queue = sqs.create_queue(QueueName="inbox-of-alerts")["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allow = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": queue_arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    topic = bench.platform.settings.require("notifications_topic_arn")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)
    return Inbox(sqs, queue)


class Inbox(list[dict[str, Any]]):
    def __init__(self, sqs: Any, queue: str) -> None:
        super().__init__()
        self._sqs, self._queue = sqs, queue

    def about(self, text: str) -> list[dict[str, Any]]:
        while True:
            messages = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages", [])
            for message in messages:
                self.append(json.loads(message["Body"]))
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
            if not messages:
                return [message for message in self if text in message["Message"] or text in message["Subject"]]


@pytest.fixture(scope="module")
def champion(bench: Bench) -> str:
    """A champion of dataset version 1."""
    assert bench.configure(DATASET, SETTINGS).state is RunState.SUCCEEDED
    assert bench.drop(DATASET, "first.csv", PENGUINS).state is RunState.SUCCEEDED
    run = bench.train(DATASET, 1)
    assert run.state is RunState.SUCCEEDED, run.reason
    (version,) = bench.platform.registry.versions(DATASET)
    bench.platform.registry.decide(
        DATASET, version.number, approve=True, actor="tester", reason="for the test", at=bench.platform.clock.now()
    )
    move_alias(
        registry=bench.platform.registry,
        clock=bench.platform.clock,
        alias="champion",
        version_id=version.id,
        actor="tester",
        reason="for the test",
        expected=None,
    )
    return version.id


def drifts(bench: Bench, report: str, *, verdict: str = "DRIFT", kind: str = "data") -> DriftDetected:
    """What the drift pipeline publishes."""
    event = DriftDetected.model_validate(
        {
            "report_id": report,
            "model": DATASET,
            "number": 1,
            "kind": kind,
            "verdict": verdict,
            "severity": "MAJOR",
            "features": ["body_mass_g"],
            "sentence": f"`body_mass_g` rose by 1.2 sd in {report}.",
            "report_uri": f"s3://artifacts/{report}.json",
        }
    )
    bench.platform.bus.publish(event)
    return event


def decided(bench: Bench, report: str) -> RetrainingDecision:
    def find() -> RetrainingDecision | None:
        page = bench.platform.retraining.page(DATASET).items
        return next((decision for decision in page if decision.decision_id == report), None)

    return wait_for(find, what=f"a decision on {report}", seconds=60)


def alert_of(bench: Bench, kind: AlertKind, model: str = DATASET) -> list[Alert]:
    return [alert for alert in bench.platform.alerts.page(model=model).items if alert.kind is kind]


def delivered(bench: Bench, channel_id: str, event: str, alert_id: str) -> Delivery:
    def find() -> Delivery | None:
        page = bench.platform.deliveries.page(channel_id, limit=100).items
        mine = [each for each in page if each.alert_id == alert_id and each.event == event]
        return next((each for each in mine if each.state is DeliveryState.DELIVERED), None)

    return wait_for(find, what=f"{event} at {channel_id}", seconds=60)


def test_drift_is_told_once_to_people_and_once_to_a_program_and_the_governor_answers(
    bench: Bench, receiver: Receiver, channel: NewChannel, inbox: Inbox, champion: str
) -> None:
    receiver.statuses.append(503)  # busy at first: it comes again
    for number in range(5):
        drifts(bench, f"report-{number}")
    decisions = [decided(bench, f"report-{number}") for number in range(5)]

    assert {decision.reason for decision in decisions} == {RetrainingReason.NO_NEW_LABELS}
    assert f"no new labels since v1, which {champion} was trained on" in decisions[0].sentence
    (alert,) = alert_of(bench, AlertKind.DATA_DRIFT)
    wait_for(lambda: bench.platform.alerts.get(alert.alert_id).breaches == 5 or None, what="5 breaches", seconds=30)

    delivery = delivered(bench, channel.channel.channel_id, "alert.opened", alert.alert_id)
    assert (delivery.attempts, delivery.status) == (2, 204)
    ((headers, body),) = receiver.about(DATASET, "data_drift")
    key = base64.b64decode(str(channel.secret).removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert json.loads(body)["data"]["alert_id"] == alert.alert_id

    delivered(bench, OPERATORS.channel_id, "alert.opened", alert.alert_id)
    told = wait_for(lambda: inbox.about(f"The data that {DATASET} sees") or None, what="a message", seconds=30)
    assert len(told) == 1

    # It is over: one message more to each, and the alert is closed.
    drifts(bench, "report-9", verdict="OK")
    delivered(bench, OPERATORS.channel_id, "alert.closed", alert.alert_id)
    delivered(bench, channel.channel.channel_id, "alert.closed", alert.alert_id)
    assert bench.platform.alerts.get(alert.alert_id).state is AlertState.CLOSED
    assert len(receiver.about(DATASET, "data_drift")) == 2
    assert len(inbox.about(f"The data that {DATASET} sees")) == 2


def test_new_labels_let_drift_start_training_and_the_next_report_waits_for_it(
    bench: Bench, champion: str, channel: NewChannel
) -> None:
    header, *rows = PENGUINS.splitlines(keepends=True)
    assert bench.drop(DATASET, "second.csv", b"".join([header, *rows[::-1]])).state is RunState.SUCCEEDED

    drifts(bench, "report-20", kind="performance")
    decision = decided(bench, "report-20")

    assert (decision.start, decision.dataset_version) == (True, 2), decision.sentence
    assert champion in decision.sentence
    run = bench.ended(str(decision.run_id))
    assert (run.state, run.started_by, run.dataset_version) == (RunState.SUCCEEDED, "governor", 2)

    drifts(bench, "report-21", kind="performance")
    again = decided(bench, "report-21")
    assert (again.start, again.reason) == (False, RetrainingReason.ALREADY_TRAINED)


def test_a_failed_run_is_an_alert_that_the_next_success_closes_and_its_alarm_another(
    bench: Bench, channel: NewChannel
) -> None:
    failed = bench.drop("unlucky", "bad.csv", b"a,b\n")
    assert failed.state is RunState.FAILED

    def found(state: AlertState) -> Alert | None:
        page = bench.platform.alerts.page(state=state, limit=100).items
        return next((alert for alert in page if alert.cause == "run:ingest:unlucky"), None)

    alert = wait_for(lambda: found(AlertState.OPEN), what="an alert on the failed run", seconds=30)
    assert alert.source["run_id"] == failed.run_id
    assert alert.sentence == failed.reason
    assert (alert.dataset, alert.link) == ("unlucky", f"/runs/{failed.run_id}")

    assert succeeded(bench).state is RunState.SUCCEEDED
    wait_for(lambda: found(AlertState.CLOSED), what="its end", seconds=30)

    def alarmed() -> Alert | None:
        page = bench.platform.alerts.page(limit=100).items
        return next((each for each in page if each.cause.startswith("alarm:") and "IngestFailed" in each.cause), None)

    assert wait_for(alarmed, what="the alarm's alert", seconds=60).title == "Ingest pipeline: a run failed"


def succeeded(bench: Bench) -> Run:
    return bench.drop("unlucky", "good.csv", PENGUINS)
