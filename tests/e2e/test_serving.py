"""An approved version comes into service, and answers over HTTP what was trained."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from millrace import names
from millrace.analytics.serving import Prediction, Signature, predictions_of
from millrace.domain import identity, place
from millrace.domain.model import ModelEventKind, ModelVersion
from millrace.domain.run import Run, RunState
from millrace.use_cases.move_alias import move_alias
from sagemaker_scripts.artefact import Artefact, extract, frame_of, json_rows, open_artefact
from tests.e2e.calling import Caller, outputs, signed_in
from tests.e2e.conftest import EXAMPLES, Bench, wait_for

ROWS = 2500
SETTINGS = {"target": "late", "key": ["flight_id"], "training": {"trials": 1}}


@pytest.fixture(scope="module")
def flights() -> pd.DataFrame:
    return pd.read_csv(EXAMPLES / "flights.csv")


@pytest.fixture(scope="module")
def versions(bench: Bench, flights: pd.DataFrame) -> dict[str, ModelVersion]:
    """One version per algorithm."""
    assert bench.configure("served", SETTINGS).state is RunState.SUCCEEDED
    ingest = bench.drop("served", "january.csv", flights.head(ROWS).to_csv(index=False).encode())
    assert ingest.state is RunState.SUCCEEDED, ingest.reason
    trained = bench.trained("served", 1)
    assert trained.state is RunState.SUCCEEDED, trained.reason
    return {version.algorithm: version for version in bench.platform.registry.versions("served")}


def deployed(bench: Bench, version: ModelVersion) -> Run:
    bench.approve(version.id, f"{version.algorithm} shall answer")
    return bench.ended(identity.automatic_deployment_run_id(version.model, version.number))


@pytest.fixture(scope="module")
def champion(bench: Bench, versions: dict[str, ModelVersion]) -> ModelVersion:
    run = deployed(bench, versions["xgboost"])
    assert run.state is RunState.SUCCEEDED, run.reason
    return versions["xgboost"]


@pytest.fixture(scope="module")
def scientist(bench: Bench) -> Caller:
    return signed_in(bench, "ada", names.SCIENTIST_ROLE)


def opened(bench: Bench, version: ModelVersion, directory: Path) -> Artefact:
    """The trained pipeline itself."""
    archive = directory / "model.tar.gz"
    archive.write_bytes(bench.platform.store.read(version.artifact_uri))
    extract(archive, directory / "model")
    return open_artefact(directory / "model", expected_digest=version.artifact_digest)


def unseen(bench: Bench, artefact: Artefact, flights: pd.DataFrame, rows: int) -> list[dict[str, Any]]:
    """Rows that were never uploaded, as JSON, in columns that the model reads."""
    later = flights.iloc[ROWS : ROWS + rows].reset_index(drop=True)
    kinds = {feature.name: feature.kind for feature in artefact.features}
    for name, kind in kinds.items():
        if kind == "boolean":
            later[name] = later[name].map({"yes": True, "no": False, "true": True, "false": False})
    return json_rows(later, list(kinds))


def differences(answer: dict[str, Any], expected: list[Prediction]) -> list[float]:
    assert len(answer["predictions"]) == len(expected)
    return [
        abs(told["probabilities"][name] - probability)
        for told, wanted in zip(answer["predictions"], expected, strict=True)
        for name, probability in wanted.probabilities.items()
    ]


def test_approval_deploys_and_the_history_tells_it(bench: Bench, champion: ModelVersion) -> None:
    run = bench.platform.ledger.get(identity.automatic_deployment_run_id("served", champion.number))
    assert [step.name for step in run.steps] == [
        "BuildServingArtefact",
        "CheckServingArtefact",
        "StartRollout",
        "PromoteModelVersion",
        "RetireEndpoints",
    ]
    assert "rows as trained: the held-out ones" in (run.outcome or "")
    assert bench.platform.registry.model("served").aliases["champion"] == champion.number
    move = bench.platform.registry.history("served")[-1]
    assert (move.kind, move.number, move.reason) == (
        ModelEventKind.ALIAS_MOVED,
        champion.number,
        "xgboost shall answer",
    )


def test_a_thousand_unseen_rows_are_answered_as_the_trained_pipeline_answers_them(
    bench: Bench, champion: ModelVersion, scientist: Caller, flights: pd.DataFrame, tmp_path: Path
) -> None:
    artefact = opened(bench, champion, tmp_path)
    rows = unseen(bench, artefact, flights, 1000)
    scores = artefact.scores(frame_of(rows, [feature.name for feature in artefact.features]))
    expected = predictions_of(scores.tolist(), Signature.of(artefact.manifest))

    answer = scientist.predict(rows)

    assert answer["model_version"] == champion.id
    assert max(differences(answer, expected)) < 1e-6
    undecided = {
        row for row, told in enumerate(expected) if abs(scores[row, 1] - artefact.manifest["threshold"]) < 1e-6
    }
    wrong = [
        row
        for row, (told, wanted) in enumerate(zip(answer["predictions"], expected, strict=True))
        if told["prediction"] != wanted.prediction and row not in undecided
    ]
    assert wrong == []
    assert {told["prediction"] for told in answer["predictions"]} == {"yes", "no"}


def test_each_deviation_from_the_signature_has_its_answer(
    bench: Bench, champion: ModelVersion, scientist: Caller, flights: pd.DataFrame, tmp_path: Path
) -> None:
    artefact = opened(bench, champion, tmp_path)
    (row,) = unseen(bench, artefact, flights, 1)
    category = next(feature.name for feature in artefact.features if feature.is_category)
    number = next(feature.name for feature in artefact.features if feature.kind in ("integer", "number"))
    plain = scientist.predict([row])["predictions"][0]

    turned = scientist.predict([dict(reversed(row.items()))])["predictions"][0]
    assert turned["probabilities"] == plain["probabilities"]
    extra = scientist.predict([{**row, "weather": "fine"}])
    assert extra["ignored_columns"] == ["weather"]
    assert extra["predictions"][0]["probabilities"] == plain["probabilities"]
    unknown = scientist.predict([{**row, category: "a category of tomorrow"}])["predictions"][0]
    assert "a category of tomorrow" in unknown["notices"][category]
    missing = scientist.predict([{**row, number: None}])["predictions"][0]
    assert missing["notices"] == {}
    assert all(math.isfinite(value) for value in missing["probabilities"].values())

    absent = {name: value for name, value in row.items() if name != number}
    status, problem = scientist.post("/inference/predict", {"model": "served", "rows": [row, absent]})
    assert (status, problem["fields"][0]["field"]) == (422, f"body.rows.1.{number}")
    status, problem = scientist.post("/inference/predict", {"model": "served", "rows": [{**row, number: "many"}]})
    assert (status, problem["fields"][0]["field"]) == (422, f"body.rows.0.{number}")
    status, problem = scientist.post("/inference/predict", {"model": "nothing", "rows": [row]})
    assert (status, problem["type"]) == (404, "NotFound")


def test_who_only_looks_and_who_is_nobody_gets_no_predictions(bench: Bench, champion: ModelVersion) -> None:
    viewer = signed_in(bench, "vera", names.VIEWER_ROLE)
    status, problem = viewer.post("/inference/predict", {"model": "served", "rows": [{}]})
    assert (status, problem["type"]) == (403, "NotAllowed")
    status, _ = Caller(outputs(bench)["ApiUrl"], "forged").post("/inference/predict", {})
    assert status == 401


def recorded(bench: Bench, model: str) -> dict[str, dict[str, Any]]:
    """Inference records by id, as monitoring will read them."""
    prefix = place.uri(bench.bucket, f"{names.INFERENCE_PREFIX}{model}/records/")
    objects = [bench.platform.store.read(found.uri) for found in bench.platform.store.list(prefix)]
    lines = [json.loads(line) for body in objects for line in io.BytesIO(body)]
    return {line["record_id"]: line for line in lines}


def test_every_answer_is_recorded_with_what_was_asked(
    bench: Bench, champion: ModelVersion, scientist: Caller, flights: pd.DataFrame, tmp_path: Path
) -> None:
    rows = unseen(bench, opened(bench, champion, tmp_path), flights, 300)
    ids = [f"flight-{number}" for number in range(300)]

    answer = scientist.predict([{**row, "remark": "not for the model"} for row in rows], record_ids=ids)

    found = wait_for(
        lambda: recorded(bench, "served") if ids[-1] in recorded(bench, "served") else None,
        what="inference records",
        seconds=60,
    )
    for row, record_id, told in zip(rows, ids, answer["predictions"], strict=True):
        record = found[record_id]
        assert record["row"] == row
        assert (record["prediction"], record["probabilities"]) == (told["prediction"], told["probabilities"])
        assert (record["model"], record["number"], record["actor"]) == ("served", champion.number, "user:ada")

    def asked() -> dict[str, Any] | None:
        _, told = scientist.get("/monitoring/traffic?model=served&hours=2")
        return told if told["requests"] - told["refused"] - told["failed"] > 0 else None

    traffic = wait_for(asked, what="the traffic of this hour", seconds=30)
    assert traffic["hours"][-1]["requests"] + traffic["hours"][-2]["requests"] == traffic["requests"]
    assert 0 < max(hour["p50_ms"] or 0 for hour in traffic["hours"]) < 60_000


def test_the_next_champion_answers_and_the_one_before_is_one_call_away(
    bench: Bench,
    champion: ModelVersion,
    versions: dict[str, ModelVersion],
    scientist: Caller,
    flights: pd.DataFrame,
    tmp_path: Path,
) -> None:
    rows = unseen(bench, opened(bench, champion, tmp_path), flights, 5)
    before = scientist.predict(rows)
    challenger = versions["random_forest"]
    run = deployed(bench, challenger)
    assert run.state is RunState.SUCCEEDED, run.reason

    def answered_by(version: ModelVersion) -> Callable[[], dict[str, Any] | None]:
        def ask() -> dict[str, Any] | None:
            answer = scientist.predict(rows)
            return answer if answer["model_version"] == version.id else None

        return ask

    after = wait_for(answered_by(challenger), what="the next champion", seconds=10)
    assert [p["probabilities"] for p in after["predictions"]] != [p["probabilities"] for p in before["predictions"]]

    move_alias(
        registry=bench.platform.registry,
        clock=bench.platform.clock,
        alias="champion",
        version_id=champion.id,
        actor="tester",
        reason="the one before was better",
    )
    again = wait_for(answered_by(champion), what="the one before", seconds=10)
    assert [p["probabilities"] for p in again["predictions"]] == [p["probabilities"] for p in before["predictions"]]


def test_an_artefact_that_was_changed_is_not_deployed_and_the_history_says_why(
    bench: Bench, champion: ModelVersion, versions: dict[str, ModelVersion]
) -> None:
    version = versions["linear"]
    original = bench.platform.store.read(version.artifact_uri)
    bench.platform.store.write(version.artifact_uri, bench.platform.store.read(champion.artifact_uri))

    run = deployed(bench, version)

    assert run.state is RunState.FAILED
    assert "it was changed" in (run.reason or "")
    assert bench.platform.registry.model("served").aliases["champion"] == champion.number
    event = bench.platform.registry.history("served")[-1]
    assert (event.kind, event.number) == (ModelEventKind.DEPLOYMENT_FAILED, version.number)
    assert "it was changed" in event.reason

    bench.platform.store.write(version.artifact_uri, original)
    mended = bench.deploy_again(version, "the artefact was mended")
    assert bench.ended(mended.run_id).state is RunState.SUCCEEDED
    assert bench.platform.registry.model("served").aliases["champion"] == version.number
