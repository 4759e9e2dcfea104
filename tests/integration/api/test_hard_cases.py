"""What a hostile or unlucky client sends to the deployed API: too much, any script, paths of others, all at once."""

from __future__ import annotations

from functools import partial
from itertools import cycle
from typing import Any
from urllib.parse import quote

import pytest

from lambdas.api.manners import MAX_BODY_BYTES
from millrace.adapters.dynamodb import DynamoDatasetCatalog, DynamoModelRegistry, Table
from tests.builders import NOON, a_contract, a_model_version, an_upload, prepared
from tests.contract.concurrency import all_at_once
from tests.integration.api.conftest import Answer, Deployed, send

# What API Gateway and Lambda take at most: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
LAMBDA_BYTES = 6 * 1024**2
PROBLEM = "application/problem+json"
# Scripts, a surrogate pair, a joined emoji, a combining accent that no form may compose, right to left, quotes, markup.
UNICODE = "Grüße 数据 🧪 👩‍👧 e\u0301 مرحبا ' \" <b> \\ 50% \u2028 end"
WRITERS = 8


@pytest.fixture(scope="module")
def scientist(deployed: Deployed) -> str:
    return deployed.token("scientist")


@pytest.fixture(scope="module")
def table(deployed: Deployed) -> Table:
    return Table(deployed.running.session().client("dynamodb"), deployed.outputs["RegistryTable"])


def posted(deployed: Deployed, token: str, path: str, body: bytes) -> Answer:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return send("POST", f"{deployed.outputs['ApiUrl']}{path}", headers=headers, body=body)


@pytest.mark.parametrize("path", ["/datasets", "/inference/predict"])
@pytest.mark.parametrize("size", [MAX_BODY_BYTES + 1, LAMBDA_BYTES - 64 * 1024, LAMBDA_BYTES + 1])
def test_a_body_that_is_too_large_is_refused_with_413(deployed: Deployed, scientist: str, path: str, size: int) -> None:
    frame = b'{"name": "too-large", "padding": "%s"}'
    body = frame % (b"x" * (size - len(frame) + 2))
    assert len(body) == size

    answer = posted(deployed, scientist, path, body)

    assert answer.status == 413, answer.text[:300]
    assert "message" in answer.json or answer.headers["Content-Type"].startswith(PROBLEM)
    assert deployed.call("GET", "/datasets/too-large", token=scientist).status == 404


def test_text_of_every_script_comes_back_as_it_was_sent(deployed: Deployed, scientist: str, table: Table) -> None:
    settings = {"target": UNICODE, "key": [UNICODE + "k"], "group": UNICODE + "g", "exclude": [UNICODE + "x"]}
    assert (
        deployed.call("POST", "/datasets", token=scientist, body={"name": "scripts", "settings": settings}).status
        == 201
    )
    kept = deployed.call("GET", "/datasets/scripts", token=scientist).json["settings"]
    assert {name: kept[name] for name in settings} == settings

    timer = {"name": UNICODE, "action": "train", "about": "scripts", "expression": "rate(1 day)"}
    made = deployed.call("POST", "/schedules", token=scientist, body=timer)
    assert made.status == 201, made.text
    here = f"/schedules/{made.json['schedule_id']}"
    assert deployed.call("GET", here, token=scientist).json["name"] == UNICODE
    assert deployed.call("DELETE", here, token=scientist).status == 200

    registered(table, "scripts")
    decided = deployed.call(
        "PUT", "/models/scripts:1/approve", token=deployed.token("approver"), body={"reason": UNICODE}
    )
    assert decided.status == 200, decided.text
    told = deployed.call("GET", "/models/scripts/history", token=scientist).json["items"]
    assert [event["reason"] for event in told if event["kind"] == "APPROVED"] == [UNICODE]


def test_a_file_name_of_every_script_is_the_name_of_the_object(deployed: Deployed, scientist: str) -> None:
    deployed.call("POST", "/datasets", token=scientist, body={"name": "named"})
    name = UNICODE.replace("\\", "") + ".csv"

    ticket = deployed.call(
        "POST", "/datasets/named/uploads", token=scientist, body={"file_name": name, "size_bytes": 4}
    )

    assert ticket.status == 201, ticket.text
    assert ticket.json["key"] == f"uploads/named/{name}"
    assert deployed.call("DELETE", f"/datasets/named/uploads/{ticket.json['upload_id']}", token=scientist).status == 200


