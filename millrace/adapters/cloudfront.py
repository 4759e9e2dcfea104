"""The dashboard's files in a bucket behind a CloudFront distribution."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient
    from mypy_boto3_s3 import S3Client


class CloudFrontSite:
    def __init__(self, s3: S3Client, cloudfront: CloudFrontClient, *, bucket: str, distribution_id: str) -> None:
        self._s3 = s3
        self._cloudfront = cloudfront
        self._bucket = bucket
        self._distribution_id = distribution_id

    def write(self, path: str, body: bytes, *, content_type: str, cache_control: str) -> None:
        self._s3.put_object(
            Bucket=self._bucket, Key=path, Body=body, ContentType=content_type, CacheControl=cache_control
        )

    def refresh(self) -> None:
        self._cloudfront.create_invalidation(
            DistributionId=self._distribution_id,
            # A wildcard is billed as one path. The reference is what makes a repeated request the same one.
            InvalidationBatch={"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": str(uuid.uuid4())},
        )
