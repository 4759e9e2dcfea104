"""The steps of a run, as far as they are known now."""

from __future__ import annotations

from collections.abc import Sequence

from millrace.domain.run import Run, RunState, Step
from millrace.errors import NotFound
from millrace.ports import Pipelines


def read_steps(*, pipelines: Pipelines, run: Run) -> Sequence[Step]:
    """A closed run has its steps in the registry; a live one in its execution's history."""
    if run.state is not RunState.RUNNING:
        return run.steps
    try:
        return pipelines.steps(run.pipeline, run.run_id)
    except NotFound:
        return ()  # opened, and about to be started
