"""What Millrace does for its users, told quickly: each story raises unless what it says has come true.

The roles of the templates do what these stories tell. Take one action from one role, and a story must break
(`python -m tests.drill`); with everything granted all of them hold (some of both in tests/e2e/test_stories.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd

from millrace import names
from millrace.domain import identity, place
from millrace.domain.dataset import UploadState
from millrace.domain.endpoint_use import EndpointUse
from millrace.domain.run import Run, RunState
from millrace.use_cases.check_champions import ACTOR
from tests.drill.world import PATIENCE, SETTINGS, World, asked_rows, penguins
from tests.e2e.calling import outputs
from tests.e2e.deployed import due_now, function_named

Story = Callable[[World], None]


# From a file to a version, and from a version to a model.


def a_file_becomes_a_version(world: World) -> None:
    """Rows are accepted, a broken one is set aside, quality is measured."""
    dataset = world.name("dropped")
    world.drop(dataset, b"a,b\n" + b"1,x\n" * 40 + b"2\n")
    (version,) = world.get(f"/datasets/{dataset}/versions")["items"]
    assert (version["state"], version["accepted"], version["quarantined"]) == ("READY", 40, 1)
    assert world.get(f"/datasets/{dataset}/versions/1/quarantine")["items"]
    world.measured("dataset", dataset)


def settings_come_as_files(world: World) -> None:
    """For the dataset, and for one folder of its uploads."""
    dataset = world.name("settled")
    run = world.bench.configure(dataset, {"key": ["a"]})
    assert run.state is RunState.SUCCEEDED, run.reason
    assert world.get(f"/datasets/{dataset}")["settings"]["key"] == ["a"]
    world.bench.put(f"uploads/{dataset}/may/dataset.yaml", b"key: [b]\n")
    world.drop(dataset, b"a,b\n" + b"".join(b"1,%d\n" % row for row in range(40)), name="may/rows.csv")
    assert world.get(f"/datasets/{dataset}/versions")["items"][0]["accepted"] == 40


def the_same_bytes_are_no_new_version(world: World) -> None:
    dataset, body = world.name("twice"), b"a,b\n" + b"1,x\n" * 40
    world.drop(dataset, body, name="one.csv")
    again = world.drop(dataset, body, name="two.csv")
    assert "Identical to" in str(again.outcome)
    assert [each["state"] for each in world.get(f"/datasets/{dataset}/versions")["items"]] == ["READY"]


def a_version_that_waits_trains_once_a_target_is_named(world: World) -> None:
    """By a settings file that comes after the rows."""
    dataset = world.name("waiting")
    world.drop(dataset, penguins())
    assert latest(world, "training", dataset) is None
    run = world.bench.configure(dataset, {"target": "species", "training": {"trials": 1, "algorithms": ["linear"]}})
    assert run.state is RunState.SUCCEEDED, run.reason
    started = world.wait(lambda: latest(world, "training", dataset), what="a training run")
    world.send(f"/runs/{started.run_id}/stop", {"reason": "that it runs is enough"})


def a_bad_file_is_refused_and_people_are_told(world: World) -> None:
    """A run that fails is an alert; the next success is its end."""
    dataset = world.name("refused")
    run = world.bench.ended(world.bench.put(f"uploads/{dataset}/bad.csv", b"a,b\n"), seconds=PATIENCE)
    last = run.steps[-1]
    assert (run.state, last.name, last.state) == (RunState.FAILED, "RejectUpload", RunState.SUCCEEDED), last.reason
    (upload,) = world.get(f"/datasets/{dataset}/uploads")["items"]
    assert upload["state"] == "REJECTED"
    alert = opened_alert(world, f"run:ingest:{dataset}")
    assert alert["sentence"] == run.reason
    people_are_told(world, dataset)
    hears_of(world, alert["alert_id"], "alert.opened")
    world.drop(dataset, b"a,b\n" + b"1,x\n" * 40, name="good.csv")
    world.wait(lambda: world.get(f"/alerts/{alert['alert_id']}")["state"] == "CLOSED" or None, what="its end")


def a_stopped_upload_may_come_again(world: World) -> None:
    """What an execution could not tidy up is tidied up when it ended: the same bytes are no repetition."""
    dataset, body = world.name("stopped"), b"a,b\n" + b"1,x\n" * 40
    run_id = world.bench.put(f"uploads/{dataset}/first.csv", body)

    def claimed() -> bool | None:
        return (
            any(each.state is UploadState.PREPARING for each in world.bench.platform.catalog.uploads(dataset)) or None
        )

    world.wait(claimed, what="a version that is prepared")
    world.send(f"/runs/{run_id}/stop", {"reason": "it was a mistake"})
    assert world.bench.ended(run_id, seconds=PATIENCE).state is RunState.ABORTED
    world.drop(dataset, body, name="again.csv")
    ready = [each for each in world.get(f"/datasets/{dataset}/versions")["items"] if each["state"] == "READY"]
    assert len(ready) == 1


def what_a_run_cost_is_measured(world: World) -> None:
    before = spent(world)
    a_file_becomes_a_version(world)
    world.wait(lambda: spent(world) > before or None, what="the run's cost in CloudWatch")


def spent(world: World) -> float:
    """USD of the last hours."""
    now = datetime.now(UTC)
    found = world.bench.session.client("cloudwatch").get_metric_statistics(
        Namespace=names.METRIC_NAMESPACE,
        MetricName=names.RUN_COST,
        StartTime=now - timedelta(hours=3),
        EndTime=now + timedelta(minutes=5),
        Period=6 * 3600,
        Statistics=["Sum"],
    )
    return sum(point["Sum"] for point in found["Datapoints"])


def opened_alert(world: World, cause: str) -> Any:
    def find() -> Any:
        found = world.bench.platform.alerts.page(limit=100).items
        return next((world.get(f"/alerts/{each.alert_id}") for each in found if each.cause == cause), None)

    return world.wait(find, what=f"an alert of {cause}")


def people_are_told(world: World, about: str) -> None:
    """By messages that end with the addresses of their pages."""
    messages = world.wait(lambda: world.inbox.about(about) or None, what=f"a message about {about}")
    for message in messages:
        assert message["Message"].splitlines()[-1].startswith(world.dashboard), message["Message"]


def hears_of(world: World, alert_id: str, event: str) -> None:
    """Somebody else's server hears of the alert."""

    def heard() -> bool | None:
        messages = [json.loads(body) for _, body in list(world.receiver.received)]
        mine = [m["data"] for m in messages if (m["type"], m["data"].get("alert_id")) == (event, alert_id)]
        assert all(data["alert_link"].startswith(world.dashboard) for data in mine), mine
        return bool(mine) or None

    world.wait(heard, what=f"{event} of {alert_id} at the webhook")


