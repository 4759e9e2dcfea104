"""A file is dropped for a model; every row is answered beside its row, or set aside with its reasons."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from millrace.domain import identity, place
from millrace.domain.model import ModelVersion
from millrace.domain.run import Run, RunState
from millrace.use_cases.start_batch_inference import predict_again, start_batch_inference
from sagemaker_scripts.artefact import extract, open_artefact
from tests.e2e.conftest import EXAMPLES, Bench, wait_for

ROWS = 2000
SETTINGS = {
    "target": "late",
    "key": ["flight_id"],
    "training": {"trials": 1, "algorithms": ["linear", "xgboost"]},
}


@pytest.fixture(scope="module")
def flights() -> pd.DataFrame:
    return pd.read_csv(EXAMPLES / "flights.csv")


@pytest.fixture(scope="module")
def version(bench: Bench, flights: pd.DataFrame) -> ModelVersion:
    """An approved version; whether it is deployed already makes no difference to a batch that names it."""
    assert bench.configure("batched", SETTINGS).state is RunState.SUCCEEDED
    ingest = bench.drop("batched", "january.csv", flights.head(ROWS).to_csv(index=False).encode())
    assert ingest.state is RunState.SUCCEEDED, ingest.reason
    trained = bench.trained("batched", 1)
    assert trained.state is RunState.SUCCEEDED, trained.reason
    chosen = next(v for v in bench.platform.registry.versions("batched") if v.algorithm == "xgboost")
    bench.approve(chosen.id, "to predict in batch")
    deployed = bench.ended(identity.automatic_deployment_run_id(chosen.model, chosen.number))
    assert deployed.state is RunState.SUCCEEDED, deployed.reason
    return chosen


@pytest.fixture(scope="module")
def hostile(flights: pd.DataFrame, version: ModelVersion) -> pd.DataFrame:
    """Rows that were never seen, as text; the first is broken in one column, the second in two."""
    names = [each["name"] for each in version.signature["inputs"]]
    rows = flights.iloc[ROWS : ROWS + 60][names].astype(object).where(lambda f: f.notna(), "").astype(str)
    rows.insert(0, "record_id", [f"flight {n}" for n in range(60)])
    numbers = [each["name"] for each in version.signature["inputs"] if each["kind"] in ("integer", "number")]
    rows.iloc[0, rows.columns.get_loc(numbers[0])] = "many"
    rows.iloc[1, [rows.columns.get_loc(name) for name in numbers[:2]]] = ["some", "few"]
    rows["remark"] = "nobody reads this"
    return rows


@pytest.fixture(scope="module")
def dropped(bench: Bench, version: ModelVersion, hostile: pd.DataFrame) -> Run:
    key = "inference/batched/february.csv"
    body = hostile.to_csv(index=False).encode()
    answer = bench.session.client("s3").put_object(Bucket=bench.bucket, Key=key, Body=body)
    return bench.ended(identity.dropped_batch_id(bench.bucket, key, answer["VersionId"]))


def results(bench: Bench, run: Run, directory: Path) -> pd.DataFrame:
    frames = []
    for found in bench.platform.store.list(f"{run.input['location']}results/"):
        if found.uri.endswith(".parquet"):
            path = directory / found.uri.rpartition("/")[2]
            path.write_bytes(bench.platform.store.read(found.uri))
            frames.append(pd.read_parquet(path))
    return pd.concat(frames)


def test_every_row_is_answered_as_trained_or_set_aside_with_its_reasons(
    bench: Bench, version: ModelVersion, hostile: pd.DataFrame, dropped: Run, tmp_path: Path
) -> None:
    assert dropped.state is RunState.SUCCEEDED, dropped.reason
    found = results(bench, dropped, tmp_path)

    assert found["record_id"].tolist() == [f"flight {n}" for n in range(2, 60)]
    assert found["row_number"].tolist() == list(range(4, 62))
    archive = tmp_path / "model.tar.gz"
    archive.write_bytes(bench.platform.store.read(version.artifact_uri))
    extract(archive, tmp_path / "model")
    artefact = open_artefact(tmp_path / "model", expected_digest=version.artifact_digest)
    scores = artefact.scores(found)
    classes = artefact.manifest["classes"]
    told = found[[f"probability.{json.dumps(c) if not isinstance(c, str) else c}" for c in classes]].to_numpy()
    assert (told == scores).all()
    csv = pd.read_csv(_saved(bench, f"{dropped.input['location']}results/results.csv", tmp_path / "r.csv"))
    assert csv["record_id"].tolist() == found["record_id"].tolist()
    aside = bench.platform.store.read(f"{dropped.input['location']}quarantine/part-00000-000.jsonl").splitlines()
    rows = [json.loads(line) for line in aside]
    assert [(row["line"], len(row["reasons"])) for row in rows] == [(2, 1), (3, 2)]
    assert dropped.outcome == f"{version.id} predicted 58 of 60 rows; 2 could not be read."


def _saved(bench: Bench, uri: str, path: Path) -> Path:
    path.write_bytes(bench.platform.store.read(uri))
    return path


def test_a_file_without_the_models_columns_is_refused_with_their_names(bench: Bench, version: ModelVersion) -> None:
    key = "inference/batched/wrong.csv"
    answer = bench.session.client("s3").put_object(Bucket=bench.bucket, Key=key, Body=b"record_id,other\n1,2\n")
    run = bench.ended(identity.dropped_batch_id(bench.bucket, key, answer["VersionId"]))

    assert run.state is RunState.FAILED
    assert "lacks" in (run.reason or "")
    assert version.signature["inputs"][0]["name"] in (run.reason or "")
    assert not bench.platform.store.list(f"{run.input['location']}results/")


def start(bench: Bench, **asked: Any) -> Run:
    platform = bench.platform
    return start_batch_inference(
        catalog=platform.catalog,
        registry=platform.registry,
        ledger=platform.ledger,
        pipelines=platform.pipelines,
        store=platform.store,
        clock=platform.clock,
        data_bucket=bench.bucket,
        model="batched",
        actor="tester",
        **asked,
    )


def test_a_killed_transform_job_leaves_nothing_visible_and_the_batch_can_be_run_again(
    bench: Bench, version: ModelVersion, tmp_path: Path
) -> None:
    run = start(bench, number=version.number, dataset_version=1, record_id_column="flight_id")
    sagemaker = bench.session.client("sagemaker")

    def scoring() -> bool | None:
        jobs = sagemaker.list_transform_jobs(NameContains=run.run_id)["TransformJobSummaries"]
        return True if jobs and jobs[0]["TransformJobStatus"] == "InProgress" else None

    wait_for(scoring, what="the transform job", seconds=120)
    sagemaker.stop_transform_job(TransformJobName=run.input["score_job"])
    killed = bench.ended(run.run_id)
    assert killed.state is RunState.FAILED
    assert not bench.platform.store.list(f"{run.input['location']}results/")

    platform = bench.platform
    again = predict_again(
        registry=platform.registry,
        ledger=platform.ledger,
        pipelines=platform.pipelines,
        clock=platform.clock,
        job_id=run.run_id,
        actor="tester",
    )
    ended = bench.ended(again.run_id)
    assert ended.state is RunState.SUCCEEDED, ended.reason
    found = results(bench, ended, tmp_path)
    quality = bench.platform.catalog.version("batched", 1).quality
    assert quality is not None
    assert len(found) == quality.accepted
    assert found["record_id"].is_unique
    assert found["row_number"].tolist() == list(range(1, quality.accepted + 1))
    assert ended.input["location"] == place.batch_uri(bench.bucket, "batched", again.run_id)
