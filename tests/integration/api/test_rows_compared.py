"""Two versions of a dataset row by row, on the deployed platform: from two files to the rows that differ."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.integration.api.conftest import OPENER, Answer, Deployed

EARLIER = "id,plan,age\n" + "".join(f"{number},basic,{20 + number % 50}\n" for number in range(300))
LATER = EARLIER.replace("\n7,basic,", "\n7,family,").replace("\n9,basic,29\n", "\n") + "900,basic,33\n901,family,34\n"
SECONDS = 180.0


def until(ask: Callable[[], Answer], done: Callable[[Answer], bool]) -> Answer:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        answer = ask()
        if done(answer):
            return answer
        time.sleep(0.5)
    raise AssertionError(f"in vain, last: {answer.status} {answer.text}")


def test_what_came_went_and_changed_is_told_and_can_be_fetched(deployed: Deployed) -> None:
    token = deployed.token("scientist")
    settings = {"name": "rows", "settings": {"key": ["id"]}}
    assert deployed.call("POST", "/datasets", token=token, body=settings).status == 201
    bucket = deployed.running.session().client("s3")
    for number, text in ((1, EARLIER), (2, LATER)):
        bucket.put_object(Bucket=deployed.outputs["DataBucket"], Key=f"uploads/rows/{number}.csv", Body=text.encode())
        until(
            lambda: deployed.call("GET", "/datasets/rows", token=token),
            lambda answer, number=number: answer.json["latest_ready_version"] == number,  # type: ignore[misc]
        )

    here = "/datasets/rows/diff/rows"
    asked = deployed.call("POST", here, token=token, body={"from_version": 1, "to_version": 2})
    assert asked.status == 202, asked.text
    done = until(
        lambda: deployed.call("GET", asked.headers["Location"], token=deployed.token("viewer")),
        lambda answer: answer.status != 202,
    )

    assert done.status == 200, done.text
    found = done.json["result"]
    assert (found["added"], found["removed"], found["changed"], found["unchanged"]) == (2, 1, 1, 298)
    assert found["changed_by_column"] == {"plan": 1, "age": 0}
    changes = {(example["change"], example["key"]["id"]) for example in found["examples"]}
    assert changes == {("CHANGED", "7"), ("REMOVED", "9"), ("ADDED", "900"), ("ADDED", "901")}
    offer = deployed.call("GET", f"{here}/file?from=1&to=2", token=token).json
    with OPENER.open(offer["address"], timeout=60) as response:
        assert response.read(4) == b"PAR1"
    run = deployed.call("GET", f"/runs/{done.json['run_id']}", token=token).json
    assert [(step["name"], step["state"]) for step in run["steps"]] == [("CompareRows", "SUCCEEDED")]
