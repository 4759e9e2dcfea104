from __future__ import annotations

import json
from functools import partial

import pytest

from glue_jobs import prepare_dataset as job
from millrace.adapters.memory import InMemoryObjectStore
from millrace.analytics.preparation import prepare
from millrace.analytics.profiling import DatasetProfile
from millrace.domain.dataset import Contract, Dialect, Format, PreparationReport
from millrace.errors import NotFound
from millrace.use_cases.prepare_dataset import InARow, prepare_dataset
from tests.preparing import a_request

LOCATION = "s3://data/datasets/people/v1"
REQUEST = f"{LOCATION}/request.json"
ROWS = "id,age\n" + "".join(f"{i},{20 + i}\n" for i in range(100)) + "100,x\n"


class RecordingStore(InMemoryObjectStore):
    """Remembers in which order objects were written."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[str] = []

    def write(self, uri: str, body: bytes, *, content_type: str = "application/json") -> None:
        self.written.append(uri)
        super().write(uri, body, content_type=content_type)


@pytest.fixture
def store() -> RecordingStore:
    store = RecordingStore()
    upload(store, ROWS)
    return store


def upload(store: RecordingStore, text: str) -> None:
    store.write("s3://data/uploads/people/file", text.encode())
    version = store.head("s3://data/uploads/people/file").version_id
    request = a_request(Dialect(format=Format.CSV)).model_copy(update={"object_version": version})
    store.write(REQUEST, request.model_dump_json().encode())


def run(store: RecordingStore) -> PreparationReport:
    return prepare_dataset(REQUEST, store_factory=lambda: store)


def keys(store: RecordingStore) -> list[str]:
    return [info.uri.removeprefix("s3://data/") for info in store.list("s3://data/")]


def test_a_version_has_its_data_quarantine_profile_contract_and_report(store: RecordingStore) -> None:
    report = run(store)

    assert report.rejection is None
    assert keys(store) == [
        "datasets/people/v1/contract.json",
        "datasets/people/v1/data/split=test/part-00000-000.parquet",
        "datasets/people/v1/data/split=train/part-00000-000.parquet",
        "datasets/people/v1/data/split=validation/part-00000-000.parquet",
        "datasets/people/v1/profile.json",
        "datasets/people/v1/report.json",
        "datasets/people/v1/request.json",
        "quarantine/people/v1/part-00000-000.jsonl",
        "uploads/people/file",
    ]
    assert PreparationReport.model_validate_json(store.read(f"{LOCATION}/report.json")) == report
    assert Contract.model_validate_json(store.read(f"{LOCATION}/contract.json")) == report.contract
    assert DatasetProfile.from_json(json.loads(store.read(f"{LOCATION}/profile.json"))).rows == 100


def test_the_report_is_written_last(store: RecordingStore) -> None:
    run(store)

    assert store.written[-1] == f"{LOCATION}/report.json"


def test_while_a_repeated_attempt_works_there_is_no_report(store: RecordingStore) -> None:
    run(store)
    upload(store, "id,age\n")
    store.delete("s3://data/uploads/people/file")

    with pytest.raises(NotFound):
        run(store)

    assert "datasets/people/v1/report.json" not in keys(store)


def test_repeating_replaces_everything_of_the_earlier_attempt(store: RecordingStore) -> None:
    store.write(f"{LOCATION}/data/split=train/part-00007-003.parquet", b"left over")
    store.write("s3://data/quarantine/people/v1/part-00007-000.jsonl", b"left over")

    run(store)

    assert not [key for key in keys(store) if "00007" in key]


def test_a_refused_upload_is_an_outcome_in_the_report(store: RecordingStore) -> None:
    upload(store, "id,age\n")

    report = run(store)

    assert report.rejection is not None
    assert "no rows" in report.rejection
    assert "datasets/people/v1/report.json" in keys(store)
    assert "datasets/people/v1/profile.json" not in keys(store)


def test_the_object_version_of_the_request_is_read_even_when_a_newer_one_came(store: RecordingStore) -> None:
    store.write("s3://data/uploads/people/file", b"id,age\n1,1\n")

    assert run(store).quality is not None
    assert DatasetProfile.from_json(json.loads(store.read(f"{LOCATION}/profile.json"))).rows == 100


@pytest.mark.parametrize(
    ("text", "said"), [(ROWS, "101 rows: 100 accepted, 1 set aside"), ("id,age\n", "refused: the file has no rows")]
)
def test_the_job_takes_glues_own_arguments_and_says_what_came_of_it(
    store: RecordingStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    upload(store, text)
    monkeypatch.setattr(job.bootstrap, "object_store", lambda: store)

    job.main(["--JOB_NAME", "PrepareDataset", "--request_uri", REQUEST, "--enable-metrics", "true"])

    assert said in capsys.readouterr().out


def test_a_quarantine_in_parts_is_also_kept_as_one_file(store: RecordingStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("millrace.use_cases.prepare_dataset.prepare", partial(prepare, section_bytes=1000))
    # A file is cut where a block of some megabytes ends.
    rows = (f"{i},{'x' if i % 40 == 39 else i},{'n' * 40_000}\n" for i in range(400))
    upload(store, "id,age,note\n" + "".join(rows))
    store.write(f"{LOCATION}/quarantine.jsonl", b"of an earlier attempt")

    run(store)

    parts = [store.read(info.uri) for info in store.list("s3://data/quarantine/people/v1/")]
    assert len(parts) > 1
    assert store.read(f"{LOCATION}/quarantine.jsonl") == b"".join(parts)


def test_a_quarantine_of_one_part_is_not_kept_twice(store: RecordingStore) -> None:
    store.write(f"{LOCATION}/quarantine.jsonl", b"of an earlier attempt")

    run(store)

    assert len(store.list("s3://data/quarantine/people/v1/")) == 1
    with pytest.raises(NotFound):
        store.head(f"{LOCATION}/quarantine.jsonl")


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_objects_in_a_row_are_read_in_full_pieces(size: int) -> None:
    store = InMemoryObjectStore()
    for name, body in (("a", b"one"), ("b", b""), ("c", b"three")):
        store.write(f"s3://data/{name}", body)
    row = InARow(store, ["s3://data/a", "s3://data/b", "s3://data/c"])

    pieces = list(iter(lambda: row.read(size), b""))

    assert b"".join(pieces) == b"onethree"
    assert {len(piece) for piece in pieces[:-1]} <= {size}
