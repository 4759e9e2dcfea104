"""What every part of the embedded AWS knows about the installation it runs in."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class EmulatorContext:
    """The coordinates of one embedded AWS: handed to every hook and to the job services when they are installed.

    `state_dir` is absolute and survives restarts; `python` is the interpreter that runs functions and jobs.
    """

    endpoint_url: str
    region: str
    account_id: str
    state_dir: Path
    python: str
