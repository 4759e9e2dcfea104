"""The comparison of two dataset versions row by row, and how it is asked for."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from millrace.domain.entity import Entity


class RowChange(StrEnum):
    ADDED = "ADDED"
    REMOVED = "REMOVED"
    CHANGED = "CHANGED"


class RowComparisonRequest(Entity):
    """All that the job is told. `key` are the columns that name a row; locations are those of the versions."""

    dataset: str
    from_version: int
    to_version: int
    key: tuple[str, ...]
    before_location: str
    after_location: str
    result_uri: str


class RowExample(Entity):
    """One row that differs. `before` and `after` hold the values that differ; of added and removed rows all."""

    change: RowChange
    key: dict[str, str | None]
    changed_columns: tuple[str, ...]
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class RowComparison(Entity):
    """Immutable. `changed_by_column` counts changed rows by each column in which they differ.

    `repeated_before` and `repeated_after` are rows left out because an earlier row of their version has the same key.
    """

    dataset: str
    from_version: int
    to_version: int
    key: tuple[str, ...]
    added: int
    removed: int
    changed: int
    unchanged: int
    repeated_before: int
    repeated_after: int
    changed_by_column: dict[str, int]
    examples: tuple[RowExample, ...]
