"""A year of real flights: a model of January and February, looked at each month, trained again when that can help."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import roc_auc_score

from millrace import names
from millrace.analytics.evaluation import RESAMPLES, Predictions, intervals, labels_of, resampled_metrics
from millrace.domain import place
from millrace.domain.dataset import ColumnKind
from millrace.domain.drift import DriftKind, DriftReport, DriftRequest, DriftVerdict
from millrace.domain.event import DriftDetected
from millrace.domain.model import ModelVersion
from millrace.domain.retraining import RetrainingReason
from millrace.domain.run import Run, RunState
from millrace.use_cases.check_drift import check_batch, check_labels
from millrace.use_cases.detect_drift import detect_drift
from millrace.use_cases.follow_drift import follow_drift
from millrace.use_cases.move_alias import move_alias
from millrace.use_cases.profile_baseline import profile_baseline
from millrace.use_cases.record_drift_reports import record_drift_reports
from millrace.use_cases.record_ground_truth import Label, record_ground_truth
from tests.builders import ARTIFACTS_BUCKET, DATA_BUCKET, a_column, a_contract, a_quality
from tests.unit.drift.test_flights import CATEGORIES, NOT_FEATURES, flights
from tests.unit.drift.test_performance import filled, winter_model
from tests.unit.use_cases.world import World, a_profile, evaluated

FLIGHTS = "flights"
MONTHS = range(3, 13)
CHANGING = {"temp", "dewp"}
WEATHER = CHANGING | {"humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"}
STEADY = {"sched_dep_hour", "distance"}
# The labels of March to June become a dataset version when July begins.
LABELLED_AGAIN = 7

Reports = Mapping[DriftKind, DriftReport]


@dataclass
class Year:
    """What each month's checks said: before its labels came, and after."""

    world: World
    champion: ModelVersion
    months: dict[int, pd.DataFrame]
    early: dict[int, Reports] = field(default_factory=dict)
    late: dict[int, Reports] = field(default_factory=dict)
    decisions: dict[int, list[tuple[RetrainingReason, str]]] = field(default_factory=dict)


@pytest.fixture(scope="module")
def year() -> Year:
    model, unseen = winter_model()
    world = World()
    world.clock.pass_time(datetime(2013, 3, 1, tzinfo=UTC) - world.clock.now())
    champion = registered(world, model, unseen)
    lived = Year(world, champion, months(model))
    for month, rows in lived.months.items():
        if month == LABELLED_AGAIN:
            uploaded(world, "march-to-june.csv", sum(len(lived.months[each]) for each in range(3, LABELLED_AGAIN)))
        world.clock.pass_time(datetime(2013, month, 5, tzinfo=UTC) - world.clock.now())
        lived.early[month] = checked_batch(lived, month, rows)
        world.clock.pass_time(timedelta(days=20))
        lived.late[month] = checked_with_labels(lived, month, rows)
        if month == LABELLED_AGAIN:
            finished(world)
    return lived


def months(model: Any) -> dict[int, pd.DataFrame]:
    """The flights of each month that have a label in the end, and what the model says of them."""
    rows = flights("flights_year.csv").dropna(subset=["late"])
    rows["positive"] = model.predict_proba(filled(rows))[:, 1]
    flown = rows["flight_id"].str.extract(r"-2013(\d\d)\d\d-")[0].astype(int)
    return {month: rows[flown == month] for month in MONTHS}


