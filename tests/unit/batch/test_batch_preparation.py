"""Rows in are rows sent to the model and rows set aside: none lost, none twice, in order."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from millrace.analytics.batch_preparation import batch_contract, prepare_batch_rows
from millrace.domain.batch import BatchReport, BatchRequest, check_features
from millrace.domain.dataset import ColumnContract, ColumnKind, Contract
from millrace.errors import InvalidInput
from sagemaker_scripts.join_results import join
from tests.builders import NOON

FEATURES: list[dict[str, Any]] = [
    {"name": "age", "kind": "integer", "categories": []},
    {"name": "income", "kind": "number", "categories": []},
    {"name": "home", "kind": "category", "categories": ["own", "rent"]},
]
TRAINED = Contract(
    dataset="credit",
    version=1,
    columns=(
        ColumnContract(name="age", kind=ColumnKind.INTEGER, nullable=False, maximum=80),
        ColumnContract(name="income", kind=ColumnKind.NUMBER),
        ColumnContract(name="home", kind=ColumnKind.CATEGORY, categories=("own",)),
        ColumnContract(name="status", kind=ColumnKind.CATEGORY, nullable=False),
    ),
    created_at=NOON,
    created_by="ada",
)
HEADER = ["record_id", "age", "income", "home"]


class Bytes:
    """A file in memory."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    @property
    def size_bytes(self) -> int:
        return len(self._content)

    def open(self, start: int = 0, length: int | None = None) -> IO[bytes]:
        return io.BytesIO(self._content[start : None if length is None else start + length])


class Folder:
    def __init__(self, root: Path) -> None:
        self.root = root

    def store(self, path: str, body: IO[bytes]) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(body.read())

    def clear(self, folder: str) -> None:
        for path in (self.root / folder).glob("*"):
            path.unlink()

    @property
    def shards(self) -> list[pa.Table]:
        return [pa.ipc.open_stream(path.read_bytes()).read_all() for path in sorted(self.root.glob("rows/*"))]

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [row for table in self.shards for row in table.to_pylist()]

    @property
    def quarantined(self) -> list[dict[str, Any]]:
        files = sorted(self.root.glob("quarantine/*"))
        return [json.loads(line) for path in files for line in path.read_text().splitlines()]


def request(record_id_column: str = "record_id") -> BatchRequest:
    return BatchRequest(
        job_id="batch-1",
        model="credit",
        number=3,
        artifact_uri="s3://artifacts/model.tar.gz",
        container_uri="s3://artifacts/container.tar.gz",
        sources=("s3://data/inference/credit/may.csv",),
        object_version=None,
        record_id_column=record_id_column,
        contract=TRAINED,
        location="s3://data/inference/credit/batches/batch-1/",
        created_at=NOON,
    )


def prepared(root: Path, *files: bytes, name: str = "may.csv", column: str = "record_id", **sizes: int) -> BatchReport:
    asked = request(column)
    contract = batch_contract(TRAINED, FEATURES, column)
    return prepare_batch_rows(asked, contract, [(name, Bytes(each)) for each in files], Folder(root), **sizes)


def csv_of(rows: Sequence[Sequence[str]], header: Sequence[str] = tuple(HEADER)) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows([header, *rows])
    return buffer.getvalue().encode()


# Whether a value can be read, with what it is when it can.
AGES = st.sampled_from([("30", 30), ("", None), ("-5", -5), ("x", ...), ("1.5", ...), ("9" * 30, ...)])
INCOMES = st.sampled_from([("2000.5", 2000.5), ("", None), ("1e3", 1000.0), ("much", ...), ("inf", ...)])
HOMES = st.sampled_from([("own", "own"), ("tent, red", "tent, red"), ('say "no"', 'say "no"'), ("", None)])
HOSTILE = st.lists(st.tuples(AGES, INCOMES, HOMES), min_size=1, max_size=60)


@settings(max_examples=60, deadline=None)
@given(HOSTILE, st.sampled_from([120, 2_000, 1 << 20]), st.sampled_from([80, 1 << 20]))
def test_each_row_is_sent_to_the_model_or_set_aside_in_order(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Any], shard_bytes: int, section_bytes: int
) -> None:
    root = tmp_path_factory.mktemp("batch")
    body = csv_of([[f"id {n}", *(text for text, _ in row)] for n, row in enumerate(rows)])

    report = prepared(root, body, shard_bytes=shard_bytes, section_bytes=section_bytes)

    folder = Folder(root)
    good = [n for n, row in enumerate(rows) if all(value is not ... for _, value in row)]
    bad = [n for n in range(len(rows)) if n not in good]
    assert (report.rows_in, report.accepted, report.quarantined) == (len(rows), len(good), len(bad))
    assert [row["line"] for row in folder.quarantined] == [n + 2 for n in bad]
    assert all(
        len(told["reasons"]) == sum(value is ... for _, value in rows[n])
        for n, told in zip(bad, folder.quarantined, strict=True)
    )
    if not good:
        assert report.rejection is not None
        assert folder.rows == []
        return
    assert [(row["record_id"], row["row_number"]) for row in folder.rows] == [(f"id {n}", n + 2) for n in good]
    assert [tuple(row[name] for name in HEADER[1:]) for row in folder.rows] == [
        tuple(value for _, value in rows[n]) for n in good
    ]
    assert report.shards == len(folder.shards)
    assert all(shard.num_rows == 1 or shard.nbytes <= shard_bytes for shard in folder.shards)


