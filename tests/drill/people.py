"""What people do by the API, told quickly; stories as in `stories`."""

from __future__ import annotations

import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any

from millrace import names
from millrace.domain.run import RunState
from tests.drill.stories import hears_of, latest, opened_alert, rolling_out, tell_alarm
from tests.drill.world import PATIENCE, World, penguins
from tests.e2e.calling import Caller


def a_file_is_sent_in_parts(world: World) -> None:
    dataset = world.name("sent")
    world.send("/datasets", {"name": dataset, "settings": {"key": ["id"]}})
    body = b"id,b\n" + b"".join(b"%d,x\n" % number for number in range(60))
    begun = start_upload(world, dataset, len(body))
    ticket = world.get(f"/datasets/{dataset}/uploads/{begun['upload_id']}")
    put_part(ticket["parts"][0]["address"], body)
    sent = world.send(f"/datasets/{dataset}/uploads/{begun['upload_id']}/complete")
    world.succeeded(sent["run_id"])
    unwanted = start_upload(world, dataset, 10)
    world.send(f"/datasets/{dataset}/uploads/{unwanted['upload_id']}", method="DELETE")


def start_upload(world: World, dataset: str, size: int) -> Any:
    return world.send(f"/datasets/{dataset}/uploads", {"file_name": f"{world.name('may')}.csv", "size_bytes": size})


def put_part(address: str, body: bytes) -> None:
    request = urllib.request.Request(address, data=body, method="PUT")  # noqa: S310 - the platform's own address
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        assert answer.status == 200


def a_dataset_is_looked_at_and_changed(world: World) -> None:
    dataset = world.name("kept")
    world.send("/datasets", {"name": dataset, "settings": {"key": ["id"]}})
    for number in (1, 2):
        rows = f"id,plan\n{number},a\n".encode() + b"".join(b"%d,b\n" % place for place in range(3, 60))
        world.drop(dataset, rows, name=f"{number}.csv")
    contract = world.get(f"/datasets/{dataset}/contract")
    columns = [{"name": each["name"], "kind": each["kind"]} for each in contract["columns"]]
    world.send(f"/datasets/{dataset}/contract", {"columns": columns}, method="PUT")
    assert len(world.get(f"/datasets/{dataset}/contract")["columns"]) == 2
    world.send(f"/datasets/{dataset}", {"training": {"trials": 2}}, method="PATCH")
    assert world.get(f"/datasets/{dataset}")["settings"]["training"]["trials"] == 2
    for path in ("/quality", "/versions/2", "/versions/2/profile", "/versions/1/files/report", "/diff?from=1&to=2"):
        assert world.get(f"/datasets/{dataset}{path}")
    assert world.get(f"/dashboard/datasets/{dataset}")["versions"]


def rows_are_compared(world: World) -> None:
    dataset = world.name("compared")
    world.send("/datasets", {"name": dataset, "settings": {"key": ["id"]}})
    rows = "id,plan\n" + "".join(f"{number},basic\n" for number in range(60))
    for text in (rows, rows.replace("\n7,basic", "\n7,family") + "900,basic\n"):
        world.drop(dataset, text.encode(), name=f"{world.name('rows')}.csv")
    here = f"/datasets/{dataset}/diff/rows"
    world.send(here, {"from_version": 1, "to_version": 2})

    def done() -> Any:
        run = latest(world, "comparison", dataset)
        assert run is None or run.state in (RunState.RUNNING, RunState.SUCCEEDED), run.reason
        status, answer = world.admin.get(f"{here}?from=1&to=2")
        assert status in (200, 202), answer
        return answer["result"] if status == 200 else None

    found = world.wait(done, what="the comparison")
    assert (found["added"], found["changed"]) == (1, 1), found
    assert world.get(f"{here}/file?from=1&to=2")["address"]


def a_model_is_trained_decided_on_and_rolled_back(world: World) -> None:
    """By hand: an estimate, a run with its log, a stop; approval and refusal; one version after the other, and back."""
    asked = {"dataset": world.model, "training": {"algorithms": ["linear"], "trials": 1}}
    assert world.get(f"/training/estimate?dataset={world.model}")
    run = world.send("/training/start", asked)
    world.send(f"/runs/{run['run_id']}/stop", {"reason": "that it runs is enough"})
    assert world.bench.ended(run["run_id"], seconds=PATIENCE).state is RunState.ABORTED
    again = world.send(f"/runs/{run['run_id']}/again")
    world.send(f"/runs/{again['run_id']}/stop", {"reason": "that it runs is enough"})
    assert world.get(f"/runs/{trained_by(world)}")["steps"]
    assert world.get(f"/runs/{trained_by(world)}/logs")["lines"]
    model = world.copied(versions=2, approved=False)
    world.send(f"/models/{model}:1/approve", {"reason": "as good as its original"}, method="PUT")
    world.send(f"/models/{model}:2/reject", {"reason": "one of them is enough"}, method="PUT")
    for path in ("", ":1/detail", ":1/evaluation", ":1/lineage", ":1/card", ":1/files/artifact", "/versions"):
        assert world.get(f"/models/{model}{path}")
    assert world.get(f"/comparison?of={world.model}:1,{world.model}:2")
    other = world.copied(versions=2, champion=True)
    world.send(f"/models/{other}/aliases/champion", {"version": f"{other}:2", "reason": "it is better"}, method="PUT")
    world.send(f"/models/{other}/rollback", {"reason": "it was better before"})
    assert world.get(f"/models/{other}/champion")["champion"]["id"] == f"{other}:1"


