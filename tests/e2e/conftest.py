"""One local platform for all end-to-end tests: the deployed templates, started by real uploads."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import boto3
import pytest
import yaml

from local import platform as local_platform
from millrace import bootstrap
from millrace.bootstrap import Platform
from millrace.cli.deployment import LOCAL_STATE, connect
from millrace.domain import identity
from millrace.domain.dataset import UploadState
from millrace.domain.model import ModelVersion
from millrace.domain.run import Run, RunState
from millrace.errors import NotFound
from millrace.use_cases.approve_model_version import approve_model_version
from millrace.use_cases.deploy_model_version import deploy_again
from millrace.use_cases.start_training import start_training

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
RUN_SECONDS = 300.0
T = TypeVar("T")


@dataclass(frozen=True)
class Bench:
    """The platform as a user has it: a bucket to put objects in, and ways to look at what came of them."""

    platform: Platform
    bucket: str
    session: boto3.Session
    root: Path

    def put(self, key: str, body: bytes) -> str:
        """Put one object and return the run id it must lead to."""
        answer = self.session.client("s3").put_object(Bucket=self.bucket, Key=key, Body=body)
        return identity.ingest_run_id(self.bucket, key, answer["VersionId"])

    def configure(self, dataset: str, settings: dict[str, Any]) -> Run:
        """Drop a settings file, as a user without any tool would."""
        return self.ended(self.put(f"uploads/{dataset}/dataset.yaml", yaml.safe_dump(settings).encode()))

    def drop(self, dataset: str, name: str, body: bytes) -> Run:
        return self.ended(self.put(f"uploads/{dataset}/{name}", body))

    def ended(self, run_id: str, seconds: float = RUN_SECONDS) -> Run:
        return wait_for(lambda: self._ended(run_id), what=f"{run_id} to end", seconds=seconds)

    def _ended(self, run_id: str) -> Run | None:
        try:
            run = self.platform.ledger.get(run_id)
        except NotFound:
            return None
        return run if run.state is not RunState.RUNNING else None

    def trained(self, dataset: str, version: int, seconds: float = RUN_SECONDS) -> Run:
        """The ended training run of one dataset version."""

        def find() -> Run | None:
            runs = self.platform.ledger.list(pipeline="training")
            mine = [run for run in runs if run.dataset == dataset and run.dataset_version == version]
            return self._ended(mine[0].run_id) if mine else None

        return wait_for(find, what=f"training on {dataset} v{version}", seconds=seconds)

    def train(self, dataset: str, version: int) -> Run:
        """A training run started by hand, ended."""
        return self.ended(self.start_training(dataset, version).run_id)

    def start_training(self, dataset: str, version: int) -> Run:
        return start_training(
            catalog=self.platform.catalog,
            ledger=self.platform.ledger,
            pipelines=self.platform.pipelines,
            clock=self.platform.clock,
            dataset=dataset,
            version=version,
            started_by="tester",
        )

    def approve(self, version_id: str, reason: str) -> ModelVersion:
        return approve_model_version(
            registry=self.platform.registry,
            catalog=self.platform.catalog,
            ledger=self.platform.ledger,
            bus=self.platform.bus,
            clock=self.platform.clock,
            version_id=version_id,
            actor="tester",
            reason=reason,
        )

    def deploy_again(self, version: ModelVersion, reason: str) -> Run:
        return deploy_again(
            catalog=self.platform.catalog,
            registry=self.platform.registry,
            ledger=self.platform.ledger,
            pipelines=self.platform.pipelines,
            clock=self.platform.clock,
            artifacts_bucket=self.platform.settings.require("artifacts_bucket"),
            model=version.model,
            number=version.number,
            actor="tester",
            reason=reason,
        )

    def uploads(self, dataset: str, state: UploadState) -> int:
        return sum(upload.state is state for upload in self.platform.catalog.uploads(dataset))

    def read_json(self, uri: str) -> Any:
        return json.loads(self.platform.store.read(uri))


def wait_for(find: Callable[[], T | None], *, what: str, seconds: float) -> T:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = find()
        if found is not None:
            return found
        time.sleep(0.2)
    raise AssertionError(f"waited {seconds:.0f} s in vain for {what}")


@pytest.fixture(scope="session")
def assembly() -> Path:
    """The templates of the `local` environment, synthesised from this checkout."""
    subprocess.run([sys.executable, "app.py", "local"], cwd=ROOT, check=True)
    return ROOT / "cdk.out" / "assembly-local"


@pytest.fixture(scope="session")
def bench(assembly: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    root = tmp_path_factory.mktemp("platform")
    running = local_platform.start(root / LOCAL_STATE, port=0, assembly=assembly)
    settings = connect("local", root)
    try:
        yield Bench(bootstrap.platform(settings), settings.data_bucket, boto3.Session(), root)
    finally:
        running.stop()