# Not 401 and 429: those would say nothing of the path.
REFUSED = {400, 403, 404, 405, 422}
TRAVERSALS = (
    "..",
    "%2e%2e",
    "%2e%2e%2fothers",
    "..%2f..%2fothers",
    "%252e%252e%252fothers",
    "others%2f..%2fothers",
    "%2fetc%2fpasswd",
    "others%00",
    "..%5cothers",
    "others%23",
)


def test_no_path_parameter_takes_a_path(deployed: Deployed, scientist: str) -> None:
    """Every GET with parameters in its path, each parameter in turn: refused, never an answer, never a fault."""
    secret = "only-in-others"
    settings = {"name": "others", "settings": {"target": secret}}
    deployed.call("POST", "/datasets", token=scientist, body=settings)
    paths = deployed.call("GET", "/openapi.json").json["paths"]
    # Several people, so that the limit of requests per caller does not answer instead of the route.
    tokens = cycle([deployed.person(f"intruder-{number}", "admin") for number in range(4)])
    asked = 0
    for rule, methods in paths.items():
        if "get" not in methods or "{" not in rule:
            continue
        parameters = [piece[1:-1] for piece in rule.split("/") if piece.startswith("{")]
        for attacked in parameters:
            for bad in TRAVERSALS[asked % 2 :: 2]:
                path = rule.replace(f"{{{attacked}}}", bad)
                for other in parameters:
                    path = path.replace(f"{{{other}}}", "1")
                answer = deployed.call("GET", path, token=next(tokens))
                assert answer.status in REFUSED, (path, answer.status, answer.text)
                assert secret not in answer.text, path
            asked += 1
    assert asked > 20


BAD_FILE_NAMES = (
    "../others/may.csv",
    "..\\others\\may.csv",
    "/etc/passwd",
    "a/b.csv",
    "may.csv\x00.png",
    "may\r\n.csv",
    "..",
    ".",
    "",
)


@pytest.mark.parametrize("name", BAD_FILE_NAMES)
def test_no_file_name_takes_a_path(deployed: Deployed, scientist: str, name: str) -> None:
    deployed.call("POST", "/datasets", token=scientist, body={"name": "contained"})

    ticket = deployed.call(
        "POST", "/datasets/contained/uploads", token=scientist, body={"file_name": name, "size_bytes": 4}
    )
    batch = deployed.call(
        "POST",
        "/inference/batch/uploads",
        token=scientist,
        body={"model": "contained", "file_name": name, "size_bytes": 4},
    )

    assert ticket.status == 422, ticket.text
    assert batch.status in (404, 422), batch.text


def test_a_name_that_only_looks_encoded_stays_below_its_dataset(deployed: Deployed, scientist: str) -> None:
    deployed.call("POST", "/datasets", token=scientist, body={"name": "contained"})
    for name in ("%2e%2e%2fothers%2fmay.csv", "%00.csv", "..csv"):
        ticket = deployed.call(
            "POST", "/datasets/contained/uploads", token=scientist, body={"file_name": name, "size_bytes": 4}
        ).json
        assert ticket["key"] == f"uploads/contained/{name}"
        assert f"/uploads/contained/{quote(name)}?" in ticket["parts"][0]["address"]
        deployed.call("DELETE", f"/datasets/contained/uploads/{ticket['upload_id']}", token=scientist)


def test_an_upload_of_another_dataset_is_not_there(deployed: Deployed, scientist: str) -> None:
    for name in ("mine", "yours"):
        deployed.call("POST", "/datasets", token=scientist, body={"name": name})
    ticket = deployed.call(
        "POST", "/datasets/yours/uploads", token=scientist, body={"file_name": "may.csv", "size_bytes": 4}
    ).json
    there = f"/datasets/mine/uploads/{ticket['upload_id']}"

    answers = [deployed.call(*ask, token=scientist).status for ask in (("GET", there), ("DELETE", there))]

    assert [*answers, deployed.call("POST", f"{there}/complete", token=scientist).status] == [404, 404, 404]
    assert deployed.call("GET", there.replace("mine", "yours"), token=scientist).json["state"] == "OPEN"


def test_of_writers_to_one_dataset_one_wins_and_the_rest_are_told(deployed: Deployed, scientist: str) -> None:
    deployed.call("POST", "/datasets", token=scientist, body={"name": "raced"})
    seen = deployed.call("GET", "/datasets/raced", token=scientist)
    wanted = [f"target-{number}" for number in range(WRITERS)]

    answers = raced(
        deployed,
        [("PATCH", "/datasets/raced", scientist, {"target": each}, seen.headers["ETag"]) for each in wanted],
    )

    won = [target for target, answer in zip(wanted, answers, strict=True) if answer.status == 200]
    assert sorted(answer.status for answer in answers) == [200] + [412] * (WRITERS - 1)
    after = deployed.call("GET", "/datasets/raced", token=scientist).json
    assert [after["settings"]["target"]] == won
    assert after["revision"] == seen.json["revision"] + 1


