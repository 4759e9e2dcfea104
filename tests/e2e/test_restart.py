"""A power cut: what was finished is kept, what was in flight ends with a reason, and work goes on."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest

from local import platform as local_platform
from millrace import bootstrap
from millrace.cli.deployment import LOCAL_STATE, connect
from millrace.domain.dataset import VersionState
from millrace.domain.run import RunState
from millrace.errors import NotFound
from tests.e2e.conftest import EXAMPLES, Bench, wait_for

PENGUINS = (EXAMPLES / "penguins.csv").read_bytes()
SETTINGS = {"target": "species", "training": {"trials": 1}}


@pytest.fixture
def powered(assembly: Path, tmp_path: Path) -> Callable[[], tuple[local_platform.RunningPlatform, Bench]]:
    """Switches a platform of its own on, as often as asked, always with the same state."""

    def switch_on() -> tuple[local_platform.RunningPlatform, Bench]:
        running = local_platform.start(tmp_path / LOCAL_STATE, port=0, assembly=assembly)
        settings = connect("local", tmp_path)
        return running, Bench(bootstrap.platform(settings), settings.data_bucket, boto3.Session(), tmp_path)

    return switch_on


def preparing(ours: Bench, run_id: str) -> bool | None:
    """Whether the run has come to its Glue job; the execution itself is there a moment after the object."""
    try:
        steps = ours.platform.pipelines.steps("ingest", run_id)
    except NotFound:
        return None
    return any(step.name == "PrepareDataset" for step in steps) or None


def test_after_a_kill_finished_work_is_there_and_work_in_flight_has_ended_with_a_reason(
    bench: Bench, powered: Callable[[], tuple[local_platform.RunningPlatform, Bench]]
) -> None:
    running, ours = powered()
    assert ours.configure("kept", {"training": {"on_new_version": False}}).state is RunState.SUCCEEDED
    finished = ours.drop("kept", "penguins.csv", PENGUINS)
    assert finished.state is RunState.SUCCEEDED, finished.reason
    profile = ours.platform.store.read(ours.platform.catalog.version("kept", 1).location + "profile.json")
    # Half a minute of preparation: the cut comes in its middle, and long after the state was written.
    in_flight = ours.put("uploads/cut/long.csv", b"a,b\n" + b"".join(b"%d,%d.5\n" % (i, i) for i in range(1_500_000)))
    wait_for(lambda: preparing(ours, in_flight), what="the preparation to run", seconds=60)
    time.sleep(2)
    running.kill()

    running, ours = powered()
    try:
        assert ours.platform.ledger.get(finished.run_id) == finished
        version = ours.platform.catalog.version("kept", 1)
        assert version.state is VersionState.READY
        assert ours.platform.store.read(version.location + "profile.json") == profile
        cut = ours.ended(in_flight, seconds=60)
        assert cut.state is RunState.FAILED
        assert "restarted" in (cut.reason or "")
        again = ours.drop("cut", "penguins-again.csv", PENGUINS)
        assert again.state is RunState.SUCCEEDED, again.reason
    finally:
        running.stop()
        # This process was pointed at the second platform; the shared one is used by the tests that follow.
        connect("local", bench.root)
