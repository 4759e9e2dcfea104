"""Dividing a large file into sections that can be read at the same time, without changing what is read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from millrace.analytics.records import WHOLE, Section


class Plan(NamedTuple):
    """`header` holds a CSV file's column names when there are several sections; the first starts after the header."""

    sections: Sequence[Section]
    header: tuple[str, ...] | None


def plan_sections() -> Plan:
    return Plan((WHOLE,), None)
