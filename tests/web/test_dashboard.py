"""What people see: every Playwright spec of the dashboard, in a real browser, against the local platform."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from stacks import web_build
from tests.e2e.conftest import ROOT
from tests.web.conftest import Dashboard

FRONTEND = ROOT / "frontend"
SPECS = sorted(path.name for path in (FRONTEND / "e2e").glob("*.spec.ts"))
# For a machine that has other things to do; no spec is judged by its time.
ALL_SPECS_SECONDS = 2400
# The first test waits for all specs, longer than a test may take elsewhere.
pytestmark = pytest.mark.timeout(ALL_SPECS_SECONDS + 300)


@dataclass(frozen=True)
class Outcome:
    """What Playwright said: how many tests of each spec there were, which of them failed, and everything it printed."""

    tests: dict[str, int]
    failed: dict[str, list[str]]
    printed: str


@pytest.fixture(scope="session")
def outcome(dashboard: Dashboard, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """All specs at once, so that one works while another waits for a job (playwright.config.ts says how many)."""
    node = Path(web_build.npm()[0])
    scratch = tmp_path_factory.mktemp("specs")
    report = scratch / "report.json"
    places = {
        "MILLRACE_WEB": dashboard.url,
        "MILLRACE_PEOPLE": str(dashboard.people),
        "MILLRACE_SESSION": str(dashboard.session),
        "PLAYWRIGHT_JSON_OUTPUT_NAME": str(report),
        "PATH": f"{node.parent}{os.pathsep}{os.environ['PATH']}",
    }
    # `make tour` wants the story's pictures alone.
    chosen = ["--project", "story"] if "MILLRACE_TOUR" in os.environ else []
    program = FRONTEND / "node_modules" / "@playwright" / "test" / "cli.js"
    log = scratch / "printed.txt"
    with log.open("w") as said:
        subprocess.run(
            [str(node), str(program), "test", *chosen, "--reporter", "list,json", "--output", str(scratch / "traces")],
            cwd=FRONTEND,
            env={**os.environ, **places},
            stdout=said,
            stderr=subprocess.STDOUT,
            timeout=ALL_SPECS_SECONDS,
            check=False,
        )
    printed = log.read_text()
    assert report.exists(), printed
    return _outcome(json.loads(report.read_text()), printed)


def _outcome(report: dict[str, Any], printed: str) -> Outcome:
    tests: dict[str, int] = {}
    failed: dict[str, list[str]] = {}
    for suite in report["suites"]:
        specs = list(_specs(suite))
        tests[suite["file"]] = tests.get(suite["file"], 0) + len(specs)
        failed.setdefault(suite["file"], []).extend(spec["title"] for spec in specs if not spec["ok"])
    return Outcome(tests, failed, printed)


def _specs(suite: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from suite.get("specs", [])
    for inner in suite.get("suites", []):
        yield from _specs(inner)


def test_there_are_specs() -> None:
    assert "sign-in.spec.ts" in SPECS


@pytest.mark.parametrize("spec", SPECS)
def test_the_spec_holds_in_a_browser(spec: str, outcome: Outcome) -> None:
    assert outcome.tests.get(spec, 0) > 0, outcome.printed
    assert outcome.failed[spec] == [], outcome.printed
