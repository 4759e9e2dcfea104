"""Predictions by the champion: which version answers, what it says, and what is kept of it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from lambdas.api import app
from lambdas.api.limits import RateLimit
from lambdas.inference import predict
from lambdas.inference.shapes import MAX_ROWS
from millrace import bootstrap
from millrace.adapters.memory import InMemoryRecordQueue
from millrace.domain import place
from millrace.domain.model import ModelVersion
from millrace.errors import EvaluationInvalid, NotDeployed
from millrace.settings import Settings
from millrace.use_cases import load_served_model, predict_rows
from millrace.use_cases.load_served_model import ALIAS_SECONDS, ARTEFACT_SECONDS, KEPT_GRAPHS, ServedModels
from sagemaker_scripts.artefact import frame_of
from tests.builders import ARTIFACTS_BUCKET
from tests.unit.api.conftest import claims_of, event_of
from tests.unit.lambdas.conftest import Context
from tests.unit.serving.conftest import Exported, promote
from tests.unit.use_cases.world import World

ROWS = [{"age": 30, "home": "own"}, {"age": 55, "home": "rent"}, {"age": None, "home": None}]


class Watch:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def serve(world: World, number: int, exported: Exported) -> None:
    for name, content in exported.files.items():
        world.store.write(place.serving_uri(ARTIFACTS_BUCKET, "credit", number, name), content)


@pytest.fixture
def deployed(world: World, versions: list[ModelVersion], first: Exported, second: Exported) -> World:
    """Versions 1 and 2 can serve, and 1 does."""
    serve(world, 1, first)
    serve(world, 2, second)
    promote(world, 1)
    return world


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def served(world: World, watch: Watch) -> ServedModels:
    return ServedModels(world.registry, world.store, ARTIFACTS_BUCKET, watch)


class TestChampions:
    def test_a_move_of_the_alias_is_followed_within_seconds(
        self, deployed: World, served: ServedModels, watch: Watch
    ) -> None:
        assert served.champion("credit").version_id == "credit:1"
        promote(deployed, 2)
        watch.seconds += ALIAS_SECONDS - 0.01
        assert served.champion("credit").version_id == "credit:1"
        watch.seconds += 0.02
        assert served.champion("credit").version_id == "credit:2"

    def test_a_graph_is_loaded_once_and_kept_when_the_alias_comes_back(
        self, deployed: World, served: ServedModels, watch: Watch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        reads: list[str] = []
        read = deployed.store.read
        monkeypatch.setattr(deployed.store, "read", lambda uri, **more: reads.append(uri) or read(uri, **more))
        for number in (2, 1, 2):
            served.champion("credit")
            promote(deployed, number)
            watch.seconds += 10
        served.champion("credit")

        assert sorted(uri.rsplit("models/credit/")[1] for uri in reads if uri.endswith("onnx")) == [
            "v1/serving/model.onnx",
            "v2/serving/model.onnx",
        ]

    def test_a_version_that_was_deployed_again_is_served_as_it_is_now_within_seconds(
        self, deployed: World, watch: Watch, first: Exported
    ) -> None:
        served = ServedModels(deployed.registry, deployed.store, ARTIFACTS_BUCKET, watch, invoke=lambda *_: b"")
        assert served.champion("credit").graph is not None
        uri = place.serving_uri(ARTIFACTS_BUCKET, "credit", 1, "serving.json")
        told = first.saying(served_by="sagemaker", endpoint_kind="serverless", endpoint="credit-v1")
        deployed.store.write(uri, told["serving.json"])

        watch.seconds += ARTEFACT_SECONDS - 0.1
        assert served.champion("credit").graph is not None
        watch.seconds += 0.2
        assert served.champion("credit").graph is None

    def test_only_so_many_graphs_stay_in_memory(
        self, deployed: World, served: ServedModels, monkeypatch: pytest.MonkeyPatch, watch: Watch
    ) -> None:
        monkeypatch.setattr(load_served_model, "KEPT_GRAPHS", 1)
        served.champion("credit")
        promote(deployed, 2)
        watch.seconds += 10
        served.champion("credit")

        assert list(served._loaded) == [("credit", 2)]
        assert KEPT_GRAPHS > 1

    def test_without_a_champion_nothing_answers(
        self, world: World, versions: list[ModelVersion], served: ServedModels
    ) -> None:
        with pytest.raises(NotDeployed, match="no champion yet"):
            served.champion("credit")

    def test_a_champion_without_an_artefact_says_what_to_do(
        self, world: World, versions: list[ModelVersion], served: ServedModels
    ) -> None:
        promote(world, 3)

        with pytest.raises(NotDeployed, match="credit:3 has no serving artefact: deploy it again"):
            served.champion("credit")

    def test_a_version_whose_export_was_refused_says_why(
        self, world: World, versions: list[ModelVersion], served: ServedModels, first: Exported
    ) -> None:
        uri = place.serving_uri(ARTIFACTS_BUCKET, "credit", 1, "serving.json")
        world.store.write(uri, first.saying(served_by="sagemaker", refusal="it differs")["serving.json"])
        promote(world, 1)

        with pytest.raises(NotDeployed, match="needs a SageMaker endpoint, and has none: deploy it again"):
            served.champion("credit")

    def test_a_graph_that_was_changed_is_not_loaded(self, deployed: World, served: ServedModels) -> None:
        uri = place.serving_uri(ARTIFACTS_BUCKET, "credit", 1, "model.onnx")
        deployed.store.write(uri, deployed.store.read(uri) + b" ")

        with pytest.raises(EvaluationInvalid, match="not the one that was checked"):
            served.champion("credit")


@pytest.fixture
def records() -> InMemoryRecordQueue:
    return InMemoryRecordQueue()


Ask = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def ask(deployed: World, records: InMemoryRecordQueue, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """A request through the function, as API Gateway brings it."""
    platform = bootstrap.platform(Settings(artifacts_bucket=ARTIFACTS_BUCKET)).with_parts(
        **vars(deployed), inference_records=records
    )
    monkeypatch.setattr(bootstrap, "platform", lambda: platform)

    def request(body: Any, *, role: str = "scientist", **event: Any) -> tuple[int, dict[str, Any]]:
        claims = {"token_use": "access", "username": "ada", "cognito:groups": f"[{role}]"}
        asked = {
            "routeKey": "POST /inference/predict",
            "requestContext": {"requestId": "request-7", "authorizer": {"jwt": {"claims": claims}}},
            "body": body if isinstance(body, str) else json.dumps(body),
            "isBase64Encoded": False,
        }
        answer = predict.handler(asked | event, Context())  # type: ignore[arg-type]
        assert answer["headers"]["X-Request-Id"] == "request-7"
        assert answer["headers"]["Cache-Control"] == "no-store"
        return answer["statusCode"], json.loads(answer["body"])

    return request


def test_rows_are_answered_in_order_as_the_pipeline_answers_them(ask: Ask, first: Exported) -> None:
    status, answer = ask({"model": "credit", "rows": ROWS})

    scores = first.artefact.scores(frame_of(ROWS, ["age", "home"]))
    assert status == 200
    assert answer["model_version"] == "credit:1"
    for told, (bad, good) in zip(answer["predictions"], scores.tolist(), strict=True):
        assert told["probabilities"] == pytest.approx({"bad": bad, "good": good}, abs=1e-6)
        assert told["prediction"] == ("good" if good >= 0.5 else "bad")
    assert answer["latency_ms"] > 0


def test_records_are_named_by_the_caller_or_after_the_request(ask: Ask) -> None:
    _, named = ask({"model": "credit", "rows": ROWS[:2], "record_ids": ["a", "b"]})
    _, unnamed = ask({"model": "credit", "rows": ROWS[:2]})

    assert [told["record_id"] for told in named["predictions"]] == ["a", "b"]
    assert [told["record_id"] for told in unnamed["predictions"]] == ["request-7-0", "request-7-1"]


def test_what_was_asked_and_answered_is_kept_without_what_the_model_does_not_read(
    ask: Ask, records: InMemoryRecordQueue
) -> None:
    _, answer = ask({"model": "credit", "rows": [ROWS[0] | {"name": "Ada"}]})

    record, asked = map(json.loads, records.records)
    assert record["row"] == ROWS[0]
    assert (record["prediction"], record["probabilities"]) == (
        answer["predictions"][0]["prediction"],
        answer["predictions"][0]["probabilities"],
    )
    assert (record["record_id"], record["model"], record["number"]) == ("request-7-0", "credit", 1)
    assert (record["actor"], record["request_id"]) == ("user:ada", "request-7")
    assert record["at"] == "2026-11-20T12:00:00+00:00"
    assert answer["ignored_columns"] == ["name"]
    assert (asked.pop("latency_ms") > 0, asked) == (
        True,
        {"asked": "request-7", "model": "credit", "at": record["at"], "outcome": "answered"},
    )


def test_a_request_that_the_model_could_not_answer_counts_as_failed_and_one_for_no_model_does_not_count(
    ask: Ask, records: InMemoryRecordQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: Any) -> None:
        raise RuntimeError("out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(predict_rows, "read_rows", breaks)
        status, _ = ask({"model": "credit", "rows": ROWS})
    assert status == 500
    assert [json.loads(record)["outcome"] for record in records.records] == ["failed"]

    status, _ = ask({"model": "nobody", "rows": ROWS})
    assert status == 404
    assert len(records.records) == 1


def test_a_notice_stands_at_its_row_and_column(ask: Ask) -> None:
    _, answer = ask({"model": "credit", "rows": [ROWS[0], {"age": 3, "home": "castle"}]})

    assert [set(told["notices"]) for told in answer["predictions"]] == [set(), {"home"}]


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ("{", 422, "body"),
        ({"model": "credit", "rows": []}, 422, "body.rows"),
        ({"model": "credit", "rows": [ROWS[0]] * (MAX_ROWS + 1)}, 422, "body.rows"),
        ({"model": "credit", "rows": [3]}, 422, "body.rows.0"),
        ({"model": "../x", "rows": ROWS}, 422, "body.model"),
        ({"model": "credit", "rows": ROWS, "version": 3}, 422, "body.version"),
        ({"model": "credit", "rows": [ROWS[0], {"age": "x", "home": "own"}]}, 422, "body.rows.1.age"),
        ({"model": "credit", "rows": [{"age": 1}]}, 422, "body.rows.0.home"),
        ({"model": "credit", "rows": ROWS, "record_ids": ["a", "b", ""]}, 422, "body.record_ids.2"),
    ],
)
def test_a_request_of_another_form_is_refused_naming_the_field(
    ask: Ask, records: InMemoryRecordQueue, body: Any, status: int, field: str
) -> None:
    found, problem = ask(body)

    assert (found, problem["fields"][0]["field"]) == (status, field)
    assert [each for each in map(json.loads, records.records) if each.get("outcome") != "refused"] == []


@pytest.mark.parametrize("ids", [["a"], ["a", "a", "b"]])
def test_ids_that_do_not_name_each_row_once_are_refused(ask: Ask, ids: list[str]) -> None:
    status, problem = ask({"model": "credit", "rows": ROWS, "record_ids": ids})

    assert (status, problem["type"]) == (422, "InvalidInput")


def test_other_refusals_speak_http(ask: Ask) -> None:
    assert ask({"model": "nothing", "rows": ROWS})[0] == 404
    assert ask({"model": "credit", "rows": ROWS}, role="viewer")[0] == 403
    assert ask({"model": "credit", "rows": ROWS}, requestContext={"requestId": "request-7"})[0] == 401
    assert ask("x" * (1024 * 1024 + 1))[0] == 413


def test_what_nobody_foresaw_is_told_without_our_insides(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predict, "predict_rows", lambda **_: 1 / 0)

    status, problem = ask({"model": "credit", "rows": ROWS})

    assert status == 500
    assert "division" not in json.dumps(problem)


def test_a_body_may_come_encoded(ask: Ask) -> None:
    body = base64.b64encode(json.dumps({"model": "credit", "rows": ROWS}).encode()).decode()

    assert ask(body, isBase64Encoded=True)[0] == 200


def test_who_asks_too_often_waits_and_others_do_not(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predict, "limit", RateLimit(per_second=2, burst=2))

    assert [ask({"model": "credit", "rows": ROWS})[0] for _ in range(3)] == [200, 200, 429]
    theirs = {"token_use": "access", "username": "grace", "cognito:groups": "[scientist]"}
    context = {"requestId": "request-7", "authorizer": {"jwt": {"claims": theirs}}}
    assert ask({"model": "credit", "rows": ROWS}, requestContext=context)[0] == 200


def test_the_function_of_all_other_routes_says_that_predictions_are_not_its_own(
    deployed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "platform", lambda: bootstrap.Platform(Settings()).with_parts(**vars(deployed)))
    body = {"model": "credit", "rows": ROWS}

    answer = app.handler(event_of("POST", "/inference/predict", claims=claims_of("admin"), body=body), Context())  # type: ignore[arg-type]

    assert answer["statusCode"] == 404
    assert "its route is missing" in answer["body"]


def test_an_explanation_is_given_to_who_asks_for_it_and_only_of_a_few_rows(ask: Any) -> None:
    plain = ask({"model": "credit", "rows": ROWS})[1]
    explained = ask({"model": "credit", "rows": ROWS, "explain": True})[1]
    status, refused = ask({"model": "credit", "rows": ROWS * 7, "explain": True})

    assert [each["explanation"] for each in plain["predictions"]] == [None, None, None]
    for each in explained["predictions"]:
        assert each["explanation"]["of"] == each["prediction"]
        assert each["explanation"]["score"] == each["probabilities"][each["prediction"]]
        assert each["explanation"]["effects"].keys() == {"age", "home"}
    assert status == 422
    assert "20 rows" in json.dumps(refused)
