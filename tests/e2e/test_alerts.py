"""Trouble that is not drift becomes an alert as well; drift to its end is in test_drift.py."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from millrace import names
from millrace.domain.alert import Alert, AlertState
from millrace.domain.run import Run, RunState
from tests.e2e.conftest import EXAMPLES, Bench, wait_for
from tests.e2e.receiving import subscribed_inbox

PENGUINS = (EXAMPLES / "penguins.csv").read_bytes()


def test_alarms_that_one_trouble_sets_off_are_one_alert_and_one_message(bench: Bench) -> None:
    wait_for(lambda: joined(bench)["StateValue"] == "OK" or None, what="quiet", seconds=400)
    inbox = subscribed_inbox(bench)
    before = datetime.now(UTC)
    assert bench.drop("hopeless", "bad.csv", b"a,b\n").state is RunState.FAILED
    wait_for(lambda: joined(bench)["StateValue"] == "ALARM" or None, what="the alarm", seconds=60)
    # Another part: the trouble is the same one.
    bench.platform.metrics.record(
        {names.FAILED_JOBS: 1.0}, dimensions={names.JOB_SERVICE: "sagemaker"}, units={names.FAILED_JOBS: "Count"}
    )
    wait_for(lambda: len(parts_in_alarm(bench)) > 1 or None, what="another part", seconds=30)

    def alarmed() -> Alert | None:
        page = bench.platform.alerts.page(limit=100).items
        mine = [each for each in page if each.cause.startswith("alarm:") and each.opened_at >= before]
        assert len(mine) <= 1
        return mine[0] if mine else None

    alert = wait_for(alarmed, what="the alarm's alert", seconds=60)
    assert alert.title == "Runs fail, or events are lost"
    assert alert.sentence == "The run's page names the step and the reason. It was set off by IngestFailed."
    (message,) = inbox.about("Millrace-local-Monitoring-")
    assert json.loads(message["Message"])["AlarmName"] == joined(bench)["AlarmName"]


def test_a_failed_run_is_an_alert_that_the_next_success_closes(bench: Bench) -> None:
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


def joined(bench: Bench) -> Mapping[str, Any]:
    """The alarm on all pipelines."""
    client = bench.session.client("cloudwatch")
    found = client.describe_alarms(AlarmNamePrefix="Millrace-local-Monitoring-Pipelines", AlarmTypes=["CompositeAlarm"])
    (alarm,) = found["CompositeAlarms"]
    return alarm


def parts_in_alarm(bench: Bench) -> list[str]:
    client = bench.session.client("cloudwatch")
    found = client.describe_alarms(AlarmNamePrefix="Millrace-local-Monitoring-Part", StateValue="ALARM")
    return [alarm["AlarmName"] for alarm in found["MetricAlarms"]]


def succeeded(bench: Bench) -> Run:
    return bench.drop("unlucky", "good.csv", PENGUINS)
