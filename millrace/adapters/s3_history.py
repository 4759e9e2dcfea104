"""What versioned buckets still know of objects that are gone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from millrace.domain.place import split_uri, uri
from millrace.ports import ObjectVersion

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3ObjectHistory:
    def __init__(self, client: S3Client) -> None:
        self._client = client

    def versions(self, prefix_uri: str) -> Iterator[ObjectVersion]:
        """S3 lists contents and marks apart, each by key; a key may go on in the next page."""
        bucket, prefix = split_uri(prefix_uri)
        pages = self._client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix)
        pending: list[_Listed] = []
        for page in pages:
            pending += [_listed(bucket, each, removed=False) for each in page.get("Versions", [])]
            pending += [_listed(bucket, each, removed=True) for each in page.get("DeleteMarkers", [])]
            last = max((each.version.uri for each in pending), default="")
            yield from _in_order(each for each in pending if each.version.uri != last)
            pending = [each for each in pending if each.version.uri == last]
        yield from _in_order(pending)

    def forget(self, version: ObjectVersion) -> None:
        bucket, key = split_uri(version.uri)
        self._client.delete_object(Bucket=bucket, Key=key, VersionId=version.version_id)


class _Listed(NamedTuple):
    version: ObjectVersion
    latest: bool


def _listed(bucket: str, entry: Any, *, removed: bool) -> _Listed:
    version = ObjectVersion(
        uri(bucket, entry["Key"]), entry["VersionId"], entry["LastModified"], removed, entry.get("Size", 0)
    )
    return _Listed(version, entry["IsLatest"])


def _in_order(listed: Iterable[_Listed]) -> Iterator[ObjectVersion]:
    """Times are of whole seconds. S3 says which version is the latest; of others of one second marks come first."""

    def place_in_order(each: _Listed) -> tuple[str, bool, float, bool]:
        version = each.version
        return version.uri, not each.latest, -version.at.timestamp(), not version.removed

    return (each.version for each in sorted(listed, key=place_in_order))
