"""Several hosts as one training job: who is first, and the communicator that XGBoost sums through."""

from __future__ import annotations

import hashlib
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from millrace.algorithms.base import Hosts
from millrace.errors import PlatformError
from sagemaker_scripts.container import read_json

# Hosts of one job start within a minute or two of each other, and their names resolve some time after they start.
PATIENCE_SECONDS = 300


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
def joined(hosts: HostNames, port: int) -> Iterator[None]:
    """Be part of the communicator while the block runs. One host alone needs none.

    Raises PlatformError when the hosts do not find each other in time.
    """
    if len(hosts.names) == 1:
        yield
        return
    from xgboost import collective
    from xgboost.tracker import RabitTracker

    address = _resolve(hosts.names[0])
    tracker = None
    if hosts.place.rank == 0:
        # sortby task: the communicator's ranks are then the places of the hosts, so that host 0 is rank 0.
        tracker = RabitTracker(len(hosts.names), host_ip=address, port=port, sortby="task", timeout=PATIENCE_SECONDS)
        tracker.start()
    with collective.CommunicatorContext(
        dmlc_communicator="rabit",
        dmlc_tracker_uri=address,
        dmlc_tracker_port=port,
        dmlc_task_id=f"{hosts.place.rank:04}",
        dmlc_retry=PATIENCE_SECONDS,
        dmlc_timeout=PATIENCE_SECONDS,
    ):
        yield
    if tracker is not None:
        tracker.wait_for(timeout=PATIENCE_SECONDS)


def _resolve(name: str) -> str:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return socket.gethostbyname(name)
        except OSError as error:
            if time.monotonic() > deadline:
                raise PlatformError(f"the name of host {name} does not resolve: {error}") from error
            time.sleep(1)