def registered(world: World, model: Any, unseen: pd.DataFrame) -> ModelVersion:
    """The model as the pipeline registers one, with its baseline, as champion."""
    training = {"training": {"algorithms": ["linear"], "on_new_version": False}}
    world.configure(FLIGHTS, target="late", key=["flight_id"], **training)
    uploaded(world, "winter.csv", 6000)
    run = world.start(FLIGHTS)
    (candidate,) = world.train(run, world.plan(run))
    world.collect(run, [candidate])
    learnt = flights("flights.csv").drop(index=unseen.index)
    signature = {
        "inputs": [{"name": name, "kind": kind} for name, kind in kinds().items()],
        "output": {"task": "binary", "classes": ["no", "yes"], "threshold": 0.5},
    }
    held_out = unseen.dropna(subset=["late"])
    positive, truth = model.predict_proba(filled(held_out))[:, 1], (held_out["late"] == "yes").to_numpy()
    measured = measures(positive, truth)
    judged = evaluated(candidate, signature=signature, metrics=measured, importance=[], recommended=True)
    world.evaluate(run, [candidate], candidates=[judged], test_rows=len(held_out))
    written(world, place.run_uri(ARTIFACTS_BUCKET, run.run_id, "evaluation/predictions.parquet"), pa.table(
        {"truth": held_out["late"].tolist(), "linear.no": 1 - positive, "linear.yes": positive}
    ))  # fmt: skip
    train = f"s3://{DATA_BUCKET}/train/"
    written(world, f"{train}part-0.parquet", inputs_of(learnt))
    evaluation = place.run_uri(ARTIFACTS_BUCKET, run.run_id, "evaluation")
    profile_baseline(
        store=world.store,
        artifacts_bucket=ARTIFACTS_BUCKET,
        run_id=run.run_id,
        train_uri=train,
        evaluation_uri=evaluation,
    )
    (version,) = world.register_candidates(run)
    said = {"actor": "user:ada", "reason": "the first"}
    world.registry.decide(FLIGHTS, version.number, approve=True, at=world.clock.now(), **said)
    move_alias(
        registry=world.registry, clock=world.clock, alias="champion", version_id=version.id, expected=None, **said
    )
    world.ledger.close(run.run_id, state=RunState.SUCCEEDED, reason=None, steps=(), at=world.clock.now())
    return version


def kinds() -> dict[str, str]:
    columns = [name for name in flights("flights.csv").columns if name not in NOT_FEATURES]
    return {name: "category" if name in CATEGORIES else "number" for name in columns}


def inputs_of(rows: pd.DataFrame) -> pa.Table:
    return pa.table(
        {
            name: pa.array(rows[name], pa.string() if kind == "category" else pa.float64(), from_pandas=True)
            for name, kind in kinds().items()
        }
    )


