"""The main job, started by nothing but objects put in a bucket."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from millrace.algorithms.features import model_frame
from millrace.domain.dataset import DatasetVersion
from millrace.domain.model import ApprovalState, ModelVersion, VerdictOutcome
from millrace.domain.run import Run, RunState
from sagemaker_scripts.artefact import open_artefact
from tests.e2e.conftest import EXAMPLES, RUN_SECONDS, Bench, wait_for

ROWS = 3000
SETTINGS = {"target": "late", "key": ["flight_id"], "training": {"trials": 2, "hyperparameters": {}}}


@pytest.fixture(scope="module")
def flights() -> pd.DataFrame:
    return pd.read_csv(EXAMPLES / "flights.csv").head(ROWS)


def as_csv(frame: pd.DataFrame) -> bytes:
    return frame.to_csv(index=False).encode()


@pytest.fixture(scope="module")
def trained(bench: Bench, flights: pd.DataFrame) -> Run:
    """Settings and data arrive as objects; everything after that is the platform's doing."""
    assert bench.configure("flights", SETTINGS).state is RunState.SUCCEEDED
    ingest = bench.drop("flights", "january.csv", as_csv(flights))
    assert ingest.state is RunState.SUCCEEDED, ingest.reason
    return bench.trained("flights", 1)


@pytest.fixture(scope="module")
def version(bench: Bench, trained: Run) -> DatasetVersion:
    return bench.platform.catalog.version("flights", 1)


@pytest.fixture(scope="module")
def versions(bench: Bench, trained: Run) -> list[ModelVersion]:
    return list(bench.platform.registry.versions("flights"))


def read_split(bench: Bench, version: DatasetVersion, split: str, folder: Path) -> pd.DataFrame:
    """Through files: reading Parquet from memory sometimes aborts this pyarrow's process at its exit."""
    frames = []
    for number, part in enumerate(bench.platform.store.list(f"{version.location}data/split={split}/")):
        file = folder / f"{split}-{number}.parquet"
        file.write_bytes(bench.platform.store.read(part.uri))
        frames.append(pd.read_parquet(file))
    return pd.concat(frames)


def test_a_dropped_file_ends_as_three_judged_model_versions(trained: Run, versions: list[ModelVersion]) -> None:
    assert trained.state is RunState.SUCCEEDED, trained.reason
    assert {v.algorithm for v in versions} == {"random_forest", "xgboost", "linear"}
    assert sorted(v.number for v in versions) == [1, 2, 3]
    for each in versions:
        assert each.approval.state is ApprovalState.PENDING
        assert each.verdict.outcome is VerdictOutcome.FIRST
        assert each.verdict.low <= each.verdict.gain <= each.verdict.high
        assert str(each.verdict.test_rows) in each.verdict.sentence.replace(",", "")


def test_every_row_is_accepted_or_quarantined_with_its_text(
    bench: Bench, version: DatasetVersion, flights: pd.DataFrame
) -> None:
    unlabelled = flights[flights["late"].isna()]
    assert version.quality is not None
    assert version.quality.rows_in == len(flights)
    assert version.quality.quarantined == len(unlabelled)
    parts = sorted(o.uri for o in bench.platform.store.list(version.quarantine_location))
    rows = [json.loads(line) for part in parts for line in bench.platform.store.read(part).splitlines()]
    assert [row["line"] for row in rows] == [index + 2 for index in unlabelled.index]
    assert [row["text"].split(",")[0] for row in rows] == list(unlabelled["flight_id"])
    assert all("late" in " ".join(row["reasons"]) for row in rows)


def test_the_profile_equals_figures_computed_with_pandas(
    bench: Bench, version: DatasetVersion, flights: pd.DataFrame
) -> None:
    accepted = flights[flights["late"].notna()]
    profile = bench.read_json(f"{version.location}profile.json")
    assert profile["rows"] == len(accepted)
    columns = profile["columns"]
    for name in ("distance", "temp", "wind_gust", "plane_seats"):
        mine, theirs = columns[name], accepted[name]
        assert mine["nulls"] == int(theirs.isna().sum())
        assert mine["count"] == int(theirs.notna().sum())
        assert mine["minimum"] == pytest.approx(theirs.min())
        assert mine["maximum"] == pytest.approx(theirs.max())
        assert mine["mean"] == pytest.approx(theirs.mean())
        assert mine["std"] == pytest.approx(theirs.std(), rel=1e-6)
        assert mine["quantiles"]["0.5"] == pytest.approx(theirs.median(), rel=0.02)
    carriers = accepted["carrier"].value_counts()
    assert dict(columns["carrier"]["top"]) == carriers.to_dict()


def test_no_row_is_in_two_splits_and_none_is_missing(
    bench: Bench, version: DatasetVersion, flights: pd.DataFrame, tmp_path: Path
) -> None:
    splits = {s: set(read_split(bench, version, s, tmp_path)["flight_id"]) for s in ("train", "validation", "test")}
    together = [flight for flights_of in splits.values() for flight in flights_of]
    assert len(together) == len(set(together))
    assert set(together) == set(flights.loc[flights["late"].notna(), "flight_id"])


