"""Alerts, channels, deliveries and decisions: the same on the fakes and in the registry table."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple

import boto3
import pytest

from millrace.adapters.delivery_queue import SqsDeliveryQueue
from millrace.adapters.dynamodb import (
    DynamoAlertBook,
    DynamoChannelBook,
    DynamoDeliveryBook,
    DynamoRetrainingLog,
)
from millrace.adapters.memory_alerts import (
    InMemoryAlertBook,
    InMemoryChannelBook,
    InMemoryDeliveryBook,
    InMemoryRetrainingLog,
    InMemorySecrets,
    InMemorySubscriptions,
)
from millrace.adapters.secret_parameters import ParameterSecrets
from millrace.adapters.sns import SnsSubscriptions
from millrace.domain.alert import AlertState, acknowledged, closed, noticed_again, opened
from millrace.domain.channel import claimed
from millrace.domain.retraining import RetrainingDecision, RetrainingReason
from millrace.errors import ChangedMeanwhile, Conflict, NotFound
from millrace.ports import AlertBook, ChannelBook, DeliveryBook, RetrainingLog, Secrets, Subscriptions
from tests.builders import NOON, later
from tests.contract.concurrency import all_at_once
from tests.contract.conftest import IMPLEMENTATIONS
from tests.contract.test_pages import walked
from tests.unit.domain.test_alert import a_signal
from tests.unit.domain.test_channel import a_channel, a_delivery


class Books(NamedTuple):
    alerts: AlertBook
    channels: ChannelBook
    deliveries: DeliveryBook
    retraining: RetrainingLog


@pytest.fixture(params=IMPLEMENTATIONS)
def books(request: pytest.FixtureRequest) -> Books:
    if request.param == "memory":
        return Books(InMemoryAlertBook(), InMemoryChannelBook(), InMemoryDeliveryBook(), InMemoryRetrainingLog())
    table = request.getfixturevalue("table")
    return Books(
        DynamoAlertBook(table), DynamoChannelBook(table), DynamoDeliveryBook(table), DynamoRetrainingLog(table)
    )


def a_decision(number: int = 1, **facts: Any) -> RetrainingDecision:
    known: dict[str, Any] = {
        "model": "credit",
        "decision_id": f"report-{number}",
        "at": later(number),
        "trigger": "data drift",
        "start": False,
        "reason": RetrainingReason.NO_NEW_LABELS,
        "sentence": "Retraining cannot help.",
        "dataset_version": 12,
        "new_rows": 0,
    }
    return RetrainingDecision(**(known | facts))


class TestAlerts:
    def test_one_that_was_opened_is_found_by_its_id_and_by_its_cause(self, books: Books) -> None:
        alert = opened(a_signal(1))
        books.alerts.open(alert, following=None)

        assert books.alerts.get(alert.alert_id) == alert
        assert books.alerts.latest(alert.cause) == alert
        assert books.alerts.latest("another") is None
        with pytest.raises(NotFound):
            books.alerts.get("0" * 20)

    def test_of_many_who_open_one_of_the_same_cause_one_wins(self, books: Books) -> None:
        calls = [lambda n=n: books.alerts.open(opened(a_signal(n)), following=None) for n in range(6)]
        done, lost = all_at_once(calls)

        assert len(done) == 1
        assert {type(error) for error in lost} == {ChangedMeanwhile}
        assert len(books.alerts.page().items) == 1

    def test_another_follows_when_it_names_the_one_before(self, books: Books) -> None:
        first, second, third = (opened(a_signal(n)) for n in (1, 2, 3))
        books.alerts.open(first, following=None)
        books.alerts.open(second, following=first)

        with pytest.raises(ChangedMeanwhile):
            books.alerts.open(third, following=first)
        assert books.alerts.latest(first.cause) == second

    def test_a_change_must_be_the_next_one(self, books: Books) -> None:
        alert = opened(a_signal(1))
        books.alerts.open(alert, following=None)
        mine = acknowledged(alert, actor="ada", at=later(1), reason="on it")
        books.alerts.replace(mine)

        with pytest.raises(ChangedMeanwhile):
            books.alerts.replace(noticed_again(alert, a_signal(2)))
        assert books.alerts.get(alert.alert_id) == mine

    def test_pages_by_state_and_by_model_latest_opened_first(self, books: Books) -> None:
        made = []
        for number in range(9):
            model = "churn" if number % 3 == 0 else "credit"
            alert = opened(a_signal(number, cause=f"cause-{number}", model=model))
            books.alerts.open(alert, following=None)
            if number % 2:
                books.alerts.replace(closed(alert, actor="ada", at=later(9999), reason="gone"))
            made.append(alert.alert_id)

        def ids(**given: Any) -> list[str]:
            def page(**position: Any) -> Any:
                return books.alerts.page(**given, **position)

            return [alert.alert_id for items in walked(page, limit=2) for alert in items]

        assert ids() == made[::-1]
        assert ids(state=AlertState.CLOSED) == made[1::2][::-1]
        assert ids(model="churn") == made[::3][::-1]
        assert ids(model="churn", state=AlertState.OPEN) == [made[6], made[0]]


class TestChannels:
    def test_they_are_kept_in_the_order_in_which_they_were_made(self, books: Books) -> None:
        for number in (2, 0, 1):
            books.channels.create(a_channel(str(number), created_at=later(number)))

        assert [channel.name for channel in books.channels.list()] == ["0", "1", "2"]
        assert books.channels.get("channel-1").name == "1"
        with pytest.raises(Conflict):
            books.channels.create(a_channel("1"))

    def test_a_change_must_be_the_next_one_and_what_is_gone_stays_gone(self, books: Books) -> None:
        channel = a_channel()
        books.channels.create(channel)
        off = channel.model_copy(update={"enabled": False, "revision": 2})
        books.channels.replace(off, actor="ada")

        with pytest.raises(ChangedMeanwhile):
            books.channels.replace(off, actor="ada")
        with pytest.raises(ChangedMeanwhile):
            books.channels.delete(channel, actor="ada")
        books.channels.delete(off, actor="ada")
        assert books.channels.list() == []
        with pytest.raises(NotFound):
            books.channels.get(channel.channel_id)


class TestDeliveries:
    def test_one_is_opened_once(self, books: Books) -> None:
        first = books.deliveries.open(a_delivery())
        started = claimed(first, NOON)
        books.deliveries.replace(started)

        assert books.deliveries.open(a_delivery()) == started
        assert books.deliveries.get(first.channel_id, first.delivery_id) == started
        with pytest.raises(NotFound):
            books.deliveries.get(first.channel_id, "another")

    def test_of_many_who_claim_it_one_does(self, books: Books) -> None:
        delivery = books.deliveries.open(a_delivery())
        done, lost = all_at_once([lambda: books.deliveries.replace(claimed(delivery, NOON))] * 6)

        assert len(done) == 1
        assert {type(error) for error in lost} == {ChangedMeanwhile}

    def test_a_channels_log_is_its_own_latest_first(self, books: Books) -> None:
        for number in range(5):
            books.deliveries.open(a_delivery(number))
            books.deliveries.open(a_delivery(number, channel_id="another"))

        def page(**position: Any) -> Any:
            return books.deliveries.page("channel-ops", **position)

        found = [each.delivery_id for items in walked(page, limit=2) for each in items]
        assert found == [f"delivery-{number}" for number in (4, 3, 2, 1, 0)]


class TestRetraining:
    def test_a_decision_is_recorded_once(self, books: Books) -> None:
        first = books.retraining.record(a_decision(1))

        assert books.retraining.record(a_decision(1, start=True, sentence="Other.")) == first
        assert books.retraining.page("credit").items == [first]

    def test_decisions_are_a_models_own_latest_first(self, books: Books) -> None:
        for number in range(5):
            books.retraining.record(a_decision(number))
            books.retraining.record(a_decision(number, model="churn"))

        def page(**position: Any) -> Any:
            return books.retraining.page("credit", **position)

        found = [each.decision_id for items in walked(page, limit=2) for each in items]
        assert found == [f"report-{number}" for number in (4, 3, 2, 1, 0)]


@pytest.fixture(params=IMPLEMENTATIONS)
def secrets(request: pytest.FixtureRequest) -> Secrets:
    if request.param == "memory":
        return InMemorySecrets()
    request.getfixturevalue("aws")
    return ParameterSecrets(boto3.client("ssm"), "/millrace/test/channels/")


def test_a_secret_is_kept_replaced_and_gone(secrets: Secrets) -> None:
    secrets.put("one", "whsec_1")
    secrets.put("one", "whsec_2")
    secrets.put("two", "whsec_3")
    assert (secrets.get("one"), secrets.get("two")) == ("whsec_2", "whsec_3")

    secrets.delete("one")
    secrets.delete("one")
    with pytest.raises(NotFound):
        secrets.get("one")
    assert secrets.get("two") == "whsec_3"


def test_secrets_are_encrypted_parameters_below_the_environments_prefix(aws: None) -> None:
    client = boto3.client("ssm")
    ParameterSecrets(client, "/millrace/test/channels/").put("one", "whsec_1")

    (found,) = client.describe_parameters()["Parameters"]
    assert (found["Name"], found["Type"]) == ("/millrace/test/channels/one", "SecureString")


@pytest.fixture(params=IMPLEMENTATIONS)
def subscriptions(request: pytest.FixtureRequest) -> Subscriptions:
    if request.param == "memory":
        return InMemorySubscriptions()
    request.getfixturevalue("aws")
    client = boto3.client("sns")
    return SnsSubscriptions(client, client.create_topic(Name="told")["TopicArn"])


def test_an_address_is_subscribed_and_taken_away(subscriptions: Subscriptions) -> None:
    first = subscriptions.subscribe("ada@example.com", audience="channel:1")
    second = subscriptions.subscribe("bob@example.com", audience="channel:2")
    assert first != second

    subscriptions.unsubscribe(first)
    subscriptions.unsubscribe(first)


def test_a_subscription_hears_its_own_audience_alone(aws: None) -> None:
    client = boto3.client("sns")
    topic = client.create_topic(Name="told")["TopicArn"]
    arn = SnsSubscriptions(client, topic).subscribe("ada@example.com", audience="channel:1")

    attributes = client.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    assert attributes["FilterPolicy"] == '{"audience": ["channel:1"]}'
    assert (attributes["Protocol"], attributes["Endpoint"]) == ("email", "ada@example.com")


@pytest.mark.parametrize(("asked", "waits"), [(0, "0"), (10.2, "11"), (timedelta(hours=8).total_seconds(), "900")])
def test_a_delivery_waits_as_long_as_the_queue_can(asked: float, waits: str, aws: None) -> None:
    client = boto3.client("sqs")
    url = client.create_queue(QueueName="deliveries")["QueueUrl"]
    sent: dict[str, Any] = {}
    client.meta.events.register("provide-client-params.sqs.SendMessage", lambda params, **_: sent.update(params))

    SqsDeliveryQueue(client, url).send("channel", "delivery", delay_seconds=asked)

    assert str(sent["DelaySeconds"]) == waits
    assert sent["MessageBody"] == '{"channel_id": "channel", "delivery_id": "delivery"}'
