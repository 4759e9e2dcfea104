"""One model, a thousand golden rows, every way to have them answered: the same predictions."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from millrace import names
from millrace.domain import identity, place
from millrace.domain.endpoint_use import cost_of_endpoint
from millrace.domain.model import ModelVersion
from millrace.domain.run import RunState
from millrace.use_cases.sum_costs import next_month
from sagemaker_scripts.artefact import Artefact, extract, frame_of, json_rows, open_artefact
from tests.builders import an_endpoint_use
from tests.e2e.calling import Caller, signed_in
from tests.e2e.conftest import EXAMPLES, Bench, wait_for

MODEL = "golden"
ROWS = 1000
CLASSES = ["no", "yes"]
Scores = npt.NDArray[np.float64]


def settings(served_by: str) -> dict[str, Any]:
    return {
        "target": "late",
        "key": ["flight_id"],
        "split": {"train": 0.7, "validation": 0.1, "test": 0.2},
        "training": {"trials": 1, "algorithms": ["xgboost"]},
        "deployment": {"served_by": served_by},
    }


@pytest.fixture(scope="module")
def version(bench: Bench) -> ModelVersion:
    """Served by a real-time endpoint. The whole example, so that a thousand rows are held out."""
    assert bench.configure(MODEL, settings("realtime")).state is RunState.SUCCEEDED
    ingest = bench.drop(MODEL, "flights.csv", (EXAMPLES / "flights.csv").read_bytes())
    assert ingest.state is RunState.SUCCEEDED, ingest.reason
    trained = bench.trained(MODEL, 1)
    assert trained.state is RunState.SUCCEEDED, trained.reason
    (found,) = bench.platform.registry.versions(MODEL)
    bench.approve(found.id, "the golden rows shall be answered")
    deployed = bench.ended(identity.automatic_deployment_run_id(MODEL, found.number))
    assert deployed.state is RunState.SUCCEEDED, deployed.reason
    return found


def saved(bench: Bench, uri: str, path: Path) -> Path:
    path.write_bytes(bench.platform.store.read(uri))
    return path


def held_out(bench: Bench, directory: Path) -> pd.DataFrame:
    """The test split: one file, since a small dataset is one section."""
    location = bench.platform.catalog.version(MODEL, 1).location
    (found,) = bench.platform.store.list(place.split_data_uri(location, "test"))
    return pd.read_parquet(saved(bench, found.uri, directory / "held-out.parquet"))


def as_evaluated_in_training(bench: Bench, version: ModelVersion, directory: Path) -> Scores:
    """What the evaluation of the training run wrote down."""
    bucket = bench.platform.settings.require("artifacts_bucket")
    uri = place.run_uri(bucket, version.lineage.run_id, "evaluation/predictions.parquet")
    table = pd.read_parquet(saved(bench, uri, directory / "evaluated.parquet")).set_index("row").sort_index()
    assert table.index[:ROWS].tolist() == list(range(table.index[0], table.index[0] + ROWS))
    return table[[f"xgboost.{label}" for label in CLASSES]].to_numpy()[:ROWS]


def opened(bench: Bench, version: ModelVersion, directory: Path) -> Artefact:
    extract(saved(bench, version.artifact_uri, directory / "model.tar.gz"), directory / "model")
    return open_artefact(directory / "model", expected_digest=version.artifact_digest)


def in_batch(bench: Bench, rows: pd.DataFrame, directory: Path) -> Scores:
    """Dropped as Parquet, answered by the champion in a transform job."""
    file = directory / "golden.parquet"
    rows.to_parquet(file)
    key = f"{names.INFERENCE_PREFIX}{MODEL}/golden.parquet"
    answer = bench.session.client("s3").put_object(Bucket=bench.bucket, Key=key, Body=file.read_bytes())
    run = bench.ended(identity.dropped_batch_id(bench.bucket, key, answer["VersionId"]))
    assert run.state is RunState.SUCCEEDED, run.reason
    parts = [
        pd.read_parquet(saved(bench, found.uri, directory / found.uri.rpartition("/")[2]))
        for found in bench.platform.store.list(f"{run.input['location']}results/")
        if found.uri.endswith(".parquet")
    ]
    table = pd.concat(parts)
    assert table["row_number"].is_monotonic_increasing
    return table[[f"probability.{label}" for label in CLASSES]].to_numpy()


def over_http(scientist: Caller, rows: list[dict[str, Any]]) -> tuple[Scores, list[str]]:
    """Probabilities and labels."""
    status, answer = scientist.post("/inference/predict", {"model": MODEL, "rows": rows})
    assert status == 200, answer
    told = [[each["probabilities"][label] for label in CLASSES] for each in answer["predictions"]]
    return np.asarray(told), [each["prediction"] for each in answer["predictions"]]


def deployed_anew(bench: Bench, version: ModelVersion, served_by: str) -> None:
    assert bench.configure(MODEL, settings(served_by)).state is RunState.SUCCEEDED
    run = bench.ended(bench.deploy_again(version, f"to be served by {served_by}").run_id)
    assert run.state is RunState.SUCCEEDED, run.reason


def endpoint_of(version: ModelVersion) -> str:
    return f"millrace-local-{MODEL}-v{version.number}"


def kind_of_endpoint(bench: Bench, version: ModelVersion) -> str:
    client = bench.session.client("sagemaker")
    (variant,) = client.describe_endpoint_config(EndpointConfigName=endpoint_of(version))["ProductionVariants"]
    return "serverless" if "ServerlessConfig" in variant else "realtime"


def forecast(caller: Caller) -> float:
    """US dollars by the end of the month."""
    status, overview = caller.get("/dashboard/overview")
    assert status == 200, overview
    return float(overview["cost"]["forecast_usd"])


def check_hours(bench: Bench, *, saved: float) -> None:
    """The realtime endpoint's ended when it was replaced, and none are counted of one that is not there.

    `saved` is what the month will cost less; what the run in between cost is a cent or two.
    """
    uses, now = bench.platform.endpoint_uses, bench.platform.clock.now()
    assert [(use.number, use.machine) for use in uses.open() if use.model == MODEL] == [(1, None)]
    (use,) = [each for each in uses.since(now - timedelta(hours=2)) if each.model == MODEL and each.number == 1][:-1]
    assert use.machine == bench.platform.settings.endpoint_machine
    going_on = use.model_copy(update={"until": None})
    assert saved == pytest.approx(cost_of_endpoint(going_on, now, next_month(now)), abs=0.1)


def test_a_thousand_golden_rows_are_answered_alike_wherever_they_are_asked(
    bench: Bench, version: ModelVersion, tmp_path: Path
) -> None:
    """Exactly as trained, and to 1e-6 by the graph."""
    scientist = signed_in(bench, "golda", names.SCIENTIST_ROLE)
    golden = held_out(bench, tmp_path).head(ROWS).reset_index(drop=True)
    artefact = opened(bench, version, tmp_path)
    rows = json_rows(golden, [feature.name for feature in artefact.features])

    expected = artefact.scores(golden)
    assert expected.shape == (ROWS, 2)
    assert len(np.unique(expected)) > ROWS / 2
    answers = {
        "training": as_evaluated_in_training(bench, version, tmp_path),
        "local, from JSON": artefact.scores(frame_of(rows, list(rows[0]))),
        "batch": in_batch(bench, golden, tmp_path),
    }
    assert kind_of_endpoint(bench, version) == "realtime"
    answers["realtime"], realtime = over_http(scientist, rows)
    going_on = forecast(scientist)
    sagemaker = bench.session.client("sagemaker")
    sagemaker.delete_endpoint(EndpointName=endpoint_of(version))
    sagemaker.delete_endpoint_config(EndpointConfigName=endpoint_of(version))
    never_made = an_endpoint_use(MODEL, 9, since=bench.platform.clock.now())
    bench.platform.endpoint_uses.begin(never_made)
    deployed_anew(bench, version, "serverless")
    check_hours(bench, saved=going_on - forecast(scientist))
    assert kind_of_endpoint(bench, version) == "serverless"
    answers["serverless"], serverless = over_http(scientist, rows)
    assert [where for where, scores in answers.items() if not np.array_equal(scores, expected)] == []

    deployed_anew(bench, version, "lambda")
    graph, labels = wait_for(
        lambda: found if not np.array_equal((found := over_http(scientist, rows))[0], expected) else None,
        what="the graph's answers",
        seconds=60,
    )

    assert 0 < np.abs(graph - expected).max() < 1e-6
    threshold = artefact.manifest["threshold"]
    wanted = [CLASSES[int(score >= threshold)] for score in expected[:, 1]]
    assert realtime == serverless == wanted
    undecided = np.abs(expected[:, 1] - threshold) < 1e-6
    assert [row for row in range(ROWS) if labels[row] != wanted[row] and not undecided[row]] == []
    assert (
        json.loads(
            bench.platform.store.read(
                place.serving_uri(
                    bench.platform.settings.require("artifacts_bucket"), MODEL, version.number, "serving.json"
                )
            )
        )["served_by"]
        == "lambda"
    )
