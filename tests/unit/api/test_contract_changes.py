"""Changes of the contract that break clients are found, and others let through."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from jsonschema_rs import ValidationError

from lambdas.api.app import contract
from scripts.breaking_changes import AFTER, breaking_changes, main

Change = Callable[[dict[str, Any]], Any]


def changed(change: Change) -> dict[str, Any]:
    made = copy.deepcopy(contract())
    change(made)
    return made


def schema(made: dict[str, Any], name: str) -> Any:
    return made["components"]["schemas"][name]


BREAKING: dict[str, tuple[Change, str]] = {
    "a route": (lambda made: made["paths"].pop("/models"), "GET /models is gone"),
    "a method": (lambda made: made["paths"]["/datasets"].pop("post"), "POST /datasets is gone"),
    "a field of an answer": (
        lambda made: schema(made, "RunSummary")["properties"].pop("reason"),
        "GET /runs: the field items.reason of its answer 200 is gone",
    ),
    "a field that may be missing": (
        lambda made: schema(made, "RunSummary")["required"].remove("state"),
        "POST /training/start: the field state of its answer 201 may be missing now",
    ),
    "a field that must be sent": (
        lambda made: schema(made, "TrainingRequest")["required"].append("reason"),
        "POST /training/start: the request's field reason is required now",
    ),
    "a field that is not taken": (
        lambda made: schema(made, "TrainingRequest")["properties"].pop("reason"),
        "POST /training/start: the request's field reason is gone",
    ),
    "a parameter": (
        lambda made: made["paths"]["/runs"]["get"]["parameters"].pop(0),
        "GET /runs: the query parameter state is gone",
    ),
    "a parameter that must be sent": (
        lambda made: made["paths"]["/runs"]["get"]["parameters"][0].update(required=True),
        "GET /runs: the query parameter state is required now",
    ),
    "a status": (
        lambda made: made["paths"]["/training/start"]["post"]["responses"].pop("201"),
        "POST /training/start: it answers 201 no longer",
    ),
    "a role": (
        lambda made: made["paths"]["/models"]["get"]["x-roles"].remove("viewer"),
        "GET /models: viewer may no longer use it",
    ),
    "a token": (
        lambda made: made["paths"]["/healthz"]["get"].update(security=[{"cognito": []}]),
        "GET /healthz: it needs a token now",
    ),
}
HARMLESS: dict[str, Change] = {
    "nothing": lambda _made: None,
    "a route": lambda made: made["paths"].update({"/new": made["paths"]["/models"]}),
    "a field of an answer": lambda made: schema(made, "RunSummary")["properties"].update(more={"type": "string"}),
    "a field that may be sent": lambda made: schema(made, "TrainingRequest")["properties"].update(
        more={"type": "string"}
    ),
    "other words": lambda made: made["paths"]["/models"]["get"].update(description="Others."),
    "an error": lambda made: made["paths"]["/models"]["get"]["responses"].pop("429"),
}


@pytest.mark.parametrize(("change", "said"), BREAKING.values(), ids=BREAKING.keys())
def test_what_breaks_clients_is_said(change: Change, said: str) -> None:
    assert said in breaking_changes(contract(), changed(change))


@pytest.mark.parametrize("change", HARMLESS.values(), ids=HARMLESS.keys())
def test_what_breaks_nobody_passes(change: Change) -> None:
    assert breaking_changes(contract(), changed(change)) == []


def test_the_command_fails_for_what_the_committed_contract_lacks_and_for_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    committed = json.loads(AFTER.read_text())
    before = tmp_path / "before.json"
    before.write_text(json.dumps(committed))
    main([str(before)])

    committed["paths"]["/old"] = committed["paths"]["/models"]
    before.write_text(json.dumps(committed))
    with pytest.raises(SystemExit):
        main([str(before)])

    assert capsys.readouterr().out == "GET /old is gone\n"


def test_the_contract_is_valid_openapi_3_1_and_a_broken_one_is_not() -> None:
    schemathesis.openapi.from_dict(contract()).validate()

    with pytest.raises(ValidationError, match="title"):
        schemathesis.openapi.from_dict(changed(lambda made: made["info"].pop("title"))).validate()
