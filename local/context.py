"""What every part of the embedded AWS knows about the installation it runs in, and about the task it works for."""

import threading
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class EmulatorContext:
    """The coordinates of one embedded AWS: handed to every hook and to the job services when they are installed.

    `front_door_url` is where people open the deployed distribution in a browser.
    `state_dir` is absolute and survives restarts; `python` is the interpreter that runs functions and jobs.
    """

    endpoint_url: str
    front_door_url: str
    region: str
    account_id: str
    state_dir: Path
    python: str


# Set while a Step Functions task is being carried out. The event is set when nobody waits for its result any more: the
# task timed out, or its execution was stopped or timed out. A `.sync` job is then to be stopped, as AWS does.
TASK_ABANDONED: ContextVar[threading.Event | None] = ContextVar("task_abandoned", default=None)
