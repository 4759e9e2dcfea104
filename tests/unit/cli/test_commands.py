"""Commands as a person types them, on an API that answers from a script."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from millrace.cli import app as commands
from millrace.cli import remote
from millrace.client import Answer
from tests.unit.client.fake_api import LOST, FakeApi, said

TAKEN = Answer(200, {}, b"")
CONFIG = {
    "environment": "dev",
    "apiBase": "/api",
    "clientId": "client-1",
    "authorizationEndpoint": "https://pool.test/authorize",
    "tokenEndpoint": "https://pool.test/token",
}
ANSWER = {
    "model_version": "credit:3",
    "predictions": [
        {"record_id": "r1", "prediction": "good", "probabilities": {"bad": 0.1, "good": 0.9}, "notices": {}},
        {"record_id": "r2", "prediction": "bad", "probabilities": None, "notices": {"home": "not learnt"}},
    ],
    "ignored_columns": [],
    "latency_ms": 1.0,
}
COSTS = {
    "jobs": 1,
    "jobs_usd": 0.0147,
    "invocations": 2,
    "functions_usd": 0.00005,
    "transitions": 4,
    "transitions_usd": 0.0001,
}
EFFECTS = {"method": "value_withheld", "of": "good", "score": 0.9, "effects": {"home": 0.01, "age": -0.4, "job": 0.2}}


@dataclass(frozen=True)
class Said:
    exit_code: int
    out: str
    err: str


@pytest.fixture
def millrace(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[..., Any]:
    """Runs `millrace …` for somebody who is signed in to what `api` answers for."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(api: FakeApi, *arguments: str, typed: str = "") -> Said:
        monkeypatch.setattr(remote, "client_of", lambda *_: api.client())
        return type_in(monkeypatch, capsys, *arguments, typed=typed)

    return run


def type_in(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str, typed: str = ""
) -> Said:
    monkeypatch.setattr(sys, "argv", ["millrace", *arguments])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(typed.encode())))
    with pytest.raises(SystemExit) as end:
        commands.main()
    printed = capsys.readouterr()
    return Said(int(end.value.code or 0), printed.out, printed.err)


def sent_body(api: FakeApi, place: int = 0) -> Any:
    return json.loads(api.asked[place].body or b"")


def run_of(state: str, **facts: Any) -> Answer:
    step = {"name": "PrepareDataset", "item": None, "state": state, "started_at": "2026-11-20T12:00:00Z"}
    steps = [{**step, "ended_at": None, "reason": facts.get("reason")}]
    known = {"run_id": "run-1", "state": state, "reason": None, "outcome": None, "steps": steps, "pipeline": "ingest"}
    known["costs"] = COSTS
    return said({**known, **facts}, x_poll_after="2")


@pytest.mark.parametrize("rows", ['{"age": 31}', '[{"age": 31}]'])
def test_predict_asks_for_one_row_or_several_and_shows_each_answer(
    rows: str, millrace: Callable[..., Said], tmp_path: Path
) -> None:
    (tmp_path / "rows.json").write_text(rows)
    api = FakeApi(said(ANSWER))

    printed = millrace(api, "predict", "credit", "rows.json")

    assert api.lines == ["POST /inference/predict"]
    assert sent_body(api) == {"model": "credit", "rows": [{"age": 31}], "explain": False}
    assert (printed.exit_code, "credit:3" in printed.out) == (0, True)
    assert [word for word in ("r1", "good 0.900", "r2", "not learnt") if word not in printed.out] == []


def test_predict_reads_what_is_piped_in_and_answers_as_json(millrace: Callable[..., Said]) -> None:
    printed = millrace(FakeApi(said(ANSWER)), "predict", "credit", "-", "--json", typed='{"age": 31}')

    assert json.loads(printed.out) == ANSWER


def test_an_explanation_says_what_moved_the_score_most_first(millrace: Callable[..., Said]) -> None:
    explained = {**ANSWER, "predictions": [{**ANSWER["predictions"][0], "explanation": EFFECTS}]}  # type: ignore[index]
    api = FakeApi(said(explained))

    printed = millrace(api, "predict", "credit", "-", "--explain", typed='{"age": 31}')

    assert sent_body(api)["explain"] is True
    assert "age -0.400, job +0.200, home +0.010" in printed.out


def test_rows_that_are_no_json_ask_nobody(millrace: Callable[..., Said]) -> None:
    api = FakeApi()

    printed = millrace(api, "predict", "credit", "-", typed="age,31")

    assert (printed.exit_code, api.asked) == (1, [])
    assert "are not JSON" in printed.err