def test_writers_who_change_different_settings_lose_nothing(deployed: Deployed, scientist: str) -> None:
    deployed.call("POST", "/datasets", token=scientist, body={"name": "merged"})
    changes: list[dict[str, Any]] = [
        {"target": "left"},
        {"key": ["id"]},
        {"group": "household"},
        {"exclude": ["note"]},
        {"max_quarantined_share": 0.25},
        {"four_eyes": True},
    ]

    answers = raced(deployed, [("PATCH", "/datasets/merged", scientist, each, None) for each in changes])

    # Who loses every repetition is told so, and has changed nothing.
    assert {answer.status for answer in answers} <= {200, 409}
    kept = deployed.call("GET", "/datasets/merged", token=scientist).json
    done = [change for change, answer in zip(changes, answers, strict=True) if answer.status == 200]
    assert done
    assert all(kept["settings"][name] == value for change in done for name, value in change.items())


def test_of_decisions_on_one_version_one_holds(deployed: Deployed, table: Table) -> None:
    registered(table, "decided")
    token = deployed.token("approver")
    seen = deployed.call("GET", "/models/decided:1/detail", token=token).headers["ETag"]
    kinds = ["approve" if number % 2 else "reject" for number in range(WRITERS)]

    answers = raced(
        deployed,
        [
            ("PUT", f"/models/decided:1/{kind}", token, {"reason": f"decision of writer {number}"}, seen)
            for number, kind in enumerate(kinds)
        ],
    )

    statuses = [answer.status for answer in answers]
    assert statuses.count(200) == 1, statuses
    assert set(statuses) <= {200, 409, 412}
    winner = statuses.index(200)
    approval = deployed.call("GET", "/models/decided:1/detail", token=token).json["approval"]
    state = "APPROVED" if kinds[winner] == "approve" else "REJECTED"
    assert (approval["state"], approval["reason"]) == (state, f"decision of writer {winner}")
    told = deployed.call("GET", "/models/decided/history", token=token).json["items"]
    assert [event["kind"] for event in told if event["kind"] in ("APPROVED", "REJECTED")] == [state]


def test_of_contracts_put_at_once_one_is_in_force(deployed: Deployed, scientist: str, table: Table) -> None:
    catalog = DynamoDatasetCatalog(table)
    catalog.ensure("ruled", at=NOON, actor="ada")
    upload = catalog.open_upload(an_upload("may.csv", dataset="ruled"))
    catalog.claim_content(upload, location_prefix="s3://d/x", quarantine_prefix="s3://d/q", at=NOON)
    catalog.accept_version(prepared(catalog.version("ruled", 1)), a_contract(dataset="ruled"))
    seen = deployed.call("GET", "/datasets/ruled/contract", token=scientist)
    columns = seen.json["columns"]
    wanted = [[*columns[:-1], {**columns[-1], "nullable": False, "name": f"column-{n}"}] for n in range(WRITERS)]

    answers = raced(
        deployed,
        [("PUT", "/datasets/ruled/contract", scientist, {"columns": each}, seen.headers["ETag"]) for each in wanted],
    )

    statuses = [answer.status for answer in answers]
    assert statuses.count(200) == 1, [answer.text for answer in answers]
    assert set(statuses) <= {200, 409, 412}
    now = deployed.call("GET", "/datasets/ruled/contract", token=scientist).json
    assert now["version"] == seen.json["version"] + 1
    assert now["columns"][-1]["name"] == f"column-{statuses.index(200)}"
    before = deployed.call("GET", "/datasets/ruled/contract?version=1", token=scientist).json
    assert before["columns"] == columns


def registered(table: Table, model: str) -> None:
    """Version 1 of the model, which waits for a decision."""
    registry = DynamoModelRegistry(table)
    registry.claim_number(model, dataset=model, run_id=f"run-{model}", algorithm="xgboost", at=NOON)
    registry.register(a_model_version(1, model=model, run_id=f"run-{model}"), actor="training")


def raced(deployed: Deployed, asks: list[tuple[str, str, str, Any, str | None]]) -> list[Answer]:
    """(method, path, token, body, If-Match), all at the same moment."""

    def ask(method: str, path: str, token: str, body: Any, seen: str | None) -> Answer:
        said = {} if seen is None else {"If_Match": seen}
        return deployed.call(method, path, token=token, body=body, **said)

    answers, raised = all_at_once([partial(ask, *each) for each in asks])
    assert raised == []
    return answers