def trained_by(world: World) -> str:
    return world.versions[0].lineage.run_id


def a_rollout_is_ended_by_hand(world: World) -> None:
    model = world.copied(versions=2, champion=True, like="slow")
    run_id = rolling_out(world, f"{model}:2")
    world.send(f"/models/{model}/rollout/abort", {"reason": "it was a mistake"})
    run = world.bench.ended(run_id, seconds=PATIENCE)
    assert "it was a mistake" in str(run.reason)


def predictions_and_drift_are_asked_for(world: World) -> None:
    """A batch from a file that is sent and one from a version, labels, a check of drift, and what monitoring shows."""
    model, body = world.model, penguins(20)
    asked = {"model": model, "file_name": f"{world.name('may')}.csv", "size_bytes": len(body)}
    sent = world.send("/inference/batch/uploads", asked)
    put_part(sent["parts"][0]["address"], body)
    job = world.send("/inference/batch", {"model": model, "input": {"upload_id": sent["upload_id"]}})
    world.succeeded(job["job_id"])
    assert world.get(f"/inference/batch/{job['job_id']}/results")["rows"]
    assert world.get(f"/dashboard/predictions/{job['job_id']}")
    label = {"record_id": world.name("somebody"), "truth": "Adelie"}
    world.send("/inference/ground-truth", {"model": model, "labels": [label]})
    assert world.get(f"/inference/ground-truth?model={model}")["days"]
    now = datetime.now(UTC)
    window = {"first": (now - timedelta(hours=2)).isoformat(), "until": now.isoformat()}
    run = world.send("/monitoring/drift", {"model": model} | window)
    world.succeeded(run["run_id"])
    report = world.get(f"/monitoring/drift?model={model}")["items"][0]["id"]
    for path in (f"/drift/{report}", f"/drift/{report}/html", f"?model={model}", f"/traffic?model={model}"):
        assert world.get(f"/monitoring{path}")


def keys_channels_and_schedules_are_kept(world: World) -> None:
    key = world.send("/api-keys", {"name": world.name("key")})
    world.send(f"/api-keys/{key['key_id']}", method="DELETE")
    address = f"http://127.0.0.1:{world.receiver.server.server_port}/hook"
    for kind, where in (("webhook", address), ("email", f"{world.name('ada')}@example.com")):
        channel = world.send("/channels", {"kind": kind, "name": world.name(kind), "address": where})
        path = f"/channels/{channel['channel_id']}"
        world.send(path, {"kinds": ["data_drift"]}, method="PATCH")
        if kind == "webhook":
            world.send(f"{path}/test")
            world.wait(lambda path=path: delivered(world, path), what="the test's message")  # type: ignore[misc]
        world.send(path, method="DELETE")
    asked = {"name": world.name("nightly"), "action": "train", "about": world.model, "expression": "rate(1 day)"}
    schedule = f"/schedules/{world.send('/schedules', asked)['schedule_id']}"
    run_id = world.send(f"{schedule}/run")["run_id"]
    world.send(f"/runs/{run_id}/stop", {"reason": "that it runs is enough"})
    world.send(schedule, {"state": "PAUSED"}, method="PATCH")
    world.send(schedule, method="DELETE")
    for path in ("overview", "stats", "settings", "predictions", "monitoring"):
        assert world.get(f"/dashboard/{path}") is not None


def an_alert_is_worked_on(world: World) -> None:
    name = f"Millrace-local-Monitoring-Story{world.name('').strip('-')}"
    tell_alarm(world, name, "ALARM")
    alert_id = opened_alert(world, f"alarm:{name}")["alert_id"]
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    world.send(f"/alerts/{alert_id}/acknowledge", {"reason": "looking into it"})
    world.send(f"/alerts/{alert_id}/snooze", {"reason": "known, and mended soon", "until": until})
    world.send(f"/alerts/{alert_id}/close", {"reason": "it was only a story"})
    assert world.get(f"/alerts/{alert_id}")["state"] == "CLOSED"
    hears_of(world, alert_id, "alert.closed")


def the_use_of_a_key_is_noted(world: World) -> None:
    """Also when it predicts."""
    key = world.send("/api-keys", {"name": world.name("key")})
    Caller(f"{world.admin.url}{names.KEYED_PATH}", key["token"]).post(
        "/inference/predict", {"model": world.model, "rows": world.rows}
    )
    listed = {each["key_id"]: each for each in world.get("/api-keys")["items"]}
    assert listed[key["key_id"]]["last_used_at"]


def delivered(world: World, channel: str) -> bool | None:
    return any(each["state"] == "DELIVERED" for each in world.get(f"{channel}/deliveries")["items"]) or None


def people_work_by_the_api(world: World) -> None:
    """All of it, one after the other."""
    keys_channels_and_schedules_are_kept(world)
    a_file_is_sent_in_parts(world)
    a_dataset_is_looked_at_and_changed(world)
    a_model_is_trained_decided_on_and_rolled_back(world)
    a_rollout_is_ended_by_hand(world)
    predictions_and_drift_are_asked_for(world)
    rows_are_compared(world)
