"""Does a deployed environment work? `python -m scripts.smoke dev`: what a client can see, in about two minutes.

It signs in as the machines' client, is refused without a token, and sends a small file through the API until its rows
are accepted. Nothing is trained and nothing approved. The dataset `smoke` gets a new version each time, since the file
says when it was made. AWS credentials are needed for one thing alone: the stacks' outputs and the client's secret.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3

from millrace.client import Client, MachineSignIn, Request, Unreachable, send
from millrace.errors import PlatformError

DATASET = "smoke"
ROWS = 200
LONGEST_SECONDS = 900.0


class SmokeFailed(Exception):
    """The environment does not do what it should; the message says what was asked and what came back."""


@dataclass(frozen=True)
class Deployment:
    """What a client has to know."""

    api_url: str
    machine: MachineSignIn


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
    machine = MachineSignIn(
        token_endpoint=json.loads(_asked("the pool describes itself", document, 200))["token_endpoint"],
        client_id=outputs["MachineClientId"],
        secret=client["UserPoolClient"]["ClientSecret"],
    )
    return Deployment(outputs["ApiUrl"].rstrip("/"), machine)


def smoke(deployment: Deployment, *, marker: str, say: Callable[[str], None]) -> None:
    """Raises SmokeFailed at the first thing that is not as it should be."""
    api = deployment.api_url
    _asked("the API answers", f"{api}/healthz", 200)
    say("the API answers")
    contract = json.loads(_asked("the contract is there", f"{api}/openapi.json", 200))
    say(f"the contract names {len(contract['paths'])} paths")
    _asked("a stranger is refused", f"{api}/models", 401)
    say("who has no token is refused")
    client = Client(api, deployment.machine)
    with _trying("the machines' client gets a token"):
        deployment.machine.token()
    with _trying("the machines' client may look"):
        client.get("/models")
    say("a machine signs in with its roles")
    with _trying("a file is uploaded"):
        run_id = _upload(client, marker)
    say(f"a file is uploaded in parts and starts {run_id}")
    with _trying("its run is followed"):
        run = client.wait_for_run(run_id, seconds=LONGEST_SECONDS)
    if run["state"] != "SUCCEEDED":
        raise SmokeFailed(f"{run_id} ended {run['state']}: {run['reason']}")
    latest = next(client.dataset_versions(DATASET))
    if latest["accepted"] != ROWS:
        raise SmokeFailed(f"{ROWS} rows were sent and {latest['accepted']} accepted")
    say(f"its {ROWS} rows are accepted as {DATASET} version {latest['version']}")


def _upload(client: Client, marker: str) -> str:
    client.configure_dataset(DATASET, {})
    lines = ["made_at,number,parity", *(f"{marker},{n},{'even' if n % 2 == 0 else 'odd'}" for n in range(ROWS))]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "smoke.csv"
        file.write_text("\n".join(lines) + "\n")
        return client.upload(file, DATASET)


@contextmanager
def _trying(what: str) -> Iterator[None]:
    try:
        yield
    except PlatformError as error:
        raise SmokeFailed(f"{what}: {type(error).__name__}: {error}") from error


def _asked(what: str, url: str, status: int) -> bytes:
    """What is answered to somebody without credentials."""
    try:
        answer = send(Request("GET", url))
    except Unreachable as error:
        raise SmokeFailed(f"{what}: {error}") from error
    if answer.status != status:
        raise SmokeFailed(f"{what}: expected {status}, got {answer.status}: {answer.content.decode(errors='replace')}")
    return answer.content


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
