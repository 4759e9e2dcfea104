"""Files in parts: what has arrived is told, and becomes one object only as a whole."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.config import Config

from millrace.adapters.memory import InMemoryMultipartUploads, InMemoryObjectStore
from millrace.adapters.s3 import S3ObjectStore
from millrace.adapters.s3_multipart import S3MultipartUploads
from millrace.domain.place import split_uri
from millrace.errors import NotFound
from millrace.ports import MultipartUploads, ObjectStore
from tests.contract.conftest import IMPLEMENTATIONS

URI = "s3://data/uploads/credit/may.csv"
# S3 takes no part under 5 MiB but the last.
FIRST = b"x" * 5 * 1024**2


class Bucket(NamedTuple):
    multipart: MultipartUploads
    store: ObjectStore
    put: Callable[[str, str, int, bytes], Any]


@pytest.fixture(params=IMPLEMENTATIONS)
def bucket(request: pytest.FixtureRequest) -> Bucket:
    if request.param == "memory":
        store = InMemoryObjectStore()
        made = InMemoryMultipartUploads(store)
        return Bucket(made, store, made.put)
    request.getfixturevalue("aws")
    client = boto3.client("s3", config=Config(signature_version="s3v4"))
    client.create_bucket(Bucket="data")

    def put(uri: str, multipart_id: str, number: int, body: bytes) -> None:
        name, key = split_uri(uri)
        client.upload_part(Bucket=name, Key=key, UploadId=multipart_id, PartNumber=number, Body=body)

    return Bucket(S3MultipartUploads(client), S3ObjectStore(client), put)


def test_parts_become_one_object_in_the_order_of_their_numbers(bucket: Bucket) -> None:
    upload = bucket.multipart.begin(URI)
    bucket.put(URI, upload, 2, b"last")
    bucket.put(URI, upload, 1, FIRST)

    bucket.multipart.complete(URI, upload)

    assert bucket.store.read(URI) == FIRST + b"last"


def test_what_has_arrived_is_listed_with_its_size_and_a_part_sent_again_replaces_the_first(bucket: Bucket) -> None:
    upload = bucket.multipart.begin(URI)
    assert list(bucket.multipart.parts(URI, upload)) == []
    bucket.put(URI, upload, 3, b"abc")
    bucket.put(URI, upload, 1, FIRST)
    bucket.put(URI, upload, 3, b"abcd")

    found = bucket.multipart.parts(URI, upload)

    assert [(part.number, part.size_bytes) for part in found] == [(1, len(FIRST)), (3, 4)]


def test_nothing_is_there_before_completion_nor_after_an_abort(bucket: Bucket) -> None:
    upload = bucket.multipart.begin(URI)
    bucket.put(URI, upload, 1, FIRST)
    with pytest.raises(NotFound):
        bucket.store.head(URI)

    bucket.multipart.abort(URI, upload)
    bucket.multipart.abort(URI, upload)

    with pytest.raises(NotFound):
        bucket.multipart.parts(URI, upload)
    with pytest.raises(NotFound):
        bucket.multipart.complete(URI, upload)


def test_what_was_completed_cannot_be_completed_again(bucket: Bucket) -> None:
    upload = bucket.multipart.begin(URI)
    bucket.put(URI, upload, 1, FIRST)
    bucket.multipart.complete(URI, upload)

    with pytest.raises(NotFound):
        bucket.multipart.complete(URI, upload)


def test_two_files_under_one_name_do_not_mix(bucket: Bucket) -> None:
    one, two = bucket.multipart.begin(URI), bucket.multipart.begin(URI)
    bucket.put(URI, one, 1, b"one")
    bucket.put(URI, two, 1, b"two")

    bucket.multipart.complete(URI, one)
    assert bucket.store.read(URI) == b"one"
    bucket.multipart.complete(URI, two)
    assert bucket.store.read(URI) == b"two"


def test_an_address_is_of_one_part_for_a_while_and_signed_with_sigv4(aws: None) -> None:
    multipart = S3MultipartUploads(boto3.client("s3", config=Config(signature_version="s3v4")))

    said = parse_qs(urlsplit(multipart.part_address(URI, "multipart-7", 3, seconds=600)).query)

    assert (said["partNumber"], said["uploadId"]) == (["3"], ["multipart-7"])
    assert (said["X-Amz-Algorithm"], said["X-Amz-Expires"]) == (["AWS4-HMAC-SHA256"], ["600"])


def test_uploads_that_neither_ended_nor_were_aborted_are_told_with_their_begin(bucket: Bucket) -> None:
    left = bucket.multipart.begin(URI)
    aborted = bucket.multipart.begin("s3://data/uploads/credit/june.csv")
    bucket.multipart.abort("s3://data/uploads/credit/june.csv", aborted)

    (found,) = bucket.multipart.unfinished("s3://data/uploads/")

    assert (found.uri, found.multipart_id) == (URI, left)
    # moto's uploads all began in 2010.
    assert found.at <= datetime.now(UTC)
    assert list(bucket.multipart.unfinished("s3://data/models/")) == []
