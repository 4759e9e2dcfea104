"""Which test first had a role do what: the platform's decisions, joined by time with the tests that ran.

A suite with a platform of its own passes the starts of its tests here (`pytest_runtest_logstart`), and ends its
platform through `write`. `make permissions` puts the suites' files together.
"""

from __future__ import annotations

import json
import os
import re
from bisect import bisect_right
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local import platform as local_platform
from local.emulator.environment import WITHHELD

DIRECTORY = Path(__file__).parents[1] / "build" / "permissions"
DECISIONS = "decisions.jsonl"

# Role, as the templates call it → action → the test that ran when it was first used.
Used = dict[str, dict[str, str]]

_starts: list[tuple[str, str]] = []


def started(test: str) -> None:
    _starts.append((datetime.now(UTC).isoformat(), test.split("[")[0]))


def running_at(moment: str) -> str:
    """The test that ran then; before the first, the first: what a session's fixtures do is done for it."""
    return _starts[max(0, bisect_right(_starts, (moment, "")) - 1)][1]


def tests_of_now() -> set[str]:
    return {test for _, test in _starts}


def decisions(running: local_platform.RunningPlatform, *, allowed: bool) -> Used:
    """What the roles of the deployed templates were allowed, or refused, so far."""
    roles = roles_of(running.session())
    found: Used = {}
    for line in map(json.loads, (running.state_dir / DECISIONS).read_text().splitlines()):
        role = roles.get(line["role"])
        if role and line["allowed"] is allowed:
            found.setdefault(role, {}).setdefault(line["action"], running_at(line["at"]))
    return {role: dict(sorted(actions.items())) for role, actions in sorted(found.items())}


def roles_of(session: Any) -> Mapping[str, str]:
    """Physical name → RegisterUpload, for the role that the template calls RegisterUploadRole0A1B2C3D."""
    cloudformation = session.client("cloudformation")
    resources = (
        resource
        for stack in cloudformation.describe_stacks()["Stacks"]
        for resource in cloudformation.describe_stack_resources(StackName=stack["StackName"])["StackResources"]
        if resource["ResourceType"] == "AWS::IAM::Role"
    )
    return {found["PhysicalResourceId"]: role_name(found["LogicalResourceId"]) for found in resources}


def role_name(logical_id: str) -> str:
    return re.sub(r"Role(DefaultPolicy)?[0-9A-F]{8}$", "", logical_id)


def write(suite: str, running: local_platform.RunningPlatform) -> None:
    # A platform that was refused something on purpose is no record of what works.
    directory = DIRECTORY / "withheld" if os.environ.get(WITHHELD) else DIRECTORY
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{suite}.json").write_text(json.dumps(decisions(running, allowed=True), indent=2) + "\n")
    (directory / f"{suite}.refused.json").write_text(json.dumps(decisions(running, allowed=False), indent=2) + "\n")
