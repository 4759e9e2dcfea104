"""Watches runs until they end, drawing their steps as they change."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from millrace import names
from millrace.bootstrap import Platform
from millrace.domain.run import Run, RunState, Step
from millrace.errors import NotFound, PlatformError

POLL_SECONDS = 0.5
RUN_APPEARS_WITHIN_SECONDS = 60.0


class RunUnfinished(PlatformError):
    """The run did not start or end within the time a person asked to wait."""


def current_steps(platform: Platform, run: Run) -> list[Step]:
    """A closed run has its steps in the registry; a live one in its execution's history."""
    if run.state is not RunState.RUNNING:
        return list(run.steps)
    try:
        return list(platform.pipelines.steps(run.pipeline, run.run_id))
    except NotFound:
        return []


def await_run(find: Callable[[], Run | None], *, what: str, seconds: float = RUN_APPEARS_WITHIN_SECONDS) -> Run:
    """Poll `find` until it answers. Raises RunUnfinished after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        run = find()
        if run is not None:
            return run
        time.sleep(POLL_SECONDS)
    raise RunUnfinished(f"{what} did not start within {seconds:.0f} s; see: millrace runs")


def find_run(platform: Platform, run_id: str) -> Run | None:
    try:
        return platform.ledger.get(run_id)
    except NotFound:
        return None


def find_training(platform: Platform, dataset: str, version: int) -> Run | None:
    """The newest training run of one dataset version, if there is one."""
    runs = platform.ledger.list(pipeline=names.TRAINING_PIPELINE)
    return next((run for run in runs if run.dataset == dataset and run.dataset_version == version), None)


def follow(platform: Platform, run_id: str, console: Console, *, seconds: float) -> Run:
    """Draw one line per step until the run is closed. Raises NotFound, and RunUnfinished after `seconds`."""
    deadline = time.monotonic() + seconds
    with drawn_steps(console) as draw:
        while True:
            run = platform.ledger.get(run_id)
            draw(current_steps(platform, run))
            if run.state is not RunState.RUNNING:
                return run
            if time.monotonic() > deadline:
                raise RunUnfinished(
                    f"{run_id} still runs after {seconds:.0f} s; go on with: millrace run {run_id} --follow"
                )
            time.sleep(POLL_SECONDS)


@contextmanager
def drawn_steps(console: Console) -> Iterator[Callable[[list[Step]], None]]:
    """A function that is told the steps again and again, and draws one line for each."""
    columns = (SpinnerColumn(finished_text="•"), TextColumn("{task.description}"), BarColumn(24), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        lines: dict[tuple[str, str | None], object] = {}

        def draw(steps: list[Step]) -> None:
            for step in steps:
                key = (step.name, step.item)
                label = f"{step.name} {step.item or ''}".strip()
                if key not in lines:
                    lines[key] = progress.add_task(label, total=None)
                if step.state is not RunState.RUNNING:
                    description = label if step.state is RunState.SUCCEEDED else f"{label} [red]{step.state}[/red]"
                    progress.update(lines[key], total=1, completed=1, description=description)  # type: ignore[arg-type]

        yield draw
