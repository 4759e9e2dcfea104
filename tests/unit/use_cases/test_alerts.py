"""Alerts from their sources to their receivers: one for each cause, nothing lost, nothing told twice."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from millrace import names
from millrace.adapters.memory_alerts import QueuedDelivery
from millrace.domain.alert import AlertKind, AlertState
from millrace.domain.audit import Action
from millrace.domain.channel import OPERATORS, PAUSES, Delivery, DeliveryState
from millrace.domain.event import DriftDetected
from millrace.domain.run import Job, RunState, Step
from millrace.domain.webhook import signature
from millrace.errors import ChangedMeanwhile, Conflict, InvalidInput, NotFound
from millrace.ports import PostAnswer
from millrace.use_cases.change_alert import acknowledging, change_alert, closing, snoozing
from millrace.use_cases.deliver_alert import deliver_alert
from millrace.use_cases.follow_alarm import follow_alarm
from millrace.use_cases.follow_drift import follow_drift
from millrace.use_cases.follow_run import follow_run
from millrace.use_cases.manage_channels import change_channel, delete_channel, try_channel
from tests.builders import NOON, a_run, later
from tests.contract.concurrency import all_at_once
from tests.screens import is_a_screen
from tests.unit.domain.test_alert import a_signal
from tests.unit.use_cases.world import World

DOWN = PostAnswer(None, "no answer: ConnectionRefusedError")
UP = PostAnswer(204, None)


def delivers(world: World, message: QueuedDelivery) -> Delivery:
    return deliver_alert(
        channels=world.channels,
        deliveries=world.deliveries,
        queue=world.delivery_queue,
        secrets=world.channel_secrets,
        notifier=world.notifier,
        poster=world.poster,
        clock=world.clock,
        channel_id=message.channel_id,
        delivery_id=message.delivery_id,
    )


@dataclass
class Worker:
    """The queue and the function behind it, on a simulated clock. The first `twice` messages come twice."""

    world: World
    twice: int = 0
    due: list[tuple[Any, QueuedDelivery]] = field(default_factory=list)

    def works_for(self, duration: timedelta) -> None:
        end = self.world.clock.now() + duration
        while True:
            self._take_in()
            ready = [each for each in self.due if each[0] <= end]
            if not ready:
                break
            at, message = min(ready, key=lambda each: each[0])
            self.due.remove((at, message))
            self.world.clock.pass_time(max(timedelta(0), at - self.world.clock.now()))
            delivers(self.world, message)
            if self.twice > 0:
                self.twice -= 1
                delivers(self.world, message)
        self.world.clock.pass_time(end - self.world.clock.now())

    def _take_in(self) -> None:
        now = self.world.clock.now()
        # SQS keeps a message back for a quarter of an hour at most.
        self.due += [
            (now + timedelta(seconds=min(900, message.delay_seconds)), message)
            for message in self.world.delivery_queue.waiting
        ]
        self.world.delivery_queue.waiting.clear()


def test_a_day_of_hourly_breaches_is_told_once_when_it_begins_and_once_when_it_ends(world: World) -> None:
    world.adds_channel()
    for hour in range(24):
        world.clock.pass_time(timedelta(hours=1))
        follow(world, f"report-{hour}")
        Worker(world).works_for(timedelta(minutes=1))
    follow(world, "report-24", verdict="OK")
    Worker(world).works_for(timedelta(minutes=1))

    (alert,) = world.alerts.page().items
    assert (alert.breaches, alert.state) == (24, AlertState.CLOSED)
    assert [json.loads(each.body)["type"] for each in world.poster.posted] == ["alert.opened", "alert.closed"]
    told = [each.attributes["event"] for each in world.notifier.sent if "event" in each.attributes]
    assert told == ["alert.opened", "alert.closed"]


def follow(world: World, report: str, *, verdict: str = "DRIFT", kind: str = "data") -> Any:
    event = DriftDetected.model_validate(
        {
            "report_id": report,
            "model": "credit",
            "kind": kind,
            "verdict": verdict,
            "severity": "MAJOR",
            "sentence": f"`age` rose in {report}.",
        }
    )
    if not world.registry.models():
        world.trained()
    return follow_drift(
        **world.telling(),
        catalog=world.catalog,
        registry=world.registry,
        ledger=world.ledger,
        pipelines=world.pipelines,
        log=world.retraining,
        event=event,
        at=world.clock.now(),
    )


def test_an_event_delivered_twice_is_one_breach_one_delivery_and_one_decision(world: World) -> None:
    world.adds_channel()
    first = follow(world, "report-1")
    assert follow(world, "report-1") == first
    Worker(world).works_for(timedelta(minutes=1))

    (alert,) = world.alerts.page().items
    assert alert.breaches == 1
    assert len(world.poster.posted) == 1
    assert len(world.retraining.page("credit").items) == 1


def test_what_was_recorded_and_never_queued_is_queued_when_the_event_comes_again(world: World) -> None:
    world.adds_channel()
    world.notices(a_signal(1))
    world.delivery_queue.waiting.clear()  # the function died before it queued anything

    world.notices(a_signal(1))
    Worker(world).works_for(timedelta(minutes=1))

    assert len(world.poster.posted) == 1


def test_a_skipped_report_says_nothing_to_anybody(world: World) -> None:
    assert follow(world, "report-1", verdict="SKIPPED") is None
    assert world.alerts.page().items == []
    assert world.retraining.page("credit").items == []


def test_kinds_of_drift_are_causes_of_their_own(world: World) -> None:
    for kind in ("data", "prediction", "performance"):
        follow(world, f"report-{kind}", kind=kind)

    assert {alert.kind for alert in world.alerts.page().items} == {
        AlertKind.DATA_DRIFT,
        AlertKind.PREDICTION_DRIFT,
        AlertKind.PERFORMANCE_DECAY,
    }


def test_a_model_that_nobody_knows_is_alerted_before_the_governor_fails(world: World) -> None:
    event = DriftDetected.model_validate(
        {
            "report_id": "r",
            "model": "nobody",
            "kind": "data",
            "verdict": "DRIFT",
            "severity": "MINOR",
            "sentence": "It moved.",
        }
    )
    with pytest.raises(NotFound):
        follow_drift(
            **world.telling(),
            catalog=world.catalog,
            registry=world.registry,
            ledger=world.ledger,
            pipelines=world.pipelines,
            log=world.retraining,
            event=event,
            at=NOON,
        )
    assert len(world.alerts.page().items) == 1


class TestDelivery:
    def test_a_receiver_that_is_down_for_an_hour_gets_everything_once(self, world: World) -> None:
        world.adds_channel()
        back = NOON + timedelta(hours=1)
        world.poster.answer = lambda: UP if world.clock.now() >= back else DOWN
        worker = Worker(world)
        for number in range(6):
            world.notices(a_signal(number, cause=f"drift:credit-{number}:data", at=world.clock.now()))
            worker.works_for(timedelta(minutes=10))
        worker.works_for(timedelta(hours=3))

        ids = [posted.headers["webhook-id"] for posted in world.poster.posted]
        assert len(ids) == len(set(ids)) == 6
        assert {json.loads(posted.body)["data"]["model"] for posted in world.poster.posted} == {"credit"}
        states = {each.state for each in world.deliveries.page(channel(world)).items}
        assert states == {DeliveryState.DELIVERED}
        assert worker.due == []

    def test_messages_that_come_twice_are_sent_once(self, world: World) -> None:
        world.adds_channel()
        world.poster.answer = lambda: UP if world.clock.now() >= later(30) else DOWN
        world.notices(a_signal(1, at=NOON))

        Worker(world, twice=4).works_for(timedelta(hours=2))

        assert len(world.poster.posted) == 1

    @given(st.lists(st.integers(0, 240), min_size=1, max_size=8), st.integers(0, 300), st.integers(0, 4))
    @settings(max_examples=25, deadline=None)
    def test_whenever_it_is_noticed_and_however_long_it_is_down_each_change_arrives_exactly_once(
        self, minutes: list[int], down: int, twice: int
    ) -> None:
        world = World()
        world.adds_channel()
        back = later(down)
        world.poster.answer = lambda: UP if world.clock.now() >= back else DOWN
        worker = Worker(world, twice=twice)
        for number, minute in enumerate(sorted(minutes)):
            worker.works_for(max(timedelta(0), later(minute) - world.clock.now()))
            world.notices(a_signal(number, cause=f"cause-{number}", at=world.clock.now()))
        worker.works_for(timedelta(days=1))

        alerts = [json.loads(posted.body)["data"]["alert_id"] for posted in world.poster.posted]
        assert sorted(alerts) == sorted(alert.alert_id for alert in world.alerts.page(limit=100).items)

    def test_what_nobody_takes_for_hours_is_given_up_and_says_why(self, world: World) -> None:
        world.adds_channel()
        world.poster.answer = lambda: PostAnswer(500, "it answered 500")
        world.notices(a_signal(1, at=NOON))

        worker = Worker(world)
        worker.works_for(timedelta(hours=24))

        (delivery,) = world.deliveries.page(channel(world)).items
        assert (delivery.state, delivery.attempts) == (DeliveryState.EXHAUSTED, len(PAUSES) + 1)
        assert (delivery.status, delivery.reason) == (500, "it answered 500")

    def test_a_worker_that_died_over_it_holds_it_for_a_while_and_then_it_is_sent(self, world: World) -> None:
        world.adds_channel()
        world.notices(a_signal(1, at=NOON))

        def dies() -> PostAnswer:
            raise KeyboardInterrupt

        world.poster.answer = dies
        (message,) = [each for each in world.delivery_queue.waiting if each.channel_id == channel(world)]
        with pytest.raises(KeyboardInterrupt):
            delivers(world, message)
        world.poster.answer = lambda: UP

        held = delivers(world, message)
        assert held.state is DeliveryState.SENDING
        assert world.poster.posted == []
        Worker(world).works_for(timedelta(minutes=5))
        assert len(world.poster.posted) == 1

    def test_two_workers_at_once_send_once(self, world: World) -> None:
        world.adds_channel()
        world.notices(a_signal(1, at=NOON))
        (message,) = [each for each in world.delivery_queue.waiting if each.channel_id == channel(world)]

        all_at_once([lambda: delivers(world, message)] * 8)

        assert len(world.poster.posted) == 1

    def test_a_webhook_is_signed_with_the_secret_that_was_shown(self, world: World) -> None:
        made = world.adds_channel()
        world.notices(a_signal(1, at=NOON))
        Worker(world).works_for(timedelta(minutes=1))

        (posted,) = world.poster.posted
        headers = posted.headers
        expected = signature(str(made.secret), headers["webhook-id"], int(headers["webhook-timestamp"]), posted.body)
        assert headers["webhook-signature"] == expected
        assert json.loads(posted.body)["data"]["reason"] == "`age` rose by 1 sd."

    def test_a_webhook_can_be_followed_to_the_cause_and_to_the_alert(self, world: World) -> None:
        world.adds_channel()
        alert = world.notices(a_signal(1, at=NOON))
        Worker(world).works_for(timedelta(minutes=1))

        data = json.loads(world.poster.posted[0].body)["data"]
        assert data["link"] == f"https://dashboard.test{alert.link}"
        assert data["alert_link"] == f"https://dashboard.test/alerts/{alert.alert_id}"
        assert is_a_screen(data["link"])
        assert is_a_screen(data["alert_link"])

    def test_slack_gets_its_own_form_at_the_secret_address_and_mentions_nobody(self, world: World) -> None:
        made = world.adds_channel("slack", "team")
        world.notices(a_signal(1, sentence="<!channel> & co rose.", at=NOON))
        Worker(world).works_for(timedelta(minutes=1))

        (posted,) = world.poster.posted
        assert posted.url == "https://hooks.slack.com/services/T/B/secret"
        assert "&lt;!channel&gt; &amp; co rose." in json.loads(posted.body)["text"]
        assert "/services/" not in made.channel.address

    def test_a_message_to_slack_ends_with_the_address_of_the_alert(self, world: World) -> None:
        world.adds_channel("slack", "team")
        alert = world.notices(a_signal(1, at=NOON))
        Worker(world).works_for(timedelta(minutes=1))

        text = json.loads(world.poster.posted[0].body)["text"]
        assert text.splitlines()[-1] == f"https://dashboard.test/alerts/{alert.alert_id}"

    def test_an_e_mail_goes_to_its_own_address_alone(self, world: World) -> None:
        made = world.adds_channel("email", "ada")
        world.notices(a_signal(1, at=NOON))
        Worker(world).works_for(timedelta(minutes=1))

        audience = f"channel:{made.channel.channel_id}"
        assert list(world.subscriptions.subscribed.values()) == [("ada@example.com", audience)]
        assert sorted(each.attributes["audience"] for each in world.notifier.sent) == ["alerts", audience]
        (alert,) = world.alerts.page().items
        assert {each.path for each in world.notifier.sent} == {f"/alerts/{alert.alert_id}"}

    def test_a_service_that_fails_is_asked_again(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        def fails(**_: Any) -> None:
            raise ConnectionError("throttled")

        with monkeypatch.context() as patch:
            patch.setattr(world.notifier, "notify", fails)
            world.notices(a_signal(1, at=NOON))
            worker = Worker(world)
            worker.works_for(timedelta(seconds=5))
        (delivery,) = world.deliveries.page(OPERATORS.channel_id).items
        assert "throttled" in str(delivery.reason)
        worker.works_for(timedelta(minutes=2))
        assert len(world.notifier.sent) == 1

    def test_a_deleted_channel_is_told_nothing_that_waits(self, world: World) -> None:
        made = world.adds_channel()
        world.notices(a_signal(1, at=NOON))
        remove(world, made.channel.channel_id)
        Worker(world).works_for(timedelta(hours=1))

        (delivery,) = world.deliveries.page(made.channel.channel_id).items
        assert delivery.state is DeliveryState.CANCELLED
        assert world.poster.posted == []


def channel(world: World) -> str:
    return world.channels.list()[0].channel_id


def remove(world: World, channel_id: str) -> None:
    delete_channel(
        channels=world.channels,
        secrets=world.channel_secrets,
        subscriptions=world.subscriptions,
        channel_id=channel_id,
        actor="user:ada",
    )


class TestPeople:
    def test_acknowledging_is_told_and_audited(self, world: World) -> None:
        world.adds_channel()
        alert = world.notices(a_signal(1, at=NOON))
        changed = change_alert(**world.telling(), alert_id=alert.alert_id, step=acknowledging("user:ada", "on it"))
        Worker(world).works_for(timedelta(minutes=1))

        assert (changed.state, changed.owner) == (AlertState.ACKNOWLEDGED, "user:ada")
        told = [json.loads(posted.body)["type"] for posted in world.poster.posted]
        assert sorted(told) == ["alert.acknowledged", "alert.opened"]
        entry = world.audit.page_of(f"alert:{alert.alert_id}").items[0]
        assert (entry.action, entry.detail["reason"]) == (Action.ALERT_ACKNOWLEDGED, "on it")

    def test_a_decision_on_what_changed_meanwhile_is_refused(self, world: World) -> None:
        alert = world.notices(a_signal(1))
        world.notices(a_signal(2))

        with pytest.raises(ChangedMeanwhile):
            change_alert(
                **world.telling(), alert_id=alert.alert_id, step=closing("user:ada", "gone"), revision=alert.revision
            )

    def test_what_is_noticed_in_a_snooze_is_told_to_nobody_until_it_wakes(self, world: World) -> None:
        world.adds_channel()
        alert = world.notices(a_signal(1, at=NOON))
        change_alert(**world.telling(), alert_id=alert.alert_id, step=snoozing("user:ada", "tonight", later(600)))
        for hour in (2, 3, 11):
            world.notices(a_signal(hour, at=later(60 * hour)))
        Worker(world).works_for(timedelta(minutes=1))

        told = [json.loads(posted.body)["type"] for posted in world.poster.posted]
        assert sorted(told) == ["alert.opened", "alert.snoozed", "alert.woken"]

    def test_after_a_close_the_same_cause_opens_another_and_an_old_notice_does_not(self, world: World) -> None:
        first = world.notices(a_signal(1))
        change_alert(**world.telling(), alert_id=first.alert_id, step=closing("user:ada", "gone"))

        assert world.notices(a_signal(1)).alert_id == first.alert_id
        assert world.notices(a_signal(2)).alert_id != first.alert_id
        assert len(world.alerts.page(state=AlertState.OPEN).items) == 1


class TestSources:
    def test_an_alarm_opens_an_alert_and_its_end_closes_it(self, world: World) -> None:
        said = "Ingest pipeline: a run failed. Its page names the step and the reason."
        raised = alarm(world, "ALARM", said, 1)
        assert alarm(world, "INSUFFICIENT_DATA", said, 2) is None
        ended = alarm(world, "OK", said, 3)

        assert (raised.title, raised.kind) == ("Ingest pipeline: a run failed", AlertKind.ALARM)
        assert raised.sentence == "Its page names the step and the reason. 1 datapoint was over the threshold."
        assert (ended.alert_id, ended.state) == (raised.alert_id, AlertState.CLOSED)

    def test_an_end_that_arrives_late_does_not_close_what_began_after_it(self, world: World) -> None:
        alarm(world, "ALARM", "It is slow.", 5)

        alarm(world, "OK", "It is slow.", 3)

        assert world.alerts.page().items[0].state is AlertState.OPEN

    def test_an_alarm_that_joins_others_says_which_of_them_set_it_off(self, world: World) -> None:
        def joined(state: str, minute: int) -> Any:
            part = "Millrace-prod-Monitoring-PartRegistryWriteThrottledD7551716-1A2B3C"
            return follow_alarm(
                **world.telling(),
                name="Millrace-prod-Monitoring-ServiceUnhealthy3F758332-9X",
                description="The platform does not answer as it should. Requests or predictions fail.",
                state=state,
                reason=f"arn:aws:cloudwatch:eu-west-1:123456789012:alarm:{part} transitioned to {state}",
                parts=[part, "SomebodysAlarm"],
                at=later(minute),
            )

        opened = joined("ALARM", 0)
        assert opened.title == "The platform does not answer as it should"
        assert opened.sentence == (
            "Requests or predictions fail. It was set off by RegistryWriteThrottled, SomebodysAlarm."
        )
        assert opened.source["parts"] == "RegistryWriteThrottled, SomebodysAlarm"
        closed = joined("OK", 10)
        assert (closed.alert_id, closed.state) == (opened.alert_id, AlertState.CLOSED)
        assert closed.history[-1].reason == "The alarm is over."

    def test_alarms_tell_the_topic_themselves(self, world: World) -> None:
        alarm(world, "ALARM", "It is slow.", 1)
        Worker(world).works_for(timedelta(minutes=1))

        assert world.notifier.sent == []

    def test_failures_of_one_pipeline_on_one_dataset_are_one_alert_until_one_succeeds(self, world: World) -> None:
        for number in range(3):
            ends(world, f"training-{number}", RunState.FAILED, "no column `age`", number)
        (alert,) = world.alerts.page().items
        assert (alert.breaches, alert.sentence, alert.link) == (3, "no column `age`", "/runs/training-2")

        ends(world, "training-9", RunState.SUCCEEDED, None, 9)
        assert world.alerts.page().items[0].state is AlertState.CLOSED

    def test_what_a_person_stopped_is_no_alert(self, world: World) -> None:
        ends(world, "training-1", RunState.ABORTED, "it was stopped", 1)

        assert world.alerts.page().items == []

    def test_what_jobs_cost_and_which_failed_is_measured(self, world: World) -> None:
        job = Job(service="sagemaker", name="j", machine="ml.m5.large", billable_seconds=3600)
        steps = (
            Step(name="TrainOnSpot", state=RunState.FAILED, job=job),
            Step(name="EvaluateCandidates", state=RunState.SUCCEEDED, job=job),
        )
        ends(world, "training-1", RunState.FAILED, "out of memory", 1, steps=steps)

        measured = {(each.name, tuple(each.dimensions.items())): each.value for each in world.metrics.recorded}
        assert measured == {
            (names.FAILED_JOBS, ((names.JOB_SERVICE, "sagemaker"),)): 1.0,
            (names.RUN_COST, ()): pytest.approx(0.23),
        }


def alarm(world: World, state: str, description: str, minute: int) -> Any:
    return follow_alarm(
        **world.telling(),
        name="Millrace-prod-Monitoring-IngestFailed",
        description=description,
        state=state,
        reason="1 datapoint was over the threshold.",
        at=later(minute),
    )


def ends(world: World, run_id: str, state: RunState, reason: str | None, minute: int, **facts: Any) -> None:
    run = a_run(run_id).model_copy(update={"state": state, "reason": reason, "ended_at": later(minute), **facts})
    follow_run(**world.telling(), metrics=world.metrics, run=run)


class TestChannels:
    def test_a_secret_is_shown_once_and_kept_apart(self, world: World) -> None:
        made = world.adds_channel()

        assert made.secret is not None
        assert world.channel_secrets.kept == {made.channel.channel_id: made.secret}
        assert made.secret not in made.channel.model_dump_json()
        assert all(made.secret not in entry.model_dump_json() for entry in world.audit.page().items)

    def test_names_are_taken_once(self, world: World) -> None:
        world.adds_channel()
        world.clock.pass_time(timedelta(seconds=1))
        other = world.adds_channel(name="other").channel

        with pytest.raises(Conflict, match="on-call"):
            world.adds_channel()
        with pytest.raises(Conflict, match="on-call"):
            change_channel(
                channels=world.channels, channel_id=other.channel_id, changes={"name": "on-call"}, actor="user:ada"
            )

    @pytest.mark.parametrize(
        ("kind", "address"),
        [
            ("webhook", "http://hooks.example.com"),
            ("slack", "ftp://hooks.slack.com/x"),
            ("email", "nobody"),
            ("email", "a@b.com, c@d.com"),
            ("topic", "https://hooks.example.com"),
        ],
    )
    def test_an_address_that_nothing_is_sent_to_is_refused(self, world: World, kind: str, address: str) -> None:
        with pytest.raises(InvalidInput):
            world.adds_channel(kind, address=address)
        assert world.channels.list() == []
        assert world.channel_secrets.kept == {}
        assert world.subscriptions.subscribed == {}

    def test_a_deleted_channel_leaves_no_secret_and_no_subscription(self, world: World) -> None:
        for kind in ("webhook", "slack", "email"):
            made = world.adds_channel(kind, kind)
            remove(world, made.channel.channel_id)

        assert world.channel_secrets.kept == {}
        assert world.subscriptions.subscribed == {}
        assert world.channels.list() == []

    def test_switched_off_it_hears_nothing_and_switched_on_nothing_from_before(self, world: World) -> None:
        made = world.adds_channel()
        for enabled in (False, True):
            change_channel(
                channels=world.channels,
                channel_id=made.channel.channel_id,
                changes={"enabled": enabled},
                actor="user:ada",
            )
            world.notices(a_signal(1, cause=f"cause-{enabled}"))
        Worker(world).works_for(timedelta(minutes=1))

        assert len(world.poster.posted) == 1

    def test_a_test_goes_the_way_alerts_go_and_says_that_it_is_one(self, world: World) -> None:
        made = world.adds_channel()
        delivery = try_channel(
            channels=world.channels,
            deliveries=world.deliveries,
            queue=world.delivery_queue,
            clock=world.clock,
            channel_id=made.channel.channel_id,
            actor="user:ada",
        )
        Worker(world).works_for(timedelta(minutes=1))

        (posted,) = world.poster.posted
        assert json.loads(posted.body)["type"] == "channel.test"
        assert posted.headers["webhook-id"] == delivery.delivery_id