def answer(folder: Path) -> None:
    """What a model leaves that predicts each row's number."""
    (folder / "scores").mkdir()
    for path in sorted((folder / "rows").glob("*.arrow")):
        rows = pa.ipc.open_stream(path.read_bytes()).read_all().column("row_number")
        told = pa.table({"row_number": rows, "prediction": rows, "probability.a": rows})
        with (
            pa.OSFile(str(folder / "scores" / f"{path.name}.out"), "wb") as sink,
            pa.ipc.new_stream(sink, told.schema) as writer,
        ):
            writer.write_table(told)


@settings(max_examples=25, deadline=None)
@given(HOSTILE, st.sampled_from([120, 1 << 20]), st.sampled_from([1, 7, 1000]))
def test_results_are_the_accepted_rows_with_their_own_predictions(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Any], shard_bytes: int, part_rows: int
) -> None:
    root = tmp_path_factory.mktemp("joined")
    report = prepared(root, csv_of([[f"id {n}", *(t for t, _ in row)] for n, row in enumerate(rows)]),
                      shard_bytes=shard_bytes)  # fmt: skip
    if report.rejection is not None:
        return
    answer(root)

    join(root / "rows", root / "scores", root / "results", part_rows=part_rows)

    tables = [pq.ParquetFile(path).read() for path in sorted((root / "results").glob("part-*.parquet"))]
    found = pa.concat_tables(tables)
    assert found.num_rows == report.accepted == report.rows_in - report.quarantined
    assert found.column("row_number").to_pylist() == sorted(found.column("row_number").to_pylist())
    assert found.column("prediction").equals(found.column("row_number"))
    assert found.column_names == ["record_id", "row_number", "age", "income", "home", "prediction", "probability.a"]
    with (root / "results/results.csv").open(newline="") as file:
        told = list(csv.DictReader(file))
    assert [row["record_id"] for row in told] == found.column("record_id").to_pylist()
    assert [row["home"] or None for row in told] == found.column("home").to_pylist()


GOOD = [["a", "30", "1.5", "own"], ["b", "41", "2", "rent"]]


def test_an_unknown_category_and_a_value_out_of_range_are_answered_with_a_notice_or_none(tmp_path: Path) -> None:
    report = prepared(tmp_path, csv_of([["a", "99", "1", "tent"], ["b", "", "", ""]]))

    assert report.accepted == 2
    assert report.notices == {"home: of a category not seen before": 1}


def test_a_record_id_counts_once(tmp_path: Path) -> None:
    report = prepared(tmp_path, csv_of([*GOOD, ["a", "1", "1", "own"]]))

    assert (report.accepted, report.quarantined, report.record_ids) == (2, 1, "given")
    assert "on line 2 already" in Folder(tmp_path).quarantined[0]["reasons"][0]


def test_rows_without_a_record_id_are_named_after_the_job_and_their_line(tmp_path: Path) -> None:
    report = prepared(tmp_path, csv_of([row[1:] for row in GOOD], HEADER[1:]))

    assert report.record_ids == "generated"
    assert [row["record_id"] for row in Folder(tmp_path).rows] == ["batch-1-2", "batch-1-3"]


def test_another_column_may_name_the_rows_and_others_are_ignored_by_name(tmp_path: Path) -> None:
    body = csv_of([[*row, "x"] for row in GOOD], ["loan", *HEADER[1:], "remark"])

    report = prepared(tmp_path, body, column="loan")

    assert report.ignored_columns == ("remark",)
    assert [row["record_id"] for row in Folder(tmp_path).rows] == ["a", "b"]


def test_columns_may_come_in_any_order_and_the_target_is_not_needed(tmp_path: Path) -> None:
    prepared(tmp_path, csv_of([list(reversed(row)) for row in GOOD], list(reversed(HEADER))))

    assert [row["age"] for row in Folder(tmp_path).rows] == [30, 41]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (csv_of([["a", "30", "own"]], ["record_id", "age", "home"]), "lacks income"),
        (csv_of([["a", "x", "1", "own"]]), "none of the 1 rows"),
        (csv_of([]), "no rows"),
        (b"", "empty"),
    ],
)
def test_an_input_that_cannot_be_predicted_is_refused_and_leaves_no_rows(
    body: bytes, said: str, tmp_path: Path
) -> None:
    prepared(tmp_path, csv_of(GOOD))

    report = prepared(tmp_path, body)

    assert said in str(report.rejection)
    assert Folder(tmp_path).rows == []
    assert report.shards == 0


def parquet_of(ages: Sequence[int]) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"age": ages, "income": [1.5] * len(ages), "home": ["own"] * len(ages)}), buffer)
    return buffer.getvalue()


def test_several_files_are_one_table(tmp_path: Path) -> None:
    report = prepared(tmp_path, parquet_of([1, 2]), parquet_of([3]), parquet_of([4]), name="part.parquet")

    assert report.rows_in == 4
    assert [(row["row_number"], row["age"]) for row in Folder(tmp_path).rows] == [(1, 1), (2, 2), (3, 3), (4, 4)]


@pytest.mark.parametrize("name", ["record_id", "row_number", "prediction", "probability.good", "loan"])
def test_a_model_that_reads_a_column_named_like_a_results_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match=name):
        check_features(("age", name), "loan")


def test_predictions_of_other_rows_are_not_joined(tmp_path: Path) -> None:
    from millrace.errors import EvaluationInvalid

    prepared(tmp_path, csv_of(GOOD))
    answer(tmp_path)
    (path,) = (tmp_path / "scores").iterdir()
    told = pa.ipc.open_stream(path.read_bytes()).read_all().slice(1)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, told.schema) as writer:
        writer.write_table(told)

    with pytest.raises(EvaluationInvalid, match="2 were sent, 1 came back"):
        join(tmp_path / "rows", tmp_path / "scores", tmp_path / "results")
    path.unlink()
    with pytest.raises(EvaluationInvalid, match="no answer"):
        join(tmp_path / "rows", tmp_path / "scores", tmp_path / "other")
