"""What people see: every Playwright spec of the dashboard, in a real browser, against the local platform."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from stacks import web_build
from tests.e2e.conftest import ROOT
from tests.web.conftest import Dashboard

FRONTEND = ROOT / "frontend"
SPECS = sorted(path.name for path in (FRONTEND / "e2e").glob("*.spec.ts"))
# For a machine that has other things to do; no spec is judged by its time.
SPEC_SECONDS = 580


def test_there_are_specs() -> None:
    assert "sign-in.spec.ts" in SPECS


@pytest.mark.parametrize("spec", SPECS)
def test_the_spec_holds_in_a_browser(spec: str, dashboard: Dashboard, tmp_path: Path) -> None:
    node = Path(web_build.npm()[0])
    places = {
        "MILLRACE_WEB": dashboard.url,
        "MILLRACE_PEOPLE": str(dashboard.people),
        "MILLRACE_SESSION": str(dashboard.session),
        "PATH": f"{node.parent}{os.pathsep}{os.environ['PATH']}",
    }
    program = FRONTEND / "node_modules" / "@playwright" / "test" / "cli.js"
    done = subprocess.run(
        [str(node), str(program), "test", f"e2e/{spec}", "--output", str(tmp_path)],
        cwd=FRONTEND,
        env={**os.environ, **places},
        capture_output=True,
        text=True,
        timeout=SPEC_SECONDS,
        check=False,
    )

    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