def a_version_is_trained_and_registered(world: World) -> None:
    """A version that is ready trains by itself, to a candidate that people are asked about."""
    dataset = world.name("trained")
    settings = SETTINGS | {"training": SETTINGS["training"] | {"on_new_version": True}}
    world.bench.configure(dataset, settings)
    world.drop(dataset, penguins())
    run = world.wait(lambda: latest(world, "training", dataset), what="a training run", seconds=8)
    world.succeeded(run.run_id, seconds=30)
    (version,) = world.get(f"/models/{dataset}/versions")["items"]
    assert world.get(f"/models/{version['id']}/detail")["approval"]["state"] == "PENDING"
    assert world.get(f"/models/{version['id']}/evaluation")
    people_are_told(world, f"{dataset}:1")


def latest(world: World, pipeline: str, dataset: str) -> Run | None:
    runs = world.bench.platform.ledger.list(pipeline=pipeline)
    return next((run for run in runs if run.dataset == dataset), None)


# A version in service.


def an_approved_version_is_deployed(world: World) -> None:
    model = world.copied(approved=False)
    world.bench.approve(f"{model}:1", "as good as its original")
    world.succeeded(identity.automatic_deployment_run_id(model, 1), seconds=30)
    assert world.get(f"/models/{model}/champion")["champion"]["id"] == f"{model}:1"
    assert world.kinds(model, newest=1) == ["ALIAS_MOVED"]
    world.answered_by(f"{model}:1")
    people_are_told(world, f"{model}:1")


