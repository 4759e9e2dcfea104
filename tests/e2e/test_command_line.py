"""The command line against the deployed platform: what a person types, and what they get."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local import people
from local import platform as local_platform
from millrace.cli.app import main
from millrace.cli.deployment import LOCAL_STATE
from millrace.domain import identity
from millrace.domain.model import ApprovalState
from tests.e2e.conftest import EXAMPLES, Bench


@dataclass(frozen=True)
class Answer:
    exit_code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def millrace(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Answer]:
    """Runs `millrace …` where `millrace up` had left its profile."""
    monkeypatch.chdir(bench.root)
    running = local_platform.running(bench.root / LOCAL_STATE)
    assert running is not None
    people.invite(running.session(), running.state_dir, running.dashboard_url)

    def run(*arguments: str) -> Answer:
        monkeypatch.setattr(sys, "argv", ["millrace", *arguments])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        said = capsys.readouterr()
        return Answer(code, said.out, said.err)

    return run


@pytest.fixture(scope="module")
def penguins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The penguins and one bird whose bill is no number."""
    file = tmp_path_factory.mktemp("birds") / "birds.csv"
    file.write_bytes((EXAMPLES / "penguins.csv").read_bytes() + b"Adelie,Dream,long,18.0,190,3700,male,2009\n")
    return file


def test_drop_follows_a_file_to_judged_versions_that_the_other_commands_show(
    bench: Bench, millrace: Callable[..., Answer], penguins: Path
) -> None:
    dropped = millrace("drop", str(penguins), "--dataset", "birds", "--target", "species", "--json")
    assert dropped.exit_code == 0, dropped.err
    ingest, training = dropped.json
    assert (ingest["pipeline"], training["pipeline"]) == ("ingest", "training")

    (version,) = millrace("dataset", "birds", "--json").json
    assert (version["accepted"], version["quarantined"]) == (344, 1)
    (row,) = millrace("quarantine", "birds", "--json").json["rows"]
    assert (row["line"], row["text"]) == (346, "Adelie,Dream,long,18.0,190,3700,male,2009")
    assert "bill_length_mm" in row["reasons"][0]

    listed = {run["run_id"] for run in millrace("runs", "--json", "--limit", "500").json}
    assert {ingest["run_id"], training["run_id"]} <= listed
    shown = millrace("run", training["run_id"])
    assert "EvaluateCandidates" in shown.out
    assert "birds" in [dataset["name"] for dataset in millrace("datasets", "--json").json]
    versions = millrace("model", "birds", "--json").json
    details = [millrace("model", each["id"], "--json").json for each in versions]
    assert {each["lineage"]["run_id"] for each in details} == {training["run_id"]}


def test_approve_and_reject_are_decisions_that_stay(
    bench: Bench, millrace: Callable[..., Answer], penguins: Path
) -> None:
    millrace("drop", str(penguins), "--dataset", "birds", "--target", "species")
    first, second = (f"birds:{number}" for number in (1, 2))
    assert millrace("approve", first, "--reason", "the first of its kind").exit_code == 0
    assert millrace("reject", second, "--reason", "the other one is simpler").exit_code == 0
    assert bench.platform.registry.get("birds", 1).approval.state is ApprovalState.APPROVED
    assert bench.platform.registry.get("birds", 2).approval.reason == "the other one is simpler"
    again = millrace("approve", first, "--reason", "approved once more")
    assert again.exit_code == 1
    assert "the first of its kind" in again.err
    run_id = identity.automatic_deployment_run_id("birds", 1)
    assert millrace("run", run_id, "--follow").exit_code == 0
    assert bench.platform.registry.model("birds").aliases == {"champion": 1}
    assert "champion" in millrace("models").out

    redeployed = millrace("redeploy", first, "--reason", "to see that it still can", "--json")
    assert (redeployed.exit_code, redeployed.json["state"]) == (0, "SUCCEEDED"), redeployed.err
    requested = next(e for e in bench.platform.registry.history("birds") if e.kind == "DEPLOYMENT_REQUESTED")
    assert (requested.number, requested.reason, requested.at.isoformat()) == (
        1,
        "to see that it still can",
        bench.platform.ledger.get(redeployed.json["run_id"]).started_at.isoformat(),
    )
    assert "only an approved version" in millrace("redeploy", second, "--reason", "although it was refused").err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("model", "birds:999"), "birds:999"),
        (("model", "nothing"), "nothing"),
        (("run", "training-unknown"), "training-unknown"),
        (("approve", "birds", "--reason", "no number given"), "<model>:<number>"),
        (("quarantine", "no-such-dataset"), "no-such-dataset"),
        (("train", "no-such-dataset"), "no-such-dataset"),
        (("runs", "--environment", "nowhere"), "nowhere"),
    ],
)
def test_a_mistake_is_answered_with_a_sentence_and_exit_code_one(
    millrace: Callable[..., Answer], arguments: tuple[str, ...], words: str
) -> None:
    answer = millrace(*arguments)
    assert answer.exit_code == 1
    assert words in answer.err
    assert "Traceback" not in answer.err


def test_a_wrong_target_is_named_before_anything_is_uploaded(
    bench: Bench, millrace: Callable[..., Answer], penguins: Path
) -> None:
    before = len(bench.platform.catalog.uploads("birds"))
    answer = millrace("drop", str(penguins), "--dataset", "birds", "--target", "speceis")
    assert answer.exit_code == 1
    assert "speceis" in answer.err
    assert len(bench.platform.catalog.uploads("birds")) == before
