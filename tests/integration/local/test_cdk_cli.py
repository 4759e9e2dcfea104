"""`make deploy`: the CDK's own command line, held against the embedded AWS instead of an account."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import platform as local_platform
from local.platform import RunningPlatform

ROOT = Path(__file__).parents[3]


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[RunningPlatform]:
    running = local_platform.start(tmp_path / "state", port=0)
    try:
        yield running
    finally:
        running.stop()


def cdk(command: str, empty: RunningPlatform, *arguments: str) -> str:
    """The Makefile's CDK against the emulator, on an assembly of its own. Gives what it said."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= {
        "AWS_ENDPOINT_URL": empty.endpoint_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "CI": "true",
    }
    done = subprocess.run(
        ["make", "--silent", command, *arguments],  # noqa: S607 the make that runs the tests
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_cdk_cli_deploys_every_stack_and_has_nothing_to_do_the_second_time(
    empty: RunningPlatform, tmp_path: Path
) -> None:
    assembly = tmp_path / "cdk.out"
    subprocess.run([sys.executable, "app.py", "local", "--output", str(assembly)], cwd=ROOT, check=True)
    stacks = {path.name for path in (assembly / "assembly-local").glob("*.template.json")}

    cdk("bootstrap", empty, f"ASSEMBLY={assembly}", "ENV=local")
    first = cdk("deploy", empty, f"ASSEMBLY={assembly}", "ENV=local")
    again = cdk("deploy", empty, f"ASSEMBLY={assembly}", "ENV=local")

    deployed = empty.session().client("cloudformation").describe_stacks()["Stacks"]
    states = [stack["StackStatus"] for stack in deployed if stack["StackName"].startswith("Millrace-local-")]
    assert states == ["CREATE_COMPLETE"] * len(stacks)
    assert "no changes" not in first
    assert again.count("(no changes)") == len(stacks)
