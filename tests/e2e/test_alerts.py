"""Trouble that is not drift becomes an alert as well; drift to its end is in test_drift.py."""

from __future__ import annotations

from millrace.domain.alert import Alert, AlertState
from millrace.domain.run import Run, RunState
from tests.e2e.conftest import EXAMPLES, Bench, wait_for

PENGUINS = (EXAMPLES / "penguins.csv").read_bytes()


def test_a_failed_run_is_an_alert_that_the_next_success_closes_and_its_alarm_another(bench: Bench) -> None:
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
