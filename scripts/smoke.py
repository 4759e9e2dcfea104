"""Does a deployed environment work? `python -m scripts.smoke dev`: what a client can see, in about two minutes.

It signs in as the machines' client, is refused without a token, and sends a small file through the API until its rows
are accepted. Nothing is trained and nothing approved. The dataset `smoke` gets a new version each time, since the file
says when it was made. AWS credentials are needed for one thing alone: the stacks' outputs and the client's secret.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import boto3

DATASET = "smoke"
ROWS = 200
POLL_SECONDS = 3.0
LONGEST_SECONDS = 900.0
FINAL_STATES = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")


class SmokeFailed(Exception):
    """The environment does not do what it should; the message says what was asked and what came back."""


class Answer(NamedTuple):
    status: int
    body: Any


@dataclass(frozen=True)
class Deployment:
    """What a client has to know. `secret` is never printed."""

    api_url: str
    token_endpoint: str
    client_id: str
    secret: str


def find(environment: str, session: boto3.Session) -> Deployment:
    """The environment's outputs. Raises SmokeFailed: it is not deployed."""
    stacks = session.client("cloudformation").describe_stacks()["Stacks"]
    outputs = {
        output["OutputKey"]: output["OutputValue"]
        for stack in stacks
        if stack["StackName"].startswith(f"Millrace-{environment}-")
        for output in stack.get("Outputs", [])
    }
    if "ApiUrl" not in outputs:
        raise SmokeFailed(f"there is no API of environment {environment!r}: deploy it first")
    pool = session.client("cognito-idp")
    client = pool.describe_user_pool_client(UserPoolId=outputs["UserPoolId"], ClientId=outputs["MachineClientId"])
    document = f"{pool.meta.endpoint_url}/{outputs['UserPoolId']}/.well-known/openid-configuration"
    return Deployment(
        api_url=outputs["ApiUrl"].rstrip("/"),
        token_endpoint=send("GET", document).body["token_endpoint"],
        client_id=outputs["MachineClientId"],
        secret=client["UserPoolClient"]["ClientSecret"],
    )


def send(method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None) -> Answer:
    """One request. An empty body is None; one that is not JSON is given as text."""
    request = urllib.request.Request(url, method=method, headers=dict(headers or {}), data=body)  # noqa: S310 https, or loopback
    try:
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
            return Answer(response.status, _read(response.read()))
    except urllib.error.HTTPError as error:
        return Answer(error.code, _read(error.read()))


def smoke(deployment: Deployment, *, marker: str, say: Callable[[str], None]) -> None:
    """Raises SmokeFailed at the first thing that is not as it should be."""
    api = deployment.api_url
    _expect("the API answers", send("GET", f"{api}/healthz"), 200)
    say("the API answers")
    contract = _expect("the contract is there", send("GET", f"{api}/openapi.json"), 200)
    say(f"the contract names {len(contract['paths'])} paths")
    _expect("a stranger is refused", send("GET", f"{api}/models"), 401)
    say("who has no token is refused")
    headers = {"Authorization": f"Bearer {_token(deployment)}", "Content-Type": "application/json"}
    _expect("the machines' client may look", send("GET", f"{api}/models", headers=headers), 200)
    say("a machine signs in with its roles")
    run_id = _upload(api, headers, marker)
    say(f"a file is uploaded in parts and starts {run_id}")
    run = _wait(api, headers, run_id)
    if run["state"] != "SUCCEEDED":
        raise SmokeFailed(f"{run_id} ended {run['state']}: {run.get('reason')}")
    versions = _expect("versions", send("GET", f"{api}/datasets/{DATASET}/versions", headers=headers), 200)
    latest = versions["items"][0]
    if latest["accepted"] != ROWS:
        raise SmokeFailed(f"{ROWS} rows were sent and {latest['accepted']} accepted")
    say(f"its {ROWS} rows are accepted as {DATASET} version {latest['version']}")


def _token(deployment: Deployment) -> str:
    credentials = base64.b64encode(f"{deployment.client_id}:{deployment.secret}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/x-www-form-urlencoded"}
    body = urllib.parse.urlencode({"grant_type": "client_credentials"}).encode()
    answer = send("POST", deployment.token_endpoint, headers=headers, body=body)
    return str(_expect("the machines' client gets a token", answer, 200)["access_token"])


def _upload(api: str, headers: Mapping[str, str], marker: str) -> str:
    made = send("POST", f"{api}/datasets", headers=headers, body=json.dumps({"name": DATASET}).encode())
    if made.status not in {201, 409}:
        _expect("a dataset can be made", made, 201)
    lines = ["made_at,number,parity", *(f"{marker},{n},{'even' if n % 2 == 0 else 'odd'}" for n in range(ROWS))]
    content = ("\n".join(lines) + "\n").encode()
    new = json.dumps({"file_name": "smoke.csv", "size_bytes": len(content)}).encode()
    ticket = _expect(
        "an upload can begin", send("POST", f"{api}/datasets/{DATASET}/uploads", headers=headers, body=new), 201
    )
    for part in ticket["parts"]:
        _expect("a part is taken", send("PUT", part["address"], body=content), 200)
    done = f"{api}/datasets/{DATASET}/uploads/{ticket['upload_id']}/complete"
    return str(_expect("the upload is complete", send("POST", done, headers=headers, body=b""), 202)["run_id"])


def _wait(api: str, headers: Mapping[str, str], run_id: str) -> Any:
    deadline = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < deadline:
        answer = send("GET", f"{api}/runs/{run_id}", headers=headers)
        # An arrival takes a moment to become a run.
        if answer.status != 404 and _expect("the run is told", answer, 200)["state"] in FINAL_STATES:
            return answer.body
        time.sleep(POLL_SECONDS)
    raise SmokeFailed(f"{run_id} did not end within {LONGEST_SECONDS:.0f} s")


def _expect(what: str, answer: Answer, status: int) -> Any:
    if answer.status != status:
        raise SmokeFailed(f"{what}: expected {status}, got {answer.status}: {answer.body}")
    return answer.body


def _read(content: bytes) -> Any:
    try:
        return json.loads(content) if content else None
    except ValueError:
        return content.decode(errors="replace")


def main() -> None:
    parser = argparse.ArgumentParser(description="Try a deployed environment from outside.")
    parser.add_argument("environment")
    environment = parser.parse_args().environment
    started = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - started:6.1f} s  {line}", flush=True)

    try:
        smoke(find(environment, boto3.Session()), marker=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), say=say)
    except SmokeFailed as error:
        sys.exit(f"The smoke test of {environment} failed: {error}")
    print(f"{environment} works.")


if __name__ == "__main__":
    main()