def test_a_run_is_started_with_choices_of_its_own(millrace: Callable[..., Said]) -> None:
    api = FakeApi(said({"run_id": "training-1"}, 201), said({"run_id": "training-2"}, 201))

    told = ("--algorithm", "xgboost", "--algorithm", "linear", "--trials", "8", "--reason", "more trials")
    assert "started training-1" in millrace(api, "train", "credit", *told).out
    millrace(api, "train", "credit")

    assert sent_body(api)["training"] == {"algorithms": ["xgboost", "linear"], "trials": 8}
    assert sent_body(api)["reason"] == "more trials"
    assert "training" not in sent_body(api, 1)


def ticket(*addresses: str | None) -> Answer:
    parts = [{"number": n + 1, "size_bytes": 4, "address": address} for n, address in enumerate(addresses)]
    return said({"upload_id": "u1", "size_bytes": 4 * len(parts), "part_bytes": 4, "parts": parts})


@pytest.fixture
def file(tmp_path: Path) -> str:
    (tmp_path / "may.csv").write_bytes(b"aaaabbbb")
    return "may.csv"


def test_batch_sends_a_file_waits_and_says_where_the_results_are(millrace: Callable[..., Said], file: str) -> None:
    results = {"rows": 2, "files": [{"format": "csv", "address": "https://bucket.test/results.csv"}]}
    job = said({"job_id": "batch-1"}, 202)
    api = FakeApi(
        ticket("https://b.test/1", "https://b.test/2"), TAKEN, TAKEN, job, run_of("RUNNING"), run_of("SUCCEEDED")
    )
    api.answers.append(said(results))

    printed = millrace(api, "batch", "credit", file)

    assert [request.body for request in api.asked[1:3]] == [b"aaaa", b"bbbb"]
    assert sent_body(api, 3) == {"model": "credit", "input": {"upload_id": "u1"}, "reason": ""}
    assert api.lines[-2:] == ["GET /runs/batch-1", "GET /inference/batch/batch-1/results"]
    assert (printed.exit_code, api.slept) == (0, [2.0])
    assert "https://bucket.test/results.csv" in printed.out


def test_the_results_of_a_batch_are_saved_where_one_says(
    millrace: Callable[..., Said], file: str, tmp_path: Path
) -> None:
    results = {"files": [{"format": format, "address": f"https://b.test/r.{format}"} for format in ("parquet", "csv")]}
    job = said({"job_id": "batch-1"}, 202)
    api = FakeApi(ticket("https://b.test/1", "https://b.test/2"), TAKEN, TAKEN, job, run_of("SUCCEEDED"), said(results))
    api.answers.append(Answer(206, {}, b"id,prediction\n"))

    printed = millrace(api, "batch", "credit", file, "--save", "out.csv")

    assert api.asked[-1].url == "https://b.test/r.csv"
    assert (tmp_path / "out.csv").read_bytes() == b"id,prediction\n"
    assert (printed.exit_code, "saved as out.csv" in printed.out) == (0, True)


def test_a_batch_that_fails_says_why_and_a_script_notices(millrace: Callable[..., Said], file: str) -> None:
    job = said({"job_id": "batch-1"}, 202)
    api = FakeApi(ticket("https://b.test/1", "https://b.test/2"), TAKEN, TAKEN, job, run_of("FAILED", reason="torn"))

    printed = millrace(api, "batch", "credit", file)

    assert (printed.exit_code, "torn" in printed.out) == (1, True)


def test_a_batch_may_be_left_alone(millrace: Callable[..., Said], file: str) -> None:
    api = FakeApi(ticket("https://b.test/1", "https://b.test/2"), TAKEN, TAKEN, said({"job_id": "batch-1"}, 202))

    printed = millrace(api, "batch", "credit", file, "--no-wait")

    assert (printed.exit_code, "batch-1" in printed.out, len(api.asked)) == (0, True, 4)


def test_an_interrupted_drop_says_how_to_go_on_and_going_on_sends_only_the_rest(
    millrace: Callable[..., Said], file: str
) -> None:
    known, begun = said({"name": "churn"}), ticket("https://b.test/1", "https://b.test/2")
    broken = FakeApi(known, said({}), begun, TAKEN, LOST, begun, LOST, begun, LOST)

    interrupted = millrace(broken, "drop", file, "--dataset", "churn", "--no-wait")

    assert (interrupted.exit_code, "--resume u1" in interrupted.err) == (1, True)
    api = FakeApi(known, said({}), ticket(None, "https://b.test/2"), TAKEN, said({"run_id": "ingest-1"}, 202))
    resumed = millrace(api, "drop", file, "--dataset", "churn", "--no-wait", "--resume", "u1")
    assert (resumed.exit_code, "ingest-1" in resumed.out) == (0, True)
    assert api.lines[2:] == [
        "GET /datasets/churn/uploads/u1",
        "PUT https://b.test/2",
        "POST /datasets/churn/uploads/u1/complete",
    ]


