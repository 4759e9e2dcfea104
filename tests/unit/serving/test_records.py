"""Inference records, from the function that answers to lines in the bucket: none lost, none invented."""

from __future__ import annotations

import json
import logging
from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError
from hypothesis import given
from hypothesis import strategies as st

from lambdas.inference import write_inference_records as function
from millrace import bootstrap
from millrace.adapters import sqs
from millrace.adapters.memory import InMemoryObjectStore, InMemoryTraffic
from millrace.adapters.sqs import MESSAGE_BYTES, SqsRecordQueue, bodies
from millrace.domain.traffic import EVERY_MODEL, TrafficCounts
from millrace.settings import Settings
from millrace.use_cases.write_inference_records import Message, write_inference_records
from tests.builders import DATA_BUCKET, NOON, later
from tests.unit.lambdas.conftest import Context
from tests.unit.use_cases.world import World


class Queue:
    """The one call of an SQS client that is made."""

    def __init__(self, broken: bool = False) -> None:
        self.sent: list[str] = []
        self._broken = broken

    def send_message(self, **message: str) -> None:
        if self._broken:
            raise ConnectTimeoutError(endpoint_url=message["QueueUrl"])
        self.sent.append(message["MessageBody"])


def a_record(number: int, model: str = "credit", day: str = "2026-11-20") -> dict[str, Any]:
    return {"record_id": f"r{number}", "model": model, "at": f"{day}T12:00:00+00:00", "row": {"größe": number}}


def a_message(id: str, *records: dict[str, Any]) -> Message:
    return Message(id, json.dumps(records))


def lines(store: InMemoryObjectStore, prefix: str = "inference/") -> dict[str, list[dict[str, Any]]]:
    """Object → its records."""
    return {
        found.uri.removeprefix(f"s3://{DATA_BUCKET}/").rpartition("/")[0]: [
            json.loads(line) for line in store.read(found.uri).splitlines()
        ]
        for found in store.list(f"s3://{DATA_BUCKET}/{prefix}")
    }


@given(st.lists(st.text(max_size=30)), st.integers(20, 200))
def test_every_record_travels_once_in_order_and_no_message_is_too_large(texts: list[str], limit: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqs, "MESSAGE_BYTES", limit)
        sent = list(bodies([json.dumps(text, ensure_ascii=False) for text in texts]))

    assert [text for body in sent for text in json.loads(body)] == texts
    assert all(len(body.encode()) <= limit + 1 or len(json.loads(body)) == 1 for body in sent)


def test_a_message_fits_the_queue_in_every_region() -> None:
    assert MESSAGE_BYTES + 2 < 256 * 1024


