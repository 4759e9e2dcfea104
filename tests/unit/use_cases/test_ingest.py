"""From an object that arrives to a dataset version, or to a rejection."""

from __future__ import annotations

import hashlib
import io
import random
from typing import IO, Any

import pytest

from millrace.analytics.detection import SAMPLE_BYTES
from millrace.domain import identity, place
from millrace.domain.dataset import Format, Registration, UploadKind, UploadState, VersionState
from millrace.domain.event import DatasetVersionReady
from millrace.domain.run import RunState
from millrace.errors import ContractMoved, DatasetInvalid, InvalidInput, NotFound
from millrace.use_cases.reject_upload import reject_upload
from tests.builders import CSV, DATA_BUCKET, NOON, a_contract, a_quality, later
from tests.contract.concurrency import all_at_once
from tests.unit.use_cases.world import ROWS, World

KEY = "uploads/credit/may.csv"


def test_an_object_that_arrives_opens_a_run_and_starts_its_execution(world: World) -> None:
    version = world.put(KEY)

    run = world.arrives(KEY, version, size=89, at=later(1))

    assert run is not None
    assert run == world.ledger.get(run.run_id)
    assert (run.pipeline, run.dataset, run.started_by, run.state) == ("ingest", "credit", "upload", RunState.RUNNING)
    [started] = world.pipelines.started
    assert (started.pipeline, started.run_id) == ("ingest", run.run_id)
    assert started.payload == {
        "run_id": identity.ingest_run_id(DATA_BUCKET, KEY, version),
        "bucket": DATA_BUCKET,
        "key": KEY,
        "object_version": version,
        "size_bytes": 89,
        "dataset": "credit",
        "received_at": later(1).isoformat(),
    }


def test_twenty_duplicated_and_reordered_deliveries_start_one_execution_each(world: World) -> None:
    versions = [world.put(KEY, ROWS + bytes([65 + number])) for number in range(3)]
    deliveries = [(version, minute) for version in versions for minute in range(20)]
    random.Random(7).shuffle(deliveries)

    runs, errors = all_at_once(
        [lambda v=version, m=minute: world.arrives(KEY, v, at=later(m)) for version, minute in deliveries]
    )

    assert errors == []
    assert len({run.run_id for run in runs if run}) == 3
    assert len(world.pipelines.started) == 3
    assert len(world.ledger.list()) == 3


def test_a_repeated_delivery_starts_with_the_first_ones_input(world: World) -> None:
    """Otherwise a delivery that opened the run, and died before it started the execution, would never be made good."""
    version = world.put(KEY)
    first = world.arrives(KEY, version, at=NOON)
    world.pipelines.started.clear()
    world.pipelines._states.clear()

    world.arrives(KEY, version, at=later(9))

    assert first is not None
    assert [started.payload for started in world.pipelines.started] == [first.input]


def test_a_delivery_after_the_end_starts_nothing(world: World) -> None:
    run = world.dropped(KEY)
    world.ledger.close(run.run_id, state=RunState.SUCCEEDED, reason=None, steps=[], at=later(1))
    world.pipelines._states.clear()

    world.arrives(KEY, run.input["object_version"])

    assert len(world.pipelines.started) == 1


def test_the_marker_of_an_empty_folder_is_no_upload(world: World) -> None:
    assert world.arrives("uploads/credit/", "1") is None
    assert list(world.ledger.list()) == []


@pytest.mark.parametrize("key", ["uploads/My Data/a.csv", "uploads/a.csv", "uploads/_x/a.csv"])
def test_a_wrong_place_gets_a_run_that_says_the_rule(world: World, key: str) -> None:
    run = world.dropped(key)

    with pytest.raises(InvalidInput, match=r"lowercase letters, digits and hyphens.*uploads/<dataset>/"):
        world.register(run)

    assert world.catalog.list() == []