def test_the_registered_figure_equals_one_computed_from_the_original_file(
    bench: Bench, versions: list[ModelVersion], flights: pd.DataFrame, tmp_path: Path
) -> None:
    best = next(v for v in versions if v.recommended)
    archive = bench.platform.store.read(best.artifact_uri)
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(tmp_path, filter="data")
    artefact = open_artefact(tmp_path, expected_digest=best.artifact_digest)
    test_rows = read_split(bench, bench.platform.catalog.version("flights", 1), "test", tmp_path)
    original = flights.set_index("flight_id").loc[test_rows["flight_id"]].reset_index()
    prepared = test_rows.set_index("flight_id").loc[original["flight_id"]].reset_index()
    scores = artefact.scores(model_frame(prepared, artefact.features))[:, 1]
    assert roc_auc_score(original["late"] == "yes", scores) == pytest.approx(best.metrics["roc_auc"].value, abs=1e-9)


def test_the_lineage_names_the_run_the_data_the_code_and_the_image(
    trained: Run, version: DatasetVersion, versions: list[ModelVersion], bench: Bench
) -> None:
    for each in versions:
        assert each.lineage.run_id == trained.run_id
        assert (each.lineage.dataset, each.lineage.dataset_version) == ("flights", 1)
        assert each.lineage.dataset_sha256 == version.sha256
        assert each.lineage.code_digest == bench.platform.settings.code_digest
        assert "sagemaker-xgboost:3.2-0" in each.lineage.image
    assert trained.steps[0].name == "PlanTraining"
    assert {step.item for step in trained.steps if step.item} == {"random_forest", "xgboost", "linear"}


def test_a_job_is_billed_for_no_longer_than_its_step_took_or_the_least_that_is_billed(
    bench: Bench, trained: Run, version: DatasetVersion
) -> None:
    ingest = bench.platform.ledger.get(version.run_id)
    jobs = [(step, step.job) for run in (ingest, trained) for step in run.steps if step.job is not None]

    # A preparation, two or more trainings, an evaluation.
    assert len(jobs) >= 4
    for step, job in jobs:
        assert step.seconds is not None
        assert job.billable_seconds is not None, step.name
        # Services bill whole seconds, and Glue a minute at least.
        least = 60 if job.service == "glue" else 0
        assert 0 < job.billable_seconds <= max(step.seconds + 1, least) * job.count, step.name


def test_the_same_bytes_under_another_key_make_no_version(bench: Bench, trained: Run, flights: pd.DataFrame) -> None:
    again = bench.drop("flights", "a-copy-of-january.csv", as_csv(flights))
    assert again.state is RunState.SUCCEEDED
    assert [v.version for v in bench.platform.catalog.versions("flights")] == [1]
    assert "identical" in (again.outcome or "").lower()


def test_flipped_labels_change_the_metrics_and_do_not_beat_the_champion(
    bench: Bench, trained: Run, versions: list[ModelVersion], flights: pd.DataFrame
) -> None:
    best = next(v for v in versions if v.recommended)
    bench.platform.registry.decide(
        best.model, best.number, approve=True, actor="tester", reason="first one", at=bench.platform.clock.now()
    )
    bench.platform.registry.move_alias(
        best.model, "champion", best.number,
        expected=None, actor="tester", reason="first one", at=bench.platform.clock.now(),
    )  # fmt: skip
    flipped = flights.copy()
    coin = np.random.default_rng(3).random(len(flipped)) < 0.5
    flipped.loc[coin, "late"] = flipped.loc[coin, "late"].map({"yes": "no", "no": "yes"})
    assert bench.drop("flights", "flipped.csv", as_csv(flipped)).state is RunState.SUCCEEDED
    assert bench.trained("flights", 2).state is RunState.SUCCEEDED
    judged = [v for v in bench.platform.registry.versions("flights") if v.lineage.dataset_version == 2]
    assert len(judged) == 3
    before = {v.algorithm: v.metrics["roc_auc"].value for v in versions}
    for each in judged:
        assert each.metrics["roc_auc"].value < before[each.algorithm] - 0.05
        assert each.verdict.compared_with == best.id
        assert each.verdict.outcome is not VerdictOutcome.BETTER


def test_approval_by_a_person_makes_the_champion_through_the_event(bench: Bench, trained: Run) -> None:
    candidate = next(
        v for v in bench.platform.registry.versions("flights") if v.approval.state is ApprovalState.PENDING
    )
    bench.approve(candidate.id, "a second look at the same rows")

    def moved() -> bool | None:
        return bench.platform.registry.model("flights").aliases.get("champion") == candidate.number or None

    assert wait_for(moved, what="the alias champion to move", seconds=RUN_SECONDS)
