"""The smoke test, against an environment that works and against ones that do not."""

from __future__ import annotations

import dataclasses

import pytest

from scripts.smoke import Deployment, SmokeFailed, find, smoke
from tests.integration.api.conftest import Deployed


@pytest.fixture(scope="session")
def local(deployed: Deployed) -> Deployment:
    return find("local", deployed.running.session())


def test_a_working_environment_passes_and_says_what_was_tried(local: Deployment, deployed: Deployed) -> None:
    said: list[str] = []

    smoke(local, marker="2026-11-20T12:00:00Z", say=said.append)

    assert said[-1] == "its 200 rows are accepted as smoke version 1"
    assert deployed.call("GET", "/datasets/smoke", token=deployed.token("viewer")).status == 200


def test_a_wrong_secret_is_found(local: Deployment) -> None:
    stranger = dataclasses.replace(local.machine, secret="wrong")

    with pytest.raises(SmokeFailed, match="the machines' client gets a token: "):
        smoke(dataclasses.replace(local, machine=stranger), marker="", say=lambda _: None)


def test_an_api_that_is_not_there_is_found(local: Deployment) -> None:
    with pytest.raises(SmokeFailed, match="the API answers: expected 200, got 401"):
        smoke(dataclasses.replace(local, api_url=local.api_url + "/elsewhere"), marker="", say=lambda _: None)


def test_an_environment_that_was_never_deployed_is_named(deployed: Deployed) -> None:
    with pytest.raises(SmokeFailed, match="there is no API of environment 'staging': deploy it first"):
        find("staging", deployed.running.session())
