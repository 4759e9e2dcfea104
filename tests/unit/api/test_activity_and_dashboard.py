"""Who did what, and how much there is, over HTTP."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from millrace.domain.drift import DriftKind, DriftVerdict
from millrace.domain.model import Metric
from millrace.domain.run import Job, RunState, Step
from tests.builders import NOON, a_drift_day, a_drift_summary, a_model_version, a_run, an_endpoint_use, later
from tests.unit.api.conftest import REASON, Api


def activity(api: Api, **query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        page = api.get("/activity", query={"limit": "3", **query}).json
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        query["cursor"] = page["next_cursor"]


def test_what_somebody_does_over_http_is_the_latest_activity(api: Api) -> None:
    api.trained()
    api.world.clock.pass_time(timedelta(minutes=1))
    assert api.call("PUT", "/models/credit:1/approve", {"reason": REASON}, user="bea").status == 200

    latest = api.get("/activity", query={"limit": "1"}).json["items"][0]

    assert (latest["actor"], latest["action"]) == ("user:bea", "model_version.approved")
    assert (latest["subject"], latest["detail"]) == ("model:credit", {"number": 1, "reason": REASON})


def test_activity_is_paged_and_kept_to_one_actor_or_one_subject(api: Api) -> None:
    api.trained()
    assert api.call("PATCH", "/datasets/credit", {"max_quarantined_share": 0.3}, user="bea").status == 200

    everything = activity(api)
    by_bea = activity(api, actor="user:bea")
    of_credit = activity(api, subject="dataset:credit")

    assert [entry["action"] for entry in by_bea] == ["dataset.configured"]
    assert of_credit == [entry for entry in everything if entry["subject"] == "dataset:credit"]
    assert len(everything) > len(of_credit) > 3


def test_activity_of_an_actor_and_a_subject_at_once_is_refused(api: Api) -> None:
    refused = api.get("/activity", query={"actor": "user:ada", "subject": "dataset:credit"})

    assert refused.status == 422
    assert refused.json["detail"] == "name an actor or a subject, not both"


@pytest.mark.parametrize("path", ["/activity", "/dashboard/stats"])
def test_what_has_not_changed_is_not_sent_again(api: Api, path: str) -> None:
    api.trained()
    seen = api.get(path).headers["ETag"]

    assert api.get(path, headers={"if-none-match": seen}).status == 304
    api.world.clock.pass_time(timedelta(minutes=1))
    api.call("PATCH", "/datasets/credit", {"max_quarantined_share": 0.3})
    assert api.get(path, headers={"if-none-match": seen}).status == 200


def test_the_dashboard_counts_what_there_is(api: Api) -> None:
    run_id = api.trained()
    api.world.clock.pass_time(timedelta(minutes=1))
    api.call("PUT", "/models/credit:1/approve", {"reason": REASON})
    api.world.ledger.close(run_id, state=RunState.SUCCEEDED, reason=None, steps=[], at=NOON)
    api.world.ledger.open(a_run("training-x", dataset="credit"))
    api.world.ledger.open(a_run("ingest-x", pipeline="ingest", dataset="credit"))
    api.world.clock.pass_time(timedelta(minutes=1))
    api.world.ledger.close("ingest-x", state=RunState.FAILED, reason="torn", steps=[], at=NOON)

    stats = api.get("/dashboard/stats").json

    assert (stats["datasets"], stats["dataset_versions"], stats["models"]) == (1, 1, 1)
    assert stats["model_versions"] == {"PENDING": 2, "APPROVED": 1, "REJECTED": 0}
    assert stats["pending_approvals"] == 2
    ended = {state: n for state, n in stats["runs"].items() if state != "RUNNING"}
    assert ended == {"SUCCEEDED": 1, "FAILED": 1, "TIMED_OUT": 0, "ABORTED": 0}
    assert stats["succeeded_share"] == 0.5
    assert stats["runs_by_pipeline"]["training"] == {"RUNNING": 1, "SUCCEEDED": 1}
    assert stats["latest_activity"][0]["action"] == "run.ended"
    assert stats["latest_runs"] == api.get("/runs", query={"limit": "5"}).json["items"]


def test_the_dashboard_shows_every_day_also_those_without_runs(api: Api) -> None:
    for number, days in enumerate((0, 0, 2, 40)):
        api.world.ledger.open(a_run(f"run-{number}", minutes=-days * 24 * 60))

    shown = api.get("/dashboard/stats", query={"days": "4"}).json["days"]

    assert [(each["day"], each["started"]) for each in shown] == [
        ("2026-11-17", 0),
        ("2026-11-18", 1),
        ("2026-11-19", 0),
        ("2026-11-20", 2),
    ]
    assert shown[3]["states"] == {"RUNNING": 2}


def test_a_dashboard_of_nothing_has_no_share(api: Api) -> None:
    stats = api.get("/dashboard/stats", query={"days": "1"}).json

    assert stats["succeeded_share"] is None
    assert stats["runs"]["RUNNING"] == 0
    assert stats["days"] == [{"day": "2026-11-20", "started": 0, "states": {}}]


def test_what_needs_somebody_is_a_model_to_decide_on_and_a_failure_that_nothing_followed(api: Api) -> None:
    api.trained()
    for run_id, dataset, minutes in (("old", "flights", -2), ("later", "flights", -1), ("alone", "churn", -3)):
        api.world.ledger.open(a_run(run_id, pipeline="ingest", dataset=dataset, minutes=minutes))
    step = Step(name="PrepareDataset", state=RunState.FAILED, reason="torn")
    for run_id in ("old", "alone"):
        api.world.ledger.close(run_id, state=RunState.FAILED, reason="torn", steps=[step], at=NOON)

    approval, failure = sorted(api.get("/dashboard/overview").json["needs"], key=lambda need: need["kind"])

    assert (approval["kind"], approval["model"], approval["waiting"]) == ("approval", "credit", 3)
    assert approval["version"]["recommended"]
    assert (failure["kind"], failure["run"]["run_id"], failure["step"]) == ("run_failed", "alone", "PrepareDataset")


def test_a_version_that_waits_says_who_became_champion_since_it_was_judged(api: Api) -> None:
    api.trained()
    before = api.get("/dashboard/overview")
    api.world.registry.decide("credit", 2, approve=True, actor="ada", reason="best", at=NOON)
    api.world.registry.move_alias("credit", "champion", 2, expected=None, actor="ada", reason="best", at=NOON)

    after = api.get("/dashboard/overview")

    assert re.match(r"\w+ gains 0\.3\.", before.json["needs"][0]["sentence"])
    (approval,) = after.json["needs"]
    assert approval["version"]["id"] != "credit:2"
    assert re.match(
        r"credit:2 of the same run is the champion since: 0\.\d{4} roc_auc on the same 668 test rows, "
        r"and 0\.\d{4} here\. When it was judged: \w+ gains 0\.3\.",
        approval["sentence"],
    )


@pytest.mark.parametrize(("higher_is_better", "best"), [(True, 2), (False, 3)])
def test_of_those_that_nothing_recommends_the_best_of_the_latest_run_is_looked_at_first(
    higher_is_better: bool, best: int, api: Api
) -> None:
    registry = api.world.registry
    for run_id, algorithm, value in (("r-1", "a", 0.99), ("r-2", "a", 0.9), ("r-2", "b", 0.7), ("r-2", "c", 0.8)):
        number = registry.claim_number("credit", dataset="credit", run_id=run_id, algorithm=algorithm, at=NOON)
        metric = Metric(value=value, low=value, high=value, higher_is_better=higher_is_better)
        said: dict[str, Any] = {"recommended": False, "metrics": {"roc_auc": metric}}
        version = a_model_version(number, run_id=run_id, algorithm=algorithm, **said)
        registry.register(version, actor="training")

    assert api.get("/dashboard/overview").json["needs"][0]["version"]["number"] == best


def test_the_overview_is_sent_again_only_when_something_on_it_has_changed(api: Api) -> None:
    run_id = api.trained()
    seen = api.get("/dashboard/overview").headers["ETag"]

    assert api.get("/dashboard/overview", headers={"if-none-match": seen}).status == 304
    api.world.ledger.close(run_id, state=RunState.FAILED, reason="torn", steps=[], at=NOON)
    assert api.get("/dashboard/overview", headers={"if-none-match": seen}).status == 200


def test_a_failure_of_last_week_needs_nobody(api: Api) -> None:
    api.world.ledger.open(a_run("old", minutes=-8 * 24 * 60))
    api.world.ledger.close("old", state=RunState.FAILED, reason="torn", steps=[], at=NOON - timedelta(days=8))

    assert api.get("/dashboard/overview").json["needs"] == []


def test_what_runs_is_held_against_what_such_runs_took(api: Api) -> None:
    for number, minutes in enumerate((10, 20, 60)):
        api.world.ledger.open(a_run(f"run-{number}", minutes=-100))
        end = NOON + timedelta(minutes=minutes - 100)
        api.world.ledger.close(f"run-{number}", state=RunState.SUCCEEDED, reason=None, steps=[], at=end)
    api.world.ledger.open(a_run("now"))
    api.world.ledger.open(a_run("first", dataset="new"))

    shown = api.get("/dashboard/overview").json

    assert {run["run_id"]: run["usual_seconds"] for run in shown["running"]} == {"now": 1200.0, "first": None}
    assert {run["state"] for run in shown["recent_runs"]} == {"SUCCEEDED"}


def test_a_live_model_shows_how_good_its_champions_were(api: Api) -> None:
    api.trained()
    api.approved(1)
    api.approved(2)

    (live,) = api.get("/dashboard/overview").json["live_models"]

    assert (live["name"], live["champion"]["id"]) == ("credit", "credit:2")
    assert [point["value"]["value"] for point in live["quality"]] == [0.83, 0.83]


def test_the_overview_shows_the_latest_of_many_versions_that_wait_and_says_how_many_do(api: Api) -> None:
    for _ in range(5):
        api.trained()

    (approval,) = api.get("/dashboard/overview").json["needs"]

    assert (approval["waiting"], approval["version"]["recommended"]) == (15, True)
    assert approval["version"]["number"] > 12


def test_who_was_champion_is_known_for_any_time(api: Api) -> None:
    api.trained()
    api.approved(1)
    api.approved(2)

    def champion(minutes: float) -> Any:
        answer = api.get("/models/credit/champion", query={"at": (NOON + timedelta(minutes=minutes)).isoformat()})
        assert answer.status == 200
        return answer.json["champion"]

    assert champion(0.5) is None
    assert [champion(minutes)["id"] for minutes in (1, 1.5, 2, 900)] == ["credit:1", "credit:1", "credit:2", "credit:2"]
    assert api.get("/models/credit/champion").json["champion"]["id"] == "credit:2"
    assert api.get("/models/credit/champion", query={"at": "2026-11-20T12:00:00"}).status == 422


def test_cost_is_of_this_month_and_goes_on_as_it_was(api: Api) -> None:
    job = Job(service="sagemaker", name="train", machine="ml.m5.large", billable_seconds=3600)
    step = Step(name="Train", state=RunState.SUCCEEDED, job=job)
    for run_id, days in (("this", 1), ("last", 25)):
        api.world.ledger.open(a_run(run_id, minutes=-days * 24 * 60))
        api.world.ledger.close(run_id, state=RunState.SUCCEEDED, reason=None, steps=[step], at=NOON)

    cost = api.get("/dashboard/overview").json["cost"]

    assert cost["month_usd"] == 0.115
    assert cost["forecast_usd"] == pytest.approx(0.115 / 20 * 30)
    assert [day["day"] for day in cost["days"] if day["cost_usd"]] == ["2026-10-26", "2026-11-19"]


def test_endpoints_are_of_the_months_cost_hour_by_hour_and_go_on_to_its_end(api: Api) -> None:
    november = NOON.replace(day=1, hour=0)
    uses = api.world.endpoint_uses
    uses.begin(an_endpoint_use(number=1, since=november - timedelta(hours=10)))
    uses.end("credit", 1, at=november + timedelta(hours=5))
    uses.begin(an_endpoint_use(number=2, since=NOON - timedelta(hours=20)))
    uses.begin(an_endpoint_use(number=3, machine=None))

    cost = api.get("/dashboard/overview").json["cost"]

    assert cost["endpoints_usd"] == cost["month_usd"] == pytest.approx(25 * 0.115)
    assert cost["forecast_usd"] == pytest.approx((25 + 10 * 24 + 12) * 0.115)
    assert cost["endpoints_at_least"] is False
    hours = {day["day"]: day["cost_usd"] / 0.115 for day in cost["days"] if day["cost_usd"]}
    assert hours == {
        "2026-10-31": pytest.approx(10),
        "2026-11-01": pytest.approx(5),
        "2026-11-19": pytest.approx(8),
        "2026-11-20": pytest.approx(12),
    }


def test_an_endpoint_that_may_have_grown_costs_at_least_so_much(api: Api) -> None:
    api.world.endpoint_uses.begin(an_endpoint_use(minutes=-60, most_machines=4))

    assert api.get("/dashboard/overview").json["cost"]["endpoints_at_least"] is True


def test_the_cost_of_an_endpoint_is_told_anew_when_an_hour_is_full(api: Api) -> None:
    api.world.endpoint_uses.begin(an_endpoint_use())
    seen = {"if-none-match": api.get("/dashboard/overview").headers["ETag"]}

    api.world.clock.pass_time(timedelta(minutes=59))
    assert api.get("/dashboard/overview", headers=seen).status == 304
    api.world.clock.pass_time(timedelta(minutes=1))
    told = api.get("/dashboard/overview", headers=seen)
    assert (told.status, told.json["cost"]["endpoints_usd"]) == (200, pytest.approx(0.115))
    seen = {"if-none-match": told.headers["ETag"]}
    api.world.endpoint_uses.end("credit", 1, at=later(60))
    assert api.get("/dashboard/overview", headers=seen).status == 200


def test_drift_of_what_is_live_needs_somebody_until_a_later_report_finds_none(api: Api) -> None:
    api.trained()
    api.approved(2)
    told = {"model": "credit", "number": 2, "kind": DriftKind.DATA}
    drifted = a_drift_summary("drift-1-data", verdict=DriftVerdict.DRIFT, sentence="age moved", **told)
    api.world.drift_reports.record(drifted, a_drift_day(drifted))
    of_another = a_drift_summary("drift-2-data", minutes=1, verdict=DriftVerdict.DRIFT, **(told | {"number": 1}))
    api.world.drift_reports.record(of_another, a_drift_day(of_another))

    shown = api.get("/dashboard/overview")

    assert [(n["model"], n["drift"]["sentence"]) for n in shown.json["needs"] if n["kind"] == "drift"] == [
        ("credit", "age moved")
    ]
    assert shown.json["live_models"][0]["drift"]["id"] == "drift-1-data"
    unjudged = a_drift_summary("drift-4-data", minutes=1.5, verdict=DriftVerdict.SKIPPED, **told)
    api.world.drift_reports.record(unjudged, a_drift_day(unjudged))
    assert "drift" in [need["kind"] for need in api.get("/dashboard/overview").json["needs"]]
    calm = a_drift_summary("drift-3-data", minutes=2, verdict=DriftVerdict.OK, **told)
    api.world.drift_reports.record(calm, a_drift_day(calm))
    later = api.get("/dashboard/overview", headers={"if-none-match": shown.headers["ETag"]})
    assert [need["kind"] for need in later.json["needs"]] == ["approval"]
