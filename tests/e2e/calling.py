"""People who sign in and call the API over HTTP, as anybody would."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from tests.e2e.conftest import Bench
from tests.screens import is_a_screen

PASSWORD = "Correct-Horse-7-Battery"


class Caller:
    """A signed-in person at the API."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self._token = token

    def get(self, path: str) -> tuple[int, dict[str, Any]]:
        return self._call(path, None)

    def post(self, path: str, body: Any) -> tuple[int, dict[str, Any]]:
        return self._call(path, json.dumps(body).encode())

    def put(self, path: str, body: Any) -> tuple[int, dict[str, Any]]:
        return self._call(path, json.dumps(body).encode(), method="PUT")

    def send(self, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
        return self._call(path, None if body is None else json.dumps(body).encode(), method=method)

    def predict(self, rows: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        status, answer = self.post("/inference/predict", {"model": "served", "rows": rows, **more})
        assert status == 200, answer
        return answer

    def _call(self, path: str, body: bytes | None, *, method: str | None = None) -> tuple[int, dict[str, Any]]:
        """Status and body."""
        request = urllib.request.Request(  # noqa: S310 - the API's own address
            self.url + path,
            data=body,
            method=method,
            headers={"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as refused:
            return refused.code, json.loads(refused.read() or b"{}")


def shows_the_dashboard(address: str) -> bool:
    """Whether opening `address` gets the dashboard's page, whose own list of routes has a screen for it."""
    with urllib.request.urlopen(address, timeout=30) as answer:  # noqa: S310 - the platform's own address
        page = answer.read().decode()
    return answer.status == 200 and '<div id="root">' in page and is_a_screen(address)


def outputs(bench: Bench) -> dict[str, str]:
    pages = bench.session.client("cloudformation").get_paginator("describe_stacks").paginate()
    return {o["OutputKey"]: o["OutputValue"] for page in pages for s in page["Stacks"] for o in s.get("Outputs", [])}


def signed_in(bench: Bench, name: str, role: str) -> Caller:
    known, client = outputs(bench), bench.session.client("cognito-idp")
    pool = known["UserPoolId"]
    client.admin_create_user(UserPoolId=pool, Username=name, MessageAction="SUPPRESS")
    client.admin_set_user_password(UserPoolId=pool, Username=name, Password=PASSWORD, Permanent=True)
    client.admin_add_user_to_group(UserPoolId=pool, Username=name, GroupName=role)
    answer = client.admin_initiate_auth(
        UserPoolId=pool,
        ClientId=known["SpaClientId"],
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": name, "PASSWORD": PASSWORD},
    )
    return Caller(known["ApiUrl"], answer["AuthenticationResult"]["AccessToken"])
