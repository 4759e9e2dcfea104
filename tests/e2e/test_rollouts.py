"""A version takes requests over from the champion step by step, and what is bad takes itself back."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from millrace import names
from millrace.analytics.serving import Signature, predictions_of
from millrace.domain import identity, place
from millrace.domain.model import ModelEventKind, ModelVersion
from millrace.domain.rollout import Rollout
from millrace.domain.run import RunState
from sagemaker_scripts.artefact import extract, frame_of, json_rows, open_artefact
from tests.e2e.calling import Caller, signed_in
from tests.e2e.conftest import EXAMPLES, Bench, wait_for

MODEL = "gradual"
SETTINGS = {
    "target": "species",
    "training": {"trials": 1},
    "deployment": {"strategy": "canary", "share": 0.3, "step_seconds": 12, "minimum_requests": 5, "max_psi": 5},
}
COLUMNS = ("island", "bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "sex", "year")


@pytest.fixture(scope="module")
def versions(bench: Bench) -> list[ModelVersion]:
    """Three versions; the first is champion, without a rollout: nothing served before it."""
    assert bench.configure(MODEL, SETTINGS).state is RunState.SUCCEEDED
    assert bench.drop(MODEL, "penguins.csv", (EXAMPLES / "penguins.csv").read_bytes()).state is RunState.SUCCEEDED
    trained = bench.trained(MODEL, 1)
    assert trained.state is RunState.SUCCEEDED, trained.reason
    found = sorted(bench.platform.registry.versions(MODEL), key=lambda version: version.number)
    run_id = approved(bench, found[0])
    assert bench.ended(run_id).state is RunState.SUCCEEDED
    assert champion_of(bench) == found[0].number
    return found


@pytest.fixture(scope="module")
def scientist(bench: Bench) -> Caller:
    return signed_in(bench, "grace", names.SCIENTIST_ROLE)


@pytest.fixture(scope="module")
def rows(versions: list[ModelVersion]) -> list[dict[str, object]]:
    wanted = [feature["name"] for feature in versions[0].signature["inputs"]]
    table = pd.read_csv(EXAMPLES / "penguins.csv").dropna().head(3)
    return [{name: row[name] for name in wanted} for row in table.to_dict("records")]


def approved(bench: Bench, version: ModelVersion) -> str:
    bench.approve(version.id, f"{version.algorithm} shall answer")
    return identity.automatic_deployment_run_id(version.model, version.number)


def champion_of(bench: Bench) -> int:
    return bench.platform.registry.model(MODEL).aliases["champion"]


def rollout_of(bench: Bench) -> Rollout | None:
    return bench.platform.registry.model(MODEL).rollout


def ask_while_rolled_out(
    bench: Bench, scientist: Caller, rows: list[dict[str, object]], seconds: float = 60
) -> Counter[tuple[int, str]]:
    """Status and version of every answer."""
    answered: Counter[tuple[int, str]] = Counter()
    until = time.monotonic() + seconds
    while rollout_of(bench) is not None and time.monotonic() < until:
        status, answer = scientist.post("/inference/predict", {"model": MODEL, "rows": rows})
        assert status == 200, answer
        answered[status, answer["model_version"]] += 1
    return answered


def story(bench: Bench, after: int) -> list[ModelEventKind]:
    return [event.kind for event in bench.platform.registry.history(MODEL) if event.sequence > after]


def test_a_broken_version_takes_itself_back_and_nobody_is_left_without_an_answer(
    bench: Bench, versions: list[ModelVersion], scientist: Caller, rows: list[dict[str, object]]
) -> None:
    """It passed every check, and what serves it is damaged afterwards."""
    champion, broken = versions[0], versions[1]
    before = bench.platform.registry.history(MODEL)[-1].sequence
    run_id = approved(bench, broken)
    wait_for(lambda: rollout_of(bench), what="the rollout", seconds=60)
    bucket = bench.platform.settings.require("artifacts_bucket")
    bench.platform.store.write(place.serving_uri(bucket, MODEL, broken.number, "model.onnx"), b"damaged")
    began = time.monotonic()

    answered = ask_while_rolled_out(bench, scientist, rows)

    assert time.monotonic() - began < 60
    assert set(answered) == {(200, champion.id)}
    assert answered.total() > 3
    run = bench.ended(run_id)
    assert run.state is RunState.FAILED
    assert "not the one that was checked" in (run.reason or "")
    assert [step.name for step in run.steps][-2:] == ["RollBackRollout", "RetireEndpoints"]
    assert champion_of(bench) == champion.number
    assert story(bench, before) == [
        ModelEventKind.APPROVED,
        ModelEventKind.ROLLOUT_STARTED,
        ModelEventKind.ROLLOUT_ENDED,
        ModelEventKind.DEPLOYMENT_FAILED,
    ]
    assert scientist.post("/inference/predict", {"model": MODEL, "rows": rows})[1]["model_version"] == champion.id


def test_a_version_that_does_well_answers_its_share_and_then_everything(
    bench: Bench, versions: list[ModelVersion], scientist: Caller, rows: list[dict[str, object]]
) -> None:
    champion, better = versions[0], versions[2]
    before = bench.platform.registry.history(MODEL)[-1].sequence
    run_id = approved(bench, better)
    wait_for(lambda: rollout_of(bench), what="the rollout", seconds=60)

    answered = ask_while_rolled_out(bench, scientist, rows)

    assert {status for status, _ in answered} == {200}
    assert 0.1 < answered[200, better.id] / answered.total() < 0.6
    assert answered[200, champion.id] > answered[200, better.id]
    run = bench.ended(run_id)
    assert run.state is RunState.SUCCEEDED, run.reason
    assert champion_of(bench) == better.number
    assert story(bench, before) == [
        ModelEventKind.APPROVED,
        ModelEventKind.ROLLOUT_STARTED,
        ModelEventKind.ROLLOUT_PASSED,
        ModelEventKind.ALIAS_MOVED,
    ]
    passed = bench.platform.registry.history(MODEL)[-2]
    assert "predictions alike" in passed.reason


def test_a_person_sees_a_rollout_and_ends_it(bench: Bench, versions: list[ModelVersion]) -> None:
    approver = signed_in(bench, "alan", names.APPROVER_ROLE)
    run_id = bench.deploy_again(versions[1], "a second chance").run_id
    wait_for(lambda: rollout_of(bench), what="the rollout", seconds=60)

    status, seen = approver.get(f"/models/{MODEL}")
    assert (status, seen["rollout"]["version"], seen["rollout"]["share"]) == (200, versions[1].id, 0.3)
    status, after = approver.post(f"/models/{MODEL}/rollout/abort", {"reason": "it was a mistake"})

    assert (status, after["rollout"]) == (200, None)
    run = bench.ended(run_id)
    assert run.state is RunState.FAILED
    assert "user:alan: it was a mistake" in (run.reason or "")
    assert champion_of(bench) == versions[2].number


def test_a_version_behind_an_endpoint_answers_exactly_what_was_trained(
    bench: Bench,
    versions: list[ModelVersion],
    scientist: Caller,
    tmp_path: Path,
) -> None:
    settings = {"deployment": {"strategy": "all_at_once", "served_by": "serverless"}}
    assert bench.configure(MODEL, settings).state is RunState.SUCCEEDED
    version = versions[1]

    run = bench.ended(bench.deploy_again(version, "without a graph").run_id)

    assert run.state is RunState.SUCCEEDED, run.reason
    assert "served by a serverless SageMaker endpoint" in (run.outcome or "")
    sagemaker = bench.session.client("sagemaker")
    (endpoint,) = sagemaker.list_endpoints(NameContains=f"{MODEL}-v")["Endpoints"]
    assert (endpoint["EndpointName"], endpoint["EndpointStatus"]) == (
        f"millrace-local-{MODEL}-v{version.number}",
        "InService",
    )
    archive = tmp_path / "model.tar.gz"
    archive.write_bytes(bench.platform.store.read(version.artifact_uri))
    extract(archive, tmp_path / "model")
    artefact = open_artefact(tmp_path / "model", expected_digest=version.artifact_digest)
    table = pd.read_csv(EXAMPLES / "penguins.csv")
    columns = [feature.name for feature in artefact.features]
    rows = json_rows(pd.concat([table] * 3, ignore_index=True).head(1000), columns)
    expected = predictions_of(artefact.scores(frame_of(rows, columns)).tolist(), Signature.of(artefact.manifest))

    status, answer = wait_for(
        lambda: (
            (
                (said := scientist.post("/inference/predict", {"model": MODEL, "rows": rows}))[1].get("model_version")
                == version.id
                and said
            )
            or None
        ),
        what="the endpoint's answer",
        seconds=30,
    )

    assert status == 200
    assert [told["prediction"] for told in answer["predictions"]] == [wanted.prediction for wanted in expected]
    assert [told["probabilities"] for told in answer["predictions"]] == [wanted.probabilities for wanted in expected]