def a_version_answers_behind_an_endpoint(world: World) -> None:
    """One that nobody needs any more is taken away with all that belongs to it, and its hours have an end."""
    model = world.copied(like="endpoint")
    unneeded = f"millrace-local-{model}-v9"
    world.same_endpoint(unneeded)
    uses, now = world.bench.platform.endpoint_uses, world.bench.platform.clock.now()
    uses.begin(EndpointUse(model=model, number=9, machine="ml.m5.large", region="us-east-1", since=now))
    deployed(world, f"{model}:1")
    assert [use.number for use in uses.open() if use.model == model] == [1]
    world.answered_by(f"{model}:1")
    sagemaker = world.bench.session.client("sagemaker")
    found = sagemaker.list_endpoints(NameContains=f"{model}-v")["Endpoints"]
    assert [each["EndpointName"] for each in found] == [f"millrace-local-{model}-v1"]
    assert not sagemaker.list_models(NameContains=unneeded)["Models"]
    assert not sagemaker.list_endpoint_configs(NameContains=unneeded)["EndpointConfigs"]


def deployed(world: World, version_id: str) -> Run:
    asked = world.send(f"/models/{version_id}/deploy", {"reason": "it shall answer from now on"})
    return world.succeeded(asked["run_id"], seconds=30)


def a_version_takes_over_step_by_step(world: World) -> None:
    model = world.copied(versions=2, champion=True, like="canary")
    run_id = rolling_out(world, f"{model}:2")
    while world.get(f"/runs/{run_id}")["state"] == "RUNNING":
        world.send("/inference/predict", {"model": model, "rows": world.rows})
    world.succeeded(run_id)
    assert world.kinds(model, newest=3) == ["ALIAS_MOVED", "ROLLOUT_PASSED", "ROLLOUT_STARTED"]
    people_are_told(world, f"{model}:2")


def a_broken_version_takes_itself_back(world: World) -> None:
    model = world.copied(versions=2, champion=True, like="slow")
    run_id = rolling_out(world, f"{model}:2")
    bucket = world.bench.platform.settings.require("artifacts_bucket")
    world.bench.platform.store.write(place.serving_uri(bucket, model, 2, "model.onnx"), b"damaged")

    def over() -> bool | None:
        answer = world.send("/inference/predict", {"model": model, "rows": world.rows})
        assert answer["model_version"] == f"{model}:1"
        return world.get(f"/runs/{run_id}")["state"] == "FAILED" or None

    world.wait(over, what="the end of the rollout", seconds=60)
    assert "not the one that was checked" in world.get(f"/runs/{run_id}")["reason"]
    assert world.kinds(model, newest=2) == ["DEPLOYMENT_FAILED", "ROLLOUT_ENDED"]
    steps = {step["name"]: step["state"] for step in world.get(f"/runs/{run_id}")["steps"]}
    assert steps["RollBackRollout"] == "SUCCEEDED", steps


def rolling_out(world: World, version_id: str) -> str:
    """The run whose rollout has begun."""
    run_id: str = world.send(f"/models/{version_id}/deploy", {"reason": "it shall take over by and by"})["run_id"]

    def begun() -> Any:
        run = world.get(f"/runs/{run_id}")
        assert run["state"] == "RUNNING", run["reason"]
        return world.get(f"/models/{version_id.partition(':')[0]}")["rollout"]

    world.wait(begun, what="the rollout", seconds=30)
    return run_id


def the_dashboard_is_published(world: World) -> None:
    """CloudFormation asks for it, and reads the answer where it said; here it lies in a bucket as there."""
    s3, function = world.bench.session.client("s3"), function_named(world.bench, "PublishSite")
    outputs_, key = outputs(world.bench), f"runs/{world.name('published')}.json"
    site = world.bench.session.client("lambda").get_function_configuration(FunctionName=function)
    bucket = site["Environment"]["Variables"][names.SITE_BUCKET]
    config = json.loads(s3.get_object(Bucket=bucket, Key="config.json")["Body"].read()) | {"published": key}
    where = {"Bucket": world.bench.bucket, "Key": key}
    request = {
        "RequestType": "Update",
        "ResponseURL": s3.generate_presigned_url("put_object", Params=where),
        "StackId": outputs_["DashboardUrl"],
        "RequestId": key,
        "LogicalResourceId": "Site",
        "ResourceProperties": {"Build": build_uri(world), "Config": config},
    }
    world.bench.session.client("lambda").invoke(FunctionName=function, Payload=json.dumps(request).encode())
    said = json.loads(s3.get_object(**where)["Body"].read())
    assert said["Status"] == "SUCCESS", said["Reason"]
    assert json.loads(s3.get_object(Bucket=bucket, Key="config.json")["Body"].read())["published"] == key


