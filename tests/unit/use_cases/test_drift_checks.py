"""Checks for drift on fakes: from records, labels and events to reports and the news of them."""

from __future__ import annotations

import json
from datetime import timedelta
from io import BytesIO
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from millrace.analytics.drift.baseline import LABEL, PREDICTION, Baseline, HeldOut
from millrace.analytics.drift.rows import WindowProfiler
from millrace.domain import place
from millrace.domain.drift import DriftKind, DriftReport, DriftRequest, DriftSource, DriftVerdict
from millrace.domain.event import DriftDetected
from millrace.domain.model import CHAMPION
from millrace.domain.truth import LabelCounts
from millrace.errors import InvalidInput, NotDeployed, NotFound
from millrace.use_cases.check_drift import check_batch, check_drift, check_labels
from millrace.use_cases.detect_drift import detect_drift
from millrace.use_cases.record_drift_reports import record_drift_reports
from tests.builders import ARTIFACTS_BUCKET, DATA_BUCKET, NOON, a_drift_report, a_run
from tests.unit.use_cases.world import World

DAY = NOON.replace(hour=0)
SIGNATURE = {
    "inputs": [{"name": "age", "kind": "number"}],
    "output": {"task": "binary", "classes": ["bad", "good"], "threshold": 0.5},
}


@pytest.fixture
def world() -> World:
    return World()


def scores_of(rows: int, seed: int, shift: float = 0.0) -> tuple[Any, Any, Any]:
    """Ages, the probability of `good`, and whether it was."""
    rng = np.random.default_rng(seed)
    age = rng.normal(40 + 10 * shift, 10, rows)
    positive = 1 / (1 + np.exp(-(age - 40) / 5))
    return age, positive, rng.random(rows) < positive


def baseline() -> Baseline:
    age, positive, truth = scores_of(2000, 1)
    inputs, answers = WindowProfiler({"age": "number"}), WindowProfiler(
        {PREDICTION: "category", "probability.good": "number"}
    )  # fmt: skip
    inputs.add(pa.table({"age": age}))
    answers.add(pa.table({PREDICTION: np.where(positive >= 0.5, "good", "bad"), "probability.good": positive}))
    labels = WindowProfiler({LABEL: "category"})
    labels.add(pa.table({LABEL: np.where(truth, "good", "bad")}))
    metrics = {"roc_auc": {"value": 0.88, "low": 0.865, "high": 0.895, "higher_is_better": True}}
    held_out = HeldOut(2000, "roc_auc", metrics, {"roc_auc": 0.88})
    return Baseline(SIGNATURE, inputs.profile, answers.profile, labels.profile, {"age": 1.0}, held_out)


def request(world: World, **facts: Any) -> DriftRequest:
    address = place.model_uri(ARTIFACTS_BUCKET, "credit", 1, "baseline.json")
    world.store.write(address, json.dumps(baseline().to_json()).encode())
    known: dict[str, Any] = {
        "run_id": "drift-0123456789abcdef",
        "model": "credit",
        "number": 1,
        "source": DriftSource.RECORDS,
        "baseline": "credit:1",
        "baseline_uri": address,
        "window": "requests of a day",
        "window_uri": place.records_uri(DATA_BUCKET, "credit"),
        "first": DAY,
        "until": DAY + timedelta(days=1),
        "requested_at": DAY + timedelta(days=1, hours=1),
    }
    return DriftRequest(**(known | facts))


def asked(world: World, rows: int, seed: int, *, shift: float = 0.0, number: int = 1) -> Any:
    """Records of requests; what was really so."""
    age, positive, truth = scores_of(rows, seed, shift)
    lines = [
        json.dumps(
            {
                "record_id": f"{seed}-{row}",
                "number": number,
                "at": (DAY + timedelta(seconds=row)).isoformat(),
                "row": {"age": float(age[row])},
                "prediction": "good" if positive[row] >= 0.5 else "bad",
                "probabilities": {"bad": float(1 - positive[row]), "good": float(positive[row])},
            }
        )
        for row in range(rows)
    ]
    address = place.inference_records_uri(DATA_BUCKET, "credit", DAY.date().isoformat(), f"{seed}")
    world.store.write(address, "\n".join(lines).encode())
    return truth


def labelled(world: World, seed: int, truth: Any, *, days_ago: int = 0) -> None:
    told = (DAY + timedelta(days=1 - days_ago)).date().isoformat()
    lines = [
        json.dumps({"record_id": f"{seed}-{row}", "label": "good" if value else "bad", "at": told})
        for row, value in enumerate(truth)
    ]
    world.store.write(place.truth_uri(DATA_BUCKET, "credit", told) + f"{seed}.jsonl", "\n".join(lines).encode())


