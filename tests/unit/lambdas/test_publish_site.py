"""The custom resource that publishes the dashboard: CloudFormation gets an answer, whatever happens."""

from __future__ import annotations

import io
import json
import urllib.request
import zipfile
from typing import Any

import pytest

from lambdas.hosting import publish_site
from millrace import bootstrap
from millrace.adapters.memory import InMemoryObjectStore, InMemorySite
from millrace.settings import Settings

ANSWER_URL = "https://cloudformation-custom-resource-response-useast1.s3.amazonaws.com/arn%3Aaws?X-Amz-Signature=s"
BUILD = "s3://assets/build.zip"


class CloudFormation:
    """Where a custom resource sends its answer."""

    def __init__(self) -> None:
        self.requests: list[urllib.request.Request] = []

    def open(self, request: urllib.request.Request, *, timeout: float) -> io.BytesIO:
        assert 0 < timeout < 60
        self.requests.append(request)
        return io.BytesIO()

    @property
    def answer(self) -> dict[str, Any]:
        (request,) = self.requests
        assert isinstance(request.data, bytes)
        return dict(json.loads(request.data))


@pytest.fixture
def cloudformation(monkeypatch: pytest.MonkeyPatch) -> CloudFormation:
    there = CloudFormation()
    monkeypatch.setattr(urllib.request, "urlopen", there.open)
    return there


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> InMemorySite:
    store, site = InMemoryObjectStore(), InMemorySite()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as written:
        written.writestr("index.html", "<!doctype html>")
    store.write(BUILD, archive.getvalue())
    platform = bootstrap.Platform(Settings()).with_parts(store=store, site=site)
    monkeypatch.setattr(bootstrap, "platform", lambda: platform)
    return site


def request(kind: str, build: str = BUILD) -> dict[str, Any]:
    return {
        "RequestType": kind,
        "ResponseURL": ANSWER_URL,
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "Site",
        "ResourceProperties": {"ServiceToken": "arn", "Build": build, "Config": {"environment": "dev"}},
    }


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_a_deployment_publishes_and_waits_until_it_is_done(
    kind: str, cloudformation: CloudFormation, site: InMemorySite, context: Any
) -> None:
    publish_site.handler(request(kind), context)

    assert json.loads(site.refreshed["config.json"].body) == {"environment": "dev"}
    answer = cloudformation.answer
    assert (answer["Status"], answer["PhysicalResourceId"], answer["StackId"]) == ("SUCCESS", "Site", "stack")
    (sent,) = cloudformation.requests
    assert (sent.full_url, sent.method, sent.get_header("Content-type")) == (ANSWER_URL, "PUT", "")


def test_a_deployment_fails_with_the_reason_when_the_dashboard_cannot_be_published(
    cloudformation: CloudFormation, site: InMemorySite, context: Any
) -> None:
    publish_site.handler(request("Create", build="s3://assets/gone.zip"), context)

    answer = cloudformation.answer
    assert answer["Status"] == "FAILED"
    assert "NotFound" in answer["Reason"]
    assert site.files == {}


def test_a_deployment_that_goes_away_leaves_the_files_to_their_bucket(
    cloudformation: CloudFormation, site: InMemorySite, context: Any
) -> None:
    publish_site.handler(request("Delete"), context)

    assert cloudformation.answer["Status"] == "SUCCESS"
    assert site.writes == []
