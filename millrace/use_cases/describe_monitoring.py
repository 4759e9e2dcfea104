"""Describe how a model is doing: which days were judged, what was found last, what it was asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from millrace.domain.drift import DriftDay, DriftKind, DriftReport
from millrace.domain.model import CHAMPION, RegisteredModel
from millrace.domain.traffic import TrafficHour, hour_of
from millrace.ports import Clock, DriftReports, ModelRegistry, ObjectStore, Traffic


class JudgedDays(NamedTuple):
    """The days shown, and what is told of those that there is a report about."""

    days: Sequence[date]
    told: Sequence[DriftDay]


class AskedHours(NamedTuple):
    """The hours shown, and those in which the model was asked anything."""

    hours: Sequence[datetime]
    told: Sequence[TrafficHour]


def judged_days(*, reports: DriftReports, clock: Clock, model: str, kind: DriftKind, days: int) -> JudgedDays:
    """The last `days` days, today included."""
    today = clock.now().date()
    shown = [today - timedelta(days=ago) for ago in reversed(range(days))]
    return JudgedDays(shown, reports.days(model, kind, shown[0], today))


def asked_hours(*, traffic: Traffic, clock: Clock, model: str, hours: int) -> AskedHours:
    """The last `hours` hours, the present one included."""
    present = hour_of(clock.now())
    shown = [present - timedelta(hours=ago) for ago in reversed(range(hours))]
    return AskedHours(shown, traffic.hours(model, shown[0], present))


def report_about(
    *, reports: DriftReports, store: ObjectStore, told: Sequence[DriftDay], feature: str | None
) -> DriftReport | None:
    """The last of the reports that names `feature`, whole."""
    for day in reversed(told):
        if any(cell.feature == feature for cell in day.cells):
            return DriftReport.read(store.read(reports.get(day.report_id).report_uri))
    return None


def watched_model(
    *, registry: ModelRegistry, known: Sequence[RegisteredModel], name: str | None
) -> RegisteredModel | None:
    """The one that is named, else the first of the `known` that is live, else the first. Raises NotFound."""
    if name is None:
        return next((model for model in known if CHAMPION in model.aliases), known[0] if known else None)
    return next((model for model in known if model.name == name), None) or registry.model(name)
