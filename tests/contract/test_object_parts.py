"""Every ObjectStore: parts are streamed in, and leftovers are removed."""

from __future__ import annotations

import io

import pytest

from millrace.errors import NotFound
from millrace.ports import ObjectStore

PART = "s3://data/datasets/credit/v1/data/split=train/part-00000-000.parquet"


@pytest.mark.parametrize("size", [0, 10, 17 * 1024 * 1024])
def test_a_stream_of_any_size_is_uploaded_whole(store: ObjectStore, size: int) -> None:
    body = bytes(range(256)) * (size // 256 + 1)

    store.upload(PART, io.BytesIO(body[:size]))

    assert store.read(PART) == body[:size]


def test_uploading_again_replaces(store: ObjectStore) -> None:
    store.upload(PART, io.BytesIO(b"first attempt"))
    store.upload(PART, io.BytesIO(b"second"))

    assert store.read(PART) == b"second"


def test_what_is_deleted_is_gone(store: ObjectStore) -> None:
    store.write(PART, b"left over")

    store.delete(PART)

    assert list(store.list("s3://data/datasets/")) == []
    with pytest.raises(NotFound):
        store.head(PART)


def test_deleting_what_is_not_there_changes_nothing(store: ObjectStore) -> None:
    store.delete(PART)

    assert list(store.list("s3://data/")) == []