def test_a_queue_that_does_not_answer_loses_nothing_and_withholds_no_answer(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        SqsRecordQueue(Queue(broken=True), "https://queue").send(['{"record_id": "r1"}'])  # type: ignore[arg-type]

    assert '[{"record_id": "r1"}]' in caplog.text


def test_records_are_sent_to_the_queue() -> None:
    queue = Queue()
    SqsRecordQueue(queue, "https://queue").send(["1", "2"])  # type: ignore[arg-type]

    assert queue.sent == ["[1,2]"]


def test_records_lie_by_model_and_day() -> None:
    store = InMemoryObjectStore()
    one, two, three = a_record(1), a_record(2, model="churn"), a_record(3, day="2026-11-21")

    assert (
        write_inference_records(
            store=store, traffic=InMemoryTraffic(), data_bucket=DATA_BUCKET, messages=[a_message("m", one, two, three)]
        )
        == {}
    )

    assert lines(store) == {
        "inference/credit/records/date=2026-11-20": [one],
        "inference/churn/records/date=2026-11-20": [two],
        "inference/credit/records/date=2026-11-21": [three],
    }


def test_the_same_delivery_twice_is_one_object() -> None:
    store, messages = InMemoryObjectStore(), [a_message("m1", a_record(1)), a_message("m2", a_record(2))]

    for delivered in (messages, messages[::-1]):
        write_inference_records(store=store, traffic=InMemoryTraffic(), data_bucket=DATA_BUCKET, messages=delivered)

    assert len(store.list(f"s3://{DATA_BUCKET}/inference/")) == 1


@pytest.mark.parametrize("body", ["{", "3", "[3]", '[{"model": "credit"}]', '[{"model": "../x", "at": "2026-11-20"}]'])
def test_a_message_that_is_none_comes_again_and_the_others_are_written(body: str) -> None:
    store = InMemoryObjectStore()

    failed = write_inference_records(
        store=store,
        traffic=InMemoryTraffic(),
        data_bucket=DATA_BUCKET,
        messages=[Message("bad", body), a_message("good", a_record(1))],
    )

    assert failed.keys() == {"bad"}
    assert [record["record_id"] for records in lines(store).values() for record in records] == ["r1"]


def test_what_the_store_refuses_comes_again_and_only_that() -> None:
    class Refusing(InMemoryObjectStore):
        def write(self, uri: str, body: bytes, *, content_type: str = "application/json") -> None:
            if "churn" in uri:
                raise OSError("full")
            super().write(uri, body, content_type=content_type)

    store, traffic = Refusing(), InMemoryTraffic()
    failed = write_inference_records(
        store=store,
        traffic=traffic,
        data_bucket=DATA_BUCKET,
        messages=[a_message("m1", a_record(1), asked("q1")), a_message("m2", a_record(2, model="churn"), asked("q2"))],
    )

    assert failed.keys() == {"m2"}
    assert list(lines(store)) == ["inference/credit/records/date=2026-11-20"]
    # What comes again is counted when it was written.
    assert [hour.requests for hour in traffic.hours("credit", NOON, NOON)] == [1]


def asked(request_id: str, **facts: Any) -> dict[str, Any]:
    """What the function that predicts says of a request."""
    known = {"model": "credit", "at": NOON.isoformat(), "outcome": "answered", "latency_ms": 10.0}
    return {"asked": request_id, **known, **facts}


def test_what_was_asked_is_counted_by_model_and_hour_once_and_is_no_record() -> None:
    store, traffic = InMemoryObjectStore(), InMemoryTraffic()
    messages = [
        a_message("m1", asked("q1"), asked("q2", outcome="refused")),
        a_message("m2", asked("q3", outcome="failed"), asked("q4", at=later(60).isoformat()), a_record(1)),
        a_message("m3", asked("q5", model="churn")),
    ]

    for _ in range(2):
        assert write_inference_records(store=store, traffic=traffic, data_bucket=DATA_BUCKET, messages=messages) == {}

    first, second = traffic.hours("credit", NOON, later(60))
    assert (first.requests, first.refused, first.failed, second.requests) == (3, 1, 1, 1)
    assert [hour.requests for hour in traffic.hours("churn", NOON, NOON)] == [1]
    together = sum(hour.requests for hour in (first, second)) + 1
    assert sum(hour.requests for hour in traffic.hours(EVERY_MODEL, NOON, later(60))) == together
    assert lines(store) == {"inference/credit/records/date=2026-11-20": [a_record(1)]}


def test_what_cannot_be_counted_comes_again() -> None:
    class Refusing(InMemoryTraffic):
        def add(self, model: str, hour: datetime, counts: TrafficCounts, *, delivery: str) -> None:
            if model == "churn":
                raise ConnectionError("throttled")
            super().add(model, hour, counts, delivery=delivery)

    traffic = Refusing()
    failed = write_inference_records(
        store=InMemoryObjectStore(),
        traffic=traffic,
        data_bucket=DATA_BUCKET,
        messages=[a_message("m1", asked("q1")), a_message("m2", asked("q2", model="churn"))],
    )

    assert failed.keys() == {"m2"}
    assert len(traffic.hours("credit", NOON, NOON)) == 1


def test_the_function_names_the_messages_that_shall_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    platform = bootstrap.platform(Settings(data_bucket=DATA_BUCKET)).with_parts(**vars(world))
    monkeypatch.setattr(bootstrap, "platform", lambda: platform)
    event = {
        "Records": [
            {"messageId": "good", "body": json.dumps([a_record(1)]), "eventSource": "aws:sqs"},
            {"messageId": "bad", "body": "no", "eventSource": "aws:sqs"},
        ]
    }

    answer = function.handler(event, Context())  # type: ignore[arg-type]

    assert answer == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
    assert len(lines(world.store)) == 1
