"""Schedules through the deployed API: the function may keep timers of its group, and of no other."""

from __future__ import annotations

from tests.integration.api.conftest import Deployed

NEW = {"name": "nightly", "action": "train", "about": "nothing-yet", "expression": "cron(0 2 * * ? *)"}


def test_a_schedule_has_its_timer_from_its_making_to_its_end(deployed: Deployed) -> None:
    token = deployed.token("scientist")
    timers = deployed.running.session().client("scheduler")

    made = deployed.call("POST", "/schedules", token=token, body={**NEW, "timezone": "Europe/Berlin"})
    assert made.status == 201, made.text
    name, group = made.json["schedule_id"], deployed.outputs["ScheduleGroup"]
    timer = timers.get_schedule(GroupName=group, Name=name)
    assert (timer["State"], timer["ScheduleExpressionTimezone"]) == ("ENABLED", "Europe/Berlin")
    assert timer["Target"]["Arn"] == deployed.outputs["ScheduleTargetArn"]

    here = f"/schedules/{name}"
    paused = deployed.call("PATCH", here, token=token, body={"state": "PAUSED"}, If_Match=made.headers["ETag"])
    assert (paused.status, paused.json["next_at"]) == (200, None)
    assert timers.get_schedule(GroupName=group, Name=name)["State"] == "DISABLED"
    stale = deployed.call("PATCH", here, token=token, body={"name": "mine"}, If_Match=made.headers["ETag"])
    assert stale.status == 412

    by_hand = deployed.call("POST", f"{here}/run", token=token)
    assert (by_hand.status, by_hand.json["outcome"], by_hand.json["actor"]) == (200, "REFUSED", "user:scientist-person")
    assert deployed.call("GET", here, token=token).json["firings"][0]["reason"] == by_hand.json["reason"]

    assert deployed.call("DELETE", here, token=token).status == 200
    assert deployed.call("GET", here, token=token).status == 404
    assert timers.list_schedules(NamePrefix=name)["Schedules"] == []
    entries = deployed.call("GET", f"/activity?subject=schedule:{name}", token=token).json["items"]
    assert [entry["action"] for entry in entries] == [
        "schedule.deleted",
        "schedule.fired",
        "schedule.changed",
        "schedule.created",
    ]


def test_what_cannot_be_kept_is_refused_in_words(deployed: Deployed) -> None:
    token = deployed.token("scientist")

    wrong = deployed.call("POST", "/schedules", token=token, body={**NEW, "expression": "cron(0 2 * * * *)"})
    unknown = deployed.call("POST", "/schedules", token=token, body={**NEW, "action": "deploy"})

    assert (wrong.status, unknown.status) == (422, 422)
    assert "write ? for the day" in wrong.json["detail"]
    assert "check_drift" in unknown.text