def build_uri(world: World) -> str:
    """Where the template says that the dashboard's build lies."""
    client = world.bench.session.client("cloudformation")
    (stack,) = [each for each in client.describe_stacks()["Stacks"] if each["StackName"].endswith("Frontend")]
    template = client.get_template(StackName=stack["StackName"])["TemplateBody"]
    resources = (template if isinstance(template, dict) else json.loads(template))["Resources"]
    (site,) = [each for each in resources.values() if each["Type"] == "Custom::PublishedSite"]
    account = world.bench.session.client("sts").get_caller_identity()["Account"]
    said: str = site["Properties"]["Build"]["Fn::Sub"]
    return said.replace("${AWS::AccountId}", account).replace("${AWS::Region}", world.bench.session.region_name)


def what_a_job_left_undone_is_named(world: World) -> None:
    """A job that ended well and wrote nothing is told as that by the states after it, which are asked alone here."""
    run_id = world.name("training-nothing")
    bucket = world.bench.platform.settings.require("artifacts_bucket")
    asked = {"run_id": run_id, "dataset": world.model, "dataset_version": 1}
    assert "left no report" in error_of(world, "RegisterCandidates", asked)
    nowhere = place.run_uri(bucket, run_id, "serving")
    asked = {"run_id": run_id, "model": world.model, "number": 1, "serving_uri": nowhere}
    assert "without a serving artefact" in error_of(world, "CheckServingArtefact", asked)


def error_of(world: World, function: str, asked: dict[str, Any]) -> str:
    """What the function of that name raised; "" when it did not."""
    answer = world.bench.session.client("lambda").invoke(
        FunctionName=function_named(world.bench, function), Payload=json.dumps(asked).encode()
    )
    return str(json.loads(answer["Payload"].read()).get("errorMessage", "")) if "FunctionError" in answer else ""


# What is asked and answered, and what came true.


def an_answer_is_recorded(world: World) -> None:
    """What was asked and answered lies in the bucket, and counts as traffic."""
    model = world.copied(champion=True)
    ids = [world.name("asked") for _ in world.rows]
    world.send("/inference/predict", {"model": model, "rows": world.rows, "record_ids": ids})
    prefix = place.records_uri(world.bench.bucket, model)
    store = world.bench.platform.store

    def recorded() -> bool | None:
        lines = [line for found in store.list(prefix) for line in store.read(found.uri).splitlines()]
        return {json.loads(line)["record_id"] for line in lines} >= set(ids) or None

    world.wait(recorded, what="inference records")
    traffic = f"/monitoring/traffic?model={model}&hours=2"
    world.wait(lambda: world.get(traffic)["requests"] or None, what="traffic")


def a_dropped_file_is_predicted_and_checked(world: World) -> None:
    """From an object to its answers, to the reports of its drift, and to how good the answers were."""
    model = world.copied(champion=True)
    asked = asked_rows(world, 150)
    job_id = batch_of(world, model, asked)
    assert world.get(f"/inference/batch/{job_id}/results")["rows"] == 150
    people_are_told(world, job_id)
    assert drift_of(world, model, job_id) == {"data", "prediction", "performance"}
    world.measured(names.MODEL_DIMENSION, model)


def the_rows_of_a_version_are_predicted(world: World) -> None:
    model = world.copied(champion=True)
    asked = {"model": model, "input": {"dataset": world.model, "dataset_version": 1}}
    job = world.send("/inference/batch", asked)
    world.succeeded(job["job_id"])
    assert world.get(f"/inference/batch/{job['job_id']}/results")["rows"] > 300


def what_an_attempt_left_is_removed(world: World) -> None:
    """A batch's results are of the attempt that was finished, and of no other."""
    model, asked = world.copied(champion=True), asked_rows(world, 120)
    job_id = put_batch(world, model, asked)
    left = place.batch_uri(world.bench.bucket, model, job_id, "results/left-behind.parquet")
    world.bench.platform.store.write(left, b"half a file")
    world.succeeded(job_id)
    found = world.bench.platform.store.list(place.batch_uri(world.bench.bucket, model, job_id, "results/"))
    assert found
    assert left not in [each.uri for each in found]


def what_serves_nothing_is_told_apart(world: World) -> None:
    """A champion without its files is no fault of the platform, and of nobody's request."""
    model = world.copied()
    now = world.bench.platform.clock.now()
    world.bench.platform.registry.move_alias(
        model, "champion", 1, expected=None, actor="tester", reason="for a story", at=now
    )
    status, answer = world.admin.post("/inference/predict", {"model": model, "rows": world.rows})
    assert (status, answer["type"]) == (409, "NotDeployed"), answer


