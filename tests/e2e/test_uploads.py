"""What arrives in the bucket: repeated deliveries, hostile files, names that collide, other tasks than binary."""

from __future__ import annotations

import json
import random

import pytest

from millrace.domain.dataset import Task, UploadState, VersionState
from millrace.domain.run import RunState
from tests.e2e.conftest import EXAMPLES, Bench, wait_for
from tests.e2e.deployed import function_named

PENGUINS = (EXAMPLES / "penguins.csv").read_bytes()


def test_twenty_deliveries_of_two_uploads_start_two_executions(bench: Bench) -> None:
    """The bucket delivers once here; the repeated, shuffled deliveries are played by invoking the rule's target."""
    runs, deliveries = [], []
    for number in range(2):
        key, body = f"uploads/deliveries/{number}.csv", b"a,b\n" + b"".join(b"%d,%d\n" % (i, number) for i in range(50))
        runs.append(bench.put(key, body))
        head = bench.session.client("s3").head_object(Bucket=bench.bucket, Key=key)
        detail = {
            "bucket": {"name": bench.bucket},
            "object": {"key": key, "size": len(body), "version-id": head["VersionId"], "etag": head["ETag"].strip('"')},
            "reason": "PutObject",
        }
        deliveries += [{"detail-type": "Object Created", "source": "aws.s3", "detail": detail}] * 10
    random.Random(5).shuffle(deliveries)
    function = function_named(bench, "OnUploadArrived")
    for serial, delivery in enumerate(deliveries):
        event = {**delivery, "id": f"delivery-{serial}", "time": f"2026-01-01T00:00:{serial:02d}Z"}
        answer = bench.session.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
        assert "FunctionError" not in answer, answer["Payload"].read()
    for run_id in runs:
        assert bench.ended(run_id).state is RunState.SUCCEEDED
    arn = bench.platform.settings.require("ingest_state_machine_arn")
    executions = bench.session.client("stepfunctions").list_executions(stateMachineArn=arn)["executions"]
    assert sum(execution["name"] in runs for execution in executions) == 2
    assert len(bench.platform.catalog.uploads("deliveries")) == 2


def test_the_same_file_name_from_two_places_overwrites_nothing(bench: Bench) -> None:
    first = bench.put("uploads/collide/data.csv", b"a,b\n" + b"".join(b"%d,1\n" % i for i in range(60)))
    second = bench.put("uploads/collide/data.csv", b"a,b\n" + b"".join(b"%d,2\n" % i for i in range(70)))
    assert first != second
    for run_id in (first, second):
        run = bench.ended(run_id)
        assert run.state is RunState.SUCCEEDED, run.reason
    rows = sorted(v.quality.accepted for v in bench.platform.catalog.versions("collide") if v.quality)
    assert rows == [60, 70]


def test_without_a_target_a_version_waits_and_trains_once_one_is_named(bench: Bench) -> None:
    assert bench.drop("penguins", "penguins.csv", PENGUINS).state is RunState.SUCCEEDED
    assert not [run for run in bench.platform.ledger.list(pipeline="training") if run.dataset == "penguins"]
    settings = {"target": "species", "training": {"trials": 1}}
    assert bench.configure("penguins", settings).state is RunState.SUCCEEDED
    run = bench.trained("penguins", 1)
    assert run.state is RunState.SUCCEEDED, run.reason
    judged = bench.platform.registry.versions("penguins")
    assert {v.task for v in judged} == {Task.MULTICLASS}
    assert len(judged) == 3


def test_a_regression_is_trained_and_judged(bench: Bench) -> None:
    settings = {"target": "air_time", "key": ["flight_id"], "training": {"trials": 1}}
    assert bench.configure("air-time", settings).state is RunState.SUCCEEDED
    assert bench.drop("air-time", "march.csv", (EXAMPLES / "air_time.csv").read_bytes()).state is RunState.SUCCEEDED
    run = bench.trained("air-time", 1)
    assert run.state is RunState.SUCCEEDED, run.reason
    best = next(v for v in bench.platform.registry.versions("air-time") if v.recommended)
    assert best.task is Task.REGRESSION
    # Minutes in the air follow distance closely; a constant prediction is off by about 90.
    assert best.metrics["rmse"].value < 30


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (b"target: [unclosed", ["dataset.yaml"]),
        (b"targett: species\n", ["targett", "target"]),
        (b"training:\n  algorithms: [perceptron]\n", ["perceptron", "xgboost"]),
    ],
)
def test_a_bad_settings_file_is_refused_with_what_to_write_instead(
    bench: Bench, settings: bytes, words: list[str]
) -> None:
    run = bench.ended(bench.put("uploads/badly-set/dataset.yaml", settings))
    assert run.state is RunState.FAILED
    for word in words:
        assert word in (run.reason or "")


def test_a_folder_that_is_no_dataset_name_is_refused_with_the_rule(bench: Bench) -> None:
    run = bench.ended(bench.put("uploads/My Data!/file.csv", b"a,b\n1,2\n"))
    assert run.state is RunState.FAILED
    assert "lowercase letters, digits and hyphens" in (run.reason or "")


def test_cloudwatch_holds_the_quality_of_a_version(bench: Bench) -> None:
    assert bench.drop("measured", "data.csv", b"a,b\n" + b"1,x\n" * 40 + b"2\n").state is RunState.SUCCEEDED
    client = bench.session.client("cloudwatch")

    def listed() -> set[str] | None:
        metrics = client.list_metrics(Namespace="Millrace")["Metrics"]
        mine = {m["MetricName"] for m in metrics if {"Name": "dataset", "Value": "measured"} in m["Dimensions"]}
        return mine or None

    found = wait_for(listed, what="metrics", seconds=20)
    assert len(found) >= 4


def test_two_uploads_of_the_same_bytes_at_once_make_one_version(bench: Bench) -> None:
    body = b"a,b\n" + b"".join(b"%d,9\n" % i for i in range(80))
    runs = [bench.put(f"uploads/twins/{name}.csv", body) for name in ("one", "two", "three")]
    for run_id in runs:
        run = bench.ended(run_id)
        assert run.state is RunState.SUCCEEDED, run.reason
    ready = [v for v in bench.platform.catalog.versions("twins") if v.state is VersionState.READY]
    assert len(ready) == 1
    assert bench.uploads("twins", UploadState.IDENTICAL) == 2
