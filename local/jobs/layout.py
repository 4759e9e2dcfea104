"""The container's directory layout and environment, recreated for a process on this machine."""

import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.jobs.documents import rewrite_strings

CONTAINER_BASE = "/opt/ml"
PYTHON_NAMES = re.compile(r"(?:/usr/(?:local/)?bin/|/miniconda3/bin/)?python(?:3(?:\.\d+)?)?")
FAILURE_CHARACTERS = 1024
LOOPBACK_INTERFACE = "lo0" if sys.platform == "darwin" else "lo"

_BASE_PATH = re.compile(rf"(?:(?<=file://)|(?<![\w.~/-])){CONTAINER_BASE}(?![\w.-])")


@dataclass(frozen=True)
class HostDirectory:
    """The disk of one host: `root` stands for `/`, so the container's /opt/ml is `root/opt/ml`."""

    root: Path

    @property
    def base(self) -> Path:
        return self.root / CONTAINER_BASE.lstrip("/")

    def local(self, text: str) -> str:
        """`text` with every path of the container's /opt/ml turned into the path on this machine."""
        return _BASE_PATH.sub(lambda _: str(self.base), text)

    def path(self, container_path: str) -> Path:
        """Where a path of the container is on this machine; only /opt/ml has a place here."""
        path = Path(self.local(container_path))
        if not path.is_relative_to(self.base):
            raise ValueError(
                f"the local platform has no place for {container_path}: only for paths below {CONTAINER_BASE}"
            )
        return path

    def create(self) -> None:
        for name in ("input/config", "input/data", "model", "output/data", "code"):
            (self.base / name).mkdir(parents=True, exist_ok=True)
        (self.root / "tmp").mkdir(parents=True, exist_ok=True)

    def write_config(self, relative: str, content: Any) -> None:
        """Write a configuration file of the service, with the container's paths as they are on this machine."""
        path = self.base / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(rewrite_strings(content, self.local)), encoding="utf-8")

    def read_message(self, relative: str) -> str:
        """The first 1024 characters of a file that the script may have left, or nothing."""
        path = self.base / relative
        if not path.is_file():
            return ""
        return path.read_text(encoding="utf-8", errors="replace")[:FAILURE_CHARACTERS].strip()

    def argv(self, entrypoint: Sequence[str], arguments: Sequence[str], python: str) -> list[str]:
        """The container's command line as it is started here; its Python is `python`."""
        command = [self.local(part) for part in (*entrypoint, *arguments)]
        if PYTHON_NAMES.fullmatch(command[0]):
            command[0] = python
        return command

    def environment(self, asked: Mapping[str, str], *, python: str, threads: int) -> dict[str, str]:
        """Everything a container's process gets to see, `asked` with its paths as they are on this machine."""
        return {
            **bare_environment(self.root, python=python, threads=threads),
            "SAGEMAKER_BASE_DIR": str(self.base),
            **{name: self.local(value) for name, value in asked.items()},
        }


def bare_environment(root: Path, *, python: str, threads: int) -> dict[str, str]:
    """What every job's process starts from: of this machine's environment nothing but PATH and language."""
    return {
        "PATH": os.pathsep.join([str(Path(python).parent), os.environ.get("PATH", os.defpath)]),
        "LANG": os.environ.get("LANG", "C.UTF-8"),
        "HOME": str(root),
        "TMPDIR": str(root / "tmp"),
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": str(threads),
        "OPENBLAS_NUM_THREADS": str(threads),
        "OMP_WAIT_POLICY": "PASSIVE",
    }


def host_names(count: int) -> list[str]:
    """Distinct names that resolve on this machine without configuration: 127.0.0.1, 127.0.0.2, …"""
    return [f"127.0.0.{index + 1}" for index in range(count)]


def resource_config(current_host: str, hosts: Sequence[str], instance_type: str) -> dict[str, Any]:
    """The content of resourceconfig.json."""
    return {
        "current_host": current_host,
        "hosts": list(hosts),
        "network_interface_name": LOOPBACK_INTERFACE,
        "current_instance_type": instance_type,
        "current_group_name": "homogeneousCluster",
        "instance_groups": [
            {"instance_group_name": "homogeneousCluster", "instance_type": instance_type, "hosts": list(hosts)}
        ],
    }
