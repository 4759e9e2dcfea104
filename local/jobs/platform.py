"""What all job services share: the store, the slots, and the threads in which jobs run."""

import contextlib
import contextvars
import json
import os
import shutil
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ministack.core.responses import request_scope
from ministack.services import eventbridge

from local.context import EmulatorContext
from local.jobs.control import JobControl, JobSlots
from local.jobs.documents import Document, milliseconds
from local.jobs.process import kill_orphans
from local.jobs.store import JobStore

SESSION_MARGIN_SECONDS = 3600


@dataclass(frozen=True)
class JobTimes:
    """Durations that the services fix; tests shorten them.

    `stop_grace_seconds` lie between SIGTERM and SIGKILL; Glue counts timeouts in minutes of `minute_seconds`.
    """

    stop_grace_seconds: float = 120.0
    minute_seconds: float = 60.0
    checkpoint_seconds: float = 2.0


class JobPlatform:
    """Starts jobs in threads of the launcher and knows which of them run."""

    def __init__(
        self, context: EmulatorContext, *, slots: int = 2, times: JobTimes | None = None, store: JobStore | None = None
    ) -> None:
        self.context = context
        self.store = store or JobStore(context.state_dir / "jobs.sqlite")
        self.slots = JobSlots(slots)
        self.times = times or JobTimes()
        self.threads_per_job = max(1, (os.cpu_count() or 1) // slots)
        self._controls: dict[tuple[str, str], JobControl] = {}
        self._lock = threading.Lock()

    def clear_after_restart(self) -> None:
        """Kill what an earlier launcher left running and remove its disks. Call before the first job."""
        kill_orphans(self.store)
        shutil.rmtree(self._disks, ignore_errors=True)

    @property
    def _disks(self) -> Path:
        return self.context.state_dir / "jobs"

    def launch(self, kind: str, name: str, run: Callable[[JobControl], None]) -> JobControl:
        """Run a job in its own thread, with the request's account and region."""
        control = JobControl()
        with self._lock:
            self._controls[kind, name] = control
        scope = contextvars.copy_context()

        def body() -> None:
            try:
                run(control)
            except Exception:  # a job must never end without a final document: run() writes it; this is the last net
                traceback.print_exc()
            finally:
                with self._lock:
                    self._controls.pop((kind, name), None)
                control.finished.set()

        threading.Thread(target=scope.run, args=(body,), daemon=True, name=f"{kind}/{name}").start()
        return control

    def control(self, kind: str, name: str) -> JobControl | None:
        """The handle of a job that is not finished."""
        with self._lock:
            return self._controls.get((kind, name))

    def stop(self, kind: str, name: str) -> None:
        if control := self.control(kind, name):
            control.stop.set()
            self.slots.look_again()

    @contextlib.contextmanager
    def directory(self, kind: str, name: str) -> Iterator[Path]:
        """The job's disk: gone with the job, as an instance's is."""
        path = self._disks / kind / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def publish(self, source: str, detail_type: str, resource: str, detail: Document) -> None:
        """Tell EventBridge, as the service would."""
        entry = {
            "Source": source,
            "DetailType": detail_type,
            "Resources": [resource] if resource else [],
            "Detail": json.dumps(milliseconds(detail)),
        }
        with request_scope(self.context.account_id, self.context.region):
            eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)
