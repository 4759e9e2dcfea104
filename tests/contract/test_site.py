"""The dashboard's files: the fake, and the bucket behind a distribution."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from millrace.adapters.cloudfront import CloudFrontSite
from millrace.adapters.memory import InMemorySite

BUCKET = "site"


def distribution(cloudfront: Any) -> str:
    origin = {"Id": "site", "DomainName": f"{BUCKET}.s3.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}
    made = cloudfront.create_distribution(
        DistributionConfig={
            "CallerReference": "1",
            "Comment": "",
            "Enabled": True,
            "Origins": {"Quantity": 1, "Items": [origin]},
            "DefaultCacheBehavior": {"TargetOriginId": "site", "ViewerProtocolPolicy": "https-only"},
        }
    )
    return str(made["Distribution"]["Id"])


def test_a_file_is_found_with_what_browsers_are_told_of_it(aws: None) -> None:
    s3, cloudfront = boto3.client("s3"), boto3.client("cloudfront")
    s3.create_bucket(Bucket=BUCKET)
    fake = InMemorySite()

    for site in (fake, CloudFrontSite(s3, cloudfront, bucket=BUCKET, distribution_id="none")):
        site.write("assets/a.js", b"1", content_type="text/javascript", cache_control="no-cache")
        site.write("assets/a.js", b"2", content_type="text/javascript", cache_control="immutable")

    found = s3.get_object(Bucket=BUCKET, Key="assets/a.js")
    kept = fake.files["assets/a.js"]
    assert kept == (b"2", "text/javascript", "immutable")
    assert (found["Body"].read(), found["ContentType"], found["CacheControl"]) == kept


def test_every_refresh_is_an_invalidation_of_all_paths(aws: None) -> None:
    cloudfront = boto3.client("cloudfront")
    distribution_id = distribution(cloudfront)
    site = CloudFrontSite(boto3.client("s3"), cloudfront, bucket=BUCKET, distribution_id=distribution_id)

    site.refresh()
    site.refresh()

    done = cloudfront.list_invalidations(DistributionId=distribution_id)["InvalidationList"]["Items"]
    batches = [
        cloudfront.get_invalidation(DistributionId=distribution_id, Id=each["Id"])["Invalidation"]["InvalidationBatch"]
        for each in done
    ]
    assert [batch["Paths"]["Items"] for batch in batches] == [["/*"], ["/*"]]
    assert len({batch["CallerReference"] for batch in batches}) == 2


def test_the_fake_shows_readers_a_change_only_when_refreshed() -> None:
    site = InMemorySite()
    site.write("index.html", b"1", content_type="text/html", cache_control="no-cache")
    assert site.refreshed == {}

    site.refresh()

    assert site.refreshed == site.files


@pytest.fixture(autouse=True)
def region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
