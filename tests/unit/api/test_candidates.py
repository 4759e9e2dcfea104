"""Candidates beside each other, over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from millrace.domain.run import Job, RunState, Step
from tests.unit.api.conftest import Answer, Api

Figures = tuple[float, float, float]
RANKED: dict[str, Figures] = {
    "linear": (0.9, 0.88, 0.92),
    "random_forest": (0.85, 0.8, 0.87),
    "xgboost": (0.7, 0.6, 0.8),
}


def compare(api: Api, *ids: str, **given: Any) -> Answer:
    return api.get("/comparison", query={"of": ",".join(ids)}, **given)


def trained(api: Api, figures: dict[str, Figures], *, recommended: str | None = None, **verdict: Any) -> str:
    """A run of three candidates on the newest version, with a value and an interval for each algorithm."""
    world = api.world
    world.clock.pass_time(timedelta(minutes=1))
    run = world.start()
    candidates = world.train(run, world.plan(run))
    world.collect(run, candidates)
    report = world.evaluate(run, candidates)
    for candidate in report["candidates"]:
        value, low, high = figures[candidate["algorithm"]]
        candidate["metrics"]["roc_auc"] |= {"value": value, "low": low, "high": high}
        candidate["recommended"] = candidate["algorithm"] == recommended
        candidate["verdict"] |= verdict
        candidate["curves"] = {"roc": roc(100), "calibration": []}
    world.write_evaluation(run, report)
    world.register_candidates(run)
    return run.run_id


def roc(points: int) -> list[dict[str, float | None]]:
    return [
        {"false_positive_rate": step / 3, "true_positive_rate": step / 7, "threshold": None} for step in range(points)
    ]


@pytest.fixture
def ready(api: Api) -> Api:
    api.world.configure(target="status")
    api.world.ready()
    return api


def version_of(api: Api, algorithm: str, run_id: str) -> str:
    known = api.world.registry.versions("credit")
    return next(each.id for each in known if (each.algorithm, each.lineage.run_id) == (algorithm, run_id))


def test_candidates_come_in_the_order_asked_for_each_once(ready: Api) -> None:
    trained(ready, RANKED)

    found = compare(ready, "credit:3", "credit:1", "credit:3").json

    assert [each["id"] for each in found["candidates"]] == ["credit:3", "credit:1"]


def test_curves_are_thin_enough_to_be_laid_over_each_other(ready: Api) -> None:
    trained(ready, RANKED)

    drawn = compare(ready, "credit:1", "credit:2").json["candidates"][0]["curves"]

    assert list(drawn) == ["roc"]
    points = drawn["roc"][0]["points"]
    assert len(points) == 60
    assert points[-1] == {"false_positive_rate": 33.0, "true_positive_rate": 14.1429, "threshold": None}


def test_a_run_stands_for_what_it_recommends_and_else_for_its_best(ready: Api) -> None:
    first = trained(ready, RANKED, recommended="xgboost")
    second = trained(ready, RANKED)

    found = compare(ready, first, second).json["candidates"]

    assert [each["id"] for each in found] == [
        version_of(ready, "xgboost", first),
        version_of(ready, "linear", second),
    ]


def test_a_run_is_found_behind_more_versions_than_are_read_at_once(ready: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("millrace.use_cases.compare_model_versions._VERSIONS_AT_ONCE", 2)
    first, second = trained(ready, RANKED), trained(ready, RANKED)

    found = compare(ready, first, second).json["candidates"]

    assert [each["run_id"] for each in found] == [first, second]


def test_figures_that_lie_apart_are_said_to(ready: Api) -> None:
    run = trained(ready, RANKED)
    best, second = (version_of(ready, name, run) for name in ("linear", "random_forest"))

    found = compare(ready, "credit:1", "credit:2", "credit:3").json

    assert found["best"] == best
    assert found["sentence"] == (
        f"{best} has the best roc_auc, 0.9 against 0.85 of {second}, and their 95 % intervals do not overlap."
    )


def test_figures_that_overlap_claim_nothing(ready: Api) -> None:
    trained(ready, {**RANKED, "random_forest": (0.89, 0.86, 0.91)})

    assert (
        compare(ready, "credit:1", "credit:2", "credit:3")
        .json["sentence"]
        .endswith("; their 95 % intervals overlap, so these test rows may not tell them apart.")
    )


def test_equal_figures_have_no_winner_in_words(ready: Api) -> None:
    trained(ready, dict.fromkeys(RANKED, (0.8, 0.7, 0.9)))

    assert compare(ready, "credit:2", "credit:1").json["sentence"] == (
        "credit:2 and credit:1 have the same roc_auc, 0.8."
    )


def test_the_paired_verdict_is_told_where_one_had_to_beat_the_other(ready: Api) -> None:
    trained(ready, dict.fromkeys(RANKED, (0.8, 0.7, 0.9)))
    trained(ready, RANKED, compared_with="credit:1", sentence="It gains 0.1.")

    assert compare(ready, "credit:1", "credit:4").json["sentence"].endswith(" Judged row by row: It gains 0.1.")
    assert "Judged" not in compare(ready, "credit:2", "credit:4").json["sentence"]


def test_candidates_of_different_rows_have_no_best(ready: Api) -> None:
    trained(ready, RANKED)
    ready.world.ready("uploads/credit/june.csv", b"id,status\n1,good\n")
    trained(ready, RANKED)

    found = compare(ready, "credit:1", "credit:4").json

    assert (found["same_rows"], found["best"]) == (False, None)
    assert found["sentence"].endswith(
        "but they were judged on different rows: credit:1 on credit v1, credit:4 on credit v2."
    )


def test_the_cost_of_a_candidate_is_that_of_its_own_jobs(ready: Api) -> None:
    run = trained(ready, RANKED)
    hour = Job(service="sagemaker", name="job", machine="ml.m5.large", billable_seconds=3600.0)
    steps = [
        Step(name="TrainOnSpot", item="linear", state=RunState.SUCCEEDED, job=hour),
        Step(name="TrainOnSpot", item="xgboost", state=RunState.SUCCEEDED, job=hour),
        Step(name="Evaluate", state=RunState.SUCCEEDED, job=hour),
    ]
    ended = ready.world.ledger.get(run).started_at + timedelta(seconds=90)
    ready.world.ledger.close(run, state=RunState.SUCCEEDED, reason=None, steps=steps, at=ended)

    found = compare(ready, version_of(ready, "linear", run), version_of(ready, "random_forest", run)).json["candidates"]

    assert [(each["cost_usd"], each["run_cost_usd"], each["run_seconds"]) for each in found] == [
        (pytest.approx(0.115), pytest.approx(0.345), 90.0),
        (None, pytest.approx(0.345), 90.0),
    ]


def test_what_is_live_is_said_and_changes_the_tag(ready: Api) -> None:
    trained(ready, RANKED)
    before = compare(ready, "credit:1", "credit:2")
    assert compare(ready, "credit:1", "credit:2", headers={"if-none-match": before.headers["ETag"]}).status == 304

    ready.approved(2)

    after = compare(ready, "credit:1", "credit:2", headers={"if-none-match": before.headers["ETag"]})
    assert [(each["live"], each["approval"]) for each in after.json["candidates"]] == [
        (False, "PENDING"),
        (True, "APPROVED"),
    ]


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        (["credit:1"], "choose at least two"),
        (["credit:1", "credit:1"], "choose at least two"),
        ([f"credit:{number}" for number in range(1, 7)], "at most 5 are compared at once, and these are 6"),
        (["credit:1", "No id"], "'No id' is neither a version such as churn:7 nor a run"),
    ],
)
def test_too_few_too_many_and_no_ids_are_refused_in_words(ready: Api, ids: list[str], said: str) -> None:
    trained(ready, RANKED)

    refused = compare(ready, *ids)

    assert refused.status == 422
    assert said in refused.json["detail"]


def test_what_is_not_there_or_trained_nothing_cannot_be_compared(ready: Api) -> None:
    trained(ready, RANKED)
    ingest = ready.world.ledger.list(pipeline="ingest")[0].run_id
    ready.world.clock.pass_time(timedelta(minutes=1))
    started = ready.world.start().run_id

    assert compare(ready, "credit:1", "credit:9").status == 404
    assert compare(ready, "credit:1", "training-99").status == 404
    assert (
        compare(ready, "credit:1", ingest)
        .json["detail"]
        .endswith("registered no candidate, so there is nothing of it to compare")
    )
    assert compare(ready, "credit:1", started).status == 409


def test_the_page_of_a_model_has_its_versions_and_its_history(ready: Api) -> None:
    trained(ready, RANKED)
    before = ready.get("/models/credit")

    ready.approved(2)

    found = ready.get("/models/credit", headers={"if-none-match": before.headers["ETag"]}).json
    assert [(each["number"], each["approval"]) for each in found["versions"]] == [
        (3, "PENDING"),
        (2, "APPROVED"),
        (1, "PENDING"),
    ]
    assert [event["kind"] for event in found["history"]] == ["ALIAS_MOVED", "APPROVED", *["REGISTERED"] * 3]
    assert found["versions"] == ready.get("/models/credit/versions").json["items"]
    assert found["history"] == ready.get("/models/credit/history").json["items"]
