"""Profiles of columns and tables, made as the platform makes them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import settings

from millrace.analytics.drift.distributions import Feature, feature_of
from millrace.analytics.profiling import ColumnProfile, DatasetProfile, Profiler

patient = settings(deadline=None)  # the machine may be busy: a slow example is no failure

_TYPES = {"number": pa.float64(), "integer": pa.int64(), "boolean": pa.bool_(), "date": pa.date32()}


def table_profile(batches: int = 1, **columns: tuple[str, Any]) -> DatasetProfile:
    """`columns` maps a name to (kind, values)."""
    profiler = Profiler({name: kind for name, (kind, _) in columns.items()}, None)
    rows = pa.table({name: pa.array(values, _TYPES.get(kind, pa.string())) for name, (kind, values) in columns.items()})
    size = -(-max(1, rows.num_rows) // batches)
    for start in range(0, max(1, rows.num_rows), size):
        part = rows.slice(start, size)
        profiler.add(part, np.zeros(part.num_rows, dtype=np.int64))
    return profiler.profile


def column(values: Any, kind: str = "number", *, batches: int = 1) -> ColumnProfile:
    return table_profile(batches, x=(kind, values)).columns["x"]


def feature(baseline: Any, window: Any, kind: str = "number", *, batches: int = 1) -> Feature:
    return feature_of(column(baseline, kind, batches=batches), column(window, kind, batches=batches))
