"""The dashboard and the API at one address, and a person's way in by code and PKCE, as a browser takes it."""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from local import people
from tests.integration.api.conftest import Answer, Deployed, send

VERIFIER = "a-verifier-that-is-long-enough-to-be-one-of-PKCE"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class _StayHere(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def sent_on(method: str, url: str, form: Mapping[str, str] | None = None) -> str:
    """Where the answer sends a browser."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _StayHere)
    body = urllib.parse.urlencode(form).encode() if form else None
    with pytest.raises(urllib.error.HTTPError) as sent:
        opener.open(urllib.request.Request(url, method=method, data=body, headers=FORM), timeout=60)  # noqa: S310
    assert sent.value.code == 302
    return sent.value.headers["Location"]


def as_gzip(url: str) -> tuple[bytes, Mapping[str, str]]:
    """The bytes that a browser gets, before it unpacks them."""
    request = urllib.request.Request(url, headers={"Accept-Encoding": "gzip, br"})  # noqa: S310
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
        return answer.read(), answer.headers


@pytest.fixture(scope="module")
def door(deployed: Deployed) -> str:
    return deployed.running.dashboard_url


@pytest.fixture(scope="module")
def config(door: str) -> dict[str, str]:
    return dict(send("GET", f"{door}/config.json").json)


@pytest.fixture(scope="module")
def demo(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> people.Person:
    state_dir = tmp_path_factory.mktemp("people")
    return people.invite(deployed.running.session(), state_dir, deployed.running.dashboard_url)[0]


def asked(config: Mapping[str, str], door: str, **other: str) -> str:
    query = {
        "response_type": "code",
        "client_id": config["clientId"],
        "redirect_uri": f"{door}/auth/callback",
        "scope": "openid email profile",
        "state": "s1",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    } | other
    return f"{config['authorizationEndpoint']}?{urllib.parse.urlencode(query)}"


def page_form(page: str) -> dict[str, str]:
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return {name: html.unescape(value) for name, value in hidden}


def exchanged(config: Mapping[str, str], door: str, code: str, verifier: str = VERIFIER) -> Answer:
    form = {
        "grant_type": "authorization_code",
        "client_id": config["clientId"],
        "code": code,
        "redirect_uri": f"{door}/auth/callback",
        "code_verifier": verifier,
    }
    body = urllib.parse.urlencode(form).encode()
    return send("POST", config["tokenEndpoint"], headers={**FORM, "Origin": door}, body=body)


def code_of(config: Mapping[str, str], door: str, who: people.Person) -> str:
    page = send("GET", asked(config, door)).text
    place = urllib.parse.urlsplit(config["authorizationEndpoint"])
    filled = page_form(page) | {"username": who.name, "password": who.password}
    back = urllib.parse.urlsplit(sent_on("POST", f"{place.scheme}://{place.netloc}/login", filled))
    assert f"{back.scheme}://{back.netloc}{back.path}" == f"{door}/auth/callback"
    answered = dict(urllib.parse.parse_qsl(back.query))
    assert answered["state"] == "s1"
    return answered["code"]


def test_a_person_signs_in_by_code_and_calls_the_api_at_the_same_address(
    deployed: Deployed, door: str, config: dict[str, str], demo: people.Person
) -> None:
    answer = exchanged(config, door, code_of(config, door, demo))

    assert answer.status == 200
    assert answer.headers["Access-Control-Allow-Origin"] in ("*", door)
    token = answer.json["access_token"]
    there = send("GET", f"{door}/api/models", headers={"Authorization": f"Bearer {token}"})
    assert there.status == 200
    assert there.json == deployed.call("GET", "/models", token=token).json


def test_a_renewed_token_opens_the_same_doors(door: str, config: dict[str, str], demo: people.Person) -> None:
    first = exchanged(config, door, code_of(config, door, demo)).json
    form = {
        "grant_type": "refresh_token",
        "client_id": config["clientId"],
        "refresh_token": first["refresh_token"],
    }
    renewed = send("POST", config["tokenEndpoint"], headers=FORM, body=urllib.parse.urlencode(form).encode()).json

    assert renewed["access_token"] != first["access_token"]
    assert claims(renewed["access_token"])["cognito:groups"] == claims(first["access_token"])["cognito:groups"]
    bearer = {"Authorization": f"Bearer {renewed['access_token']}"}
    assert send("GET", f"{door}/api/models", headers=bearer).status == 200


def claims(token: str) -> Any:
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


def test_a_code_is_worth_nothing_without_its_verifier_and_nothing_twice(
    door: str, config: dict[str, str], demo: people.Person
) -> None:
    code = code_of(config, door, demo)

    assert exchanged(config, door, code, verifier="another-verifier-of-forty-three-characters-").status == 400
    assert exchanged(config, door, code).status == 200
    assert exchanged(config, door, code).status == 400


def test_a_wrong_password_stays_on_the_page(door: str, config: dict[str, str], demo: people.Person) -> None:
    filled = page_form(send("GET", asked(config, door)).text) | {"username": demo.name, "password": "wrong"}
    place = urllib.parse.urlsplit(config["authorizationEndpoint"])
    body = urllib.parse.urlencode(filled).encode()

    answer = send("POST", f"{place.scheme}://{place.netloc}/login", headers=FORM, body=body)

    assert answer.status == 200
    assert "Incorrect username or password" in answer.text


def test_nobody_is_sent_anywhere_else(door: str, config: dict[str, str]) -> None:
    assert send("GET", asked(config, door, redirect_uri="https://evil.example/auth/callback")).status == 400


def test_signing_out_leads_back_to_the_dashboard_and_nowhere_else(door: str, config: dict[str, str]) -> None:
    def out(uri: str) -> str:
        query = urllib.parse.urlencode({"client_id": config["clientId"], "logout_uri": uri})
        return f"{config['logoutEndpoint']}?{query}"

    assert sent_on("GET", out(f"{door}/")) == f"{door}/"
    assert send("GET", out("https://evil.example/")).status == 400


def test_every_place_of_the_dashboard_is_its_page_and_a_missing_file_is_missing(door: str) -> None:
    page = send("GET", f"{door}/")

    assert send("GET", f"{door}/models/credit/3?vs=2").text == page.text
    assert page.headers["Cache-Control"] == "no-cache"
    assert send("GET", f"{door}/assets/gone.js").status in (403, 404)
    assert send("GET", f"{door}/api/no/such/thing").status == 401


def test_what_the_page_loads_is_kept_for_ever_and_arrives_compressed(door: str) -> None:
    """But for files under 1,000 bytes, which CloudFront sends as they are."""
    files = re.findall(r'(?:src|href)="(/assets/[^"]+\.(?:js|css))"', send("GET", f"{door}/").text)
    plain = {file: send("GET", f"{door}{file}") for file in files}
    large = [file for file in files if len(plain[file].text.encode()) >= 1000]

    assert len(large) > 2
    assert all("immutable" in answer.headers["Cache-Control"] for answer in plain.values())
    for file in large:
        body, headers = as_gzip(f"{door}{file}")
        assert headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(body).decode() == plain[file].text


def test_a_long_answer_of_the_api_arrives_compressed(door: str) -> None:
    """Its function does it: CloudFront compresses only what it may cache."""
    plain = send("GET", f"{door}/api/openapi.json")
    body, headers = as_gzip(f"{door}/api/openapi.json")

    assert headers["Content-Encoding"] == "gzip"
    assert len(body) < len(plain.text) / 4
    assert gzip.decompress(body).decode() == plain.text


def test_an_unchanged_file_is_not_sent_again(door: str) -> None:
    first = send("GET", f"{door}/")

    assert send("GET", f"{door}/", headers={"If-None-Match": first.headers["Etag"]}).status == 304


def test_the_policy_of_browsers_names_the_addresses_that_the_dashboard_calls(
    deployed: Deployed, door: str, config: dict[str, str]
) -> None:
    policy = send("GET", f"{door}/").headers["Content-Security-Policy"]
    connected = next(rule for rule in policy.split("; ") if rule.startswith("connect-src")).split()

    assert "unsafe" not in policy
    for endpoint in (config["tokenEndpoint"], deployed.running.endpoint_url):
        place = urllib.parse.urlsplit(endpoint)
        assert f"{place.scheme}://{place.netloc}" in connected


def test_the_bucket_takes_parts_from_the_dashboard_and_tells_it_their_entity_tags(
    deployed: Deployed, door: str
) -> None:
    storage = deployed.running.session().client("s3")
    (rule,) = storage.get_bucket_cors(Bucket=deployed.outputs["DataBucket"])["CORSRules"]

    assert door in rule["AllowedOrigins"]
    assert rule["ExposeHeaders"] == ["ETag"]


def test_passwords_stay_the_same_and_are_for_the_owners_eyes(deployed: Deployed, door: str, tmp_path: Path) -> None:
    first = people.invite(deployed.running.session(), tmp_path, door)
    again = people.invite(deployed.running.session(), tmp_path, door)

    assert first == again
    assert [person.name for person in first] == ["demo", "admin", "approver", "scientist", "viewer"]
    assert len({person.password for person in first}) == 5
    file = tmp_path / people.FILE
    assert file.stat().st_mode & 0o777 == 0o600
    assert json.loads(file.read_text())["url"] == door