def batch_of(world: World, model: str, rows: pd.DataFrame) -> str:
    """The id of the job that a dropped file becomes, done."""
    return world.succeeded(put_batch(world, model, rows)).run_id


def put_batch(world: World, model: str, rows: pd.DataFrame) -> str:
    key = f"{names.INFERENCE_PREFIX}{model}/{world.name('rows')}.csv"
    body = rows.to_csv(index=False).encode()
    answer = world.bench.session.client("s3").put_object(Bucket=world.bench.bucket, Key=key, Body=body)
    return identity.dropped_batch_id(world.bench.bucket, key, answer["VersionId"])


def drift_of(world: World, model: str, job_id: str) -> set[str]:
    run = world.succeeded(identity.drift_run_id(f"{model}:1", "batch", job_id, ""))
    found = world.get(f"/monitoring/drift?model={model}")["items"]
    return {each["kind"] for each in found if each["run_id"] == run.run_id}


def labels_tell_how_good_answers_were(world: World) -> None:
    """Ground truth is dropped as a file: the batch it is about is judged by it; what is no label is set aside."""
    model = world.copied(champion=True)
    asked = asked_rows(world, 150)
    drift_of(world, model, batch_of(world, model, asked))
    lines = [f"{record_id},Adelie" for record_id in asked["record_id"]]
    drop_truth(world, model, "\n".join(["record_id,truth", *lines, ",Gentoo"]))

    def judged() -> bool | None:
        found = world.get(f"/monitoring/drift?model={model}&kind=performance")["items"]
        return any(each["verdict"] != "SKIPPED" for each in found) or None

    world.wait(judged, what="a measured performance")
    assert world.get(f"/inference/ground-truth?model={model}")["days"][0]["labels"] == 150
    deeds = {each["action"]: each["detail"] for each in world.get(f"/activity?subject=model:{model}")["items"]}
    assert (deeds["ground_truth.recorded"]["kept"], deeds["ground_truth.recorded"]["refused"]) == (150, 1), deeds
    drop_truth(world, model, "nothing,of,the,kind\n1,2,3,4")
    people_are_told(world, f"ground-truth/{model}/")


def labels_that_are_delivered_again_change_nothing(world: World) -> None:
    """A file's event may come twice; what was set aside of it the first time is replaced."""
    model = world.copied(champion=True)
    key, version = drop_truth(world, model, f"record_id,truth\n{world.name('row')},Adelie\n,Gentoo")

    def deeds() -> list[Any]:
        found = world.get(f"/activity?subject=model:{model}")["items"]
        return [each for each in found if each["action"] == "ground_truth.recorded"]

    world.wait(lambda: deeds() or None, what="the file in the trail")
    detail = {
        "bucket": {"name": world.bench.bucket},
        "object": {"key": key, "size": 40, "version-id": version, "etag": "e"},
        "reason": "PutObject",
    }
    event = {"id": "again", "time": datetime.now(UTC).isoformat(), "detail-type": "Object Created", "detail": detail}
    assert error_of(world, "OnGroundTruthDropped", event) == ""
    assert len(deeds()) == 1


def drop_truth(world: World, model: str, text: str) -> tuple[str, str]:
    """The object's key and version."""
    key = f"{names.GROUND_TRUTH_PREFIX}{model}/{world.name('labels')}.csv"
    answer = world.bench.session.client("s3").put_object(Bucket=world.bench.bucket, Key=key, Body=text.encode())
    return key, answer["VersionId"]


# Drift, schedules, alerts.


def drift_asks_for_training(world: World) -> None:
    """People are told once, the governor refuses without labels and allows with them."""
    settings = {"retraining": {"cool_down_hours": 0, "min_new_rows": 10}}
    world.datasets["drifting"] = world.dataset("drifting", **settings)
    model = world.copied(champion=True, like="drifting")
    drifted = asked_rows(world, 150, bill_length_mm=60.0)
    drift_of(world, model, batch_of(world, model, drifted))
    alert = opened_alert(world, f"drift:{model}:data")
    people_are_told(world, f"The data that {model} sees")
    hears_of(world, alert["alert_id"], "alert.opened")
    refused = decided(world, model, 1)[0]
    assert "no new labels" in refused["sentence"], refused
    world.drop(world.datasets["drifting"], penguins(300), name="newer.csv")
    batch_of(world, model, drifted)
    allowed = decided(world, model, 2)[0]
    assert allowed["run_id"], allowed
    world.send(f"/runs/{allowed['run_id']}/stop", {"reason": "that it runs is enough"})


