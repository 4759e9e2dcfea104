"""The Python client and the terminal's sign-in against the deployed API and its user pool."""

from __future__ import annotations

import threading
import urllib.parse
from pathlib import Path

import pytest

from millrace.cli.signing_in import Deployment, find_deployment, sign_in_by_browser
from millrace.client import AccessToken, ApiKey, Client, Invalid, NotAllowed, NotFound, NotSignedIn, Request, send
from tests.integration.api.conftest import PASSWORD, Deployed


@pytest.fixture(scope="module")
def deployment(deployed: Deployed) -> Deployment:
    return find_deployment(deployed.running.dashboard_url, send)


def test_a_person_signs_in_on_the_pools_page_and_is_sent_back_to_the_terminal(
    deployed: Deployed, deployment: Deployment
) -> None:
    deployed.person("grace", "viewer")

    def visit(address: str) -> None:
        """As a browser: fill in the form, and go where the pool says."""
        asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(address).query))
        form = urllib.parse.urlencode({**asked, "username": "grace", "password": PASSWORD}).encode()
        page = urllib.parse.urljoin(address, "/login")
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        back = send(Request("POST", page, headers, form)).headers["location"]
        send(Request("GET", back.replace("localhost", "127.0.0.1")))

    def open_page(address: str) -> None:
        threading.Thread(target=visit, args=[address]).start()

    tokens = sign_in_by_browser(deployment, send, open_page=open_page)

    client = Client(deployment.api_url, AccessToken(tokens.access))
    assert client.get("/dashboard/stats")["datasets"] >= 0
    assert tokens.refresh
    with pytest.raises(NotAllowed):
        client.configure_dataset("of-grace", {})


def test_a_script_with_a_key_sends_a_file_and_waits_for_its_run(
    deployed: Deployed, deployment: Deployment, tmp_path: Path
) -> None:
    answer = deployed.call("POST", "/api-keys", token=deployed.token("scientist"), body={"name": "client"})
    client = Client(deployment.api_url, ApiKey(answer.json["token"]))
    file = tmp_path / "may rows.csv"
    file.write_text("id,age,home\n" + "".join(f"{n},{n % 60 + 18},own\n" for n in range(200)))

    client.configure_dataset("by-client", {"key": ["id"]})
    run = client.wait_for_run(client.upload(file, "by-client"), seconds=240)

    assert (run["state"], run["pipeline"]) == ("SUCCEEDED", "ingest")
    (version,) = client.dataset_versions("by-client")
    assert version["accepted"] == 200
    assert run["run_id"] in [each["run_id"] for each in client.runs(dataset="by-client", limit=1)]
    with pytest.raises(Invalid) as refused:
        client.configure_dataset("by-client", {"target": "no-such-column"})
    assert refused.value.request_id


def test_refusals_arrive_as_what_they_are(deployed: Deployed, deployment: Deployment) -> None:
    viewer = Client(deployment.api_url, AccessToken(deployed.token("viewer")))

    with pytest.raises(NotFound, match="training-unknown"):
        viewer.run("training-unknown")
    with pytest.raises(NotSignedIn):
        Client(deployment.api_url, AccessToken("forged")).get("/models")
    with pytest.raises(NotSignedIn):
        Client(deployment.api_url, ApiKey("mr_0000000000000000_forged")).get("/models")
