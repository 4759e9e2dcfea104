"""The deployed API on a local platform, with people and machines of a real user pool."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from local import platform as local_platform

ROOT = Path(__file__).parents[3]
PASSWORD = "Correct-horse-7-battery"
# A proxy of the host must not see loopback traffic.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


def send(method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None) -> Answer:
    request = urllib.request.Request(url, method=method, headers=dict(headers or {}), data=body)  # noqa: S310 loopback
    try:
        with OPENER.open(request, timeout=60) as response:
            return Answer(response.status, dict(response.headers), response.read().decode())
    except urllib.error.HTTPError as error:
        return Answer(error.code, dict(error.headers), error.read().decode())


@dataclass
class Deployed:
    """What a client knows: the stacks' outputs. Tokens are kept, as a client keeps them."""

    running: local_platform.RunningPlatform
    outputs: Mapping[str, str]
    tokens: dict[str, str] = field(default_factory=dict)

    @cached_property
    def pool(self) -> Any:
        return self.running.session().client("cognito-idp")

    @property
    def pool_id(self) -> str:
        return self.outputs["UserPoolId"]

    def discovery(self) -> Any:
        return send("GET", f"{self.running.endpoint_url}/{self.pool_id}/.well-known/openid-configuration").json

    def person(self, name: str, *groups: str, client_id: str | None = None, kind: str = "AccessToken") -> str:
        """A token of somebody who is in the groups; invited first when new."""
        try:
            self.pool.admin_create_user(UserPoolId=self.pool_id, Username=name, MessageAction="SUPPRESS")
        except self.pool.exceptions.UsernameExistsException:
            return self._signed_in(name, client_id, kind)
        self.pool.admin_set_user_password(UserPoolId=self.pool_id, Username=name, Password=PASSWORD, Permanent=True)
        for group in groups:
            self.pool.admin_add_user_to_group(UserPoolId=self.pool_id, Username=name, GroupName=group)
        return self._signed_in(name, client_id, kind)

    def _signed_in(self, name: str, client_id: str | None, kind: str) -> str:
        answer = self.pool.admin_initiate_auth(
            UserPoolId=self.pool_id,
            ClientId=client_id or self.outputs["SpaClientId"],
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": name, "PASSWORD": PASSWORD},
        )
        return str(answer["AuthenticationResult"][kind])

    def machine(self, scope: str | None = None) -> Answer:
        """The token endpoint's answer to the machines' client."""
        client = self.pool.describe_user_pool_client(UserPoolId=self.pool_id, ClientId=self.outputs["MachineClientId"])[
            "UserPoolClient"
        ]
        form = {"grant_type": "client_credentials"} | ({"scope": scope} if scope else {})
        credentials = base64.b64encode(f"{client['ClientId']}:{client['ClientSecret']}".encode()).decode()
        headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/x-www-form-urlencoded"}
        body = urllib.parse.urlencode(form).encode()
        return send("POST", self.discovery()["token_endpoint"], headers=headers, body=body)

    def token(self, role: str) -> str:
        """An access token of a person who has this role alone."""
        if role not in self.tokens:
            self.tokens[role] = self.person(f"{role}-person", role)
        return self.tokens[role]

    def call(self, method: str, path: str, *, token: str | None = None, body: Any = None, **headers: str) -> Answer:
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        said |= {"Authorization": f"Bearer {token}"} if token else {}
        said |= {"Content-Type": "application/json"} if body is not None else {}
        encoded = None if body is None else json.dumps(body).encode()
        return send(method, f"{self.outputs['ApiUrl']}{path}", headers=said, body=encoded)


@pytest.fixture(scope="session")
def local_assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("assembly") / "cdk.out"
    subprocess.run([sys.executable, "app.py", "local", "--output", str(output)], cwd=ROOT, check=True)
    return output / "assembly-local"


@contextmanager
def deployment(state: Path, assembly: Path) -> Iterator[Deployed]:
    running = local_platform.start(state, port=0, assembly=assembly)
    try:
        stacks = running.session().client("cloudformation").describe_stacks()["Stacks"]
        outputs = {out["OutputKey"]: out["OutputValue"] for stack in stacks for out in stack.get("Outputs", [])}
        yield Deployed(running, outputs)
    finally:
        running.stop()


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory, local_assembly: Path) -> Iterator[Deployed]:
    with deployment(tmp_path_factory.mktemp("api"), local_assembly) as found:
        yield found
