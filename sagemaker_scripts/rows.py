"""Rows of one split, read from Parquet into an order that does not depend on the files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from millrace.algorithms.features import Feature, model_frame
from millrace.errors import InvalidInput


@dataclass(frozen=True)
class Rows:
    """The rows of a split that have a target, sorted by content.

    `frame` holds the raw feature columns; `target` the true values (rows,), as found; `number` each row's place in the
    files as read, from 0, before rows without target were dropped.
    """

    frame: pd.DataFrame
    target: npt.NDArray[Any]
    number: npt.NDArray[np.int64]
    without_target: int

    def __len__(self) -> int:
        return len(self.frame)

    def only(self, keep: npt.NDArray[Any]) -> Rows:
        """The rows of a boolean mask or at positions."""
        return Rows(
            self.frame.iloc[keep].reset_index(drop=True), self.target[keep], self.number[keep], self.without_target
        )


def read_rows(directory: Path, features: Sequence[Feature], target: str) -> Rows:
    """Every Parquet file below `directory`. Raises InvalidInput when there is none or a column is missing.

    Sorting by a hash of the content makes the result independent of how a writer cut the rows into files, and spreads
    rows evenly over hosts. Rows with the same hash are the same rows, so their order does not matter.
    """
    table = _read_table(directory, features, target)
    known = pc.is_valid(table.column(target))
    number = np.flatnonzero(known.to_numpy())
    kept = table.filter(known)
    frame = _pandas(kept.drop_columns([target]))
    values = kept.column(target).to_pandas().to_numpy()
    if values.dtype.kind == "f":
        told = np.isfinite(values)
        frame, values, number = frame[told].reset_index(drop=True), values[told], number[told]
    order = _content_order(frame, values, features)
    return Rows(frame.iloc[order].reset_index(drop=True), values[order], number[order], table.num_rows - len(number))


def feature_frame(table: pa.Table, features: Sequence[Feature]) -> pd.DataFrame:
    """The raw feature columns of a table, as those of a split are read. Raises InvalidInput for a missing column."""
    absent = [feature.name for feature in features if feature.name not in table.column_names]
    if absent:
        raise InvalidInput(f"the rows lack the columns {', '.join(absent)}, which the model reads")
    return _pandas(_typed(table.select([feature.name for feature in features]), features))


def column_names(directory: Path) -> tuple[str, ...]:
    """The columns that every file below `directory` has. Raises InvalidInput when there is no file."""
    first, *others = (file.schema_arrow.names for file in _files(directory))
    return tuple(name for name in first if all(name in names for names in others))


def _files(directory: Path) -> list[pq.ParquetFile]:
    # ParquetFile, not read_table: the latter would add a column for the directory `split=train`.
    files = [pq.ParquetFile(path) for path in sorted(directory.rglob("*.parquet"))]
    if not files:
        raise InvalidInput(f"there is no Parquet file in {directory}")
    return files


def _read_table(directory: Path, features: Sequence[Feature], target: str) -> pa.Table:
    files = _files(directory)
    wanted = [*(feature.name for feature in features), target]
    for file in files:
        absent = [name for name in wanted if name not in file.schema_arrow.names]
        if absent:
            raise InvalidInput(f"the rows in {directory.name} lack the columns {', '.join(absent)}")
    tables = [_typed(file.read(columns=wanted).select(wanted), features) for file in files]
    return pa.concat_tables(tables, promote_options="permissive").combine_chunks()


def _pandas(table: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas(date_as_object=False, ignore_metadata=True)
    return frame


def _typed(table: pa.Table, features: Sequence[Feature]) -> pa.Table:
    """Categories as text while the types are still exact: in pandas the integer 1 beside a missing value is 1.0."""
    for feature in features:
        if feature.is_category:
            index = table.schema.get_field_index(feature.name)
            table = table.set_column(index, feature.name, table.column(index).cast(pa.string()))
    return table


def _content_order(frame: pd.DataFrame, target: npt.NDArray[Any], features: Sequence[Feature]) -> npt.NDArray[np.int64]:
    of_features = pd.util.hash_pandas_object(model_frame(frame, features), index=False).to_numpy()
    of_target = pd.util.hash_array(target.astype(str).astype(object))
    order: npt.NDArray[np.int64] = np.lexsort((of_target, of_features))
    return order
