"""Every ObjectStore: bytes by URI, in versions, as streams."""

from __future__ import annotations

import pytest

from millrace.errors import InvalidInput, NotFound
from millrace.ports import ObjectStore

KEY = "s3://data/uploads/credit/Größe und Maß +%20&.csv"


def test_what_is_written_is_read(store: ObjectStore) -> None:
    store.write(KEY, b"a,b\n1,2\n", content_type="text/csv")

    assert store.read(KEY) == b"a,b\n1,2\n"
    assert store.head(KEY)[:2] == (KEY, 8)


def test_every_version_stays_readable(store: ObjectStore) -> None:
    store.write(KEY, b"first")
    first = store.head(KEY).version_id
    store.write(KEY, b"second!")
    second = store.head(KEY).version_id

    assert first != second
    assert store.read(KEY) == b"second!"
    assert store.read(KEY, version_id=first) == b"first"
    assert store.head(KEY, version_id=first).size_bytes == 5
    with store.open(KEY, version_id=first) as stream:
        assert stream.read() == b"first"


def test_a_stream_is_read_in_chunks_to_its_end(store: ObjectStore) -> None:
    body = bytes(range(256)) * 20_000
    store.write(KEY, body)
    chunks = []

    with store.open(KEY) as stream:
        while chunk := stream.read(1_000_000):
            chunks.append(chunk)

    assert [len(chunk) for chunk in chunks] == [1_000_000] * 5 + [120_000]
    assert b"".join(chunks) == body


def test_a_stream_can_be_read_line_by_line(store: ObjectStore) -> None:
    store.write(KEY, b'{"line": 1}\n{"line": 2}\n')

    with store.open(KEY) as stream:
        assert list(stream) == [b'{"line": 1}\n', b'{"line": 2}\n']


@pytest.mark.parametrize(
    ("start", "length", "expected"),
    [
        (0, 3, b"012"),
        (3, 4, b"3456"),
        (7, None, b"789"),
        (8, 100, b"89"),
        (0, 0, b""),
        (10, 5, b""),
        (10, None, b""),
        (0, None, b"0123456789"),
    ],
)
def test_a_part_of_an_object_is_read(store: ObjectStore, start: int, length: int | None, expected: bytes) -> None:
    store.write(KEY, b"0123456789")

    with store.open(KEY, start=start, length=length) as stream:
        assert stream.read() == expected


def test_an_empty_object_is_there_and_empty(store: ObjectStore) -> None:
    store.write(KEY, b"")

    assert store.read(KEY) == b""
    assert store.head(KEY).size_bytes == 0


@pytest.mark.parametrize("address", ["s3://data/nothing", "s3://no-such-bucket/nothing"])
def test_what_is_not_there_is_not_found(store: ObjectStore, address: str) -> None:
    with pytest.raises(NotFound, match="nothing"):
        store.head(address)
    with pytest.raises(NotFound):
        store.open(address)
    with pytest.raises(NotFound):
        store.open(address, length=0)
    with pytest.raises(NotFound):
        store.read(address)
    with pytest.raises(NotFound):
        store.copy(address, "s3://data/target")


def test_what_is_no_address_is_refused(store: ObjectStore) -> None:
    for address in ("data/uploads/a.csv", "https://data/a.csv", "s3://"):
        with pytest.raises(InvalidInput, match="s3://bucket/key"):
            store.read(address)


def test_a_copy_has_the_same_bytes_in_another_bucket(store: ObjectStore) -> None:
    store.write(KEY, b"model")

    store.copy(KEY, "s3://artifacts/models/credit/v1/model.tar.gz")

    assert store.read("s3://artifacts/models/credit/v1/model.tar.gz") == b"model"
    assert store.read(KEY) == b"model"


def test_a_listing_holds_the_present_version_of_every_object_below_the_prefix(store: ObjectStore) -> None:
    for name in ("b", "a", "c/d"):
        store.write(f"s3://data/x/{name}", b"old")
        store.write(f"s3://data/x/{name}", b"newer")
    store.write("s3://data/y/z", b"")

    found = store.list("s3://data/x/")

    assert [(info.uri, info.size_bytes) for info in found] == [
        ("s3://data/x/a", 5),
        ("s3://data/x/b", 5),
        ("s3://data/x/c/d", 5),
    ]
    assert list(store.list("s3://data/nothing/")) == []


def test_a_long_listing_is_complete(store: ObjectStore) -> None:
    for number in range(1001):
        store.write(f"s3://data/many/{number:04}", b"")

    assert len(store.list("s3://data/many/")) == 1001
