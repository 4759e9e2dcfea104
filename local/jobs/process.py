"""Runs the processes of one job, a process group per host, until they end, are stopped or run out of time."""

import contextlib
import enum
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from local.jobs.control import JobControl
from local.jobs.store import JobStore

LEASH = Path(__file__).with_name("leash.py")
POLL_SECONDS = 0.05
READER_SECONDS = 5.0
LONGEST_LINE = 200_000

OnLine = Callable[[str], None]


@dataclass(frozen=True)
class Command:
    """One host's process. `on_error_line` None sends stderr where stdout goes, in order."""

    argv: Sequence[str]
    environment: dict[str, str]
    directory: Path
    on_line: OnLine
    on_error_line: OnLine | None = None


class Ended(enum.Enum):
    """Why the processes of a job are no longer running."""

    EXITED = "exited"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    OUT_OF_TIME = "out of time"


@dataclass(frozen=True)
class Outcome:
    """`exit_code` is the first failing host's, or 0; negative for a signal."""

    ended: Ended
    exit_code: int


def process_born(pid: int) -> str | None:
    """When a process started, in a form that no later process with this number can repeat; None when it is gone."""
    stat = Path(f"/proc/{pid}/stat")
    if stat.parent.parent.joinpath("self").exists():
        try:
            return stat.read_text().rpartition(")")[2].split()[19]
        except OSError:
            return None
    shown = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S607
    return shown.stdout.strip() or None


def kill_orphans(store: JobStore) -> int:
    """Kill the job processes that an earlier launcher left behind; returns how many there were."""
    killed = 0
    for pid, born in store.processes():
        if process_born(pid) == born:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
                killed += 1
        store.forget_process(pid)
    return killed


class HostProcess:
    """One process in a group of its own, with its output read line by line."""

    def __init__(self, command: Command, store: JobStore) -> None:
        self._store = store
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(LEASH), str(os.getpid()), *command.argv],
            cwd=command.directory,
            env=command.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if command.on_error_line is None else subprocess.PIPE,
            start_new_session=True,
        )
        self._store.remember_process(self._process.pid, process_born(self._process.pid) or "")
        self._readers = [_start_reader(self._process.stdout, command.on_line)]
        if command.on_error_line is not None:
            self._readers.append(_start_reader(self._process.stderr, command.on_error_line))

    def exit_code(self) -> int | None:
        return self._process.poll()

    def signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    def close(self) -> int:
        """Sweep what the process left in its group, read the rest of its output, and return its exit code."""
        self.signal(signal.SIGKILL)
        code = self._process.wait()
        for reader in self._readers:
            reader.join(READER_SECONDS)
        self._store.forget_process(self._process.pid)
        return code


def _start_reader(pipe: IO[bytes] | None, on_line: OnLine) -> threading.Thread:
    if pipe is None:
        raise ValueError("the process was started without a pipe")

    def read() -> None:
        with pipe:
            while line := pipe.readline(LONGEST_LINE):
                on_line(line.decode("utf-8", errors="replace").rstrip("\r\n"))

    reader = threading.Thread(target=read, daemon=True, name="job-output")
    reader.start()
    return reader


def run_hosts(
    commands: Sequence[Command],
    *,
    control: JobControl,
    store: JobStore,
    deadline: float,
    grace_seconds: float,
    on_tick: Callable[[], None],
) -> Outcome:
    """Run one process per command until all exit, one fails, the job is stopped, or `deadline` (monotonic) passes.

    Whoever still runs then gets SIGTERM and, `grace_seconds` later, SIGKILL. `on_tick` is called all along.
    """
    hosts: list[HostProcess] = []
    try:
        for command in commands:
            hosts.append(HostProcess(command, store))
        ended, exit_code = _watch(hosts, control, deadline, on_tick)
        _terminate(hosts, grace_seconds, on_tick)
    finally:
        for host in hosts:
            host.close()
    return Outcome(ended, exit_code)


def _watch(
    hosts: list[HostProcess], control: JobControl, deadline: float, on_tick: Callable[[], None]
) -> tuple[Ended, int]:
    while True:
        codes = [host.exit_code() for host in hosts]
        failed = next((code for code in codes if code), 0)
        if failed or all(code == 0 for code in codes):
            return Ended.EXITED, failed
        if control.stop.is_set():
            return Ended.STOPPED, 0
        if control.interrupt.is_set():
            control.interrupt.clear()
            return Ended.INTERRUPTED, 0
        if time.monotonic() >= deadline:
            return Ended.OUT_OF_TIME, 0
        on_tick()
        control.wait(POLL_SECONDS)


def _terminate(hosts: list[HostProcess], grace_seconds: float, on_tick: Callable[[], None]) -> None:
    running = [host for host in hosts if host.exit_code() is None]
    for host in running:
        host.signal(signal.SIGTERM)
    last_moment = time.monotonic() + grace_seconds
    while time.monotonic() < last_moment and any(host.exit_code() is None for host in running):
        on_tick()
        time.sleep(POLL_SECONDS)
