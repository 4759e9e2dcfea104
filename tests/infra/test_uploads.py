"""Files that browsers send to the bucket by themselves."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from conftest import Platform

from stacks.config import ENVIRONMENTS


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_browsers_send_files_to_the_data_bucket_only_from_the_front_door_and_the_applications_addresses(
    environment: str, platform_of: Callable[[str], Platform]
) -> None:
    """And nothing to the artifacts. Which front door cannot be said: stacks/data_stack.py has the reason."""
    origins = ENVIRONMENTS[environment].allowed_origins
    buckets = platform_of(environment).resources("AWS::S3::Bucket")
    rules = {
        name: bucket["Properties"]["CorsConfiguration"]["CorsRules"]
        for name, bucket in buckets.items()
        if "CorsConfiguration" in bucket["Properties"]
    }

    assert [name.startswith("Data") for name in rules] == [True]
    for (rule,) in rules.values():
        assert rule["AllowedOrigins"] == ["https://*.cloudfront.net", *origins]
        assert rule["AllowedMethods"] == ["PUT"]
        assert rule["ExposedHeaders"] == ["ETag"]