def found(world: World, wanted: DriftRequest) -> dict[DriftKind, DriftReport]:
    reports = detect_drift(
        store=world.store, data_bucket=DATA_BUCKET, artifacts_bucket=ARTIFACTS_BUCKET, request=wanted
    )
    return {report.kind: report for report in reports}


def test_requests_of_other_versions_and_other_times_are_not_in_the_window(world: World) -> None:
    asked(world, 300, 2)
    asked(world, 300, 3, shift=3.0, number=2)
    wanted = request(world, until=DAY + timedelta(seconds=200))

    report = found(world, wanted)[DriftKind.DATA]

    assert (report.window_rows, report.verdict) == (200, DriftVerdict.OK)


def test_labels_make_performance_measured_and_without_them_it_is_an_estimate(world: World) -> None:
    truth = asked(world, 500, 4)
    before = found(world, request(world))[DriftKind.PERFORMANCE]
    labelled(world, 4, np.random.default_rng(1).permutation(truth))
    after = found(world, request(world))[DriftKind.PERFORMANCE]

    assert (before.verdict, before.performance[0].estimated) == (DriftVerdict.SKIPPED, True)
    assert (after.verdict, after.performance[0].estimated) == (DriftVerdict.DRIFT, False)
    assert after.performance[0].window == pytest.approx(0.5, abs=0.1)


def batch_results(world: World, ids: list[str | None]) -> str:
    """Results of a batch with rows of these ids; where they lie."""
    address = place.batch_uri(DATA_BUCKET, "credit", "batch-1", "results/")
    body = BytesIO()
    pq.write_table(pa.table({"record_id": pa.array(ids, pa.string()), "age": [40.0] * len(ids)}), body)
    world.store.write(f"{address}part-0.parquet", body.getvalue())
    return address


def counted(world: World, **facts: Any) -> LabelCounts:
    labels = found(world, request(world, **facts))[DriftKind.PERFORMANCE].labels
    assert labels is not None
    return labels


def test_labels_that_name_no_prediction_wait_and_it_is_said_since_when(world: World) -> None:
    truth = asked(world, 300, 4)
    labelled(world, 4, truth[:200])
    labelled(world, 77, truth[:20], days_ago=3)
    labelled(world, 78, truth[:5], days_ago=9)

    report = found(world, request(world, label_uris=()))[DriftKind.PERFORMANCE]

    assert report.labels == LabelCounts(
        known=225,
        joined=200,
        elsewhere=0,
        waiting=25,
        oldest_waiting=(DAY - timedelta(days=8)).date(),
        unlabelled=100,
    )
    said = "200 of 225 labels joined a prediction; 25 wait for theirs, the oldest since 2026-11-12."
    assert report.sentence.endswith(said)
    page = place.drift_uri(ARTIFACTS_BUCKET, "credit", report.id, "report.html")
    assert said in world.store.read(page).decode()


def test_a_label_whose_prediction_comes_later_waits_until_then(world: World) -> None:
    labelled(world, 4, [True] * 3)
    asked(world, 50, 5)
    before = counted(world, label_uris=())
    asked(world, 50, 4)
    after = counted(world, label_uris=())

    assert (before.joined, before.waiting, before.unlabelled) == (0, 3, 50)
    assert (after.joined, after.waiting, after.unlabelled) == (3, 0, 97)
    assert after.sentence == "All 3 labels joined a prediction."


def test_labels_of_other_versions_hours_and_batches_do_not_wait(world: World) -> None:
    asked(world, 100, 2)
    asked(world, 100, 3, number=2)
    results = batch_results(world, ["9-0", "9-1", None])
    for seed, rows in ((2, 100), (3, 10), (9, 3)):
        labelled(world, seed, [True] * rows)

    labels = counted(world, until=DAY + timedelta(seconds=60), label_uris=(results,))

    assert (labels.known, labels.joined, labels.elsewhere, labels.waiting) == (113, 60, 40 + 10 + 2, 1)
    assert labels.sentence.startswith("112 of 113 labels joined a prediction; 1 waits for its own, the oldest since")


