"""Compare two versions of a dataset row by row, in a job: what came, went and changed, by the dataset's row key."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from millrace.analytics.row_diff import Side, batches_of, diff_rows
from millrace.domain import place
from millrace.domain.row_comparison import RowComparison, RowComparisonRequest
from millrace.errors import DatasetInvalid
from millrace.ports import ObjectStore


def compare_rows(request: RowComparisonRequest, *, store: ObjectStore) -> RowComparison:
    """Stores the rows that differ as one Parquet file, then the result: its presence means "finished".

    Raises DatasetInvalid when one of the versions lacks a column of the key. May be repeated: it answers the same.
    """
    with tempfile.TemporaryDirectory() as scratch:
        root, rows = Path(scratch), Path(scratch) / "rows.parquet"
        before = _side(store, request.before_location, root / "before")
        after = _side(store, request.after_location, root / "after")
        for side, number in ((before, request.from_version), (after, request.to_version)):
            _check_key(request, side, number)
        found = diff_rows(before, after, key=request.key, scratch=root / "work", rows_file=rows)
        with rows.open("rb") as content:
            store.upload(place.compared_rows_uri(request.result_uri), content)
    told = request.model_dump(include={"dataset", "from_version", "to_version", "key"})
    result = RowComparison.model_validate({**told, **asdict(found)})
    store.write(request.result_uri, result.model_dump_json(indent=1).encode())
    return result


def _check_key(request: RowComparisonRequest, side: Side, number: int) -> None:
    missing = [name for name in request.key if name not in side.schema.names]
    if missing:
        raise DatasetInvalid(
            f"{request.dataset} v{number} has no column {', '.join(missing)}, which the row key needs: "
            "choose another key in the dataset's settings"
        )


def _side(store: ObjectStore, location: str, folder: Path) -> Side:
    """The accepted rows of a version, of all splits. Parquet is read from paths, so its files are fetched first."""
    folder.mkdir()
    paths = []
    for number, part in enumerate(store.list(f"{location}data/")):
        paths.append(folder / f"{number:05}.parquet")
        with store.open(part.uri) as source, paths[-1].open("wb") as target:
            shutil.copyfileobj(source, target)
    if not paths:
        raise DatasetInvalid(f"there are no rows at {location}")
    schema: pa.Schema = pq.read_schema(paths[0]).remove_metadata()
    return Side(schema, batches_of(paths, schema), sum(pq.read_metadata(path).num_rows for path in paths))
