"""Processes of a job: how they end."""

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from local.jobs.control import JobControl, JobSlots
from local.jobs.process import Command, Ended, Outcome, run_hosts
from local.jobs.store import JobStore

NO_ENVIRONMENT = {"PATH": "/usr/bin:/bin"}


@pytest.fixture
def store(tmp_path: Path) -> JobStore:
    return JobStore(tmp_path / "jobs.sqlite")


class Runs:
    """Runs scripts in a directory, with what they print."""

    def __init__(self, directory: Path, store: JobStore) -> None:
        self.directory = directory
        self.store = store
        self.control = JobControl()
        self.lines: list[str] = []
        self.errors: list[str] = []
        self.on_tick: Callable[[], None] = lambda: None

    def __call__(self, *scripts: str, seconds: float = 30, grace_seconds: float = 0.5, split: bool = False) -> Outcome:
        commands = [
            Command(
                [sys.executable, "-u", "-c", script],
                NO_ENVIRONMENT,
                self.directory,
                self.lines.append,
                self.errors.append if split else None,
            )
            for script in scripts
        ]
        return run_hosts(
            commands,
            control=self.control,
            store=self.store,
            deadline=time.monotonic() + seconds,
            grace_seconds=grace_seconds,
            on_tick=self.on_tick,
        )

    def when_it_says(self, word: str, act: Callable[[], None]) -> None:
        def tick() -> None:
            if word in self.lines:
                act()

        self.on_tick = tick


@pytest.fixture
def runs(tmp_path: Path, store: JobStore) -> Runs:
    return Runs(tmp_path, store)


def test_output_and_errors_come_in_order(runs: Runs) -> None:
    outcome = runs("import sys; print('a'); print('b', file=sys.stderr); print('c'); print('no newline', end='')")

    assert outcome == Outcome(Ended.EXITED, 0)
    assert runs.lines == ["a", "b", "c", "no newline"]


def test_output_and_errors_can_be_kept_apart(runs: Runs) -> None:
    runs("import sys; print('a'); print('b', file=sys.stderr)", split=True)

    assert (runs.lines, runs.errors) == (["a"], ["b"])


def test_bytes_that_are_no_text_do_not_stop_the_reading(runs: Runs) -> None:
    runs(r"import sys; sys.stdout.buffer.write(b'\xff\xfe ok\n')")

    assert runs.lines == ["\ufffd\ufffd ok"]


def test_the_first_failure_decides(runs: Runs) -> None:
    started = time.monotonic()

    outcome = runs("import time; time.sleep(60)", "raise SystemExit(5)")

    assert outcome == Outcome(Ended.EXITED, 5)
    assert time.monotonic() - started < 20


def test_a_killed_process_has_failed(runs: Runs) -> None:
    assert runs("import os; os.kill(os.getpid(), 9)").exit_code == -9


def test_a_command_that_does_not_exist_fails_and_says_so(tmp_path: Path, store: JobStore) -> None:
    lines: list[str] = []
    outcome = run_hosts(
        [Command(["/no/such/program"], NO_ENVIRONMENT, tmp_path, lines.append)],
        control=JobControl(),
        store=store,
        deadline=time.monotonic() + 30,
        grace_seconds=0.5,
        on_tick=lambda: None,
    )

    assert outcome.exit_code == 127
    assert lines == ["/no/such/program: No such file or directory"]


def test_a_stopped_process_may_finish_what_it_does(runs: Runs) -> None:
    runs.when_it_says("ready", runs.control.stop.set)

    outcome = runs(
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: (print('saved'), sys.exit(0)))\n"
        "print('ready'); time.sleep(60)",
        grace_seconds=20,
    )

    assert outcome.ended is Ended.STOPPED
    assert runs.lines == ["ready", "saved"]


def test_one_that_does_not_listen_is_killed_after_the_grace(runs: Runs) -> None:
    outcome = runs("import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)", seconds=0.3)

    assert outcome.ended is Ended.OUT_OF_TIME


def test_an_interruption_ends_the_processes_once(runs: Runs) -> None:
    runs.when_it_says("ready", runs.control.interrupt.set)

    outcome = runs("import time; print('ready'); time.sleep(60)")

    assert outcome.ended is Ended.INTERRUPTED


def test_what_a_process_leaves_behind_is_killed_with_it(runs: Runs, tmp_path: Path) -> None:
    child = "import time, pathlib; time.sleep(2); pathlib.Path('survived').touch()"

    runs(f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {child!r}])")

    time.sleep(2.5)
    assert not (tmp_path / "survived").exists()


def test_no_process_is_remembered_when_all_are_gone(runs: Runs) -> None:
    runs("print(1)", "print(2)")

    assert runs.store.processes() == []


def test_slots_are_given_in_the_order_of_asking() -> None:
    slots, got = JobSlots(1), []
    assert slots.take(JobControl())

    def ask(name: str) -> None:
        slots.take(JobControl())
        got.append(name)
        slots.give_back()

    threads = []
    for name in ("first", "second", "third"):
        threads.append(threading.Thread(target=ask, args=(name,)))
        threads[-1].start()
        time.sleep(0.05)
    slots.give_back()
    for thread in threads:
        thread.join(5)

    assert got == ["first", "second", "third"]


def test_waiting_for_a_slot_ends_when_told_to_stop_or_out_of_time() -> None:
    slots = JobSlots(1)
    slots.take(JobControl())
    stopped = JobControl()
    stopped.stop.set()

    assert not slots.take(stopped)
    assert not slots.take(JobControl(), timeout_seconds=0.05)
    slots.give_back()
    assert slots.take(JobControl(), timeout_seconds=0.05)


def test_no_slots_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        JobSlots(0)
