"""Multipart uploads to S3 by addresses that carry their own permission."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import ClientError

from millrace.domain.place import split_uri, uri
from millrace.errors import NotFound
from millrace.ports import SentPart, UnfinishedUpload

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

T = TypeVar("T")


class S3MultipartUploads:
    """`client` signs with SigV4: an address in the older form is not refused when it has expired everywhere."""

    def __init__(self, client: S3Client) -> None:
        self._client = client

    def begin(self, uri: str) -> str:
        bucket, key = split_uri(uri)
        return self._client.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]

    def part_address(self, uri: str, multipart_id: str, number: int, *, seconds: int) -> str:
        bucket, key = split_uri(uri)
        given = {"Bucket": bucket, "Key": key, "UploadId": multipart_id, "PartNumber": number}
        return self._client.generate_presigned_url("upload_part", Params=given, ExpiresIn=seconds)

    def parts(self, uri: str, multipart_id: str) -> Sequence[SentPart]:
        bucket, key = split_uri(uri)
        pages = self._client.get_paginator("list_parts").paginate(Bucket=bucket, Key=key, UploadId=multipart_id)
        listed = _found(uri, lambda: [part for page in pages for part in page.get("Parts", [])])
        return [SentPart(part["PartNumber"], part["Size"], part["ETag"]) for part in listed]

    def complete(self, uri: str, multipart_id: str) -> None:
        bucket, key = split_uri(uri)
        parts: list[CompletedPartTypeDef] = [
            {"PartNumber": part.number, "ETag": part.etag} for part in self.parts(uri, multipart_id)
        ]
        _found(
            uri,
            lambda: self._client.complete_multipart_upload(
                Bucket=bucket, Key=key, UploadId=multipart_id, MultipartUpload={"Parts": parts}
            ),
        )

    def abort(self, uri: str, multipart_id: str) -> None:
        bucket, key = split_uri(uri)
        try:
            _found(uri, lambda: self._client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=multipart_id))
        except NotFound:
            return  # the bucket tidied it away before

    def unfinished(self, prefix_uri: str) -> Sequence[UnfinishedUpload]:
        bucket, prefix = split_uri(prefix_uri)
        pages = self._client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=prefix)
        return [
            UnfinishedUpload(uri(bucket, each["Key"]), each["UploadId"], each["Initiated"])
            for page in pages
            for each in page.get("Uploads", [])
        ]


def _found(uri: str, call: Callable[[], T]) -> T:
    try:
        return call()
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchUpload":
            raise NotFound(f"there is no upload in parts of {uri}") from error
        raise
