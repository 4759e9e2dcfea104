"""Addresses to download from: of one object, for a while, under a name."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.config import Config

from millrace.adapters.memory import InMemoryDownloads
from millrace.adapters.s3_downloads import S3Downloads
from millrace.ports import Downloads
from tests.contract.conftest import IMPLEMENTATIONS

URI = "s3://data/quarantine/credit/v1/part-00000.jsonl"


def signing() -> S3Downloads:
    return S3Downloads(boto3.client("s3", config=Config(signature_version="s3v4")))


@pytest.fixture(params=IMPLEMENTATIONS)
def downloads(request: pytest.FixtureRequest) -> Downloads:
    if request.param == "memory":
        return InMemoryDownloads()
    request.getfixturevalue("aws")
    return signing()


def test_an_address_names_the_object_and_the_file(downloads: Downloads) -> None:
    address = downloads.address(URI, file_name="credit-v1.jsonl", seconds=300)

    assert "quarantine/credit/v1/part-00000.jsonl" in urlsplit(address).path
    assert "credit-v1.jsonl" in urlsplit(address).query
    assert downloads.address(URI + "x", file_name="credit-v1.jsonl", seconds=300) != address


def test_it_is_signed_with_sigv4_for_so_long_and_for_reading(aws: None) -> None:
    said = parse_qs(urlsplit(signing().address(URI, file_name="bad rows.jsonl", seconds=300)).query)

    assert (said["X-Amz-Algorithm"], said["X-Amz-Expires"]) == (["AWS4-HMAC-SHA256"], ["300"])
    assert said["response-content-disposition"] == ['attachment; filename="bad rows.jsonl"']
