"""Signing in from a terminal: what is asked for, what is taken back, and where it is kept."""

from __future__ import annotations

import base64
import hashlib
import json
import stat
import time
import urllib.parse
from pathlib import Path

import pytest

from millrace import names
from millrace.cli import remote
from millrace.cli.remote import Kept, PersonTokens, SignInFile
from millrace.cli.signing_in import Deployment, SignIn, Tokens, find_deployment
from millrace.client import Answer, ApiKey
from millrace.errors import InvalidInput, NotFound, NotSignedIn
from tests.unit.client.fake_api import FakeApi, said

DEPLOYMENT = Deployment(
    url="https://millrace.test",
    environment="dev",
    api_url="https://millrace.test/api",
    client_id="client-1",
    authorization_endpoint="https://pool.test/oauth2/authorize",
    token_endpoint="https://pool.test/oauth2/token",
)
CONFIG = {
    "environment": "dev",
    "apiBase": "/api",
    "clientId": "client-1",
    "authorizationEndpoint": DEPLOYMENT.authorization_endpoint,
    "tokenEndpoint": DEPLOYMENT.token_endpoint,
}
GIVEN = {"access_token": "a2", "refresh_token": "r2", "expires_in": 3600}


def form_of(api: FakeApi) -> dict[str, str]:
    return dict(urllib.parse.parse_qsl((api.asked[-1].body or b"").decode()))


def test_where_everything_is_comes_from_the_dashboards_settings() -> None:
    assert find_deployment("https://millrace.test/", FakeApi(said(CONFIG)).send) == DEPLOYMENT


@pytest.mark.parametrize("answer", [said({}, 404), said([]), Answer(200, {}, b"<html>")])
def test_an_address_without_a_dashboard_is_named(answer: Answer) -> None:
    with pytest.raises(NotFound, match=r"https://elsewhere\.test"):
        find_deployment("https://elsewhere.test", FakeApi(answer).send)


def test_the_code_is_exchanged_with_the_verifier_that_the_challenge_was_made_of() -> None:
    api = FakeApi(said(GIVEN))
    attempt = SignIn(DEPLOYMENT, api.send)
    asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(attempt.address).query))

    tokens = attempt.complete(f"/auth/callback?code=c1&state={asked['state']}")

    form = form_of(api)
    assert tokens == Tokens("a2", "r2", 3600.0)
    digest = hashlib.sha256(form["code_verifier"].encode()).digest()
    assert asked["code_challenge"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert (form["code"], form["redirect_uri"]) == ("c1", names.SIGN_IN_CALLBACK)
    assert "code_verifier" not in asked


def test_a_code_of_another_attempt_is_not_taken() -> None:
    api = FakeApi()

    with pytest.raises(NotSignedIn, match="another attempt"):
        SignIn(DEPLOYMENT, api.send).complete("/auth/callback?code=c1&state=guessed")

    assert api.asked == []


def test_a_refusal_of_the_pool_is_told() -> None:
    attempt = SignIn(DEPLOYMENT, FakeApi(said({"error": "invalid_grant"}, 400)).send)

    with pytest.raises(NotSignedIn, match="invalid_grant"):
        attempt.complete(f"/?code=c1&state={attempt.asked['state']}")


def kept(*, expires_at: float, refresh: str = "r1") -> Kept:
    return remote.kept_tokens(DEPLOYMENT, Tokens("a1", refresh, expires_at - 1000), now=1000)


def test_what_is_kept_is_its_owners_alone(tmp_path: Path) -> None:
    file = SignInFile(tmp_path / "sign-ins" / "dev.json")

    file.write(kept(expires_at=5000))
    file.write(remote.kept_key(DEPLOYMENT, "mr_1_secret"))

    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    found = file.read()
    assert found is not None
    assert (found.api_key, found.access_token) == ("mr_1_secret", "")
    assert [each.name for each in file.path.parent.iterdir()] == ["dev.json"]


def test_a_token_near_its_end_is_renewed_before_it_is_used_and_kept(tmp_path: Path) -> None:
    file, api = SignInFile(tmp_path / "dev.json"), FakeApi(said({"access_token": "a2", "expires_in": 3600}))

    credentials = PersonTokens(file, kept(expires_at=time.time() + 10), api.send)

    assert (credentials.token(), credentials.token()) == ("a2", "a2")
    assert form_of(api) == {"grant_type": "refresh_token", "client_id": "client-1", "refresh_token": "r1"}
    written = json.loads(file.path.read_text())
    assert (written["access_token"], written["refresh_token"]) == ("a2", "r1")
    assert written["expires_at"] > time.time() + 3000


def test_a_sign_in_that_has_ended_says_how_to_go_on(tmp_path: Path) -> None:
    api = FakeApi(said({"error": "invalid_grant"}, 400))
    credentials = PersonTokens(SignInFile(tmp_path / "dev.json"), kept(expires_at=0), api.send)

    with pytest.raises(NotSignedIn, match="millrace login"):
        credentials.token()


def test_a_key_that_was_kept_asks_as_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    remote.sign_in_file("dev", tmp_path).write(remote.kept_key(DEPLOYMENT, "mr_1_secret"))
    api = FakeApi(said({"items": [], "next_cursor": None}))

    assert list(remote.client_of("dev", tmp_path, send=api.send).models()) == []

    assert api.asked[0].url == f"{DEPLOYMENT.api_url}{ApiKey('').prefix}/models"


def test_who_never_signed_in_is_told_how(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))

    with pytest.raises(NotSignedIn, match="nobody is signed in to 'dev': millrace login --url"):
        remote.client_of("dev", tmp_path)


def test_an_environments_name_is_no_path(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        remote.sign_in_file("../../etc/passwd", tmp_path)


LOCAL = {**CONFIG, "environment": "local", "authorizationEndpoint": "http://127.0.0.1:1/oauth2/authorize"}


def test_on_the_local_platform_the_demo_person_signs_in_by_itself_and_once(tmp_path: Path) -> None:
    people = [{"name": "demo", "password": "p", "groups": []}]
    state = tmp_path / ".millrace"
    state.mkdir()
    (state / "dashboard.json").write_text(json.dumps({"url": "http://127.0.0.1:1", "people": people}))
    empty = said({"items": [], "next_cursor": None})
    pool = FakeApi(said(LOCAL), said(GIVEN), empty, empty)

    def send(request):  # type: ignore[no-untyped-def]
        form = dict(urllib.parse.parse_qsl((request.body or b"").decode()))
        if request.url.endswith("/login"):
            assert (form["username"], form["password"]) == ("demo", "p")
            return Answer(302, {"location": f"{names.SIGN_IN_CALLBACK}?code=c1&state={form['state']}"}, b"")
        return pool.send(request)

    for _ in range(2):
        list(remote.client_of("local", tmp_path, send=send).models())

    assert [request.headers.get("Authorization") for request in pool.asked] == [None, None, "Bearer a2", "Bearer a2"]
