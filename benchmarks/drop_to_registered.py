"""From a dropped file to registered model versions: how long, and how much of it is the platform's own overhead.

10,000 rows by 20 columns, three algorithms. Compute is the time in which at least one job's process was running (Glue's
StartedOn to CompletedOn, SageMaker's TrainingStartTime to TrainingEndTime and the processing job's), as one union of
intervals; everything else between the put and the closed training run is overhead: events, state machines, functions,
the registry, job queueing. Target: at most 120 s on 2 cores, overhead at most 40 %.
"""

from __future__ import annotations

import json
import platform as machine
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pandas as pd

from local import platform as local_platform
from millrace import bootstrap
from millrace.bootstrap import Platform
from millrace.cli.deployment import LOCAL_STATE, connect
from millrace.domain.run import Run, RunState
from millrace.errors import NotFound

ROOT = Path(__file__).parents[1]
ROWS, RUNS = 10_000, 3
Interval = tuple[datetime, datetime]


def dataset(seed: int) -> bytes:
    """12 numbers, 7 categories and a target that depends on some of them; 3 % of the cells are empty."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({f"number_{i}": rng.normal(size=ROWS).round(4) for i in range(12)})
    for i in range(7):
        frame[f"category_{i}"] = rng.choice([f"level_{k}" for k in range(4 + i)], ROWS)
    logit = frame["number_0"] - 0.7 * frame["number_1"] + (frame["category_0"] == "level_1") - 0.5
    frame = frame.mask(rng.random(frame.shape) < 0.03)
    frame["outcome"] = np.where(rng.random(ROWS) < 1 / (1 + np.exp(-logit)), "yes", "no")
    return frame.to_csv(index=False).encode()


def wait_for_training(platform: Platform, name: str) -> Run:
    deadline = time.monotonic() + 900
    while time.monotonic() < deadline:
        for run in platform.ledger.list():
            if run.dataset == name and run.state is not RunState.RUNNING:
                if run.state is not RunState.SUCCEEDED:
                    raise SystemExit(f"{run.run_id} ended {run.state}: {run.reason}")
                if run.pipeline == "training":
                    return run
        time.sleep(0.05)
    raise SystemExit("the training run did not end within 900 s")


def job_intervals(since: datetime) -> dict[str, list[Interval]]:
    """When each kind of job's process ran, after `since`."""
    sagemaker, glue = boto3.client("sagemaker"), boto3.client("glue")
    intervals: dict[str, list[Interval]] = {"prepare": [], "train": [], "evaluate": []}
    for name in (job["Name"] for job in glue.get_jobs()["Jobs"]):
        for run in glue.get_job_runs(JobName=name)["JobRuns"]:
            intervals["prepare"].append((run["StartedOn"], run["CompletedOn"]))
    for job in sagemaker.list_training_jobs(MaxResults=100)["TrainingJobSummaries"]:
        seen = sagemaker.describe_training_job(TrainingJobName=job["TrainingJobName"])
        intervals["train"].append((seen["TrainingStartTime"], seen["TrainingEndTime"]))
    for job in sagemaker.list_processing_jobs(MaxResults=100)["ProcessingJobSummaries"]:
        seen = sagemaker.describe_processing_job(ProcessingJobName=job["ProcessingJobName"])
        intervals["evaluate"].append((seen["ProcessingStartTime"], seen["ProcessingEndTime"]))
    return {kind: [i for i in found if i[0] >= since] for kind, found in intervals.items()}


def union_seconds(intervals: Iterable[Interval]) -> float:
    """Length of the union of intervals, in seconds."""
    total, end = 0.0, None
    for start, stop in sorted(intervals):
        begin = start if end is None or start > end else end
        if stop > begin:
            total += (stop - begin).total_seconds()
            end = stop
    return total


def measure(platform: Platform, number: int) -> dict[str, Any]:
    name = f"bench-{number}"
    s3, bucket = boto3.client("s3"), platform.settings.data_bucket
    s3.put_object(Bucket=bucket, Key=f"uploads/{name}/dataset.yaml", Body=b"target: outcome\n")
    while True:
        try:
            if platform.catalog.get(name).settings.target:
                break
        except NotFound:
            pass
        time.sleep(0.1)
    since, started = platform.clock.now(), time.monotonic()
    s3.put_object(Bucket=bucket, Key=f"uploads/{name}/data.csv", Body=dataset(number))
    wait_for_training(platform, name)
    total = time.monotonic() - started
    versions = list(platform.registry.versions(name))
    if len(versions) != 3:
        raise SystemExit(f"{len(versions)} versions instead of 3")
    intervals = job_intervals(since)
    compute = union_seconds(i for found in intervals.values() for i in found)
    parts = {kind: round(union_seconds(found), 2) for kind, found in intervals.items()}
    return {
        "total_seconds": round(total, 2),
        "compute_seconds": round(compute, 2),
        "overhead_seconds": round(total - compute, 2),
        "overhead_share": round(1 - compute / total, 3),
        **parts,
    }


def main() -> None:
    subprocess.run([sys.executable, "app.py", "local"], cwd=ROOT, check=True)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        running = local_platform.start(root / LOCAL_STATE, port=0, assembly=ROOT / "cdk.out" / "assembly-local")
        try:
            platform = bootstrap.platform(connect("local", root))
            results = [measure(platform, number) for number in range(RUNS)]
        finally:
            running.stop()
    frame = pd.DataFrame(results)
    print(frame.to_string(index=False))
    report = {"machine": f"{machine.machine()}, Python {machine.python_version()}", "rows": ROWS, "runs": results}
    (ROOT / "benchmarks" / "results" / "drop_to_registered.json").write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
