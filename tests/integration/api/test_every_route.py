"""Every route of the deployed API for every role, with real tokens: the whole table."""

from __future__ import annotations

import pytest

from lambdas.api.app import ENDPOINTS
from lambdas.api.resource import Endpoint
from millrace.domain.role import Role
from tests.integration.api.conftest import Deployed
from tests.unit.api.requests_of import QUERIES, body_of, named, path_of

CLOSED = [endpoint for endpoint in ENDPOINTS if endpoint.allow]


def path_with_query(endpoint: Endpoint) -> str:
    query = "&".join(f"{name}={value}" for name, value in QUERIES.get(endpoint.operation_id, {}).items())
    return f"{path_of(endpoint)}?{query}" if query else path_of(endpoint)


@pytest.mark.parametrize("endpoint", CLOSED, ids=named)
def test_each_role_gets_in_where_it_is_listed(endpoint: Endpoint, deployed: Deployed) -> None:
    path, body = path_with_query(endpoint), body_of(endpoint)

    answers = {
        role: deployed.call(endpoint.method, path, token=deployed.token(role), body=body).status for role in Role
    }

    assert {role for role, status in answers.items() if status != 403} == endpoint.allow
    assert {status for status in answers.values() if status == 401 or status >= 500} == set()
    assert deployed.call(endpoint.method, path, body=body).status == 401
