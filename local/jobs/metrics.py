"""Reads metrics from a job's output with the regular expressions of its MetricDefinitions."""

import re
import threading
import time
from collections.abc import Sequence

from local.jobs.documents import Document


class MetricReader:
    """Keeps the last value of every metric. Lines may come from several threads."""

    def __init__(self, definitions: Sequence[Document]) -> None:
        self._definitions = [(str(item["Name"]), re.compile(item["Regex"])) for item in definitions]
        self._last: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def read(self, line: str) -> None:
        for name, pattern in self._definitions:
            for match in pattern.finditer(line):
                value = _number(match)
                if value is not None:
                    with self._lock:
                        self._last[name] = (value, time.time())

    def final(self) -> list[Document]:
        """`FinalMetricDataList`, in the order of the definitions."""
        with self._lock:
            return [
                {"MetricName": name, "Value": self._last[name][0], "Timestamp": self._last[name][1]}
                for name, _ in self._definitions
                if name in self._last
            ]


def _number(match: re.Match[str]) -> float | None:
    """The first group as a number; what is not one is no data point."""
    if not match.groups():
        return None
    try:
        return float(match.group(1))
    except (TypeError, ValueError):
        return None
