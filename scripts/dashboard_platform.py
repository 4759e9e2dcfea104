"""A platform with something to see, for building the dashboard: `python -m scripts.dashboard_platform <directory>`.

Starts the local platform in the directory, unless it runs there, drops penguins, which are trained on, and a file that
cannot be read, and writes `session.json`: where the API is, and a session of `ada`, who is admin. A minute later
`seabirds` are live, too, and have drifted. Ctrl+C stops it; its state stays. A session is good for an hour: run it
again for a new one.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3

from local import platform as local_platform
from millrace.bootstrap import Platform
from millrace.cli.deployment import LOCAL_STATE, connect
from scripts import shown_data

ROOT = Path(__file__).parents[1]
PERSON = "ada"
PASSWORD = "Only-for-this-machine-1"  # noqa: S105 - of a pool that is made on this machine and reached from it alone
SETTINGS = "target: species\ntraining:\n  trials: 1\n  algorithms: [linear, xgboost]\n"
FILES = {
    "uploads/penguins/dataset.yaml": SETTINGS.encode(),
    "uploads/penguins/penguins.csv": (ROOT / "examples" / "penguins.csv").read_bytes(),
    "uploads/unreadable/notes.csv": b"\x00\x01\x02 this is no table",
}


def main(directory: Path) -> None:
    subprocess.run([sys.executable, "app.py", "local"], cwd=ROOT, check=True)
    state = directory / LOCAL_STATE
    running = local_platform.start(state, port=0, assembly=ROOT / "cdk.out" / "assembly-local")
    try:
        settings = connect("local", directory)
        for key, body in FILES.items():
            _put(settings.require("data_bucket"), key, body)
        known = _outputs()
        # A platform that was started again may have another port than the one its stacks were deployed at.
        api = running.endpoint_url + urlsplit(known["ApiUrl"]).path
        session = {"api": api, "session": _session(known)}
        (directory / "session.json").write_text(json.dumps(session))
        print(f"{api}\n{directory / 'session.json'}", flush=True)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        platform = Platform(settings)
        if not any(model.name == shown_data.NAME for model in platform.registry.models()):
            put = partial(_put, settings.require("data_bucket"))
            shown_data.show_live_model(platform, put, f"user:{PERSON}")
            print(f"{shown_data.NAME} answer, and have drifted", flush=True)
        while True:
            time.sleep(3600)
    finally:
        running.stop()


def _put(bucket: str, key: str, body: bytes) -> None:
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=body)


def _outputs() -> dict[str, str]:
    pages = boto3.client("cloudformation").get_paginator("describe_stacks").paginate()
    return {o["OutputKey"]: o["OutputValue"] for page in pages for s in page["Stacks"] for o in s.get("Outputs", [])}


def _session(known: dict[str, str]) -> dict[str, Any]:
    """What the dashboard keeps in sessionStorage, of a person who exists here only."""
    pool = boto3.client("cognito-idp")
    pool_id = known["UserPoolId"]
    if not pool.list_users(UserPoolId=pool_id, Filter=f'username = "{PERSON}"')["Users"]:
        pool.admin_create_user(UserPoolId=pool_id, Username=PERSON, MessageAction="SUPPRESS")
        pool.admin_set_user_password(UserPoolId=pool_id, Username=PERSON, Password=PASSWORD, Permanent=True)
        pool.admin_add_user_to_group(UserPoolId=pool_id, Username=PERSON, GroupName="admin")
    answer = pool.admin_initiate_auth(
        UserPoolId=pool_id,
        ClientId=known["SpaClientId"],
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": PERSON, "PASSWORD": PASSWORD},
    )["AuthenticationResult"]
    return {
        "accessToken": answer["AccessToken"],
        "idToken": answer.get("IdToken"),
        "refreshToken": None,
        "expiresAt": int((time.time() + answer["ExpiresIn"]) * 1000),
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