def decided(world: World, model: str, count: int) -> list[Any]:
    """The governor's decisions, newest first, once there are so many."""

    def find() -> list[Any] | None:
        items: list[Any] = world.get(f"/models/{model}/retraining")["decisions"]["items"]
        return items if len(items) >= count else None

    return world.wait(find, what=f"{count} decisions")


def every_night_champions_are_checked(world: World) -> None:
    model = world.copied(champion=True)
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    yesterday = today - timedelta(days=1)
    address = place.inference_records_uri(world.bench.bucket, model, yesterday.date().isoformat(), "some")
    world.bench.platform.store.write(address, records(world, model, yesterday))
    with due_now(world.bench):
        asked = (f"{model}:1", "records", yesterday.isoformat(), today.isoformat(), ACTOR)
        world.succeeded(identity.drift_run_id(*asked))


def records(world: World, model: str, day: datetime) -> bytes:
    """What predictions of that day left behind."""
    lines = [
        {
            "record_id": row.pop("record_id"),
            "model": model,
            "number": 1,
            "at": (day + timedelta(minutes=minute)).isoformat(),
            "row": row,
            "prediction": "Adelie",
            "probabilities": {"Adelie": 0.8, "Chinstrap": 0.1, "Gentoo": 0.1},
        }
        for minute, row in enumerate(asked_rows(world, 120).to_dict("records"))
    ]
    return "\n".join(map(json.dumps, lines)).encode()


def a_schedule_wakes_the_platform(world: World) -> None:
    """It is due once and trains; then it is changed and deleted."""
    starts_at = datetime.now(UTC) + timedelta(seconds=2)
    asked = {"name": world.name("due"), "action": "train", "about": world.model, "expression": "rate(1 hour)"}
    schedule = world.send("/schedules", asked | {"starts_at": starts_at.isoformat()})
    path = f"/schedules/{schedule['schedule_id']}"
    firing = world.wait(lambda: world.get(path)["last_firing"], what="a firing")
    assert firing["outcome"] == "STARTED", firing
    run_id = firing["run_id"]
    arn = world.bench.platform.settings.require("training_state_machine_arn").replace(":stateMachine:", ":execution:")
    assert world.bench.session.client("stepfunctions").describe_execution(executionArn=f"{arn}:{run_id}")
    world.send(f"/runs/{run_id}/stop", {"reason": "that it runs is enough"})
    assert world.bench.ended(run_id, seconds=PATIENCE).state is RunState.ABORTED
    world.send(path, {"state": "PAUSED"}, method="PATCH")
    world.send(path, method="DELETE")


def an_alarm_is_an_alert_until_it_is_over(world: World) -> None:
    """CloudWatch says so on the bus, which the function is invoked for here; somebody else's server hears of it."""
    name = f"Millrace-local-Monitoring-Story{world.name('').strip('-')}"
    tell_alarm(world, name, "ALARM")
    alert = opened_alert(world, f"alarm:{name}")
    hears_of(world, alert["alert_id"], "alert.opened")
    tell_alarm(world, name, "OK")
    assert world.get(f"/alerts/{alert['alert_id']}")["state"] == "CLOSED"
    hears_of(world, alert["alert_id"], "alert.closed")


def a_busy_channel_hears_later(world: World) -> None:
    """A server that refuses a message gets it again."""
    name = f"Millrace-local-Monitoring-Story{world.name('').strip('-')}"
    world.receiver.refusals[None] = [503]
    tell_alarm(world, name, "ALARM")
    alert = opened_alert(world, f"alarm:{name}")
    world.wait(lambda: not world.receiver.refusals[None] or None, what="the message that is refused")
    hears_of(world, alert["alert_id"], "alert.opened")
    tell_alarm(world, name, "OK")


def tell_alarm(world: World, name: str, state: str) -> None:
    event = {
        "time": datetime.now(UTC).isoformat(),
        "detail": {"alarmName": name, "state": {"value": state, "reason": "a story"}, "configuration": {}},
    }
    answer = world.bench.session.client("lambda").invoke(
        FunctionName=function_named(world.bench, "OnAlarmChanged"), Payload=json.dumps(event).encode()
    )
    assert "FunctionError" not in answer, answer["Payload"].read()
