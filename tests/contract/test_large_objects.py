"""S3 beyond one request: what is too large to copy at once is copied in parts, by S3 itself."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from millrace.adapters import s3
from millrace.adapters.s3 import S3ObjectStore


@pytest.fixture
def client(aws: None) -> Any:
    client = boto3.client("s3")
    client.create_bucket(Bucket="data")
    return client


def test_a_large_object_is_copied_in_parts_on_the_server(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    part = 5 * 1024**2
    monkeypatch.setattr(s3._COPY, "multipart_threshold", part)
    monkeypatch.setattr(s3._COPY, "multipart_chunksize", part)
    body = bytes(range(256)) * (part * 2 // 256 + 1)
    client.put_object(Bucket="data", Key="large", Body=body)
    called: list[str] = []
    client.meta.events.register("before-call.s3", lambda model, **_: called.append(model.name))

    S3ObjectStore(client).copy("s3://data/large", "s3://data/copy")

    assert called.count("UploadPartCopy") == 3
    assert not {"GetObject", "PutObject", "UploadPart", "CopyObject"} & set(called)
    assert client.get_object(Bucket="data", Key="copy")["Body"].read() == body


def test_without_versions_an_object_has_the_null_version(client: Any) -> None:
    store = S3ObjectStore(client)
    store.write("s3://data/plain", b"x")

    assert store.head("s3://data/plain").version_id == "null"
    assert store.read("s3://data/plain", version_id="null") == b"x"
