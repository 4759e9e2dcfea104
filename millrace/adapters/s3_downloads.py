"""Downloads from S3 by addresses that carry their own permission."""

from __future__ import annotations

from typing import TYPE_CHECKING

from millrace.domain.place import split_uri

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3Downloads:
    """`client` signs with SigV4. An address is good no longer than the session it was signed with."""

    def __init__(self, client: S3Client) -> None:
        self._client = client

    def address(self, uri: str, *, file_name: str, seconds: int) -> str:
        bucket, key = split_uri(uri)
        given = {"Bucket": bucket, "Key": key, "ResponseContentDisposition": f'attachment; filename="{file_name}"'}
        return self._client.generate_presigned_url("get_object", Params=given, ExpiresIn=seconds)
