"""One address for the dashboard and the API: what CloudFront serves, forwards, and tells browsers."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from conftest import Platform

import app
from millrace import names
from stacks.config import ENVIRONMENTS
from stacks.constructs import front_door

NOT_CACHED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
CACHED_AND_COMPRESSED = "658327ea-f89d-4fab-a63d-7e88639e58f6"
ALL_BUT_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac"


def distribution(platform: Platform) -> Mapping[str, Any]:
    (found,) = platform.properties("AWS::CloudFront::Distribution")
    config: Mapping[str, Any] = found["DistributionConfig"]
    return config


def api_behaviour(platform: Platform) -> Mapping[str, Any]:
    (found,) = distribution(platform)["CacheBehaviors"]
    behaviour: Mapping[str, Any] = found
    return behaviour


def security_headers(platform: Platform) -> Mapping[str, Any]:
    (found,) = platform.properties("AWS::CloudFront::ResponseHeadersPolicy")
    headers: Mapping[str, Any] = found["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
    return headers


def routed(code: str, uri: str) -> str:
    """Where a CloudFront Function sends a request, run in Node.js."""
    node = app.node_of_the_wheel() or app.node_of_the_system()
    assert node is not None
    event = json.dumps({"request": {"uri": uri}})
    program = f"{code}\nconsole.log(handler({event}).uri)"
    return subprocess.run([node, "-e", program], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize(
    ("uri", "found"),
    [
        ("/", "/index.html"),
        ("/index.html", "/index.html"),
        ("/models/credit/3", "/index.html"),
        ("/runs/training-1.2", "/index.html"),
        ("/auth/callback", "/index.html"),
        ("/assets/main-4f2a.js", "/assets/main-4f2a.js"),
        ("/assets/inter-1b.woff2", "/assets/inter-1b.woff2"),
        ("/config.json", "/config.json"),
    ],
)
def test_a_place_in_the_dashboard_is_its_page_and_a_file_is_itself(uri: str, found: str) -> None:
    assert routed(front_door.ROUTING, uri) == found


@pytest.mark.parametrize(("uri", "found"), [("/api/models", "/models"), ("/api/", "/"), ("/api/api/x", "/api/x")])
def test_the_api_is_called_by_its_own_paths(uri: str, found: str) -> None:
    assert routed(front_door.STRIP_PREFIX, uri) == found


def test_a_missing_thing_of_the_api_is_not_answered_with_the_dashboard(prod: Platform) -> None:
    assert "CustomErrorResponses" not in distribution(prod)


def test_both_functions_are_in_force(prod: Platform) -> None:
    functions = prod.resources("AWS::CloudFront::Function")
    used = [
        behaviour["FunctionAssociations"][0]["FunctionARN"]["Fn::GetAtt"][0]
        for behaviour in (distribution(prod)["DefaultCacheBehavior"], api_behaviour(prod))
    ]

    assert [functions[name]["Properties"]["FunctionCode"] for name in used] == [
        front_door.ROUTING,
        front_door.STRIP_PREFIX,
    ]
    assert all(function["Properties"]["AutoPublish"] for function in functions.values())


def test_an_answer_of_the_api_is_nobody_elses(prod: Platform) -> None:
    behaviour = api_behaviour(prod)

    assert behaviour["PathPattern"] == "/api/*"
    assert behaviour["CachePolicyId"] == NOT_CACHED
    assert behaviour["OriginRequestPolicyId"] == ALL_BUT_HOST
    assert {"PUT", "POST", "DELETE", "PATCH"} <= set(behaviour["AllowedMethods"])
    assert behaviour["ViewerProtocolPolicy"] == "https-only"


def test_files_are_compressed_and_kept_as_long_as_they_say(prod: Platform) -> None:
    behaviour = distribution(prod)["DefaultCacheBehavior"]

    assert behaviour["CachePolicyId"] == CACHED_AND_COMPRESSED
    assert behaviour["Compress"] is True
    assert behaviour["ViewerProtocolPolicy"] == "redirect-to-https"


def test_only_this_distribution_reads_the_files(prod: Platform) -> None:
    (name,) = prod.resources("AWS::CloudFront::Distribution")
    reading = [
        statement
        for policy in prod.properties("AWS::S3::BucketPolicy")
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow" and "s3:GetObject" in statement["Action"]
    ]

    assert {json.dumps(statement["Principal"]) for statement in reading} == {'{"Service": "cloudfront.amazonaws.com"}'}
    for statement in reading:
        assert f'"{name}"' in json.dumps(statement["Condition"]["StringEquals"]["AWS:SourceArn"])
    (access,) = prod.properties("AWS::CloudFront::OriginAccessControl")
    assert access["OriginAccessControlConfig"]["SigningBehavior"] == "always"


def test_browsers_run_our_files_only_and_call_nobody_but_us(prod: Platform) -> None:
    policy = security_headers(prod)["ContentSecurityPolicy"]
    said = "".join(
        part if isinstance(part, str) else json.dumps(part) for part in policy["ContentSecurityPolicy"]["Fn::Join"][1]
    )
    rules = dict(rule.split(" ", 1) for rule in said.split("; "))

    assert policy["Override"] is True
    assert "unsafe" not in said
    assert rules["default-src"] == "'self'"
    assert rules["frame-ancestors"] == rules["base-uri"] == rules["object-src"] == "'none'"
    assert rules["require-trusted-types-for"] == "'script'"
    connected = rules["connect-src"]
    assert connected.startswith("'self' https://")
    assert "amazoncognito.com" in connected
    assert connected.count("https://") == 3
    assert "*" not in connected


def test_browsers_never_come_back_without_tls(prod: Platform) -> None:
    headers = security_headers(prod)

    assert headers["StrictTransportSecurity"]["AccessControlMaxAgeSec"] == 365 * 24 * 3600
    assert headers["ContentTypeOptions"] == {"Override": True}
    assert headers["FrameOptions"]["FrameOption"] == "DENY"
    assert {
        json.dumps(behaviour["ResponseHeadersPolicyId"])
        for behaviour in (distribution(prod)["DefaultCacheBehavior"], api_behaviour(prod))
    } == {json.dumps({"Ref": next(iter(prod.resources("AWS::CloudFront::ResponseHeadersPolicy")))})}


def joined(value: Mapping[str, Any]) -> str:
    return "".join(part if isinstance(part, str) else "{}" for part in value["Fn::Join"][1])


def test_people_are_sent_back_to_the_front_door(prod: Platform) -> None:
    (client,) = [found for found in prod.properties("AWS::Cognito::UserPoolClient") if not found["GenerateSecret"]]
    (name,) = prod.resources("AWS::CloudFront::Distribution")
    (back, terminal), (out,) = client["CallbackURLs"], client["LogoutURLs"]

    assert (joined(back), joined(out)) == ("https://{}/auth/callback", "https://{}/")
    assert {"Fn::GetAtt": [name, "DomainName"]} in back["Fn::Join"][1]
    assert terminal == names.SIGN_IN_CALLBACK
    assert terminal.startswith("http://localhost:")


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_dashboard_is_told_where_it_is_deployed(environment: str, platform_of: Callable[[str], Platform]) -> None:
    (site,) = platform_of(environment).properties("Custom::PublishedSite")
    config = site["Config"]

    assert config["environment"] == environment
    assert config["apiBase"] == "/api"
    assert joined(config["authorizationEndpoint"]).endswith("/oauth2/authorize")
    assert config.keys() == {
        "environment", "issuer", "clientId", "authorizationEndpoint", "tokenEndpoint", "logoutEndpoint", "apiBase",
    }  # fmt: skip
