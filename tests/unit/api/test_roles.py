"""Every role on every route, and nobody without a token on any that is not open."""

from __future__ import annotations

import pytest

from lambdas.api.app import ENDPOINTS
from lambdas.api.identity import caller_of
from lambdas.api.resource import Endpoint
from millrace import names
from millrace.domain.role import ADMINS, APPROVERS, EVERYONE, PREDICTORS, RESPONDERS, SCIENTISTS, Role
from millrace.errors import NotSignedIn
from tests.unit.api.conftest import Api, claims_of, event_of
from tests.unit.api.requests_of import QUERIES, WRITES, body_of, named, path_of

CLOSED = [endpoint for endpoint in ENDPOINTS if endpoint.allow]
# A key has no role that its maker lacks, so anybody may make one.
KEYS_OF_ONES_OWN = {"create_api_key", "revoke_key"}


def status(api: Api, endpoint: Endpoint, claims: dict[str, str] | None) -> int:
    return api.send(
        event_of(
            endpoint.method,
            path_of(endpoint),
            claims=claims,
            body=body_of(endpoint),
            query=QUERIES.get(endpoint.operation_id),
        )
    ).status


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("endpoint", CLOSED, ids=named)
def test_a_role_gets_in_where_it_is_listed_and_nowhere_else(endpoint: Endpoint, role: Role, api: Api) -> None:
    api.trained()

    answered = status(api, endpoint, claims_of(role))

    assert (answered == 403) is (role not in endpoint.allow)
    assert answered not in (401, 500)


@pytest.mark.parametrize("endpoint", CLOSED, ids=named)
def test_nobody_gets_in_without_an_access_token_or_without_a_role(endpoint: Endpoint, api: Api) -> None:
    assert status(api, endpoint, None) == 401
    assert status(api, endpoint, {**claims_of("admin"), "token_use": "id"}) == 401
    assert status(api, endpoint, claims_of()) == 403
    assert status(api, endpoint, claims_of("administrator", "root")) == 403


def test_who_may_do_what_is_decided_before_what_was_sent_is_looked_at(api: Api) -> None:
    refused = api.call("PUT", "/models/credit:1/approve", {"nonsense": 1}, roles=["viewer"])

    assert refused.status == 403
    assert refused.json["detail"] == "this needs the role admin or approver, and user:ada has viewer"


def test_only_health_and_the_contract_are_open() -> None:
    assert {endpoint.path for endpoint in ENDPOINTS if not endpoint.allow} == {"/healthz", "/openapi.json"}


EXPECTED = {
    "predict": (PREDICTORS,),
    **dict.fromkeys(("acknowledge_alert", "snooze_alert", "close_alert"), (RESPONDERS,)),
    # Channels carry what happens here to somewhere else.
    **dict.fromkeys(("add_channel", "edit_channel", "remove_channel", "test_channel"), (ADMINS,)),
}


def test_whoever_may_read_may_not_by_that_write_and_training_is_apart_from_deciding() -> None:
    for endpoint in WRITES:
        if endpoint.operation_id in KEYS_OF_ONES_OWN:
            continue
        assert Role.VIEWER not in endpoint.allow
        assert endpoint.allow in EXPECTED.get(endpoint.operation_id, (SCIENTISTS, APPROVERS))
    reads = {endpoint.operation_id: endpoint.allow for endpoint in CLOSED if endpoint.method == "GET"}
    # It hands out addresses to write to.
    assert reads.pop("get_upload") == SCIENTISTS
    assert set(reads.values()) == {EVERYONE}


class TestCaller:
    def test_a_person_is_known_by_name_and_groups(self) -> None:
        caller = caller_of(event_of("GET", "/", claims=claims_of("viewer", "approver", "choir")))

        assert (caller.actor, caller.roles) == ("user:ada", {Role.VIEWER, Role.APPROVER})

    def test_a_machine_is_known_by_its_client_and_the_scopes_it_was_granted(self) -> None:
        claims = {
            "token_use": "access",
            "client_id": "32L8",
            "scope": f"{names.SCOPE_PREFIX}/scientist other/admin {names.SCOPE_PREFIX}/viewer",
        }

        caller = caller_of(event_of("GET", "/", claims=claims))

        assert (caller.actor, caller.roles) == ("client:32L8", {Role.SCIENTIST, Role.VIEWER})

    def test_a_persons_scopes_are_no_roles(self) -> None:
        claims = {**claims_of(), "scope": f"{names.SCOPE_PREFIX}/admin"}

        assert caller_of(event_of("GET", "/", claims=claims)).roles == set()

    @pytest.mark.parametrize("claims", [None, {}, {"token_use": "id", "username": "ada"}])
    def test_without_an_access_token_nobody_is_known(self, claims: dict[str, str] | None) -> None:
        with pytest.raises(NotSignedIn):
            caller_of(event_of("GET", "/", claims=claims))
