"""Every DriftReports: reports are listed once, and a day says what the latest report about it said."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from millrace.adapters.dynamodb import DynamoDriftReports
from millrace.adapters.memory import InMemoryDriftReports
from millrace.domain.drift import DriftKind, DriftSummary, DriftVerdict
from millrace.domain.truth import LabelCounts
from millrace.errors import NotFound
from millrace.ports import DriftReports
from tests.builders import NOON, a_drift_day, a_drift_summary
from tests.contract.conftest import IMPLEMENTATIONS
from tests.contract.test_pages import walked

TODAY = NOON.date()


@pytest.fixture(params=IMPLEMENTATIONS)
def reports(request: pytest.FixtureRequest) -> DriftReports:
    if request.param == "memory":
        return InMemoryDriftReports()
    return DynamoDriftReports(request.getfixturevalue("table"))


def recorded(reports: DriftReports, summary: DriftSummary) -> DriftSummary:
    reports.record(summary, a_drift_day(summary))
    return summary


def test_a_report_is_found_by_its_id_as_it_was_recorded(reports: DriftReports) -> None:
    summary = recorded(reports, a_drift_summary())

    assert reports.get(summary.id) == summary
    with pytest.raises(NotFound, match="drift-9"):
        reports.get("drift-9")


def test_lists_are_latest_first_of_everything_of_one_model_and_of_one_kind(reports: DriftReports) -> None:
    first = recorded(reports, a_drift_summary("a", minutes=1))
    second = recorded(reports, a_drift_summary("b", minutes=2, model="churn"))
    third = recorded(reports, a_drift_summary("c", minutes=3, kind=DriftKind.PREDICTION))

    assert list(reports.page().items) == [third, second, first]
    assert list(reports.page(model="credit").items) == [third, first]
    assert list(reports.page(model="credit", kind=DriftKind.PREDICTION).items) == [third]
    assert list(reports.page(kind=DriftKind.DATA).items) == [second, first]
    assert [list(page) for page in walked(reports.page, limit=2)] == [[third, second], [first]]


def test_recording_again_changes_nothing(reports: DriftReports) -> None:
    summary = recorded(reports, a_drift_summary())
    recorded(reports, summary.model_copy(update={"sentence": "another"}))

    assert [each.sentence for each in reports.page().items] == [summary.sentence]
    assert [day.sentence for day in reports.days("credit", DriftKind.DATA, TODAY, TODAY)] == [summary.sentence]


def test_a_day_is_told_by_the_latest_report_about_it_whatever_order_they_come_in(reports: DriftReports) -> None:
    recorded(reports, a_drift_summary("early", minutes=1))
    late = recorded(reports, a_drift_summary("late", minutes=9, verdict=DriftVerdict.OK, drifted=()))
    recorded(reports, a_drift_summary("between", minutes=5))

    (day,) = reports.days("credit", DriftKind.DATA, TODAY, TODAY)
    assert (day.report_id, day.verdict) == (late.id, DriftVerdict.OK)


def test_what_was_judged_about_a_day_is_not_hidden_by_a_later_report_that_was_not(reports: DriftReports) -> None:
    skipped = {"verdict": DriftVerdict.SKIPPED, "drifted": ()}
    recorded(reports, a_drift_summary("first", minutes=1, **skipped))
    judged = recorded(reports, a_drift_summary("judged", minutes=2))
    recorded(reports, a_drift_summary("later", minutes=9, **skipped))

    (day,) = reports.days("credit", DriftKind.DATA, TODAY, TODAY)
    assert (day.report_id, day.verdict) == (judged.id, DriftVerdict.DRIFT)


def test_days_are_those_of_one_model_and_kind_between_two_dates_in_order(reports: DriftReports) -> None:
    days = [TODAY - timedelta(days=ago) for ago in (0, 3, 1)]
    for number, day in enumerate(days):
        recorded(reports, a_drift_summary(f"report-{number}", minutes=number, day=day))
    recorded(reports, a_drift_summary("other", model="churn", day=TODAY))
    recorded(reports, a_drift_summary("predictions", kind=DriftKind.PREDICTION, day=TODAY))

    def told(first: date, last: date) -> list[date]:
        return [each.day for each in reports.days("credit", DriftKind.DATA, first, last)]

    assert told(TODAY - timedelta(days=9), TODAY) == sorted(days)
    assert told(TODAY - timedelta(days=2), TODAY - timedelta(days=1)) == [TODAY - timedelta(days=1)]


def counting(report_id: str, *, minutes: float, **counts: Any) -> DriftSummary:
    labels = LabelCounts(**({"known": 9, "joined": 3, "unlabelled": 1} | counts))
    return a_drift_summary(report_id, minutes=minutes, kind=DriftKind.PERFORMANCE, labels=labels)


def test_the_labels_are_told_as_the_last_report_that_looked_for_all_of_them_counted_them(reports: DriftReports) -> None:
    recorded(reports, a_drift_summary("a"))
    assert reports.labels_counted("credit") is None

    window_only = recorded(reports, counting("b", minutes=1))
    assert reports.labels_counted("credit") == window_only

    whole = recorded(reports, counting("c", minutes=2, elsewhere=2, waiting=4))
    recorded(reports, counting("d", minutes=3))
    recorded(reports, counting("e", minutes=1, elsewhere=6, waiting=0))
    assert reports.labels_counted("credit") == whole

    later = recorded(reports, counting("f", minutes=4, elsewhere=6, waiting=0))
    recorded(reports, a_drift_summary("g", minutes=5))
    assert reports.labels_counted("credit") == later
    assert reports.labels_counted("churn") is None
