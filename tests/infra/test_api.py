"""The API at its gateway: who gets in, how often, from which pages, and what the user pool asks of people."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from conftest import Platform

from millrace import names
from stacks.api_stack import OPEN_PATHS, PREDICT_PATH
from stacks.config import ENVIRONMENTS
from stacks.identity_stack import MACHINE_ROLES

WITH_PAGES = [name for name, config in ENVIRONMENTS.items() if config.allowed_origins]
WITHOUT_PAGES = [name for name, config in ENVIRONMENTS.items() if not config.allowed_origins]


def only(platform: Platform, kind: str) -> Mapping[str, Any]:
    (found,) = platform.properties(kind)
    return found


def routes(platform: Platform) -> dict[str, Mapping[str, Any]]:
    return {found["RouteKey"]: found for found in platform.properties("AWS::ApiGatewayV2::Route")}


def clients(platform: Platform) -> dict[bool, Mapping[str, Any]]:
    """By whether they have a secret: the machines' and the dashboard's."""
    return {bool(found["GenerateSecret"]): found for found in platform.properties("AWS::Cognito::UserPoolClient")}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_path_needs_a_token_but_the_open_ones(environment: str, platform_of: Callable[[str], Platform]) -> None:
    by_key = routes(platform_of(environment))
    asked_beforehand = {"OPTIONS /{proxy+}"} if ENVIRONMENTS[environment].allowed_origins else set()

    # What needs an API key is held against it by the functions: tests/integration/api/test_keys.py.
    with_key = {f"ANY {names.KEYED_PATH}/{{proxy+}}", f"POST {names.KEYED_PATH}{PREDICT_PATH}"}
    assert {key for key, route in by_key.items() if route["AuthorizationType"] == "NONE"} == {
        f"GET {path}" for path in OPEN_PATHS
    } | asked_beforehand | with_key
    with_token = {"$default", f"POST {PREDICT_PATH}"}
    assert {by_key[key]["AuthorizationType"] for key in with_token} == {"JWT"}
    assert len(by_key) == len(OPEN_PATHS) + len(asked_beforehand) + len(with_token) + len(with_key)


def test_tokens_of_this_pool_for_these_two_clients_and_no_others(prod: Platform) -> None:
    jwt = only(prod, "AWS::ApiGatewayV2::Authorizer")["JwtConfiguration"]

    assert len(jwt["Audience"]) == 2
    assert json.dumps(jwt["Issuer"]).count("cognito-idp") == 1
    assert "People" in json.dumps(jwt["Issuer"])


def test_requests_are_limited_and_written_down_without_who_sent_what(prod: Platform) -> None:
    stage = only(prod, "AWS::ApiGatewayV2::Stage")
    limits, written = stage["DefaultRouteSettings"], json.loads(stage["AccessLogSettings"]["Format"])

    assert (limits["ThrottlingRateLimit"], limits["ThrottlingBurstLimit"]) == (100, 200)
    assert {"request_id", "status", "path", "subject", "milliseconds"} <= written.keys()
    assert "header" not in json.dumps(written)


@pytest.mark.parametrize("environment", WITH_PAGES)
def test_browsers_may_call_from_the_configured_pages_only(
    environment: str, platform_of: Callable[[str], Platform]
) -> None:
    said = only(platform_of(environment), "AWS::ApiGatewayV2::Api")["CorsConfiguration"]

    assert said["AllowOrigins"] == list(ENVIRONMENTS[environment].allowed_origins)
    assert "*" not in json.dumps(said)
    assert {"ETag", "X-Request-Id", "X-Poll-After", "Retry-After"} <= set(said["ExposeHeaders"])


@pytest.mark.parametrize("environment", WITHOUT_PAGES)
def test_without_a_page_elsewhere_browsers_call_from_the_front_door_alone(
    environment: str, platform_of: Callable[[str], Platform]
) -> None:
    platform = platform_of(environment)

    assert "CorsConfiguration" not in only(platform, "AWS::ApiGatewayV2::Api")
    # The command line listens on loopback while somebody signs in.
    assert [url for url in clients(platform)[False]["CallbackURLs"] if isinstance(url, str)] == [names.SIGN_IN_CALLBACK]


def test_people_sign_in_by_code_and_cannot_be_told_apart_from_strangers(
    platform_of: Callable[[str], Platform],
) -> None:
    dashboard = clients(platform_of("dev"))[False]

    assert dashboard["AllowedOAuthFlows"] == ["code"]
    assert dashboard["CallbackURLs"][1:] == ["http://localhost:5173/auth/callback", names.SIGN_IN_CALLBACK]
    assert dashboard["PreventUserExistenceErrors"] == "ENABLED"


def test_a_password_is_exchanged_for_tokens_on_the_local_platform_only(
    platform_of: Callable[[str], Platform],
) -> None:
    flow = "ALLOW_ADMIN_USER_PASSWORD_AUTH"
    allowing = [
        name
        for name in ENVIRONMENTS
        if any(flow in (found.get("ExplicitAuthFlows") or []) for found in clients(platform_of(name)).values())
    ]

    assert allowing == ["local"]


def test_machines_get_a_token_for_what_a_machine_may_be_and_nothing_else(prod: Platform) -> None:
    machines = clients(prod)[True]

    assert machines["AllowedOAuthFlows"] == ["client_credentials"]
    scopes = json.dumps(machines["AllowedOAuthScopes"])
    assert [role for role in names.ROLES if f"/{role}" in scopes] == list(MACHINE_ROLES)
    assert names.APPROVER_ROLE not in MACHINE_ROLES
    assert names.ADMIN_ROLE not in MACHINE_ROLES


def test_every_role_is_a_group_and_a_scope(prod: Platform) -> None:
    groups = {found["GroupName"] for found in prod.properties("AWS::Cognito::UserPoolGroup")}
    server = only(prod, "AWS::Cognito::UserPoolResourceServer")

    assert groups == {scope["ScopeName"] for scope in server["Scopes"]} == set(names.ROLES)
    assert server["Identifier"] == names.SCOPE_PREFIX


def test_nobody_signs_up_and_passwords_are_long(prod: Platform) -> None:
    pool = only(prod, "AWS::Cognito::UserPool")

    assert pool["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}
    policy = pool["Policies"]["PasswordPolicy"]
    assert policy["MinimumLength"] == 12
    assert all(policy[f"Require{kind}"] for kind in ("Lowercase", "Uppercase", "Numbers", "Symbols"))
    assert pool["EnabledMfas"] == ["SOFTWARE_TOKEN_MFA"]
    assert pool["DeletionProtection"] == "ACTIVE"


def test_the_function_answers_before_the_gateway_gives_up(prod: Platform) -> None:
    function = prod.functions()["lambdas.api.app"]

    assert function["Timeout"] == 29


def test_answers_to_repeated_requests_go_away_by_themselves(prod: Platform) -> None:
    (table,) = prod.properties("AWS::DynamoDB::Table")

    assert table["TimeToLiveSpecification"] == {"AttributeName": names.EXPIRY_ATTRIBUTE, "Enabled": True}
    assert {index["IndexName"] for index in table["GlobalSecondaryIndexes"]} >= set(names.INDEXES)
