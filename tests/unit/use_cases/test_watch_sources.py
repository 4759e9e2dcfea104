"""Where an alert sends people: to a screen that the dashboard has, whatever noticed the trouble."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from millrace.domain.alert import AlertKind, Signal
from millrace.domain.event import DriftDetected
from millrace.domain.run import RunState
from millrace.use_cases.watch_sources import alarm_signal, drift_signal, run_signal
from tests.builders import NOON, a_run
from tests.screens import is_a_screen

FRONTEND = Path(__file__).parents[3] / "frontend" / "src"
_SEARCH = re.compile(r"export interface MonitoringSearch \{(.*?)\n\}", re.DOTALL)
_KINDS = re.compile(r"^export const KINDS.* = \[(.*)\];$", re.MULTILINE)


def drift(kind: str, model: str = "credit") -> Signal:
    event = DriftDetected.model_validate(
        {
            "report_id": "drift-1",
            "model": model,
            "kind": kind,
            "verdict": "DRIFT",
            "severity": "MAJOR",
            "sentence": "`age` rose by 1 sd.",
        }
    )
    return drift_signal(event, NOON)


def signals() -> Iterator[Signal]:
    yield from (drift(kind) for kind in ("data", "prediction", "performance"))
    failed = run_signal(a_run("training-1").model_copy(update={"state": RunState.FAILED, "ended_at": NOON}))
    assert failed is not None
    yield failed
    yield alarm_signal("Millrace-prod-Monitoring-ApiErrors", "It fails. Look at its log.", "3 of 3", NOON)


ALL = list(signals())


def test_these_are_the_alerts_that_there_can_be() -> None:
    assert {signal.kind for signal in ALL} == set(AlertKind)


@pytest.mark.parametrize("signal", ALL, ids=lambda signal: signal.kind)
def test_where_an_alert_leads_is_a_screen_of_the_dashboard(signal: Signal) -> None:
    assert is_a_screen(signal.link), signal.link


@pytest.mark.parametrize("kind", ["data", "prediction", "performance"])
def test_drift_leads_to_what_the_monitoring_screen_reads_from_its_address(kind: str) -> None:
    link = urlsplit(drift(kind).link)
    search = (FRONTEND / "features" / "monitoring" / "search.ts").read_text()
    (read,), (kinds,) = _SEARCH.findall(search), _KINDS.findall(search)

    asked = parse_qs(link.query)
    assert (link.path, asked) == ("/monitoring", {"model": ["credit"], "kind": [kind]})
    assert all(f"  {name}?:" in read for name in asked)
    assert f"'{kind}'" in kinds


@pytest.mark.parametrize("model", ["2024", "null", "true"])
def test_a_models_name_stays_a_text_where_the_dashboard_would_read_json(model: str) -> None:
    (told,) = parse_qs(urlsplit(drift("data", model).link).query)["model"]

    assert json.loads(told) == model