@pytest.mark.parametrize("typed", [("run", "run-1", "--follow"), ("runs", "--follow", "run-1")])
@pytest.mark.parametrize(("state", "exit_code"), [("SUCCEEDED", 0), ("FAILED", 1)])
def test_following_a_run_looks_until_it_has_ended_and_says_how(
    typed: tuple[str, ...], state: str, exit_code: int, millrace: Callable[..., Said]
) -> None:
    api = FakeApi(run_of("RUNNING"), run_of("RUNNING"), run_of(state, reason="so it was"))

    printed = millrace(api, *typed)

    assert (api.lines, api.slept) == (["GET /runs/run-1"] * 3, [2.0, 2.0])
    assert printed.exit_code == exit_code
    assert f"run-1: {state} so it was" in printed.out
    assert "PrepareDataset" in printed.out


def test_a_run_that_is_only_looked_at_is_asked_for_once(millrace: Callable[..., Said]) -> None:
    api = FakeApi(run_of("RUNNING"))

    assert millrace(api, "run", "run-1").exit_code == 0
    assert api.lines == ["GET /runs/run-1"]


def test_a_run_says_what_it_cost_and_of_what(millrace: Callable[..., Said]) -> None:
    ended = run_of("SUCCEEDED")
    before_functions_were_counted = run_of(
        "SUCCEEDED", costs=COSTS | {"invocations": 0, "functions_usd": 0.0, "transitions": 0, "transitions_usd": 0.0}
    )
    unknown = run_of("RUNNING", costs=COSTS | {"jobs_usd": None})
    older, newer = run_of("SUCCEEDED", costs=None), run_of("SUCCEEDED", costs=COSTS | {"requests": 4})

    assert (
        "cost $0.0148 by list prices of 2026-11: 1 job $0.0147, 2 function calls $0.000050, 4 transitions $0.000100"
        in millrace(FakeApi(ended), "run", "run-1").out
    )
    assert "cost $0.0147 by list prices of 2026-11: 1 job $0.0147\n" in (
        millrace(FakeApi(before_functions_were_counted), "run", "run-1").out
    )
    assert "cost not known\n" in millrace(FakeApi(unknown), "run", "run-1").out
    assert "cost not known\n" in millrace(FakeApi(older), "run", "run-1").out
    assert "cost $0.0148 by" in millrace(FakeApi(newer), "run", "run-1").out


class Terminal:
    """`millrace login` and what comes after it, in the file of one person."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys
        self._client_of = remote.client_of
        monkeypatch.chdir(folder)
        monkeypatch.setattr("typer.get_app_dir", lambda _: str(folder))

    def type(self, api: FakeApi, *arguments: str, typed: str = "") -> Said:
        self._monkeypatch.setattr(commands, "send", api.send)
        self._monkeypatch.setattr(remote, "client_of", lambda *given: self._client_of(*given, send=api.send))
        return type_in(self._monkeypatch, self._capsys, *arguments, typed=typed)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Terminal:
    return Terminal(monkeypatch, capsys, tmp_path)


LOGIN = ("login", "--key", "--environment", "dev", "--url", "https://millrace.test")


def test_a_key_is_typed_once_tried_and_used_from_then_on(terminal: Terminal) -> None:
    here = FakeApi(said(CONFIG), said({}))

    printed = terminal.type(here, *LOGIN, typed=" mr_abc_secret \n")

    assert printed.exit_code == 0, printed.err
    assert "signed in to dev at https://millrace.test" in printed.err.replace("\n", " ")
    assert "mr_abc_secret" not in printed.out + printed.err
    later = FakeApi(said({"items": [], "next_cursor": None}))
    assert terminal.type(later, "models", "--environment", "dev").exit_code == 0
    assert later.asked[0].url.startswith("https://millrace.test/api/by-key/models")
    assert later.asked[0].headers["Authorization"] == "Bearer mr_abc_secret"


def test_a_key_that_opens_nothing_is_said_at_once_and_takes_no_other_sign_in_away(terminal: Terminal) -> None:
    assert terminal.type(FakeApi(said(CONFIG), said({})), *LOGIN, typed="mr_good_one\n").exit_code == 0
    refusal = said({"title": "Unauthorized", "status": 401, "detail": "the key was revoked"}, 401)

    printed = terminal.type(FakeApi(said(CONFIG), refusal), *LOGIN, typed="mr_old_one\n")

    assert (printed.exit_code, "the key was revoked" in printed.err) == (1, True)
    later = FakeApi(said({"items": [], "next_cursor": None}))
    assert terminal.type(later, "models", "--environment", "dev").exit_code == 0
    assert later.asked[0].headers["Authorization"] == "Bearer mr_good_one"
