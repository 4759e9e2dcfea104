"""Who did what, and how much there is, over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from millrace.domain.run import RunState
from tests.builders import NOON, a_run
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
