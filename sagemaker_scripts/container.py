"""The container contract: where things are, how progress is said, and how a failure is told to the service."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sklearn.ensemble  # noqa: F401 - only the threads of loaded libraries can be counted and bounded
from threadpoolctl import threadpool_info, threadpool_limits

from millrace.errors import InvalidInput, PlatformError

# What SageMaker shows of a failure (FailureReason, ExitMessage).
_SHOWN_CHARACTERS = 1024


@dataclass(frozen=True)
class TrainingPaths:
    """Directories of a training job below `base`."""

    base: Path

    def channel(self, name: str) -> Path:
        return self.base / "input" / "data" / name

    @property
    def hyperparameters(self) -> Path:
        return self.base / "input" / "config" / "hyperparameters.json"

    @property
    def resources(self) -> Path:
        return self.base / "input" / "config" / "resourceconfig.json"

    @property
    def model(self) -> Path:
        return self.base / "model"

    @property
    def checkpoints(self) -> Path:
        return self.base / "checkpoints"

    @property
    def failure(self) -> Path:
        return self.base / "output" / "failure"


@dataclass(frozen=True)
class ProcessingPaths:
    """Directories of a processing job below `base`."""

    base: Path

    def input(self, name: str) -> Path:
        return self.base / "processing" / "input" / name

    @property
    def output(self) -> Path:
        return self.base / "processing" / "output"

    @property
    def message(self) -> Path:
        """What DescribeProcessingJob answers as ExitMessage."""
        return self.base / "output" / "message"


def say(event: str, facts: Mapping[str, Any]) -> None:
    """One structured log line."""
    print(json.dumps({"event": event, **facts}), flush=True)


def read_json(path: Path) -> dict[str, Any]:
    """Raises InvalidInput when the file is missing or does not hold a JSON object."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise InvalidInput(f"the file {path.name} is missing from {path.parent}") from None
    except ValueError as error:
        raise InvalidInput(f"the file {path} is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise InvalidInput(f"the file {path} must hold a JSON object, not {type(content).__name__}")
    return content


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Strict JSON, keys sorted: the same content is the same bytes. Raises ValueError for NaN and infinity."""
    path.write_text(json.dumps(content, allow_nan=False, sort_keys=True, indent=1) + "\n", "utf-8")


def run(work: Callable[[], None], failure: Path) -> int:
    """The exit code of `work`. What it raises is written to `failure` as `Type: message`, and its trace is logged."""
    try:
        work()
    except Exception as error:
        traceback.print_exc(file=sys.stderr)
        failure.parent.mkdir(parents=True, exist_ok=True)
        failure.write_text(_told(error)[:_SHOWN_CHARACTERS], "utf-8")
        say("failed", {"error": type(error).__name__, "expected": isinstance(error, PlatformError)})
        return 1
    return 0


def reproducible_sums() -> AbstractContextManager[Any]:
    """One thread for linear algebra in the block: sums in another order are other sums, and a hash would tell."""
    limits: AbstractContextManager[Any] = threadpool_limits(limits=1, user_api="blas")
    return limits


def threads() -> int:
    """What OpenMP would use here: the processors, or what the job's environment allows."""
    return max((pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "openmp"), default=1)


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
