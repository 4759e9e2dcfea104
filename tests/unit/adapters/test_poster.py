"""What is posted to addresses that others chose: to public ones only, over TLS, without following anybody anywhere."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from millrace.adapters.poster import HttpPoster
from millrace.errors import InvalidInput

PRIVATE = [
    "127.0.0.1",
    "10.0.0.7",
    "172.16.3.4",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",  # noqa: S104 - an address to refuse
    "224.0.0.1",
    "::1",
    "fe80::1%eth0",
    "fd00::1",
    "::ffff:10.0.0.7",
    "2002:7f00:1::",
    "64:ff9b::a9fe:a9fe",
]


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/in",
        "ftp://hooks.example.com/in",
        "https:///in",
        "https://user:secret@hooks.example.com/in",
        "https://hooks.example.com:22/in",
        "https://localhost/in",
        "https://intranet/in",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/in",
        "https://10.1.2.3/in",
        "http://127.0.0.1:8000/in",
        "https://[broken",
        "no address",
    ],
)
def test_an_address_that_is_not_public_https_is_refused_before_anything_is_kept(url: str) -> None:
    with pytest.raises(InvalidInput):
        HttpPoster().check(url)


@pytest.mark.parametrize(
    "url", ["https://hooks.example.com/in?team=ml", "https://hooks.example.com:8443/", "https://1.1.1.1/"]
)
def test_a_public_address_is_not(url: str) -> None:
    HttpPoster().check(url)


@pytest.mark.parametrize("address", PRIVATE)
def test_a_name_that_leads_inside_is_not_connected_to(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.create_connection", _never)
    poster = HttpPoster(resolve=lambda *_: ["93.184.216.34", address])

    answer = poster.post("https://hooks.example.com/in", b"{}", {})

    assert answer.status is None
    assert "no public address" in str(answer.failure)


def _never(*_: Any, **__: Any) -> None:
    raise AssertionError("connected")


def test_the_connection_goes_to_the_address_that_was_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def connect(address: Any, *_: Any, **__: Any) -> None:
        asked.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr("socket.create_connection", connect)
    answers = iter([["93.184.216.34"], ["10.0.0.7"]])
    poster = HttpPoster(resolve=lambda *_: next(answers))

    assert "no answer" in str(poster.post("https://hooks.example.com/in", b"{}", {}).failure)
    assert asked == [("93.184.216.34", 443)]


def test_a_name_that_nobody_knows_is_a_failure_and_no_exception() -> None:
    def unknown(*_: Any) -> list[str]:
        raise OSError("Name or service not known")

    assert "not known" in str(HttpPoster(resolve=unknown).post("https://hooks.example.com", b"", {}).failure)


class Receiver:
    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.status, self.location = 204, ""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((self.path, dict(self.headers), body))
                self.send_response(receiver.status)
                if receiver.location:
                    self.send_header("Location", receiver.location)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_on_a_laptop_a_receiver_beside_the_platform_gets_body_and_headers(receiver: Receiver) -> None:
    answer = HttpPoster(loopback=True).post(f"{receiver.url}/in?team=ml", b'{"a":1}', {"webhook-id": "7"})

    assert answer == (204, None)
    ((path, headers, body),) = receiver.got
    assert (path, body, headers["webhook-id"]) == ("/in?team=ml", b'{"a":1}', "7")
    assert headers["Content-Type"] == "application/json"


def test_redirects_are_not_followed(receiver: Receiver) -> None:
    receiver.status, receiver.location = 307, f"{receiver.url}/elsewhere"

    answer = HttpPoster(loopback=True).post(f"{receiver.url}/in", b"{}", {})

    assert answer == (307, "it answered 307; redirects are not followed")
    assert [path for path, _, _ in receiver.got] == ["/in"]


def test_what_does_not_answer_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    poster = HttpPoster(loopback=True, timeout_seconds=0.2)
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)  # listens, and nobody answers
    try:
        answer = poster.post(f"http://127.0.0.1:{server.server_port}/in", b"{}", {})
    finally:
        server.server_close()

    assert answer.status is None
    assert "no answer" in str(answer.failure)
