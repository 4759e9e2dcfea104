"""A file in parts, from its first address to its run, on the deployed API; and what the audit trail says of it."""

from __future__ import annotations

import time
import urllib.request
from typing import Any

from millrace.adapters.dynamodb import DynamoAuditTrail, DynamoRunLedger, Table
from millrace.domain.run import RunState
from millrace.errors import NotFound
from millrace.use_cases.verify_audit import verify_audit
from tests.integration.api.conftest import OPENER, Deployed, send

ROW = b"17,30,2000.50,own,good\n"
FILE = b"id,age,income,home,status\n" + ROW * (20 * 1024**2 // len(ROW))


def send_part(address: str, body: bytes) -> int:
    request = urllib.request.Request(address, method="PUT", data=body)  # noqa: S310 loopback
    with OPENER.open(request, timeout=60) as response:
        return int(response.status)


def ended(ledger: DynamoRunLedger, run_id: str, seconds: float = 240.0) -> Any:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            run = ledger.get(run_id)
        except NotFound:
            run = None
        if run is not None and run.state is not RunState.RUNNING:
            return run
        time.sleep(0.5)
    raise AssertionError(f"{run_id} has not ended")


def test_a_file_sent_in_parts_with_a_break_becomes_a_run_and_everything_is_on_record(deployed: Deployed) -> None:
    token = deployed.token("scientist")
    assert deployed.call("POST", "/datasets", token=token, body={"name": "parts"}).status == 201
    new = {"file_name": "may file.csv", "size_bytes": len(FILE)}

    ticket = deployed.call("POST", "/datasets/parts/uploads", token=token, body=new).json
    first, _ = ticket["parts"]
    assert send_part(first["address"], FILE[: first["size_bytes"]]) == 200
    here = f"/datasets/parts/uploads/{ticket['upload_id']}"
    assert deployed.call("POST", f"{here}/complete", token=token).status == 409
    again = deployed.call("GET", here, token=token).json
    assert [part["address"] is None for part in again["parts"]] == [True, False]
    assert send_part(again["parts"][1]["address"], FILE[first["size_bytes"] :]) == 200
    completed = deployed.call("POST", f"{here}/complete", token=token)

    assert completed.status == 202, completed.text
    table = Table(deployed.running.session().client("dynamodb"), deployed.outputs["RegistryTable"])
    run = ended(DynamoRunLedger(table), completed.json["run_id"])
    assert run.input["size_bytes"] == len(FILE)
    assert deployed.call("GET", here, token=token).json["state"] == "COMPLETED"
    (arrived,) = deployed.call("GET", "/datasets/parts/uploads", token=token).json["items"]
    assert (arrived["run_id"], arrived["key"]) == (run.run_id, "uploads/parts/may file.csv")
    report = deployed.call("GET", "/datasets/parts/versions/1/files/report", token=token).json
    fetched = send("GET", report["address"])
    assert (fetched.status, len(fetched.text.encode())) == (200, report["size_bytes"])
    assert fetched.json["dataset"] == "parts"
    entries = deployed.call("GET", "/activity?subject=dataset:parts", token=token).json["items"]
    assert {"dataset.created", "transfer.open", "transfer.completed", "upload.received"} <= {
        entry["action"] for entry in entries
    }
    assert {entry["actor"] for entry in entries if entry["action"].startswith("transfer")} == {"user:scientist-person"}
    report = verify_audit(trail=DynamoAuditTrail(table))
    assert report.faults == ()
    assert report.entries > len(entries)


def test_an_aborted_file_cannot_be_completed(deployed: Deployed) -> None:
    token = deployed.token("scientist")
    deployed.call("POST", "/datasets", token=token, body={"name": "parts"})
    new = {"file_name": "june.csv", "size_bytes": 10}
    ticket = deployed.call("POST", "/datasets/parts/uploads", token=token, body=new).json
    here = f"/datasets/parts/uploads/{ticket['upload_id']}"

    assert deployed.call("DELETE", here, token=token).status == 200

    assert deployed.call("POST", f"{here}/complete", token=token).status == 409
    assert deployed.call("GET", here, token=token).json["state"] == "ABORTED"


def test_the_dashboard_counts_what_the_platform_did(deployed: Deployed) -> None:
    token = deployed.token("viewer")
    before = deployed.call("GET", "/dashboard/stats", token=token).json
    deployed.call("POST", "/datasets", token=deployed.token("scientist"), body={"name": "counted"})

    after = deployed.call("GET", "/dashboard/stats", token=token).json

    assert after["datasets"] == before["datasets"] + 1
    assert after["latest_activity"][0]["action"] == "dataset.created"
