"""What leaves the platform: events, notifications and metrics, read back from where they went."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from millrace.adapters.cloudwatch import CloudWatchMetrics
from millrace.adapters.events import EventBridgeBus
from millrace.adapters.memory import InMemoryDashboard, InMemoryEventBus, InMemoryMetricSink, InMemoryNotifier
from millrace.adapters.sns import SnsNotifier, subject_line
from millrace.domain.event import DatasetVersionReady, ModelVersionApproved
from millrace.errors import PlatformError


def queue(name: str) -> tuple[str, str]:
    sqs: Any = boto3.client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def messages(url: str) -> list[dict[str, Any]]:
    received = boto3.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    return [json.loads(message["Body"]) for message in received.get("Messages", [])]


@pytest.mark.parametrize(
    "event",
    [
        DatasetVersionReady(dataset="credit", version=1, run_id="ingest-1"),
        ModelVersionApproved(model="credit", number=3, actor="ada", reason="größer"),
    ],
)
def test_an_event_arrives_under_the_name_of_its_class(aws: None, event: Any) -> None:
    events = boto3.client("events")
    events.create_event_bus(Name="platform")
    url, arn = queue("events")
    events.put_rule(Name="all", EventBusName="platform", EventPattern=json.dumps({"source": ["millrace"]}))
    events.put_targets(Rule="all", EventBusName="platform", Targets=[{"Id": "queue", "Arn": arn}])

    EventBridgeBus(events, "platform").publish(event)

    [message] = messages(url)
    assert message["detail-type"] == type(event).__name__
    assert type(event).model_validate(message["detail"]) == event


def test_an_event_that_the_bus_refuses_is_an_error(aws: None) -> None:
    events = boto3.client("events")
    with Stubber(events) as stub:
        refused = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure", "ErrorMessage": "full"}]}
        stub.add_response("put_events", refused)

        with pytest.raises(PlatformError, match="DatasetVersionReady was not published: full"):
            EventBridgeBus(events, "platform").publish(DatasetVersionReady(dataset="c", version=1, run_id="r"))


def test_a_notification_arrives_with_its_attributes(aws: None) -> None:
    sns = boto3.client("sns")
    topic = sns.create_topic(Name="notifications")["TopicArn"]
    url, arn = queue("notifications")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)

    SnsNotifier(sns, topic, InMemoryDashboard("https://d1.example")).notify(
        subject="Größe", message="größer\nals zuvor\n", path="/runs/training-1", attributes={"kind": "run_ended"}
    )

    [message] = messages(url)
    assert message["Subject"] == "Gr??e"
    assert message["Message"] == "größer\nals zuvor\n\nhttps://d1.example/runs/training-1\n"
    assert message["MessageAttributes"]["kind"]["Value"] == "run_ended"


@given(st.text(max_size=300))
def test_every_subject_becomes_one_that_sns_takes(text: str) -> None:
    line = subject_line(text)

    assert 1 <= len(line) <= 100
    assert line.isascii()
    assert line.isprintable()
    assert line == line.strip()


def test_metrics_are_found_in_the_namespace_by_dimension(aws: None) -> None:
    cloudwatch = boto3.client("cloudwatch")

    CloudWatchMetrics(cloudwatch).record(
        {"rows_in": 100, "null_share": 0.25}, dimensions={"dataset": "credit"}, units={"rows_in": "Count"}
    )

    stored = cloudwatch.list_metrics(Namespace="Millrace")["Metrics"]
    assert {metric["MetricName"] for metric in stored} == {"rows_in", "null_share"}
    assert all(metric["Dimensions"] == [{"Name": "dataset", "Value": "credit"}] for metric in stored)


def test_more_metrics_than_one_call_takes_go_in_several(aws: None) -> None:
    cloudwatch = boto3.client("cloudwatch")
    sizes: list[int] = []
    cloudwatch.meta.events.register(
        "provide-client-params.cloudwatch.PutMetricData", lambda params, **_: sizes.append(len(params["MetricData"]))
    )

    CloudWatchMetrics(cloudwatch).record({f"m{n}": n for n in range(1500)}, dimensions={}, units={})

    assert sizes == [1000, 500]


def test_the_fakes_keep_what_was_sent() -> None:
    bus, notifier, metrics = InMemoryEventBus(), InMemoryNotifier(), InMemoryMetricSink()

    bus.publish(DatasetVersionReady(dataset="credit", version=1, run_id="r"))
    notifier.notify(subject="s", message="m", path="/runs", attributes={"a": "b"})
    metrics.record({"x": 1, "y": 2}, dimensions={"d": "e"}, units={"x": "Count"})

    assert bus.published == [DatasetVersionReady(dataset="credit", version=1, run_id="r")]
    assert notifier.sent == [("s", "m", {"a": "b"}, "/runs")]
    assert metrics.recorded == [("x", 1, {"d": "e"}, "Count"), ("y", 2, {"d": "e"}, "None")]