def test_new_bytes_become_a_request_for_the_next_version(world: World) -> None:
    world.configure(target="status")
    run = world.dropped(KEY)
    world.clock.pass_time(later(1) - NOON)

    registration = world.register(run)

    assert registration == Registration(
        kind=UploadKind.DATASET,
        dataset="credit",
        version=1,
        upload_id=identity.upload_id(DATA_BUCKET, KEY, run.input["object_version"]),
        request_uri=f"s3://{DATA_BUCKET}/datasets/credit/v1/request.json",
        report_uri=f"s3://{DATA_BUCKET}/datasets/credit/v1/report.json",
    )
    request = world.request(registration)
    assert request.source_uri == f"s3://{DATA_BUCKET}/{KEY}"
    assert (request.object_version, request.run_id) == (run.input["object_version"], run.run_id)
    assert (request.settings.target, request.contract, request.dialect) == ("status", None, CSV)
    assert request.location == f"s3://{DATA_BUCKET}/datasets/credit/v1/"
    assert request.quarantine_location == f"s3://{DATA_BUCKET}/quarantine/credit/v1/"
    assert request.created_at == later(1)


def test_an_upload_is_known_by_the_sha256_and_the_size_of_its_bytes(world: World) -> None:
    body = ROWS + b"3,50,10,own,x,good\n" * 500_000
    run = world.dropped(KEY, body)

    registration = world.register(run)

    upload = world.catalog.upload("credit", registration.upload_id)
    assert upload.sha256 == hashlib.sha256(body).hexdigest()
    assert upload.size_bytes == len(body) > 9_000_000
    assert (upload.state, upload.version, upload.received_at) == (UploadState.PREPARING, 1, NOON)


