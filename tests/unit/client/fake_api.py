"""An API and a bucket that answer from a script, and remember what they were asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from millrace.client import AccessToken, Answer, Client, Credentials, Request, Unreachable

URL = "https://millrace.test/api"
Given = Answer | Exception


def said(body: Any, status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, named, b"" if body is None else json.dumps(body).encode())


class FakeApi:
    """Gives the prepared answers one after the other, and advances its clock when somebody sleeps."""

    def __init__(self, *answers: Given) -> None:
        self.answers = list(answers)
        self.asked: list[Request] = []
        self.slept: list[float] = []

    def send(self, request: Request) -> Answer:
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self, credentials: Credentials | None = None) -> Client:
        clock: Callable[[], float] = lambda: sum(self.slept)  # noqa: E731
        return Client(URL, credentials or AccessToken("token"), send=self.send, sleep=self.slept.append, clock=clock)

    @property
    def lines(self) -> list[str]:
        return [f"{request.method} {request.url.removeprefix(URL)}" for request in self.asked]


LOST = Unreachable("no answer")