def measures(positive: Any, truth: Any) -> dict[str, Any]:
    scores = np.stack([1 - positive, positive], axis=1)
    predictions = Predictions("binary", truth.astype(np.int64), scores, labels_of("binary", scores, 0.5))
    (drawn,) = resampled_metrics([predictions], seed=1, count=RESAMPLES // 10)
    return {name: {**vars(each), "higher_is_better": True} for name, each in intervals(predictions, drawn).items()}


def uploaded(world: World, file: str, rows: int) -> None:
    """A version of the dataset with so many labelled rows."""
    columns = [a_column(name, ColumnKind(kind)) for name, kind in kinds().items()]
    late = a_column("late", ColumnKind.CATEGORY, categories=("no", "yes"))
    contract = a_contract(dataset=FLIGHTS, columns=(a_column("flight_id", ColumnKind.TEXT), *columns, late))
    profile = a_profile()
    profile["columns"]["late"] = profile["columns"]["status"] | {"counts": {"no": 700, "yes": 290}}
    quality = a_quality(accepted=rows, quarantined=0)
    key = f"uploads/{FLIGHTS}/{file}"
    world.ready(key, body=file.encode(), contract=contract, quality=quality, profile=profile)


def written(world: World, address: str, table: pa.Table) -> None:
    body = io.BytesIO()
    pq.write_table(table, body)
    world.store.write(address, body.getvalue())


def checked_batch(year: Year, month: int, rows: pd.DataFrame) -> Reports:
    """A batch of the month's flights, checked as soon as they are predicted."""
    results = place.batch_uri(DATA_BUCKET, FLIGHTS, f"month-{month}", "results/")
    answers = {
        "record_id": rows["flight_id"].tolist(),
        "prediction": np.where(rows["positive"] >= 0.5, "yes", "no").tolist(),
        "probability.no": 1 - rows["positive"].to_numpy(),
        "probability.yes": rows["positive"].to_numpy(),
    }
    table = inputs_of(rows)
    for name, values in answers.items():
        table = table.append_column(name, pa.array(values))
    written(year.world, f"{results}part-0.parquet", table)
    run = check_batch(
        registry=year.world.registry,
        ledger=year.world.ledger,
        pipelines=year.world.pipelines,
        clock=year.world.clock,
        model=FLIGHTS,
        number=year.champion.number,
        job_id=f"month-{month}",
        results_uri=results,
        actor="batch-inference",
    )
    return followed(year, month, run)


def checked_with_labels(year: Year, month: int, rows: pd.DataFrame) -> Reports:
    world = year.world
    record_ground_truth(
        registry=world.registry,
        store=world.store,
        bus=world.bus,
        clock=world.clock,
        data_bucket=DATA_BUCKET,
        model=FLIGHTS,
        labels=[Label(record, late) for record, late in zip(rows["flight_id"], rows["late"], strict=True)],
        actor="user:ada",
    )
    runs = check_labels(
        registry=world.registry,
        reports=world.drift_reports,
        ledger=world.ledger,
        pipelines=world.pipelines,
        clock=world.clock,
        data_bucket=DATA_BUCKET,
        model=FLIGHTS,
        at=world.clock.now(),
        actor="ground-truth",
    )
    (run,) = [each for each in runs if each.input["window"] == f"batch month-{month}"]
    return followed(year, month, run)


def followed(year: Year, month: int, run: Run) -> Reports:
    """What the functions behind a check do, one after the other, until the governor has answered each drift."""
    world = year.world
    request = DriftRequest.model_validate(run.input)
    reports = detect_drift(
        store=world.store, data_bucket=DATA_BUCKET, artifacts_bucket=ARTIFACTS_BUCKET, request=request
    )
    already = len(world.bus.published)
    record_drift_reports(
        store=world.store,
        reports=world.drift_reports,
        ledger=world.ledger,
        bus=world.bus,
        metrics=world.metrics,
        artifacts_bucket=ARTIFACTS_BUCKET,
        run_id=run.run_id,
        model=FLIGHTS,
        report_ids=[report.id for report in reports],
    )
    for event in world.bus.published[already:]:
        assert isinstance(event, DriftDetected)
        decision = follow_drift(
            **world.telling(),
            catalog=world.catalog,
            registry=world.registry,
            ledger=world.ledger,
            pipelines=world.pipelines,
            log=world.retraining,
            event=event,
            at=world.clock.now(),
        )
        if decision is not None:
            year.decisions.setdefault(month, []).append((decision.reason, decision.sentence))
    return {report.kind: report for report in reports}


def finished(world: World) -> None:
    """The training that the governor allowed ends with a version that waits for a person."""
    (run,) = world.ledger.page(pipeline=names.TRAINING_PIPELINE, state=RunState.RUNNING).items
    (candidate,) = world.train(run, world.plan(run))
    world.collect(run, [candidate])
    world.evaluate(run, [candidate])
    world.register_candidates(run)
    world.ledger.close(run.run_id, state=RunState.SUCCEEDED, reason=None, steps=(), at=world.clock.now())


def drifted(report: DriftReport) -> set[str]:
    return {feature.feature for feature in report.drifted}


@pytest.mark.parametrize("month", MONTHS)
def test_distance_and_hour_are_left_alone_all_year(year: Year, month: int) -> None:
    report = year.early[month][DriftKind.DATA]

    verdicts = {feature.feature: feature.verdict for feature in report.features}
    assert {verdicts[name] for name in STEADY} == {DriftVerdict.OK}


@pytest.mark.parametrize("month", range(4, 12))
def test_from_april_to_november_the_weather_drifts(year: Year, month: int) -> None:
    report = year.early[month][DriftKind.DATA]

    assert drifted(report) >= CHANGING, report.sentence
    assert "`temp` rose by" in next(each.sentence for each in report.drifted if each.feature == "temp")


def test_the_weather_is_farthest_from_winter_in_july_and_comes_back(year: Year) -> None:
    shifts = {
        month: next(each.shift_sd or 0.0 for each in reports[DriftKind.DATA].features if each.feature == "temp")
        for month, reports in year.early.items()
    }

    assert max(shifts, key=lambda month: shifts[month]) == 7
    assert shifts[12] < 0.5 < shifts[4] < shifts[7]


@pytest.mark.parametrize("month", MONTHS)
def test_before_labels_there_is_an_estimate_and_no_verdict(year: Year, month: int) -> None:
    report = year.early[month][DriftKind.PERFORMANCE]

    assert report.verdict is DriftVerdict.SKIPPED
    assert report.performance[0].estimated
    assert report.performance[0].assumption


@pytest.mark.parametrize("month", MONTHS)
def test_with_labels_the_area_under_the_curve_and_the_share_of_late_flights_are_told(year: Year, month: int) -> None:
    report, rows = year.late[month][DriftKind.PERFORMANCE], year.months[month]

    measured = report.performance[0]
    assert (measured.metric, measured.estimated, measured.rows) == ("roc_auc", False, len(rows))
    assert measured.window == pytest.approx(roc_auc_score(rows["late"] == "yes", rows["positive"]), abs=1e-9)
    assert f"{measured.window:.3f}" in report.sentence
    assert f"{measured.held_out:.3f}" in report.sentence
    (label,) = report.features
    on_time = float((rows["late"] == "no").mean())
    shares = report.overlays["label"]
    assert dict(zip(shares.levels, shares.window, strict=True))["no"] == pytest.approx(on_time)
    told = [f"{share:.0%}".replace("%", " %") for share in (on_time, 1 - on_time)]
    assert label.verdict is not DriftVerdict.DRIFT or any(f"in {share} of rows" in label.sentence for share in told)


def test_the_labels_of_september_drifted_and_those_of_march_did_not(year: Year) -> None:
    labels = {month: reports[DriftKind.PERFORMANCE].features[0].verdict for month, reports in year.late.items()}

    assert labels[3] is DriftVerdict.OK
    assert labels[9] is DriftVerdict.DRIFT


def test_the_page_shows_this_year(year: Year) -> None:
    page = (Path(__file__).parents[3] / "docs" / "drift.md").read_text()

    assert table(year) in page, table(year)


def table(year: Year) -> str:
    titles = ("month", "weather that drifted", "other inputs that drifted", "`temp`", "late", "roc_auc", "performance")
    rows = [f"| {' | '.join(titles)} |", f"| {' | '.join(['---'] * len(titles))} |"]
    for month, early in year.early.items():
        data, performance = early[DriftKind.DATA], year.late[month][DriftKind.PERFORMANCE]
        temp = next(each.shift_sd or 0.0 for each in data.features if each.feature == "temp")
        others = sorted(drifted(data) - WEATHER)
        late = float((year.months[month]["late"] == "yes").mean())
        (auc,) = performance.performance[:1]
        told = [
            f"{datetime(2013, month, 1, tzinfo=UTC):%B}",
            f"{len(drifted(data) & WEATHER)} of {len(WEATHER)}",
            ", ".join(f"`{each}`" for each in others) or "none",
            f"{temp:+.1f} sd",
            f"{late:.0%}",
            f"{auc.window:.3f} ({auc.low:.3f} to {auc.high:.3f})",
            f"{performance.verdict}",
        ]
        rows.append(f"| {' | '.join(told)} |")
    return "\n".join(rows)


def test_it_is_trained_again_when_new_labels_allow_it_and_only_then(year: Year) -> None:
    before = [reason for month in range(3, LABELLED_AGAIN) for reason, _ in year.decisions.get(month, [])]
    first, *others = year.decisions[LABELLED_AGAIN]
    after = [reason for month in range(LABELLED_AGAIN + 1, 13) for reason, _ in year.decisions.get(month, [])]

    assert len(before) >= 3
    assert set(before) == {RetrainingReason.NO_NEW_LABELS}
    assert first[0] is RetrainingReason.ALLOWED
    assert {reason for reason, _ in others} <= {RetrainingReason.RUN_IN_FLIGHT}
    assert others
    assert set(after) == {RetrainingReason.ALREADY_TRAINED}

    runs = year.world.ledger.page(pipeline=names.TRAINING_PIPELINE).items
    governed = [(run.dataset_version, run.started_at.month) for run in runs if run.started_by == "governor"]
    assert governed == [(2, LABELLED_AGAIN)]
    kept = year.world.retraining.page(FLIGHTS, limit=100).items
    assert len(kept) == sum(map(len, year.decisions.values()))


def test_each_decision_says_its_reason_in_a_sentence(year: Year) -> None:
    said = {reason: sentence for decisions in year.decisions.values() for reason, sentence in decisions}

    assert said[RetrainingReason.NO_NEW_LABELS] == (
        "Retraining cannot help: no new labels since v1, which flights:1 was trained on."
    )
    assert "labelled rows that flights:1 has not seen" in said[RetrainingReason.ALLOWED]
    assert "came of v2 already" in said[RetrainingReason.ALREADY_TRAINED]