def test_an_upload_is_read_once_and_never_as_a_whole(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    run = world.dropped(KEY, ROWS + b"3,50,10,own,x,good\n" * 500_000)
    reads: list[int] = []

    class Watched(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            reads.append(size or -1)
            return super().read(size)

    opened: list[str] = []
    original = world.store.open

    def watched(uri: str, **given: Any) -> IO[bytes]:
        opened.append(uri)
        return Watched(original(uri, **given).read())

    monkeypatch.setattr(world.store, "open", watched)
    world.register(run)

    assert opened == [f"s3://{DATA_BUCKET}/{KEY}"]
    assert min(reads) > 0
    assert max(reads) <= 8 * SAMPLE_BYTES


def test_the_bytes_that_were_announced_are_read_though_others_lie_there_now(world: World) -> None:
    run = world.dropped(KEY, ROWS)
    world.put(KEY, b"something;else\n1;2\n")

    registration = world.register(run)

    upload = world.catalog.upload("credit", registration.upload_id)
    assert upload.sha256 == hashlib.sha256(ROWS).hexdigest()


@pytest.mark.parametrize(
    ("name", "body", "expected"),
    [
        ("a.tsv", ROWS.replace(b",", b"\t"), {"format": Format.CSV, "delimiter": "\t"}),
        ("a.csv", ROWS.replace(b",", b";"), {"format": Format.CSV, "delimiter": ";"}),
        ("a.jsonl", b'{"a": 1}\n{"a": 2}\n', {"format": Format.JSON_LINES}),
        ("a.csv", b"\xef\xbb\xbf" + ROWS, {"encoding": "utf-8", "byte_order_mark": True}),
    ],
)
def test_the_dialect_is_detected_and_recorded(world: World, name: str, body: bytes, expected: dict[str, Any]) -> None:
    registration = world.register(world.dropped(f"uploads/credit/{name}", body))

    dialect = world.request(registration).dialect
    assert dialect.model_dump() | expected == dialect.model_dump()
    assert world.catalog.upload("credit", registration.upload_id).dialect == dialect
    assert world.catalog.version("credit", 1).dialect == dialect


@pytest.mark.parametrize("body", [b"", b"%PDF-1.7 binary"])
def test_what_is_no_table_is_refused_and_claims_nothing(world: World, body: bytes) -> None:
    run = world.dropped(KEY, body)

    with pytest.raises(DatasetInvalid, match=r"may\.csv"):
        world.register(run)

    assert list(world.catalog.versions("credit")) == []


def test_an_object_that_is_gone_is_not_found(world: World) -> None:
    run = world.arrives(KEY, "version-1")

    assert run is not None
    with pytest.raises(NotFound, match=r"may\.csv"):
        world.register(run)


def test_registering_again_answers_the_same(world: World) -> None:
    run = world.dropped(KEY)

    assert world.register(run) == world.register(run)
    assert world.catalog.get("credit").latest_version == 1


def test_the_same_bytes_under_another_key_make_no_version(world: World) -> None:
    world.ready(KEY)
    copy = world.dropped("uploads/credit/copy/of/may.csv")

    registration = world.register(copy)

    assert (registration.kind, registration.version, registration.request_uri) == (UploadKind.IDENTICAL, 1, None)
    assert world.catalog.get("credit").latest_version == 1


def test_a_run_that_brought_nothing_new_says_so(world: World) -> None:
    world.ready(KEY)
    copy = world.dropped("uploads/credit/copy/of/may.csv")
    settings_file = world.dropped("uploads/credit/dataset.yaml", b"target: status\n")

    world.register(copy)
    world.register(settings_file)

    told = world.ledger.get(copy.run_id)
    assert (told.dataset_version, told.outcome) == (
        1,
        "Identical to credit v1: nothing new to prepare or to train on.",
    )
    assert "uploads/credit/dataset.yaml" in (world.ledger.get(settings_file.run_id).outcome or "")


def test_the_same_file_name_from_two_places_makes_two_versions(world: World) -> None:
    world.ready("uploads/credit/berlin/may.csv", ROWS + b"3,1,1,own,x,good\n")
    registration = world.register(world.dropped("uploads/credit/paris/may.csv", ROWS))

    assert registration.version == 2
    assert [upload.key for upload in world.catalog.uploads("credit")].count("uploads/credit/berlin/may.csv") == 1


def test_an_accepted_version_is_ready_and_announced_and_measured(world: World) -> None:
    run = world.dropped(KEY)
    registration = world.register(run)
    world.prepare(registration, quality=a_quality(accepted=95, quarantined=5))

    version = world.record(run, registration)

    assert version == world.catalog.version("credit", 1)
    assert (version.state, version.contract_version) == (VersionState.READY, 1)
    assert version.quality == a_quality(accepted=95, quarantined=5)
    assert world.catalog.contract("credit", 1) == a_contract()
    assert world.catalog.upload("credit", registration.upload_id).state == UploadState.ACCEPTED
    assert world.bus.published == [DatasetVersionReady(dataset="credit", version=1, run_id=run.run_id)]
    assert {m.name: m.value for m in world.metrics.recorded} == {
        "rows_in": 100,
        "rows_accepted": 95,
        "rows_quarantined": 5,
        "quarantined_share": 0.05,
        "null_share": 0.01,
        "schema_changes": 0,
        "preparation_seconds": 3.5,
    }
    of_all = world.metrics.recorded[-1]
    assert (of_all.name, of_all.dimensions) == ("quarantined_share", {})
    assert all(m.dimensions == {"dataset": "credit"} for m in world.metrics.recorded[:-1])


def test_a_version_without_a_target_waits_and_its_run_says_so(world: World) -> None:
    world.ready()

    [run] = world.ledger.list()
    assert run.dataset_version == 1
    assert run.outcome is not None
    assert "1,000 rows in, 990 accepted, 10 quarantined" in run.outcome
    assert "waits for a target" in run.outcome


def test_a_version_with_a_target_does_not_wait(world: World) -> None:
    world.configure(target="status")
    world.ready()

    [run] = world.ledger.list()
    assert "waits" not in str(run.outcome)


def test_a_second_version_is_prepared_against_the_contract_of_the_first(world: World) -> None:
    world.ready(KEY)
    run = world.dropped("uploads/credit/june.csv", ROWS + b"3,1,1,own,x,good\n")
    registration = world.register(run)

    assert world.request(registration).contract == a_contract()
    world.prepare(registration)
    assert world.record(run, registration).contract_version == 1
    assert world.catalog.get("credit").latest_ready_version == 2


def test_recording_again_changes_nothing(world: World) -> None:
    run = world.dropped(KEY)
    registration = world.register(run)
    world.prepare(registration)
    first = world.record(run, registration)

    assert world.record(run, registration) == first
    assert world.catalog.get("credit").contract_version == 1


def test_a_preparation_that_refuses_the_upload_is_said_in_its_own_words(world: World) -> None:
    run = world.dropped(KEY)
    registration = world.register(run)
    world.prepare(registration, rejection="12 % of the rows are bad, more than the 10 % allowed")

    with pytest.raises(DatasetInvalid, match="12 % of the rows are bad"):
        world.record(run, registration)

    assert world.catalog.version("credit", 1).state == VersionState.PREPARING
    assert world.bus.published == []


def test_two_first_uploads_at_once_settle_one_contract_and_the_other_is_prepared_again(world: World) -> None:
    first, second = world.dropped(KEY), world.dropped("uploads/credit/june.csv", ROWS + b"3,1,1,own,x,good\n")
    one, two = world.register(first), world.register(second)
    world.prepare(one)
    world.prepare(two, contract=a_contract(columns=a_contract().columns[:3]))
    world.record(first, one)

    with pytest.raises(ContractMoved):
        world.record(second, two)
    again = world.register(second)
    assert again == two
    assert world.request(again).contract == a_contract()
    world.prepare(again)

    assert world.record(second, again).contract_version == 1
    assert world.catalog.version("credit", 2).state == VersionState.READY


def test_a_report_about_another_version_is_refused(world: World) -> None:
    run = world.dropped(KEY)
    registration = world.register(run)
    world.prepare(registration)
    other = world.register(world.dropped("uploads/credit/june.csv", ROWS + b"3,1,1,own,x,good\n"))
    mixed = other.model_copy(update={"report_uri": registration.report_uri})

    with pytest.raises(InvalidInput, match="about credit v1, not about credit v2"):
        world.record(run, mixed)


def rejected(world: World, key: str, version: str, reason: str, dataset: str = "credit") -> Any:
    return reject_upload(
        catalog=world.catalog, dataset=dataset, bucket=DATA_BUCKET, key=key, object_version=version, reason=reason
    )


def test_a_rejected_upload_releases_its_bytes(world: World) -> None:
    run = world.dropped(KEY)
    world.register(run)

    upload = rejected(world, KEY, run.input["object_version"], "the job ran out of memory")

    assert (upload.state, upload.reasons) == (UploadState.REJECTED, ("the job ran out of memory",))
    assert world.catalog.version("credit", 1).state == VersionState.REJECTED
    again = world.register(world.dropped(KEY))
    assert (again.kind, again.version) == (UploadKind.DATASET, 2)


def test_an_upload_that_was_never_registered_needs_no_rejection(world: World) -> None:
    assert rejected(world, "uploads/My Data/a.csv", "1", "wrong name", dataset="My Data") is None


@pytest.mark.parametrize("name", ["accepted", "identical"])
def test_what_is_settled_is_not_rejected_afterwards(world: World, name: str) -> None:
    world.ready(KEY)
    copy = world.dropped("uploads/credit/copy.csv")
    world.register(copy)
    key, version = (KEY, "version-1") if name == "accepted" else (copy.input["key"], copy.input["object_version"])

    upload = rejected(world, key, version, "too late")

    assert (upload.state, upload.reasons) == (UploadState[name.upper()], ())
    assert world.catalog.version("credit", 1).state == VersionState.READY


def test_a_request_names_no_place_outside_the_dataset(world: World) -> None:
    world.ready(KEY)

    below = [info.uri for info in world.store.list(place.uri(DATA_BUCKET, ""))]
    assert all(
        uri.startswith((f"s3://{DATA_BUCKET}/uploads/credit/", f"s3://{DATA_BUCKET}/datasets/credit/v1/"))
        for uri in below
    )
