"""The platform of the end-to-end tests, with something to see, for a browser."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local import people
from local import platform as local_platform
from millrace.cli.deployment import LOCAL_STATE
from scripts.shown_data import show_live_model
from tests.e2e.conftest import EXAMPLES, Bench, assembly, bench

__all__ = ["assembly", "bench"]

DATASET = "penguins"
SETTINGS = {"target": "species", "training": {"trials": 1, "algorithms": ["linear", "xgboost"]}}


@dataclass(frozen=True)
class Dashboard:
    """Where it is, who may sign in (`people`), and a session that specs start with (`session`)."""

    url: str
    people: Path
    session: Path


@pytest.fixture(scope="session")
def dashboard(bench: Bench) -> Dashboard:
    """One small dataset, trained on once, a model that answers and has drifted, and one file that was refused."""
    with ThreadPoolExecutor(1) as beside:
        live = beside.submit(show_live_model, bench.platform, bench.put, "user:ada")
        bench.configure(DATASET, SETTINGS)
        refused = bench.put("uploads/unreadable/notes.csv", b"\x00\x01\x02 this is no table")
        bench.drop(DATASET, "penguins.csv", (EXAMPLES / "penguins.csv").read_bytes())
        bench.trained(DATASET, 1)
        bench.ended(refused)
        live.result()
    running = local_platform.running(bench.root / LOCAL_STATE)
    assert running is not None
    demo, *_ = people.invite(running.session(), running.state_dir, running.dashboard_url)
    session = bench.root / "session.json"
    session.write_text(json.dumps({"session": signed_in(running, demo)}))
    return Dashboard(running.dashboard_url, running.state_dir / people.FILE, session)


def signed_in(running: local_platform.RunningPlatform, who: people.Person) -> dict[str, Any]:
    """What the dashboard keeps in a tab of somebody who has signed in."""
    stacks = running.session().client("cloudformation").describe_stacks()["Stacks"]
    outputs = {out["OutputKey"]: out["OutputValue"] for stack in stacks for out in stack.get("Outputs", [])}
    answer = (
        running.session()
        .client("cognito-idp")
        .admin_initiate_auth(
            UserPoolId=outputs["UserPoolId"],
            ClientId=outputs["SpaClientId"],
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": who.name, "PASSWORD": who.password},
        )["AuthenticationResult"]
    )
    return {
        "accessToken": answer["AccessToken"],
        "idToken": answer["IdToken"],
        "refreshToken": answer["RefreshToken"],
        "expiresAt": int((time.time() + answer["ExpiresIn"]) * 1000),
    }
