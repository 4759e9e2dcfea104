"""What needs the source tree: synthesising the templates and starting or stopping the local platform."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from millrace.cli.deployment import LOCAL_STATE
from millrace.errors import NotFound, PlatformError

ENVIRONMENT = "local"
ASSEMBLY = f"cdk.out/assembly-{ENVIRONMENT}"


class CommandFailed(PlatformError):
    """A command that the platform is made of ended with an error of its own, already printed."""


def find_checkout(start: Path) -> Path:
    """The nearest folder at or above `start` that holds app.py and local/. Raises NotFound."""
    for folder in (start, *start.parents):
        if (folder / "app.py").is_file() and (folder / "local").is_dir():
            return folder
    raise NotFound("this is not a checkout of Millrace (no app.py here or above): the local platform needs one")


def synthesise(root: Path) -> None:
    _run(root, ["app.py", ENVIRONMENT])


def platform_command(root: Path, *arguments: str) -> None:
    _run(root, ["-m", "local", *arguments])


def dashboard(root: Path) -> dict[str, Any]:
    """Where the local platform's dashboard is and who may sign in, as `up` wrote it down. Raises NotFound."""
    file = root / LOCAL_STATE / "dashboard.json"
    if not file.is_file():
        raise NotFound("nobody has written down where the dashboard is. Start the local platform with: millrace up")
    return dict(json.loads(file.read_text()))


def _run(root: Path, arguments: Sequence[str]) -> None:
    completed = subprocess.run([sys.executable, *arguments], cwd=root, check=False)
    if completed.returncode != 0:
        raise CommandFailed(f"python {' '.join(arguments)} ended with exit code {completed.returncode}")
