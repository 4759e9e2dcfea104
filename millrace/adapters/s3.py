"""Objects in S3, by URI."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import IO, TYPE_CHECKING, Any, TypeVar, cast

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from millrace.domain.place import split_uri, uri
from millrace.errors import NotFound
from millrace.ports import ObjectInfo

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

T = TypeVar("T")
_MISSING = {"404", "NoSuchKey", "NoSuchVersion", "NotFound", "NoSuchBucket"}
_BUFFER_BYTES = 1024 * 1024
# One CopyObject may not exceed 5 GB and is slow long before; parts are copied by S3, a few at a time.
_COPY = TransferConfig(multipart_threshold=256 * 1024**2, multipart_chunksize=256 * 1024**2, max_concurrency=4)
# Parts are read into memory one at a time; a small one goes in a single request.
_UPLOAD = TransferConfig(multipart_threshold=16 * 1024**2, multipart_chunksize=16 * 1024**2, use_threads=False)


class S3ObjectStore:
    def __init__(self, client: S3Client) -> None:
        self._client = client

    def head(self, uri: str, *, version_id: str | None = None) -> ObjectInfo:
        found = _found(uri, lambda: self._client.head_object(**_address(uri, version_id)))
        return ObjectInfo(uri, found["ContentLength"], found.get("VersionId", "null"))

    def open(self, uri: str, *, version_id: str | None = None, start: int = 0, length: int | None = None) -> IO[bytes]:
        if length == 0:
            self.head(uri, version_id=version_id)
            return io.BytesIO()
        wanted: dict[str, Any] = _address(uri, version_id)
        if start or length is not None:
            wanted["Range"] = f"bytes={start}-{'' if length is None else start + length - 1}"
        try:
            body = _found(uri, lambda: self._client.get_object(**wanted))["Body"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "InvalidRange":  # nothing lies there: the object ends before
                return io.BytesIO()
            raise
        return cast(IO[bytes], io.BufferedReader(cast(io.RawIOBase, body), _BUFFER_BYTES))

    def read(self, uri: str, *, version_id: str | None = None) -> bytes:
        with self.open(uri, version_id=version_id) as stream:
            return stream.read()

    def write(self, uri: str, body: bytes, *, content_type: str = "application/json") -> None:
        bucket, key = split_uri(uri)
        self._client.put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type)

    def upload(self, uri: str, body: IO[bytes], *, content_type: str = "application/octet-stream") -> None:
        bucket, key = split_uri(uri)
        self._client.upload_fileobj(body, bucket, key, ExtraArgs={"ContentType": content_type}, Config=_UPLOAD)

    def delete(self, uri: str) -> None:
        bucket, key = split_uri(uri)
        self._client.delete_object(Bucket=bucket, Key=key)

    def copy(self, source_uri: str, target_uri: str) -> None:
        source_bucket, source_key = split_uri(source_uri)
        bucket, key = split_uri(target_uri)
        _found(
            source_uri,
            lambda: self._client.copy({"Bucket": source_bucket, "Key": source_key}, bucket, key, Config=_COPY),
        )

    def list(self, prefix_uri: str) -> Sequence[ObjectInfo]:
        bucket, prefix = split_uri(prefix_uri)
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [
            ObjectInfo(uri(bucket, entry["Key"]), entry["Size"], "")
            for page in pages
            for entry in page.get("Contents", [])
        ]


def _address(address: str, version_id: str | None) -> dict[str, Any]:
    bucket, key = split_uri(address)
    return {"Bucket": bucket, "Key": key} | ({"VersionId": version_id} if version_id else {})


def _found(address: str, call: Callable[[], T]) -> T:
    try:
        return call()
    except ClientError as error:
        if error.response["Error"]["Code"] in _MISSING:
            raise NotFound(f"there is no object {address}") from error
        raise
