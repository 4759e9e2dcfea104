"""Several hosts as one training job: who is first, and the communicator that XGBoost sums through."""

from __future__ import annotations

import hashlib
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from xgboost import collective
from xgboost.tracker import RabitTracker

from millrace.algorithms.base import Hosts
from millrace.errors import PlatformError
from sagemaker_scripts.container import read_json

# Hosts of one job start within a minute or two of each other, and their names resolve some time after they start.
PATIENCE_SECONDS = 300


class HostsApart(PlatformError):
    """The hosts of one training job did not find each other."""


@dataclass(frozen=True)
class HostNames:
    """The job's hosts in the one order that all of them agree on, and which of them this is."""

    names: tuple[str, ...]
    current: str

    @property
    def place(self) -> Hosts:
        return Hosts(rank=self.names.index(self.current), count=len(self.names))


def read_hosts(path: Path) -> HostNames:
    """From resourceconfig.json; without one the job has this host alone."""
    if not path.exists():
        return HostNames(("localhost",), "localhost")
    content = read_json(path)
    return HostNames(tuple(sorted(content["hosts"])), content["current_host"])


def port_of(run_id: str, algorithm: str) -> int:
    """The port all hosts know without talking, below the range that the system hands out by itself.

    It comes from the job, so that jobs which share one machine do not share a port.
    """
    return 20000 + int.from_bytes(hashlib.sha256(f"{run_id}/{algorithm}".encode()).digest()[:4]) % 10000


@contextmanager
def joined(hosts: HostNames, port: int, *, patience_seconds: float = PATIENCE_SECONDS) -> Iterator[None]:
    """Be part of the communicator while the block runs; its ranks are the places of the hosts. One host needs none.

    Raises HostsApart when the hosts do not find each other in time.
    """
    if len(hosts.names) == 1:
        yield
        return
    deadline = time.monotonic() + patience_seconds
    address = _resolve(hosts.names[0], deadline)
    tracker = None
    if hosts.place.rank == 0:
        with _guests(address, port, expected=len(hosts.names) - 1, deadline=deadline) as guests:
            # The system chooses the tracker's port: it does not let go of a fixed one for a while after a job.
            tracker = RabitTracker(len(hosts.names), host_ip=address, sortby="task", timeout=int(patience_seconds))
            tracker.start()
            tracker_port = int(tracker.worker_args()["dmlc_tracker_port"])
            for guest in guests:
                guest.sendall(f"{tracker_port}\n".encode())
    else:
        tracker_port = _ask(address, port, deadline)
    with collective.CommunicatorContext(
        dmlc_communicator="rabit",
        dmlc_tracker_uri=address,
        dmlc_tracker_port=tracker_port,
        # Tasks are sorted as text: without the zeros host 10 would come before host 2.
        dmlc_task_id=f"{hosts.place.rank:04}",
        dmlc_timeout=int(patience_seconds),
    ):
        yield
    if tracker is not None:
        # The others say goodbye to the tracker, which lives in this process.
        tracker.wait_for(timeout=int(patience_seconds))


@contextmanager
def _guests(address: str, port: int, *, expected: int, deadline: float) -> Iterator[list[socket.socket]]:
    """Connections of all other hosts, which wait on them for the tracker's port."""
    with ExitStack() as open_connections:
        server = open_connections.enter_context(socket.create_server((address, port), backlog=expected))
        guests: list[socket.socket] = []
        while len(guests) < expected:
            server.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                connection, _ = server.accept()
            except TimeoutError:
                raise HostsApart(f"only {len(guests)} of the {expected} other hosts came to {address}:{port}") from None
            guests.append(open_connections.enter_context(connection))
        yield guests


def _ask(address: str, port: int, deadline: float) -> int:
    while True:
        try:
            with socket.create_connection((address, port), timeout=5) as connection:
                # Open until all hosts came; the answer is the port and a line end.
                connection.settimeout(max(0.001, deadline - time.monotonic()))
                with connection.makefile() as answer:
                    return int(answer.readline())
        except (OSError, ValueError) as error:
            if time.monotonic() > deadline:
                raise HostsApart(f"the first host does not answer at {address}:{port}: {error}") from error
            time.sleep(0.2)


def _resolve(name: str, deadline: float) -> str:
    while True:
        try:
            return socket.gethostbyname(name)
        except OSError as error:
            if time.monotonic() > deadline:
                raise HostsApart(f"the name of host {name} does not resolve: {error}") from error
            time.sleep(0.2)
