"""Training on the platform: repeatable, over several instances, and through an interruption."""

from __future__ import annotations

import urllib.request

import pytest

from millrace.domain.model import ModelVersion
from millrace.domain.run import Run, RunState
from tests.e2e.conftest import EXAMPLES, Bench, wait_for

PENGUINS = (EXAMPLES / "penguins.csv").read_bytes()
FLIGHTS = b"".join((EXAMPLES / "flights.csv").read_bytes().splitlines(keepends=True)[:2001])
# Sums of gradients are added in another order on two hosts, and quantiles are sketched on each and merged.
SEVERAL_HOSTS_TOLERANCE = 0.02


def versions_of(bench: Bench, run: Run) -> dict[str, ModelVersion]:
    assert run.state is RunState.SUCCEEDED, run.reason
    return {v.algorithm: v for v in bench.platform.registry.versions(run.dataset) if v.lineage.run_id == run.run_id}


@pytest.fixture(scope="module")
def birds(bench: Bench) -> str:
    settings = {"target": "species", "training": {"trials": 2, "on_new_version": False}}
    assert bench.configure("repeat", settings).state is RunState.SUCCEEDED
    assert bench.drop("repeat", "penguins.csv", PENGUINS).state is RunState.SUCCEEDED
    return "repeat"


def test_the_same_data_seed_and_code_give_the_same_artefacts(bench: Bench, birds: str) -> None:
    first, second = (versions_of(bench, bench.train(birds, 1)) for _ in range(2))
    assert len(first) == 3
    assert {a: v.artifact_digest for a, v in first.items()} == {a: v.artifact_digest for a, v in second.items()}
    assert {v.number for v in first.values()}.isdisjoint(v.number for v in second.values())


def test_another_seed_gives_other_artefacts(bench: Bench, birds: str) -> None:
    before = versions_of(bench, bench.train(birds, 1))
    assert bench.configure(birds, {"training": {"seed": 8}}).state is RunState.SUCCEEDED
    after = versions_of(bench, bench.train(birds, 1))
    assert before["random_forest"].artifact_digest != after["random_forest"].artifact_digest


def test_two_instances_train_what_one_trains(bench: Bench) -> None:
    only_xgboost = {"algorithms": ["xgboost"], "trials": 1, "on_new_version": False}
    assert bench.configure("hosts", {"target": "late", "training": only_xgboost}).state is RunState.SUCCEEDED
    assert bench.drop("hosts", "flights.csv", FLIGHTS).state is RunState.SUCCEEDED
    alone = versions_of(bench, bench.train("hosts", 1))["xgboost"]
    assert bench.configure("hosts", {"training": {"instance_count": 2}}).state is RunState.SUCCEEDED
    run = bench.train("hosts", 1)
    together = versions_of(bench, run)["xgboost"]
    job = bench.session.client("sagemaker").describe_training_job(TrainingJobName=f"{run.run_id}-xgboost")
    assert job["ResourceConfig"]["InstanceCount"] == 2
    for name in ("roc_auc", "log_loss"):
        assert together.metrics[name].value == pytest.approx(alone.metrics[name].value, abs=SEVERAL_HOSTS_TOLERANCE)


def test_an_interrupted_spot_job_goes_on_from_its_checkpoint(bench: Bench) -> None:
    # Slow on purpose: several seconds between the first checkpoint and the end.
    slow = {"n_estimators": 1500, "learning_rate": 0.005, "max_depth": 8, "early_stopping_rounds": 500}
    policy = {"algorithms": ["xgboost"], "trials": 1, "on_new_version": False, "hyperparameters": {"xgboost": slow}}
    assert bench.configure("spot", {"target": "late", "training": policy}).state is RunState.SUCCEEDED
    assert bench.drop("spot", "flights.csv", (EXAMPLES / "flights.csv").read_bytes()).state is RunState.SUCCEEDED
    undisturbed = versions_of(bench, bench.train("spot", 1))["xgboost"]
    run = bench.start_training("spot", 1)
    interrupt(bench, run)
    ended = bench.ended(run.run_id)
    assert versions_of(bench, ended)["xgboost"].artifact_digest == undisturbed.artifact_digest
    job = bench.session.client("sagemaker").describe_training_job(TrainingJobName=f"{run.run_id}-xgboost")
    assert "Interrupted" in [step["Status"] for step in job["SecondaryStatusTransitions"]]
    assert '"resumed"' in log_of(bench, job["TrainingJobName"])


def interrupt(bench: Bench, run: Run) -> None:
    """Take the instance away once a checkpoint has reached the bucket."""
    checkpoints = f"s3://{bench.platform.settings.artifacts_bucket}/runs/{run.run_id}/checkpoints/"
    wait_for(lambda: bench.platform.store.list(checkpoints) or None, what="a checkpoint", seconds=60)
    endpoint = bench.session.client("s3").meta.endpoint_url
    url = f"{endpoint}/_local/jobs/{run.run_id}-xgboost/interrupt"
    with urllib.request.urlopen(urllib.request.Request(url, method="POST")) as answer:  # noqa: S310 - our own loopback
        assert answer.status == 202


def log_of(bench: Bench, job: str) -> str:
    logs, group = bench.session.client("logs"), "/aws/sagemaker/TrainingJobs"
    streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=job)["logStreams"]
    names = [stream["logStreamName"] for stream in streams]
    pages = [logs.get_log_events(logGroupName=group, logStreamName=name)["events"] for name in names]
    return "\n".join(event["message"] for page in pages for event in page)
