"""Stop a run: its execution ends, and the event of that closes the run."""

from __future__ import annotations

from millrace import names
from millrace.domain.run import Run
from millrace.errors import Conflict, InvalidInput, NotFound
from millrace.ports import Pipelines, RunLedger


def stop_run(*, ledger: RunLedger, pipelines: Pipelines, run_id: str, actor: str, reason: str) -> Run:
    """The run as it is now: RUNNING until its execution has ended. Raises InvalidInput, NotFound, Conflict."""
    if not reason.strip():
        raise InvalidInput("say why the run is stopped: the reason stays with it")
    if ledger.get(run_id).pipeline == names.IMPORT_PIPELINE:
        raise Conflict(f"{run_id} is an operator's command and no execution: given again, it ends what it began")
    run = ledger.request_stop(run_id, actor=actor, reason=reason.strip())
    try:
        pipelines.stop(run.pipeline, run_id, reason=f"{actor}: {reason.strip()}")
    except NotFound as missing:
        raise Conflict(f"{run_id} has no execution to stop yet: try again in a moment") from missing
    return run
