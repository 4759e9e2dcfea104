"""What the API says of alerts, of where they are told, and of what the retrain governor decided."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from lambdas.api.paging import PageOf
from millrace.domain.alert import Alert, AlertEvent, AlertKind, AlertSeverity, AlertState
from millrace.domain.channel import Channel, ChannelKind, Delivery, DeliveryState
from millrace.domain.retraining import (
    RetrainingDecision,
    RetrainingFacts,
    RetrainingPolicy,
    RetrainingReason,
    RetrainingVerdict,
)


class AlertSummary(BaseModel):
    """An alert in a list. `sentence` says what happened the last time its cause was noticed.

    `link` is where to look: a path of the application. `snoozed_until` in the past means that it wakes when noticed.
    """

    alert_id: str
    kind: AlertKind
    severity: AlertSeverity
    state: AlertState
    title: str
    sentence: str
    model: str | None
    dataset: str | None
    link: str
    owner: str | None
    breaches: int
    opened_at: datetime
    last_seen_at: datetime
    snoozed_until: datetime | None
    closed_at: datetime | None
    revision: int


class AlertDetail(AlertSummary):
    """An alert with its history, oldest first."""

    cause: str
    source: dict[str, str]
    history: list[AlertEvent]


class AlertReason(BaseModel):
    """Why: it is kept in the alert's history."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "looking into it"}]})

    reason: str = Field(min_length=3, max_length=2000)


class Snooze(AlertReason):
    """Until when nobody is told, at most 30 days from now. Give the time with its zone."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"reason": "known, fixed tonight", "until": "2026-11-21T06:00:00Z"}]},
    )

    until: datetime


class NewChannelRequest(BaseModel):
    """`address` is an e-mail address, or the URL of a webhook or of Slack's. No `kinds` means all alerts."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"kind": "webhook", "name": "on-call", "address": "https://hooks.example.com/millrace"}]
        },
    )

    kind: ChannelKind
    name: str = Field(min_length=1, max_length=60)
    address: str = Field(min_length=3, max_length=2000)
    kinds: list[AlertKind] = Field(default_factory=list)


class ChannelChange(BaseModel):
    """What is named is set, the rest stays. Another address is another channel."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"enabled": False}]})

    name: str | None = Field(default=None, min_length=1, max_length=60)
    enabled: bool | None = None
    kinds: list[AlertKind] | None = None

    def changes(self) -> dict[str, Any]:
        given = self.model_dump(exclude_unset=True)
        kinds = {"kinds": tuple(self.kinds)} if self.kinds is not None else {}
        return {name: value for name, value in given.items() if value is not None} | kinds


class ChannelAnswer(BaseModel):
    """Where alerts are told. A Slack address is shown without its secret part."""

    channel_id: str
    kind: ChannelKind
    name: str
    address: str
    enabled: bool
    kinds: list[AlertKind]
    created_at: datetime
    created_by: str
    revision: int


class CreatedChannel(ChannelAnswer):
    secret: str | None = Field(description="Signs this webhook's messages. It is shown now and never again.")


class DeliveryAnswer(BaseModel):
    """One message to one channel. `status` is the receiver's last HTTP status, `reason` what went wrong last."""

    delivery_id: str
    channel_id: str
    event: str
    alert_id: str | None
    state: DeliveryState
    attempts: int
    status: int | None
    reason: str | None
    created_at: datetime
    due_at: datetime
    ended_at: datetime | None


class RetrainingNow(BaseModel):
    """What the governor would say to a drift report at this moment, and what it would say it from."""

    start: bool
    reason: RetrainingReason
    sentence: str
    champion: str | None
    champion_dataset_version: int | None
    newest_dataset_version: int
    new_rows: int
    run_in_flight: str | None
    last_started_at: datetime | None
    spent_today_usd: float
    estimate_usd: float | None


class RetrainingAnswer(BaseModel):
    """The policy, what it says now, and what it said: latest first, refusals included."""

    model: str
    policy: RetrainingPolicy
    now: RetrainingNow
    decisions: PageOf[RetrainingDecision]


def alert_summary(alert: Alert) -> AlertSummary:
    return AlertSummary(**alert.model_dump(include=set(AlertSummary.model_fields)))


def alert_detail(alert: Alert) -> AlertDetail:
    return AlertDetail(**alert.model_dump(include=set(AlertDetail.model_fields)))


def channel_answer(channel: Channel) -> ChannelAnswer:
    return ChannelAnswer(**channel.model_dump(include=set(ChannelAnswer.model_fields)))


def delivery_answer(delivery: Delivery) -> DeliveryAnswer:
    return DeliveryAnswer(**delivery.model_dump(include=set(DeliveryAnswer.model_fields)))


def retraining_now(facts: RetrainingFacts, verdict: RetrainingVerdict) -> RetrainingNow:
    return RetrainingNow(
        start=verdict.start,
        reason=verdict.reason,
        sentence=verdict.sentence,
        champion=facts.champion,
        champion_dataset_version=facts.champion_version,
        newest_dataset_version=facts.newest_version,
        new_rows=facts.new_rows,
        run_in_flight=facts.run_in_flight,
        last_started_at=facts.last_started_at,
        spent_today_usd=facts.spent_today_usd,
        estimate_usd=facts.estimate_usd,
    )
