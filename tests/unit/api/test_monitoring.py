"""Drift over HTTP: the screen, the reports, and checks on demand."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from lambdas.api.routes.screens import SHOWN_REPORTS
from millrace.domain.drift import DriftKind, DriftReport, DriftSource, DriftVerdict
from millrace.domain.traffic import EVERY_MODEL, Asked, AskedOutcome, counts_of
from millrace.domain.truth import LabelCounts
from tests.builders import NOON, a_drift_report, a_feature
from tests.unit.api.conftest import Api

WINDOW = {"first": "2026-11-19T00:00:00Z", "until": "2026-11-20T00:00:00Z"}
YESTERDAY = NOON.date() - timedelta(days=1)


def test_the_screen_says_how_many_features_drifted_on_the_last_day_and_its_cells_agree(api: Api) -> None:
    api.trained()
    api.approved(1)
    calm = (a_feature(verdict=DriftVerdict.OK, score=0.05), a_feature("income", DriftVerdict.OK, 0.1))
    api.world.drift_found(
        a_drift_report("drift-aaaaaaaaaaaaaaaa-data", day=YESTERDAY, features=calm, verdict=DriftVerdict.OK)
    )
    api.world.drift_found(a_drift_report(rows=640))

    screen = api.get("/monitoring", query={"model": "credit", "range": "7"}).json

    assert screen["heading"] == "1 of 2 features drifted on 2026-11-20"
    assert screen["counts"] == {"day": "2026-11-20", "drifted": 1, "ok": 1, "skipped": 0}
    rows = screen["heatmap"]["rows"]
    assert [row["feature"] for row in rows] == ["age", "income"]
    assert len(screen["heatmap"]["days"]) == 7
    assert [cell and cell["verdict"] for cell in rows[0]["cells"]] == [None] * 5 + ["OK", "DRIFT"]
    assert sum(row["cells"][-1]["verdict"] == "DRIFT" for row in rows) == screen["counts"]["drifted"]
    assert rows[0]["cells"][-1]["share"] == pytest.approx(6.0)
    chosen = screen["selected"]
    assert (chosen["feature"], chosen["baseline_rows"], chosen["window_rows"]) == ("age", 700, 640)
    assert chosen["overlay"]["window"] == [0.1, 0.9]
    assert screen["champion"] == "credit:1"


def test_the_screen_shows_the_feature_that_was_chosen(api: Api) -> None:
    api.trained()
    api.world.drift_found(a_drift_report())

    screen = api.get("/monitoring", query={"model": "credit", "feature": "income"}).json

    assert screen["selected"]["feature"] == "income"
    assert api.get("/monitoring", query={"model": "credit", "feature": "nothing"}).json["selected"] is None


def test_a_model_that_was_never_checked_says_so(api: Api) -> None:
    api.trained()

    screen = api.get("/monitoring", query={"model": "credit"}).json

    assert (screen["heading"], screen["counts"], screen["selected"]) == ("Not checked yet", None, None)
    assert api.get("/monitoring", query={"model": "nobody"}).status == 404


def test_an_unchanged_screen_is_not_sent_again_and_a_new_report_changes_it(api: Api) -> None:
    api.trained()
    api.world.drift_found(a_drift_report())
    first = api.get("/monitoring", query={"model": "credit"})
    seen = {"if-none-match": first.headers["ETag"]}

    assert api.get("/monitoring", query={"model": "credit"}, headers=seen).status == 304

    api.world.drift_found(a_drift_report("drift-bbbbbbbbbbbbbbbb-data", created_at=NOON + timedelta(minutes=5)))
    assert api.get("/monitoring", query={"model": "credit"}, headers=seen).status == 200


def test_reports_are_listed_by_model_and_kind_and_each_is_told_whole(api: Api) -> None:
    api.trained()
    report = a_drift_report()
    api.world.drift_found(report)
    api.world.drift_found(a_drift_report("drift-0123456789abcdef-prediction", kind=DriftKind.PREDICTION))

    listed = api.get("/monitoring/drift", query={"model": "credit", "kind": "data"}).json["items"]
    assert [each["id"] for each in listed] == [report.id]
    assert (listed[0]["drifted"], listed[0]["judged"], listed[0]["version"]) == (["age"], 2, "credit:1")
    told = api.get(f"/monitoring/drift/{report.id}").json
    assert [each["feature"] for each in told["features"]] == ["age", "income"]
    assert told["features"][0]["scores"][0]["threshold"] == 0.2
    assert told["features"][0]["overlay"]["baseline"] == [0.8, 0.2]
    assert told["false_alarm_share"] == 0.012
    address = api.get(f"/monitoring/drift/{report.id}/html").json["address"]
    assert f"drift/credit/{report.id}/report.html" in address


def counting(report_id: str, labels: LabelCounts | None, minutes: int = 0) -> DriftReport:
    made = NOON + timedelta(minutes=minutes)
    return a_drift_report(f"{report_id}-performance", kind=DriftKind.PERFORMANCE, labels=labels, created_at=made)


SOME_WAIT = LabelCounts(
    known=900, joined=800, elsewhere=12, waiting=88, oldest_waiting=date(2026, 11, 2), unlabelled=340
)


@pytest.mark.parametrize(
    ("labels", "said", "waiting"),
    [
        (SOME_WAIT, "812 of 900 labels joined a prediction; 88 wait for theirs, the oldest since 2026-11-02.", 88),
        (
            LabelCounts(known=412, joined=412, elsewhere=0, waiting=0, unlabelled=0),
            "All 412 labels joined a prediction.",
            0,
        ),
    ],
    ids=["some wait", "none waits"],
)
def test_wherever_labels_are_told_it_is_told_how_many_joined_and_how_many_wait(
    api: Api, labels: LabelCounts, said: str, waiting: int
) -> None:
    api.trained()
    api.world.drift_found(counting("drift-aaaaaaaaaaaaaaaa", labels))
    about = {"model": "credit"}

    told = [
        api.get("/monitoring", query=about).json["labels"],
        api.get("/dashboard/monitoring", query=about).json["shown"]["labels"],
        api.get("/inference/ground-truth", query=about).json["standing"],
    ]

    assert told[0] == told[1] == told[2]
    assert (told[0]["sentence"], told[0]["waiting"], told[0]["window_rows"]) == (said, waiting, 500)
    assert told[0]["report_id"] == "drift-aaaaaaaaaaaaaaaa-performance"
    listed = api.get("/monitoring/drift", query=about).json["items"][0]["labels"]
    assert (listed["known"], listed["waiting"]) == (labels.known, waiting)


@pytest.mark.parametrize("reports", [[], [counting("drift-aaaaaaaaaaaaaaaa", None)]], ids=["no report", "an old one"])
def test_labels_that_no_check_counted_are_told_as_not_counted(api: Api, reports: list[DriftReport]) -> None:
    api.trained()
    for report in reports:
        api.world.drift_found(report)

    assert api.get("/monitoring", query={"model": "credit"}).json["labels"] is None
    assert api.get("/inference/ground-truth", query={"model": "credit"}).json["standing"] is None


def test_labels_that_were_counted_again_change_the_screen(api: Api) -> None:
    api.trained()
    api.world.drift_found(counting("drift-aaaaaaaaaaaaaaaa", SOME_WAIT))
    first = api.get("/dashboard/monitoring", query={"model": "credit"})
    seen = {"if-none-match": first.headers["ETag"]}
    assert api.get("/dashboard/monitoring", query={"model": "credit"}, headers=seen).status == 304

    none = LabelCounts(known=900, joined=888, elsewhere=12, waiting=0, unlabelled=0)
    api.world.drift_found(counting("drift-bbbbbbbbbbbbbbbb", none, minutes=5))

    again = api.get("/dashboard/monitoring", query={"model": "credit"}, headers=seen)
    assert again.json["shown"]["labels"]["sentence"] == "All 900 labels joined a prediction."


@pytest.mark.parametrize("path", ["/monitoring", "/dashboard/monitoring"])
def test_labels_that_an_earlier_check_counted_and_told_late_change_what_was_seen(api: Api, path: str) -> None:
    """Its report is none of the latest, and still the one that tells of labels: it looked for all of them."""
    api.trained()
    for number in range(SHOWN_REPORTS + 1):
        api.world.drift_found(counting(f"drift-{number:016x}", None, minutes=10 + number))
    asked = {"query": {"model": "credit"}}
    seen = {"if-none-match": api.get(path, **asked).headers["ETag"]}
    assert api.get(path, headers=seen, **asked).status == 304

    api.world.drift_found(counting("drift-bbbbbbbbbbbbbbbb", SOME_WAIT))

    assert api.get(path, headers=seen, **asked).status == 200


def test_a_check_of_all_days_of_labels_looks_for_their_predictions_in_batches_too(api: Api) -> None:
    api.trained()
    facts = {"kind": DriftKind.PERFORMANCE, "source": DriftSource.BATCH, "window": "batch batch-1"}
    api.world.drift_found(a_drift_report("drift-0123456789abcdef-performance", **facts))
    now = api.world.clock.now()
    window = {"first": (now - timedelta(days=31)).isoformat(), "until": now.isoformat()}

    run_id = api.call("POST", "/monitoring/drift", {"model": "credit", "number": 1, **window}).json["run_id"]

    (address,) = api.world.ledger.get(run_id).input["label_uris"]
    assert address.endswith("inference/credit/batches/batch-1/results/")


def asked(api: Api, hours_ago: int, *outcomes: str, latency_ms: float = 8.0) -> None:
    at = NOON - timedelta(hours=hours_ago)
    requests = [
        Asked.model_validate({"model": "credit", "at": at, "outcome": outcome, "latency_ms": latency_ms})
        for outcome in outcomes
    ]
    api.world.traffic.add("credit", at, counts_of(requests), delivery=f"{hours_ago}-{outcomes}")


def test_traffic_is_told_hour_by_hour_with_the_hours_in_which_nobody_asked(api: Api) -> None:
    api.trained()
    asked(api, 0, "answered", "answered", "refused")
    asked(api, 2, "answered", "failed", latency_ms=40.0)
    asked(api, 9, "answered")

    told = api.get("/monitoring/traffic", query={"model": "credit", "hours": "4"}).json

    assert [hour["hour"] for hour in told["hours"]] == [f"2026-11-20T{hour:02}:00:00Z" for hour in (9, 10, 11, 12)]
    assert [hour["requests"] for hour in told["hours"]] == [0, 2, 0, 3]
    assert [hour["failed"] for hour in told["hours"]] == [0, 1, 0, 0]
    assert told["hours"][0]["p50_ms"] is None
    assert told["hours"][1]["p99_ms"] == pytest.approx(40.0, rel=0.05)
    assert (told["requests"], told["refused"], told["failed"], told["failed_share"]) == (5, 1, 1, 0.2)
    assert api.get("/monitoring/traffic", query={"model": "nobody"}).status == 404


def test_the_first_screen_tells_what_all_models_together_were_asked(api: Api) -> None:
    now, requests = api.world.clock.now(), [asked_of("a"), asked_of("b", failed=True)]
    api.world.traffic.add(EVERY_MODEL, now, counts_of(requests), delivery="1")
    first = api.get("/dashboard/overview")

    told = first.json["requests"]

    assert (told["requests"], told["failed"], told["failed_share"]) == (2, 1, 0.5)
    assert len(told["hours"]) == 24
    assert told["hours"][-1]["p95_ms"] == pytest.approx(12.0, rel=0.05)
    seen = {"if-none-match": first.headers["ETag"]}
    assert api.get("/dashboard/overview", headers=seen).status == 304
    api.world.traffic.add(EVERY_MODEL, now, counts_of([asked_of("a")]), delivery="2")
    assert api.get("/dashboard/overview", headers=seen).json["requests"]["requests"] == 3


def asked_of(model: str, *, failed: bool = False) -> Asked:
    outcome = AskedOutcome.FAILED if failed else AskedOutcome.ANSWERED
    return Asked(model=model, at=NOON, outcome=outcome, latency_ms=12.0)


def test_traffic_is_sent_again_when_there_is_more_of_it(api: Api) -> None:
    api.trained()
    asked(api, 0, "answered")
    seen = {"if-none-match": api.get("/monitoring/traffic", query={"model": "credit"}).headers["ETag"]}

    assert api.get("/monitoring/traffic", query={"model": "credit"}, headers=seen).status == 304
    asked(api, 0, "answered", "answered")
    assert api.get("/monitoring/traffic", query={"model": "credit"}, headers=seen).json["requests"] == 3


def test_a_check_of_requests_is_one_run_that_the_state_machine_gets(api: Api) -> None:
    api.trained()

    started = api.call("POST", "/monitoring/drift", {"model": "credit", "number": 2, **WINDOW})

    assert started.status == 202
    run_id = started.json["run_id"]
    assert started.headers["Location"] == f"/runs/{run_id}"
    given = api.world.ledger.get(run_id).input
    assert (given["number"], given["source"], given["baseline"]) == (2, "records", "credit:2")
    assert given["baseline_uri"].endswith("models/credit/v2/baseline.json")
    assert api.call("POST", "/monitoring/drift", {"model": "credit", "number": 2, **WINDOW}).json["run_id"] == run_id


def test_a_check_of_two_dataset_versions_compares_their_profiles(api: Api) -> None:
    api.trained()
    body = {"model": "credit", "dataset_versions": {"baseline": 1, "window": 1}}

    run_id = api.call("POST", "/monitoring/drift", body).json["run_id"]

    given = api.world.ledger.get(run_id).input
    assert (given["source"], given["baseline"], given["window"]) == ("dataset", "credit v1", "credit v1")
    assert given["window_uri"].endswith("datasets/credit/v1/profile.json")


@pytest.mark.parametrize(
    "window",
    [
        {},
        {"first": WINDOW["first"]},
        {**WINDOW, "dataset_versions": {"baseline": 1, "window": 1}},
        {"first": "2026-11-19T00:00:00", "until": "2026-11-20T00:00:00"},
        {"first": WINDOW["until"], "until": WINDOW["first"]},
        {"first": "2026-01-01T00:00:00Z", "until": "2026-11-20T00:00:00Z"},
    ],
)
def test_a_check_without_exactly_one_sensible_window_is_refused(window: dict[str, object], api: Api) -> None:
    api.trained()

    assert api.call("POST", "/monitoring/drift", {"model": "credit", "number": 1, **window}).status in (400, 422)


def test_requests_of_a_model_without_a_champion_need_a_version(api: Api) -> None:
    api.trained()

    refused = api.call("POST", "/monitoring/drift", {"model": "credit", **WINDOW})

    assert (refused.status, refused.json["type"]) == (409, "NotDeployed")
