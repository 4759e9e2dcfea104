"""Alerts, channels and metrics over the API: what people see, and what is refused."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from lambdas.api.openmetrics import CONTENT_TYPE, FAMILIES, exposition
from millrace.domain.alert import AlertState
from scripts.write_contracts import ROOT
from tests.builders import later
from tests.unit.api.conftest import REASON, Api
from tests.unit.domain.test_alert import a_signal


def test_a_decision_on_an_alert_that_changed_meanwhile_is_refused(api: Api) -> None:
    alert = api.world.notices(a_signal(1))
    seen = api.get(f"/alerts/{alert.alert_id}").headers["ETag"]
    api.world.notices(a_signal(2))

    late = api.call("POST", f"/alerts/{alert.alert_id}/close", {"reason": REASON}, headers={"if-match": seen})
    assert (late.status, late.json["type"]) == (412, "ChangedMeanwhile")
    now = api.get(f"/alerts/{alert.alert_id}").headers["ETag"]
    right = api.call("POST", f"/alerts/{alert.alert_id}/close", {"reason": REASON}, headers={"if-match": now})
    assert (right.status, right.json["state"]) == (200, "CLOSED")
    again = api.call("POST", f"/alerts/{alert.alert_id}/acknowledge", {"reason": REASON})
    assert (again.status, again.json["type"]) == (409, "Conflict")


def test_alerts_are_filtered_by_state_and_model(api: Api) -> None:
    first = api.world.notices(a_signal(1))
    api.world.notices(a_signal(2, cause="other", model="churn"))
    api.call("POST", f"/alerts/{first.alert_id}/acknowledge", {"reason": REASON})

    def found(**query: str) -> list[str]:
        return [alert["model"] for alert in api.get("/alerts", query=query).json["items"]]

    assert found() == ["churn", "credit"]
    assert found(state="ACKNOWLEDGED") == ["credit"]
    assert found(model="churn") == ["churn"]
    assert found(model="churn", state=AlertState.CLOSED) == []


@pytest.mark.parametrize("until", ["2026-11-20T11:00:00Z", "2027-11-20T12:00:00Z", "2026-11-20T13:00:00"])
def test_a_snooze_into_the_past_too_far_or_without_a_zone_is_refused(api: Api, until: str) -> None:
    alert = api.world.notices(a_signal(1))

    refused = api.call("POST", f"/alerts/{alert.alert_id}/snooze", {"reason": REASON, "until": until})

    assert refused.status == 422
    assert "until" in refused.json["detail"]


def test_the_history_says_who_did_what_and_why(api: Api) -> None:
    alert = api.world.notices(a_signal(1))
    api.call("POST", f"/alerts/{alert.alert_id}/snooze", {"reason": REASON, "until": later(90).isoformat()})

    shown = api.get(f"/alerts/{alert.alert_id}").json

    assert [(event["change"], event["actor"]) for event in shown["history"]] == [
        ("OPENED", "report:1"),
        ("SNOOZED", "user:ada"),
    ]
    assert shown["history"][1]["reason"] == REASON
    assert shown["snoozed_until"] == "2026-11-20T13:30:00Z"


def test_a_webhooks_secret_is_in_the_answer_that_made_it_and_in_no_other(api: Api) -> None:
    body = {"kind": "webhook", "name": "on-call", "address": "https://hooks.example.com/in"}
    made = api.call("POST", "/channels", body)
    secret = made.json["secret"]

    assert (made.status, made.headers["Location"]) == (201, f"/channels/{made.json['channel_id']}")
    assert secret.startswith("whsec_")
    for path in ("/channels", made.headers["Location"], "/activity"):
        assert secret not in api.get(path).text
    assert api.answers._begun == {}


def test_an_address_inside_is_refused(api: Api) -> None:
    body: dict[str, Any] = {"kind": "webhook", "name": "inside", "address": "http://169.254.169.254/"}

    assert api.call("POST", "/channels", body).status == 422
    assert api.get("/channels").json == []


def test_the_operators_own_log_is_read_like_any_other(api: Api) -> None:
    api.world.notices(a_signal(1))

    (delivery,) = api.get("/channels/operators/deliveries").json["items"]
    assert (delivery["event"], delivery["state"]) == ("alert.opened", "PENDING")
    assert api.get("/channels/0123456789ab/deliveries").status == 404


def test_prometheus_reads_the_metrics(api: Api) -> None:
    api.trained()
    api.approved(1)
    api.world.notices(a_signal(1, title='The "data"\nof credit \\ drifted'))

    answer = api.get("/metrics")
    found = {family.name: family for family in text_string_to_metric_families(answer.text)}

    assert answer.headers["Content-Type"] == CONTENT_TYPE
    assert set(found) == {family.name for family in FAMILIES}
    (champion,) = found["millrace_champion"].samples
    assert (champion.labels, champion.value) == ({"model": "credit"}, 1.0)
    (breach,) = found["millrace_alert_breaches"].samples
    assert (breach.labels["title"], breach.value) == ('The "data"\nof credit \\ drifted', 1.0)
    assert found["millrace_champion_metric"].samples[0].value == 0.83


def test_nothing_at_all_is_still_a_valid_exposition() -> None:
    families = list(text_string_to_metric_families(exposition({})))

    assert len(families) == len(FAMILIES)
    assert all(not family.samples for family in families)


def test_the_grafana_dashboard_asks_for_every_metric_of_the_endpoint_by_its_labels() -> None:
    panels = json.loads((ROOT / "contracts" / "grafana.json").read_text())["panels"]
    asked = {re.findall(r"millrace_\w+", panel["targets"][0]["expr"])[0]: panel for panel in panels}

    assert set(asked) == {family.name for family in FAMILIES}
    for family in FAMILIES:
        said = asked[family.name]["targets"][0]
        assert re.findall(r"by \((.*?)\)", said["expr"]) == ([", ".join(family.labels)] if family.labels else [])
    corners = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}
    assert len(corners) == len(panels)
