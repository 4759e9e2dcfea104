"""One screen is one request: what it embeds is what the routes of its parts say, and an unchanged one reads no file."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from lambdas.api.limits import RateLimit
from millrace.domain import place
from millrace.domain.run import Run, RunState
from millrace.domain.traffic import Asked, AskedOutcome, counts_of
from tests.builders import DATA_BUCKET, NOON, a_drift_report, a_quality, a_schedule, an_api_key, later
from tests.unit.api.conftest import REASON, Answer, Api
from tests.unit.use_cases.world import a_profile

QUARANTINE = place.quarantine_uri(DATA_BUCKET, "credit") + "/v1/part-00000.jsonl"


def whole(api: Api) -> None:
    """A platform with something on every screen: a dataset in two versions, a live model, its rival, a batch."""
    world = api.world
    world.configure(target="status", max_quarantined_share=0.5)
    world.ready("uploads/credit/may.csv", quality=a_quality(), profile=a_profile())
    world.ready("uploads/credit/june.csv", b"other", quality=a_quality(), profile=a_profile(rows=880))
    rows = [{"line": n, "text": "x" * n, "reasons": ["age: 'x' is not an integer"]} for n in range(1, 31)]
    world.store.write(QUARANTINE, b"".join(json.dumps(row).encode() + b"\n" for row in rows))
    run = world.start()
    candidates = world.train(run, world.plan(run))
    world.collect(run, candidates)
    world.evaluate(run, candidates)
    world.register_candidates(run)
    world.ledger.close(run.run_id, state=RunState.SUCCEEDED, reason=None, steps=[], at=later(60))
    api.approved(1)
    world.drift_found(a_drift_report())
    world.batched(12)
    world.schedules.add(a_schedule())
    world.adds_channel()
    world.api_keys.add(an_api_key())


@pytest.fixture
def full(api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    whole(api)
    monkeypatch.setattr("lambdas.api.app.limit", RateLimit())
    return api


def told(api: Api, path: str, query: Mapping[str, str] | None = None) -> Any:
    answer = api.get(path, query=query)
    assert answer.status == 200, answer.text
    return answer.json


def test_a_dataset_comes_with_its_versions_its_files_and_its_contract(full: Api) -> None:
    screen = told(full, "/dashboard/datasets/credit")

    assert screen == {
        "dataset": told(full, "/datasets/credit"),
        "versions": told(full, "/datasets/credit/versions"),
        "uploads": told(full, "/datasets/credit/uploads"),
        "contract": told(full, "/datasets/credit/contract"),
    }
    assert len(screen["versions"]["items"]) == 2
    assert full.get("/dashboard/datasets/none").status == 404


def test_a_dataset_without_a_file_has_no_contract_yet(api: Api) -> None:
    api.world.configure()

    screen = told(api, "/dashboard/datasets/credit")

    assert (screen["contract"], screen["versions"]["items"], screen["uploads"]["items"]) == (None, [], [])


def test_a_version_comes_with_its_profile_the_first_rows_set_aside_and_what_it_can_be_held_against(full: Api) -> None:
    version = "/datasets/credit/versions/1"

    screen = told(full, f"/dashboard{version}")

    assert screen == {
        "version": told(full, version),
        "profile": told(full, f"{version}/profile"),
        "quarantine": told(full, f"{version}/quarantine", {"limit": "20"}),
        "others": [2],
    }
    assert len(screen["quarantine"]["items"]) == 20


def test_a_page_that_came_with_a_screen_goes_on_at_the_route_of_its_list(full: Api) -> None:
    cursor = told(full, "/dashboard/datasets/credit/versions/1")["quarantine"]["next_cursor"]

    later_rows = told(full, "/datasets/credit/versions/1/quarantine", {"cursor": cursor})["items"]

    assert [row["line"] for row in later_rows] == list(range(21, 31))


@pytest.mark.parametrize(
    ("screen", "part", "route"),
    [
        ("/dashboard/datasets/credit", "versions", "/datasets/credit/versions"),
        ("/dashboard/datasets/credit", "uploads", "/datasets/credit/uploads"),
        ("/dashboard/predictions", "batches", "/inference/batch"),
        ("/dashboard/predictions/batch-1", "quarantine", "/inference/batch/batch-1/quarantine"),
        ("/dashboard/settings", "schedules", "/schedules"),
        ("/dashboard/settings", "api_keys", "/api-keys"),
    ],
)
def test_every_list_of_a_screen_takes_its_cursor_from_there(
    screen: str, part: str, route: str, full: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    for constant in ("SHOWN", "SHOWN_ROWS", "SHOWN_BATCHES", "KNOWN"):
        monkeypatch.setattr(f"lambdas.api.routes.screens.{constant}", 1)
    two_of_each(full)

    page = told(full, screen)[part]

    assert len(page["items"]) == 1
    following = told(full, route, {"cursor": page["next_cursor"]})["items"]
    assert following == told(full, route)["items"][1:]
    assert following


def two_of_each(api: Api) -> None:
    """One more of what `whole` made one of."""
    again = Run(**api.world.ledger.get("batch-1").model_dump() | {"run_id": "batch-2", "started_at": later(5)})
    api.world.ledger.open(again)
    folder = place.batch_uri(DATA_BUCKET, "credit", "batch-1")
    row = {"line": 13, "text": "5,many", "reasons": ["age: 'many' is not an integer"]}
    api.world.store.write(f"{folder}quarantine/part-00001-000.jsonl", json.dumps(row).encode() + b"\n")
    api.world.schedules.add(a_schedule(schedule_id="1" * 16))
    api.world.api_keys.add(an_api_key(key_id="1" * 16))


def test_a_model_version_comes_with_its_evaluation_its_lineage_and_what_it_had_to_beat(full: Api) -> None:
    run = full.world.start()
    candidates = full.world.train(run, full.world.plan(run))
    full.world.collect(run, candidates)
    against = {"compared_with": "credit:1"}
    report = full.world.evaluate(run, candidates)
    for each in report["candidates"]:
        each["verdict"] |= against
    full.world.write_evaluation(run, report)
    version = full.world.register_candidates(run)[0].id

    screen = told(full, f"/dashboard/models/{version}")

    assert screen["version"] == told(full, f"/models/{version}/detail")
    assert screen["evaluation"] == told(full, f"/models/{version}/evaluation")
    assert screen["lineage"] == told(full, f"/models/{version}/lineage")
    rival = told(full, "/models/credit:1/evaluation")
    assert screen["rival"] == {"id": "credit:1", "number": 1, **{name: rival[name] for name in ("metrics", "curves")}}
    assert full.get("/dashboard/models/credit:99").status == 404


def test_a_first_version_has_no_rival_and_one_without_its_file_no_evaluation(full: Api) -> None:
    assert told(full, "/dashboard/models/credit:1")["rival"] is None

    full.world.store.delete(full.world.registry.get("credit", 1).evaluation_uri)

    assert full.get("/models/credit:1/evaluation").status == 422
    assert told(full, "/dashboard/models/credit:1")["evaluation"] is None


def test_a_version_that_waits_is_shown_with_who_became_champion_since(full: Api) -> None:
    waits = told(full, "/dashboard/models/credit:2")

    assert waits["since"].startswith("credit:1 of the same run is the champion since: ")
    assert told(full, "/dashboard/models/credit:1")["since"] is None
    full.call("PUT", "/models/credit:2/reject", {"reason": REASON})
    assert told(full, "/dashboard/models/credit:2")["since"] is None


def test_a_model_is_watched_with_its_drift_its_requests_and_its_reports(full: Api) -> None:
    picture = told(full, "/monitoring", {"model": "credit", "range": "7", "feature": "income"})

    screen = told(full, "/dashboard/monitoring", {"model": "credit", "range": "7", "feature": "income"})

    assert screen["models"] == [{"name": "credit", "dataset": "credit"}]
    assert screen["shown"] == {
        **{name: said for name, said in picture.items() if name != "latest"},
        "traffic": told(full, "/monitoring/traffic", {"model": "credit"}),
        "reports": told(full, "/monitoring/drift", {"model": "credit", "limit": "20"}),
    }
    assert screen["shown"]["selected"]["feature"] == "income"


def test_unless_one_is_asked_for_the_first_model_that_is_live_is_watched(full: Api) -> None:
    first = full.world.registry.get("credit", 1).model_copy(update={"model": "another"})
    full.world.registry.claim_number("another", dataset="other", run_id=first.lineage.run_id, algorithm="x", at=NOON)
    full.world.registry.register(first.model_copy(update={"algorithm": "x"}), actor="training")

    screen = told(full, "/dashboard/monitoring")

    assert [each["name"] for each in screen["models"]] == ["another", "credit"]
    assert screen["shown"]["model"] == "credit"
    assert told(full, "/dashboard/monitoring", {"model": "another"})["shown"]["champion"] is None
    assert full.get("/dashboard/monitoring", query={"model": "nobody"}).status == 404


def test_without_a_model_there_is_nothing_to_watch_and_nothing_to_ask(api: Api) -> None:
    assert told(api, "/dashboard/monitoring") == {"models": [], "shown": None}
    screen = told(api, "/dashboard/predictions")
    assert (screen["live"], screen["form"]) == ([], None)
    options = told(api, "/training/options")
    assert (options["datasets"], options["dataset"], options["estimate"]) == ([], None, None)


def test_predictions_come_with_the_models_that_answer_the_form_of_one_and_the_latest_jobs(full: Api) -> None:
    screen = told(full, "/dashboard/predictions", {"model": "credit"})

    assert screen["live"] == [{"model": "credit", "version": "credit:1", "number": 1}]
    form = screen["form"]
    version = told(full, "/models/credit:1/detail")
    assert (form["version"], form["target"], form["signature"]) == ("credit:1", "status", version["signature"])
    # Of the training data what the version takes, and nothing else.
    assert [column["name"] for column in form["columns"]] == ["age"]
    assert screen["batches"] == told(full, "/inference/batch", {"limit": "20"})


def test_a_form_opens_empty_when_its_training_data_are_gone(full: Api) -> None:
    trained_on = full.world.registry.get("credit", 1).lineage.dataset_version
    full.world.store.delete(place.profile_uri(full.world.catalog.version("credit", trained_on).location))

    assert told(full, "/dashboard/predictions")["form"]["columns"] == []


def test_a_batch_comes_with_the_first_rows_that_were_refused(full: Api) -> None:
    screen = told(full, "/dashboard/predictions/batch-1")

    assert screen == {
        "job": told(full, "/inference/batch/batch-1"),
        "quarantine": told(full, "/inference/batch/batch-1/quarantine"),
    }
    assert full.get("/dashboard/predictions/training-1").status == 404


def test_settings_come_with_schedules_channels_and_ones_own_keys(full: Api) -> None:
    full.world.api_keys.add(an_api_key(key_id="2" * 16, owner="user:bob"))

    assert told(full, "/dashboard/settings") == {
        "schedules": told(full, "/schedules"),
        "channels": told(full, "/channels"),
        "api_keys": told(full, "/api-keys"),
    }


def test_what_can_be_trained_on_comes_with_what_it_takes(full: Api) -> None:
    full.world.configure("another", target="x")

    options = told(full, "/training/options", {"dataset": "another"})
    assert options["estimate"] == told(full, "/training/estimate", {"dataset": "another"})
    options = told(full, "/training/options")
    assert [each["name"] for each in options["datasets"]] == ["another", "credit"]
    assert (options["dataset"], options["target"]) == ("credit", "status")
    assert options["policy"] == told(full, "/datasets/credit")["settings"]["training"]
    assert options["estimate"] == told(full, "/training/estimate", {"dataset": "credit"})
    assert full.get("/training/options", query={"dataset": "none"}).status == 404


def test_each_algorithm_says_what_it_may_be_told_and_where_it_runs(api: Api) -> None:
    algorithms = {each["name"]: each for each in told(api, "/training/options")["algorithms"]}

    assert set(algorithms) == {"random_forest", "xgboost", "linear"}
    assert [name for name, each in algorithms.items() if each["spot"]] == ["xgboost"]
    depth = next(each for each in algorithms["xgboost"]["parameters"] if each["name"] == "max_depth")
    assert (depth["kind"], depth["searched"]) == ("integer", True)
    assert depth["allowed"] == f"an integer from {depth['minimum']:g} to {depth['maximum']:g}"
    open_ended = [each for each in algorithms["linear"]["parameters"] if each["kind"] == "choice"]
    assert all(each["choices"] and each["maximum"] is None for each in open_ended)


def test_what_a_person_chooses_for_a_run_is_kept_with_it_and_trained_by(full: Api) -> None:
    choices = {"algorithms": ["linear"], "trials": 2}
    body = {"dataset": "credit", "training": choices}

    run_id = full.call("POST", "/training/start", body).json["run_id"]

    assert told(full, f"/runs/{run_id}")["input"]["training"] == choices
    wrong = full.call("POST", "/training/start", {"dataset": "credit", "training": {"algorithms": ["forest"]}})
    assert (wrong.status, "training.algorithms: there is no 'forest'" in wrong.text) == (422, True)
    unknown = full.call("POST", "/training/start", {"dataset": "credit", "training": {"on_new_version": False}})
    assert (unknown.status, "body.training.on_new_version" in unknown.text) == (422, True)


SCREENS = {
    "dataset": "/dashboard/datasets/credit",
    "dataset version": "/dashboard/datasets/credit/versions/1",
    "model version": "/dashboard/models/credit:1",
    "monitoring": "/dashboard/monitoring",
    "predictions": "/dashboard/predictions",
    "batch": "/dashboard/predictions/batch-1",
    "settings": "/dashboard/settings",
    "training": "/training/options",
}


def unchanged(api: Api, path: str, seen: Answer) -> bool:
    return api.get(path, headers={"if-none-match": seen.headers["ETag"]}).status == 304


@pytest.mark.parametrize("path", SCREENS.values(), ids=SCREENS)
def test_an_unchanged_screen_is_not_sent_again_and_no_file_is_read_for_it(
    path: str, full: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = full.get(path)

    def read(*_: object) -> bytes:
        raise AssertionError("a file was read")

    monkeypatch.setattr(full.world.store, "read", read)

    assert unchanged(full, path, seen)


def decides(api: Api) -> None:
    assert api.call("PUT", "/models/credit:2/reject", {"reason": REASON}).status == 200


def contracts(api: Api) -> None:
    columns = [{"name": "status", "kind": "category"}]
    assert api.call("PUT", "/datasets/credit/contract", {"columns": columns}).status == 200


def is_asked(api: Api) -> None:
    asked = Asked(model="credit", at=NOON, outcome=AskedOutcome.ANSWERED, latency_ms=8.0)
    api.world.traffic.add("credit", api.world.clock.now(), counts_of([asked]), delivery="1")


CHANGES: dict[str, tuple[str, Callable[[Api], object]]] = {
    "a setting": ("dataset", lambda api: api.world.configure(target="home")),
    "a file on its way": ("dataset", lambda api: api.world.register(api.world.dropped("uploads/credit/new.csv", b"n"))),
    "a contract": ("dataset", contracts),
    "another version": ("dataset version", lambda api: api.world.ready("uploads/credit/new.csv", b"new")),
    "a decision": ("model version", decides),
    "a report": ("monitoring", lambda api: api.world.drift_found(a_drift_report("drift-bbbbbbbbbbbbbbbb-data"))),
    "a request": ("monitoring", is_asked),
    "another champion": ("predictions", lambda api: api.approved(2)),
    "another job": ("predictions", two_of_each),
    "an end": ("batch", lambda api: api.world.ledger.annotate("batch-1", outcome="over")),
    "a key": ("settings", lambda api: api.world.api_keys.add(an_api_key(key_id="3" * 16))),
    "a schedule": ("settings", lambda api: api.world.schedules.add(a_schedule(schedule_id="3" * 16))),
    "a channel": ("settings", lambda api: api.world.adds_channel(name="other")),
    "a dataset": ("training", lambda api: api.world.configure("another")),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_a_screen_changes_its_tag(change: str, full: Api) -> None:
    screen, act = CHANGES[change]
    path = SCREENS[screen]
    seen = full.get(path)

    act(full)

    assert not unchanged(full, path, seen)


def test_another_part_of_the_days_and_another_feature_is_another_answer(full: Api) -> None:
    seen = full.get(SCREENS["monitoring"])

    for query in ({"feature": "income"}, {"range": "7"}, {"kind": "prediction"}):
        again = full.get(SCREENS["monitoring"], query=query, headers={"if-none-match": seen.headers["ETag"]})
        assert again.status == 200, query


def test_what_goes_on_is_worth_asking_again_soon(full: Api) -> None:
    assert full.get(SCREENS["dataset"]).headers["X-Poll-After"] == "30"
    assert full.get(SCREENS["predictions"]).headers["X-Poll-After"] == "30"
    assert "X-Poll-After" not in full.get(SCREENS["batch"]).headers

    full.world.register(full.world.dropped("uploads/credit/new.csv", b"n"))
    two = Run(**full.world.ledger.get("batch-1").model_dump() | {"run_id": "batch-3", "state": RunState.RUNNING})
    full.world.ledger.open(two)

    assert full.get(SCREENS["dataset"]).headers["X-Poll-After"] == "3"
    assert full.get(SCREENS["predictions"]).headers["X-Poll-After"] == "3"
    assert full.get("/dashboard/predictions/batch-3").headers["X-Poll-After"] == "3"
