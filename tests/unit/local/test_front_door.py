"""Addresses that templates put together, and what the front door does to an answer."""

from __future__ import annotations

import asyncio
import gzip
from pathlib import Path
from typing import Any

import pytest

from local.context import EmulatorContext
from local.emulator import front_door
from local.emulator.addresses import answering
from local.people import new_password

ENDPOINT, DOOR = "http://127.0.0.1:4710", "http://127.0.0.1:4711"
CONTEXT = EmulatorContext(ENDPOINT, DOOR, "us-east-1", "000000000000", Path("/state"), "/python")


@pytest.mark.parametrize(
    ("said", "here"),
    [
        ("https://d1abcdefghijkl.cloudfront.net/auth/callback", f"{DOOR}/auth/callback"),
        ("https://*.cloudfront.net", DOOR),
        ("https://millrace-local-0.auth.us-east-1.amazoncognito.com/oauth2/token", f"{ENDPOINT}/oauth2/token"),
        ("connect-src 'self' https://b-1.s3.us-east-1.amazonaws.com;", f"connect-src 'self' {ENDPOINT};"),
        ("https://b-1.s3.amazonaws.com", ENDPOINT),
    ],
)
def test_an_address_for_browsers_is_one_that_answers(said: str, here: str) -> None:
    assert answering({"Nested": [said]}, CONTEXT) == {"Nested": [here]}


@pytest.mark.parametrize(
    "kept",
    [
        "b-1.s3.us-east-1.amazonaws.com",
        "d1abcdefghijkl.cloudfront.net",
        "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_x",
        "https://s3.us-east-1.amazonaws.com/b-1/key",
        4711,
        None,
    ],
)
def test_names_of_origins_issuers_and_assets_stay_as_they_are(kept: Any) -> None:
    assert answering(kept, CONTEXT) == kept


def sent(body: bytes, *, accepted: bytes = b"gzip, br", **headers: bytes) -> tuple[dict[bytes, bytes], bytes]:
    """What a browser gets of a file of the site."""
    messages: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)

    async def run() -> None:
        scope = {"method": "GET", "headers": [(b"accept-encoding", accepted)]}
        sending = front_door.Compressing(scope, send)
        said = {b"content-type": b"text/javascript; charset=utf-8", b"x-amz-version-id": b"1", b"etag": b'"e"'}
        said |= {name.replace("_", "-").encode(): value for name, value in headers.items()}
        said[b"content-length"] = str(len(body)).encode()
        await sending({"type": "http.response.start", "status": 200, "headers": list(said.items())})
        await sending({"type": "http.response.body", "body": body})

    asyncio.run(run())
    start, *rest = messages
    return dict(start["headers"]), b"".join(message["body"] for message in rest)


TEXT = b"let a = 1;\n" * 200


def test_a_script_is_sent_compressed_with_its_new_length() -> None:
    headers, body = sent(TEXT)

    assert gzip.decompress(body) == TEXT
    assert headers[b"content-encoding"] == b"gzip"
    assert headers[b"content-length"] == str(len(body)).encode()
    assert headers[b"etag"] == b'W/"e"'


@pytest.mark.parametrize(
    ("body", "options"),
    [
        (TEXT, {"accepted": b"identity"}),
        (TEXT[:500], {}),
        (TEXT, {"content_type": b"font/woff2"}),
        (TEXT, {"content_encoding": b"br"}),
    ],
)
def test_what_cloudfront_sends_as_it_is_is_sent_as_it_is(body: bytes, options: dict[str, Any]) -> None:
    headers, received = sent(body, **options)

    assert received == body
    assert headers[b"etag"] == b'"e"'
    assert headers.get(b"content-encoding") == options.get("content_encoding")


def test_a_password_is_one_that_the_user_pool_takes_and_nobody_guesses() -> None:
    passwords = {new_password() for _ in range(200)}

    assert len(passwords) == 200
    for password in passwords:
        assert len(password) >= 12
        for kind in (str.islower, str.isupper, str.isdigit):
            assert any(map(kind, password))
        assert set(password) & set("-_.")
