"""A file in parts: the bytes of each, straight to the bucket, and what a break leaves to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from millrace.client import Answer, Unreachable, UploadInterrupted
from millrace.client.transfers import DownloadFailed, fetch_file
from millrace.errors import InvalidInput
from tests.unit.client.fake_api import LOST, FakeApi, said

TAKEN, REFUSED = Answer(200, {}, b""), Answer(403, {}, b"expired")
STARTED = "POST /datasets/churn/uploads"
HERE = "/datasets/churn/uploads/u1"
COMPLETED = said({"run_id": "ingest-1"}, 202)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "may.csv"
    made.write_bytes(b"aaaabbbbcc")
    return made


def ticket(*addresses: str | None) -> Any:
    sizes = [4, 4, 2]
    parts = [
        {"number": number + 1, "size_bytes": sizes[number], "address": address and f"https://bucket.test/{address}"}
        for number, address in enumerate(addresses)
    ]
    return said({"upload_id": "u1", "size_bytes": 10, "part_bytes": 4, "parts": parts})


def test_each_part_goes_to_its_address_without_our_credentials(file: Path) -> None:
    api = FakeApi(ticket("1", "2", "3"), TAKEN, TAKEN, TAKEN, COMPLETED)
    sent: list[int] = []

    assert api.client().upload(file, "churn", sent=sent.append) == "ingest-1"

    parts = [request for request in api.asked if request.method == "PUT"]
    assert [request.body for request in parts] == [b"aaaa", b"bbbb", b"cc"]
    assert [request.url for request in parts] == [f"https://bucket.test/{number}" for number in (1, 2, 3)]
    assert all("Authorization" not in request.headers for request in parts)
    assert (api.lines[0], api.lines[-1]) == (STARTED, f"POST {HERE}/complete")
    assert sum(sent) == 10


def test_going_on_sends_only_what_is_missing(file: Path) -> None:
    api = FakeApi(ticket(None, "2b", None), TAKEN, COMPLETED)

    api.client().upload(file, "churn", upload_id="u1")

    assert api.lines[0] == f"GET {HERE}"
    assert [request.body for request in api.asked if request.method == "PUT"] == [b"bbbb"]


def test_an_address_that_has_expired_is_asked_for_anew_and_serves_the_parts_after_it(file: Path) -> None:
    api = FakeApi(ticket("1", "2", "3"), TAKEN, REFUSED, ticket(None, "2b", "3b"), TAKEN, TAKEN, COMPLETED)

    api.client().upload(file, "churn")

    assert [line for line in api.lines if line.startswith("PUT")] == [
        f"PUT https://bucket.test/{address}" for address in ("1", "2", "2b", "3b")
    ]


def test_a_part_that_arrived_without_an_answer_is_not_sent_twice(file: Path) -> None:
    api = FakeApi(ticket("1", "2", "3"), LOST, ticket(None, "2", "3"), TAKEN, TAKEN, COMPLETED)

    api.client().upload(file, "churn")

    assert [request.body for request in api.asked if request.method == "PUT"] == [b"aaaa", b"bbbb", b"cc"]


def test_an_upload_that_cannot_go_on_says_where_to_take_it_up(file: Path) -> None:
    api = FakeApi(ticket("1", "2", "3"), REFUSED, ticket("1", "2", "3"), REFUSED, ticket("1", "2", "3"), REFUSED)

    with pytest.raises(UploadInterrupted, match="part 1: HTTP 403") as raised:
        api.client().upload(file, "churn")

    assert raised.value.upload_id == "u1"


def test_another_file_does_not_go_on_with_an_upload(file: Path) -> None:
    file.write_bytes(b"short")

    with pytest.raises(InvalidInput, match="5 bytes, the upload is of 10"):
        FakeApi(ticket("1", "2", "3")).client().upload(file, "churn", upload_id="u1")


def test_a_file_of_rows_to_predict_is_sent_and_started(file: Path) -> None:
    api = FakeApi(ticket("1", "2", "3"), TAKEN, TAKEN, TAKEN, said({"job_id": "batch-1"}, 201))

    assert api.client().predict_file("churn", file)["job_id"] == "batch-1"

    assert api.lines[0] == "POST /inference/batch/uploads"
    assert b'"upload_id": "u1"' in (api.asked[-1].body or b"")


def test_a_file_is_fetched_part_by_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("millrace.client.transfers.FETCHED_BYTES", 4)
    api = FakeApi(Answer(206, {}, b"aaaa"), Answer(206, {}, b"bbbb"), Answer(416, {}, b""))

    fetch_file("https://bucket.test/r", tmp_path / "r.csv", send=api.send)

    assert (tmp_path / "r.csv").read_bytes() == b"aaaabbbb"
    assert [each.headers["Range"] for each in api.asked] == ["bytes=0-3", "bytes=4-7", "bytes=8-11"]
    assert [name for each in api.asked for name in each.headers] == ["Range"] * 3


def test_a_bucket_that_knows_no_parts_gives_the_whole(tmp_path: Path) -> None:
    api = FakeApi(Answer(200, {}, b"aaaa"))

    fetch_file("https://bucket.test/r", tmp_path / "r.csv", send=api.send)

    assert (tmp_path / "r.csv").read_bytes() == b"aaaa"


@pytest.mark.parametrize("last", [REFUSED, LOST])
def test_half_a_download_is_no_file(last: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("millrace.client.transfers.FETCHED_BYTES", 4)
    (tmp_path / "r.csv").write_bytes(b"earlier")
    api = FakeApi(Answer(206, {}, b"aaaa"), last)

    with pytest.raises((DownloadFailed, Unreachable)):
        fetch_file("https://bucket.test/r", tmp_path / "r.csv", send=api.send)

    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("r.csv", b"earlier")]
