"""Who gets in at the deployed API: real tokens of the pool, and every other kind."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.integration.api.conftest import PASSWORD, Deployed

PROBE = "/models"


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    header, claims, signature = token.split(".")
    return decoded(header), decoded(claims), signature


def decoded(part: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def encoded(part: dict[str, Any] | bytes) -> str:
    content = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def signed_by_a_stranger(token: str) -> str:
    """The same claims under the same key id, signed with a key that is not the pool's."""
    header, claims, _ = parts(token)
    text = f"{encoded(header)}.{encoded(claims)}"
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return f"{text}.{encoded(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def promoted(token: str) -> str:
    """Claims changed, signature kept."""
    header, claims, signature = parts(token)
    return f"{encoded(header)}.{encoded({**claims, 'cognito:groups': ['admin']})}.{signature}"


def unsigned(token: str) -> str:
    header, claims, _ = parts(token)
    return f"{encoded({**header, 'alg': 'none'})}.{encoded(claims)}."


def prolonged(token: str) -> str:
    header, claims, signature = parts(token)
    return f"{encoded(header)}.{encoded({**claims, 'exp': claims['exp'] + 9999})}.{signature}"


def test_a_persons_token_gets_in_and_says_who_it_is(deployed: Deployed) -> None:
    answer = deployed.call("GET", PROBE, token=deployed.token("viewer"))

    assert answer.status == 200
    assert answer.json.keys() >= {"items", "next_cursor"}


def test_without_a_token_nobody_gets_in_even_where_nothing_is(deployed: Deployed) -> None:
    assert deployed.call("GET", PROBE).status == 401
    assert deployed.call("GET", "/no/such/path").status == 401
    assert deployed.call("GET", PROBE, Authorization="Basic YWRhOnB3").status == 401
    assert deployed.call("GET", PROBE, Authorization="Bearer").status == 401


@pytest.mark.parametrize("tampered", [signed_by_a_stranger, promoted, unsigned, prolonged])
def test_a_token_that_the_pool_did_not_make_so_is_refused(tampered: Callable[[str], str], deployed: Deployed) -> None:
    token = deployed.token("viewer")

    assert deployed.call("GET", PROBE, token=tampered(token)).status == 401
    assert deployed.call("GET", PROBE, token=token).status == 200


@pytest.mark.parametrize("garbage", ["x", "a.b.c", "..", "e30.e30.e30"])
def test_what_is_no_token_is_refused(garbage: str, deployed: Deployed) -> None:
    assert deployed.call("GET", PROBE, token=garbage).status == 401


def test_a_token_for_another_client_is_refused(deployed: Deployed) -> None:
    other = deployed.pool.create_user_pool_client(
        UserPoolId=deployed.pool_id, ClientName="other", ExplicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH"]
    )["UserPoolClient"]["ClientId"]

    token = deployed.person("admin-person", "admin", client_id=other)

    assert parts(token)[1]["cognito:groups"] == ["admin"]
    assert deployed.call("GET", PROBE, token=token).status == 401


def test_a_token_of_another_pool_is_refused(deployed: Deployed) -> None:
    pool = deployed.pool
    pool_id = pool.create_user_pool(PoolName="theirs")["UserPool"]["Id"]
    client_id = pool.create_user_pool_client(
        UserPoolId=pool_id, ClientName="theirs", ExplicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH"]
    )["UserPoolClient"]["ClientId"]
    pool.create_group(UserPoolId=pool_id, GroupName="admin")
    pool.admin_create_user(UserPoolId=pool_id, Username="mallory", MessageAction="SUPPRESS")
    pool.admin_set_user_password(UserPoolId=pool_id, Username="mallory", Password=PASSWORD, Permanent=True)
    pool.admin_add_user_to_group(UserPoolId=pool_id, Username="mallory", GroupName="admin")
    signed_in = pool.admin_initiate_auth(
        UserPoolId=pool_id,
        ClientId=client_id,
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "mallory", "PASSWORD": PASSWORD},
    )

    assert deployed.call("GET", PROBE, token=signed_in["AuthenticationResult"]["AccessToken"]).status == 401


def test_an_id_token_says_who_somebody_is_and_is_no_way_in(deployed: Deployed) -> None:
    answer = deployed.call("GET", PROBE, token=deployed.person("admin-person", "admin", kind="IdToken"))

    assert answer.status == 401
    assert answer.json["type"] == "NotSignedIn"


def test_an_expired_token_is_refused(deployed: Deployed) -> None:
    client = {"UserPoolId": deployed.pool_id, "ClientId": deployed.outputs["SpaClientId"]}
    before = deployed.pool.describe_user_pool_client(**client)["UserPoolClient"]
    kept = {name: before[name] for name in ("ExplicitAuthFlows", "RefreshTokenValidity", "IdTokenValidity")}
    deployed.person("viewer-person", "viewer")
    brief = {"AccessTokenValidity": 2, "TokenValidityUnits": {**before["TokenValidityUnits"], "AccessToken": "seconds"}}
    deployed.pool.update_user_pool_client(**client, **kept, **brief)
    try:
        token = deployed.person("viewer-person")
    finally:
        units = before["TokenValidityUnits"]
        deployed.pool.update_user_pool_client(
            **client, **kept, AccessTokenValidity=before["AccessTokenValidity"], TokenValidityUnits=units
        )

    assert deployed.call("GET", PROBE, token=token).status == 200
    time.sleep(max(0.0, parts(token)[1]["exp"] + 0.1 - time.time()))
    assert deployed.call("GET", PROBE, token=token).status == 401


class TestMachines:
    def test_a_machine_signs_in_with_its_credentials_and_is_what_it_may_be(self, deployed: Deployed) -> None:
        token = deployed.machine().json["access_token"]

        assert set(parts(token)[1]["scope"].split()) == {"millrace/viewer", "millrace/scientist"}
        assert deployed.call("GET", PROBE, token=token).status == 200
        started = deployed.call("POST", "/training/start", token=token, body={"dataset": "none"})
        assert started.status == 404

    def test_a_machine_with_less_may_do_less(self, deployed: Deployed) -> None:
        token = deployed.machine("millrace/viewer").json["access_token"]

        assert deployed.call("GET", PROBE, token=token).status == 200
        refused = deployed.call("POST", "/training/start", token=token, body={"dataset": "none"})
        assert refused.status == 403
        assert deployed.outputs["MachineClientId"] in refused.json["detail"]

    def test_a_machine_does_not_decide(self, deployed: Deployed) -> None:
        assert deployed.machine("millrace/approver").status == 400
        assert deployed.machine("millrace/admin").status == 400


class TestOpenRoutes:
    def test_health_and_the_contract_need_no_token(self, deployed: Deployed) -> None:
        assert deployed.call("GET", "/healthz").json == {"status": "ok"}
        assert deployed.call("GET", "/openapi.json").json["openapi"].startswith("3.1")
        assert deployed.call("POST", "/healthz").status == 401

    def test_a_browser_may_call_from_the_configured_page_and_no_other(self, deployed: Deployed) -> None:
        asked = {"Access_Control_Request_Method": "PUT"}

        ours = deployed.call("OPTIONS", "/models/a:1/approve", Origin="http://localhost:5173", **asked)
        theirs = deployed.call("OPTIONS", "/models/a:1/approve", Origin="https://evil.example", **asked)

        assert ours.status == 204
        assert ours.headers["Access-Control-Allow-Origin"] == "http://localhost:5173"
        assert "If-Match" in ours.headers["Access-Control-Allow-Headers"]
        assert "Access-Control-Allow-Origin" not in theirs.headers