def test_batches_are_not_read_once_no_label_waits(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked(world, 10, 2)
    labelled(world, 2, [True] * 10)
    results = batch_results(world, ["9-0"])
    opened: list[str] = []
    opening = world.store.open
    monkeypatch.setattr(world.store, "open", lambda address: (opened.append(address), opening(address))[1])

    assert counted(world, label_uris=(results,)).waiting == 0

    assert [address for address in opened if address.startswith(results)] == []


def test_a_label_that_will_never_join_does_not_keep_a_check_from_its_verdict(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond what a function fetches in time, batches are not looked in, and nothing is claimed of what waits."""
    truth = asked(world, 300, 4)
    labelled(world, 4, truth[:200])
    labelled(world, 77, [True])
    results = batch_results(world, ["9-0"])
    (size,) = [found.size_bytes for found in world.store.list(results)]

    monkeypatch.setattr("millrace.use_cases.detect_drift.ELSEWHERE_BYTES", 2 * size)
    assert counted(world, label_uris=(results, results)).waiting == 1
    monkeypatch.setattr("millrace.use_cases.detect_drift.ELSEWHERE_BYTES", 2 * size - 1)
    assert counted(world, label_uris=(results, results)) == LabelCounts(known=201, joined=200, unlabelled=100)


def test_a_check_that_reads_only_its_window_does_not_say_that_labels_wait(world: World) -> None:
    truth = asked(world, 300, 4)
    labelled(world, 4, truth[:20])
    labelled(world, 77, truth[:30])

    report = found(world, request(world))[DriftKind.PERFORMANCE]

    assert report.labels == LabelCounts(known=50, joined=20, unlabelled=280)
    assert "20 of 50 labels of the last 30 days joined a prediction of this window" in report.sentence
    assert "wait" not in report.sentence


def test_only_the_report_about_performance_counts_labels(world: World) -> None:
    asked(world, 300, 4)

    reports = found(world, request(world, label_uris=()))

    assert {kind for kind, report in reports.items() if report.labels} == {DriftKind.PERFORMANCE}
    assert "label" not in reports[DriftKind.DATA].sentence


def test_a_report_of_before_labels_were_counted_is_read_as_not_counted() -> None:
    old = a_drift_report(kind=DriftKind.PERFORMANCE).model_dump(mode="json")
    del old["labels"]

    assert DriftReport.model_validate(old).labels is None


def test_the_same_check_writes_the_same_bytes(world: World) -> None:
    asked(world, 300, 5)
    reports = found(world, request(world))
    address = place.drift_uri(ARTIFACTS_BUCKET, "credit", reports[DriftKind.DATA].id, "report.json")
    first = world.store.read(address)

    found(world, request(world))

    assert world.store.read(address) == first


def test_a_version_without_a_baseline_is_not_judged_and_the_report_says_so(world: World) -> None:
    reports = found(world, request(world, baseline_uri=None, baseline=None))

    assert {report.sentence for report in reports.values()} == {"Not judged: no baseline."}


def test_results_that_are_not_there_are_an_error_and_no_verdict(world: World) -> None:
    gone = place.batch_uri(DATA_BUCKET, "credit", "batch-1", "results/")

    with pytest.raises(NotFound, match="no results"):
        found(world, request(world, source=DriftSource.BATCH, window_uri=gone))


def recorded(world: World, report: DriftReport) -> None:
    address = place.drift_uri(ARTIFACTS_BUCKET, report.model, report.id, "report.json")
    world.store.write(address, report.model_dump_json().encode())
    world.ledger.open(a_run(report.run_id, pipeline="drift"))
    record_drift_reports(
        store=world.store,
        reports=world.drift_reports,
        ledger=world.ledger,
        bus=world.bus,
        metrics=world.metrics,
        artifacts_bucket=ARTIFACTS_BUCKET,
        run_id=report.run_id,
        model=report.model,
        report_ids=[report.id],
    )


def test_each_drift_is_news_and_so_is_the_ok_that_ends_it(world: World) -> None:
    ok = {"verdict": DriftVerdict.OK, "features": ()}
    verdicts = [({}, 0), (ok, 1), (ok, 2), ({}, 3)]
    for facts, minutes in verdicts:
        recorded(
            world,
            a_drift_report(f"drift-{minutes:016x}-data", created_at=NOON + timedelta(minutes=minutes), **facts),
        )

    told = [event for event in world.bus.published if isinstance(event, DriftDetected)]
    assert [event.verdict for event in told] == [DriftVerdict.DRIFT, DriftVerdict.OK, DriftVerdict.DRIFT]
    assert told[0].features == ("age",)
    measured = {(each.name, each.value) for each in world.metrics.recorded}
    assert {("DriftedFeatures", 1), ("DriftedFeatures", 0)} <= measured
    reports = [(each.dimensions, each.value) for each in world.metrics.recorded if each.name == "drift_reports"]
    assert reports == [({"kind": "data"}, drifted) for drifted in (1, 0, 0, 1)]


def test_what_was_not_judged_is_no_news_and_no_measurement(world: World) -> None:
    recorded(world, a_drift_report(verdict=DriftVerdict.SKIPPED, features=()))

    assert world.bus.published == []
    assert world.metrics.recorded == []
    assert len(world.drift_reports.page().items) == 1


def test_a_batch_is_checked_once_however_often_it_is_announced(world: World) -> None:
    world.trained()
    runs = {
        check_batch(
            registry=world.registry,
            ledger=world.ledger,
            pipelines=world.pipelines,
            clock=world.clock,
            model="credit",
            number=1,
            job_id="batch-1",
            results_uri="s3://data/results/",
            actor="batch-inference",
        ).run_id
        for _ in range(3)
    }
    assert len(runs) == 1


def checks(world: World, **facts: Any) -> Any:
    given: dict[str, Any] = {"first": DAY, "until": DAY + timedelta(days=1), "actor": "ada", "model": "credit"}
    return check_drift(
        registry=world.registry,
        ledger=world.ledger,
        pipelines=world.pipelines,
        clock=world.clock,
        data_bucket=DATA_BUCKET,
        **(given | facts),
    )


def test_a_window_needs_a_beginning_before_its_end_and_a_version_that_answers(world: World) -> None:
    world.trained()

    with pytest.raises(InvalidInput, match="at most 31 days"):
        checks(world, number=1, until=DAY + timedelta(days=32))
    with pytest.raises(InvalidInput, match="begins before it ends"):
        checks(world, number=1, until=DAY)
    with pytest.raises(NotDeployed):
        checks(world)
    assert checks(world, number=1).run_id == checks(world, number=1).run_id


@pytest.mark.parametrize(
    ("first", "until", "looks"),
    [(-31, 0, True), (-31 + 1 / 48, 1 / 48, True), (-30, 0, False), (-31, -1, False)],
    ids=["31 days", "31 days by a clock that is ahead", "a day too few", "up to yesterday"],
)
def test_only_a_window_of_all_days_of_labels_has_batches_to_look_in(
    world: World, first: int, until: int, looks: bool
) -> None:
    world.trained()
    now = world.clock.now()
    window = {"first": now + timedelta(days=first), "until": now + timedelta(days=until)}

    run = checks(world, number=1, batches=["s3://data/results/"], **window)

    assert run.input["label_uris"] == (["s3://data/results/"] if looks else None)


def test_labels_have_the_champions_requests_looked_at_and_the_batches_with_them(world: World) -> None:
    world.trained()
    world.registry.decide("credit", 1, approve=True, actor="ada", reason="good", at=NOON)
    world.registry.move_alias("credit", CHAMPION, 1, expected=None, actor="ada", reason="the first", at=NOON)
    facts = {"kind": DriftKind.PERFORMANCE, "source": DriftSource.BATCH, "window": "batch batch-1"}
    world.drift_found(a_drift_report("drift-0123456789abcdef-performance", **facts))

    requests, _batch = check_labels(
        registry=world.registry,
        reports=world.drift_reports,
        ledger=world.ledger,
        pipelines=world.pipelines,
        clock=world.clock,
        data_bucket=DATA_BUCKET,
        model="credit",
        at=world.clock.now(),
        actor="ground-truth",
    )

    assert requests.input["label_uris"] == [f"s3://{DATA_BUCKET}/inference/credit/batches/batch-1/results/"]


def test_labels_have_the_latest_batches_looked_at_again(world: World) -> None:
    world.trained()
    batch = a_drift_report(
        "drift-0123456789abcdef-performance",
        kind=DriftKind.PERFORMANCE,
        source=DriftSource.BATCH,
        window="batch batch-1",
    )
    world.drift_found(batch)

    runs = check_labels(
        registry=world.registry,
        reports=world.drift_reports,
        ledger=world.ledger,
        pipelines=world.pipelines,
        clock=world.clock,
        data_bucket=DATA_BUCKET,
        model="credit",
        at=NOON,
        actor="ground-truth",
    )

    assert [run.input["window_uri"] for run in runs] == [
        f"s3://{DATA_BUCKET}/inference/credit/batches/batch-1/results/"
    ]
