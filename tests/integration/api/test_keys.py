"""API keys on the deployed API: a way in beside the tokens, for both functions, closed as soon as a key is revoked."""

from __future__ import annotations

from typing import Any

import pytest

from lambdas.api.app import ENDPOINTS
from lambdas.api.resource import Endpoint
from millrace import names
from millrace.domain.role import Role
from tests.integration.api.conftest import Answer, Deployed
from tests.integration.api.test_every_route import path_with_query
from tests.unit.api.requests_of import body_of, named

CLOSED = [endpoint for endpoint in ENDPOINTS if endpoint.allow]


def made(deployed: Deployed, role: str, **said: Any) -> dict[str, Any]:
    answer = deployed.call("POST", "/api-keys", token=deployed.token(role), body={"name": "ci", **said})
    assert answer.status == 201, answer.text
    found: dict[str, Any] = answer.json
    return found


def by_key(deployed: Deployed, method: str, path: str, key: str, body: Any = None) -> Answer:
    return deployed.call(method, f"{names.KEYED_PATH}{path}", token=key, body=body)


@pytest.fixture(scope="module")
def keys(deployed: Deployed) -> dict[Role, str]:
    return {role: made(deployed, role)["token"] for role in Role}


@pytest.mark.parametrize("endpoint", CLOSED, ids=named)
def test_each_key_gets_in_where_its_role_does_unless_a_person_is_needed(
    endpoint: Endpoint, deployed: Deployed, keys: dict[Role, str]
) -> None:
    path, body = path_with_query(endpoint), body_of(endpoint)

    answers = {role: by_key(deployed, endpoint.method, path, keys[role], body).status for role in Role}

    expected = set() if endpoint.people_only else set(endpoint.allow)
    assert {role for role, status in answers.items() if status != 403} == expected
    assert {status for status in answers.values() if status == 401 or status >= 500} == set()
    refused = deployed.call(endpoint.method, f"{names.KEYED_PATH}{path}", body=body)
    assert (refused.status, refused.json["type"]) == (401, "NotSignedIn")


def test_a_revoked_key_opens_nothing_from_then_on(deployed: Deployed) -> None:
    key = made(deployed, "viewer")
    assert by_key(deployed, "GET", "/models", key["token"]).status == 200
    listed = deployed.call("GET", "/api-keys", token=deployed.token("viewer")).json["items"]
    mine = next(each for each in listed if each["key_id"] == key["key_id"])
    assert mine["last_used_at"] is not None

    assert deployed.call("DELETE", f"/api-keys/{key['key_id']}", token=deployed.token("viewer")).status == 200

    refused = by_key(deployed, "GET", "/models", key["token"])
    assert refused.status == 401
    assert "revoked" in refused.json["detail"]
    entries = deployed.call("GET", f"/activity?subject=api_key:{key['key_id']}", token=deployed.token("viewer")).json
    assert [entry["action"] for entry in entries["items"]] == ["api_key.revoked", "api_key.created"]


def test_the_function_of_predictions_checks_keys_and_notes_their_use(deployed: Deployed) -> None:
    key = made(deployed, "scientist")
    asked = {"model": "nobody", "rows": [{"age": 1}]}

    assert by_key(deployed, "POST", "/inference/predict", key["token"], asked).status == 404
    assert by_key(deployed, "POST", "/inference/predict", key["token"][:-1], asked).status == 401
    listed = deployed.call("GET", "/api-keys", token=deployed.token("scientist")).json["items"]
    assert next(each for each in listed if each["key_id"] == key["key_id"])["last_used_at"] is not None


def test_where_tokens_count_a_key_is_none(deployed: Deployed, keys: dict[Role, str]) -> None:
    assert deployed.call("GET", "/models", token=keys[Role.ADMIN]).status == 401
    assert deployed.call("GET", "/models", X_Api_Key=keys[Role.ADMIN]).status == 401
    assert deployed.call("GET", f"{names.KEYED_PATH}/models", X_Api_Key=keys[Role.ADMIN]).status == 200


def test_where_keys_count_a_token_is_none(deployed: Deployed) -> None:
    assert by_key(deployed, "GET", "/models", deployed.token("admin")).status == 401
    assert deployed.call("GET", f"{names.KEYED_PATH}/models").status == 401
