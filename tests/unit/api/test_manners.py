"""What holds for every answer: problems, revisions, repeated requests, limits, headers."""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.api.app import ENDPOINTS, find_endpoint, handler
from lambdas.api.limits import AskedTooOften, RateLimit
from lambdas.api.manners import MAX_BODY_BYTES, body_bytes, compressed, etag_matches, etag_of
from lambdas.api.paging import from_cursor, to_cursor
from lambdas.api.problems import status_of
from millrace import errors
from millrace.domain.role import Role
from millrace.domain.run import RunState
from tests.builders import NOON, a_model_version, a_run
from tests.unit.api.conftest import REASON, Api, claims_of, event_of
from tests.unit.lambdas.conftest import Context

PROBLEM = {"type", "title", "status", "detail", "request_id", "fields"}


class TestProblems:
    def test_they_say_what_where_and_which_request(self, api: Api) -> None:
        answer = api.get("/models/churn")

        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json == {
            "type": "NotFound",
            "title": "The named thing does not exist",
            "status": 404,
            "detail": "there is no registered model churn",
            "request_id": "request-7",
            "fields": [],
        }

    def test_a_path_that_is_not_there_is_404_and_a_method_that_is_not_is_405_with_those_that_are(
        self, api: Api
    ) -> None:
        assert api.get("/nothing/here").json["detail"] == "there is nothing at /nothing/here"
        wrong = api.call("DELETE", "/datasets")
        assert (wrong.status, wrong.headers["Allow"]) == (405, "GET, POST")
        assert api.call("PATCH", "/healthz").status == 405

    @pytest.mark.parametrize("path", ['/models/a"b', "/models/..%2f..%2fetc", "/models/\\", "/models/" + "x" * 4000])
    def test_a_name_that_cannot_be_one_is_refused_before_anything_is_looked_up(self, path: str, api: Api) -> None:
        assert api.get(path).status in (404, 422)

    def test_every_fault_of_a_request_is_told_with_its_field(self, api: Api) -> None:
        answer = api.call("POST", "/training/start", {"dataset": "Ä", "dataset_version": 0, "who": "me"})

        assert answer.status == 422
        assert [fault["field"] for fault in answer.json["fields"]] == [
            "body.dataset",
            "body.dataset_version",
            "body.who",
        ]
        assert "Ä" not in answer.text

    @pytest.mark.parametrize(
        ("body", "said"), [("{", "it is not JSON"), ("[]", ""), ('"text"', ""), ("null", ""), ("", "")]
    )
    def test_a_body_that_is_no_object_is_refused(self, body: str, said: str, api: Api) -> None:
        answer = api.call("POST", "/training/start", body)

        assert answer.status == 422
        assert said in answer.text

    @pytest.mark.parametrize("kind", ["text/xml", "multipart/form-data", "application/x-www-form-urlencoded", ""])
    def test_a_body_of_another_kind_is_415(self, kind: str, api: Api) -> None:
        assert (
            api.call("POST", "/training/start", '{"dataset": "credit"}', headers={"content-type": kind}).status == 415
        )

    def test_json_may_say_its_encoding(self, api: Api) -> None:
        kind = {"content-type": "application/json; charset=utf-8"}

        assert api.call("POST", "/datasets", {"name": "churn"}, headers=kind).status == 201

    def test_what_nobody_thought_of_is_500_that_tells_nothing_but_the_request(
        self,
        api: Api,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(api.world.registry, "model", lambda _name: 1 / 0)

        answer = api.get("/models/credit")

        assert answer.status == 500
        assert answer.json["type"] == "Unexpected"
        assert "request-7" in answer.json["detail"]
        assert "division" not in answer.text

    def test_an_answer_that_breaks_the_contract_is_our_fault_and_not_the_callers(
        self, api: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        api.trained()
        monkeypatch.setattr("lambdas.api.routes.models.summary", lambda *_: {"name": 7})

        assert api.get("/models/credit").status == 500

    def test_every_error_of_the_platform_has_a_status_and_ours_is_500(self) -> None:
        # Errors that a command line or a container adds for itself never pass the API, whoever imported them before.
        kinds = {kind for kind in errors.PlatformError.__subclasses__() if kind.__module__ == errors.__name__}

        assert {kind.__name__ for kind in kinds if status_of(kind) == 500} == set()
        assert status_of(errors.PlatformError) == 500
        assert (status_of(errors.AlreadyDecided), status_of(errors.ChangedMeanwhile)) == (409, 412)


class TestHeaders:
    def test_what_somebody_reads_is_kept_by_him_alone_and_asked_for_again(self, api: Api) -> None:
        answer = api.get("/models")

        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert answer.headers["X-Request-Id"] == "request-7"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"

    def test_what_somebody_does_and_what_went_wrong_is_kept_by_nobody(self, api: Api) -> None:
        assert api.get("/models/none").headers["Cache-Control"] == "no-store"
        assert api.call("POST", "/datasets", {"name": "churn"}).headers["Cache-Control"] == "no-store"


class TestCompression:
    """What is sent to whom, as API Gateway decodes it."""

    @staticmethod
    def asked(accepts: str | None, path: str = "/openapi.json") -> dict[str, Any]:
        headers = {} if accepts is None else {"accept-encoding": accepts}
        event = event_of("GET", path, claims=claims_of(Role.ADMIN), headers=headers)
        return handler(event, Context())  # type: ignore[arg-type]

    @pytest.mark.parametrize("accepts", ["gzip", "br;q=1.0, GZIP;q=0.8", "deflate,gzip"])
    def test_a_long_answer_is_sent_as_gzip_to_whoever_takes_that(self, accepts: str) -> None:
        plain, packed = self.asked(None), self.asked(accepts)

        assert packed["headers"]["Content-Encoding"] == "gzip"
        assert gzip.decompress(base64.b64decode(packed["body"])).decode() == plain["body"]
        assert len(packed["body"]) < len(plain["body"]) / 4
        assert plain["headers"]["Vary"] == packed["headers"]["Vary"] == "Accept-Encoding"

    @pytest.mark.parametrize("accepts", [None, "", "identity", "br", "gzip;q=0", "gzip; q=0.000"])
    def test_nobody_is_sent_gzip_who_did_not_ask_for_it(self, accepts: str | None) -> None:
        answer = self.asked(accepts)

        assert json.loads(answer["body"])["openapi"] == "3.1.0"
        assert (answer["isBase64Encoded"], "Content-Encoding" in answer["headers"]) == (False, False)

    @pytest.mark.usefixtures("api")
    @pytest.mark.parametrize("path", ["/models", "/models/none"])
    def test_a_short_answer_is_sent_as_it_is(self, path: str) -> None:
        answer = self.asked("gzip", path)

        assert isinstance(json.loads(answer["body"]), dict)
        assert "Content-Encoding" not in answer["headers"]

    def test_long_is_what_is_long_in_bytes(self) -> None:
        event = event_of("GET", "/models", claims=None, headers={"accept-encoding": "gzip"})
        answer = {"statusCode": 200, "headers": {}, "body": "é" * 700, "isBase64Encoded": False}

        assert compressed(answer, event)["isBase64Encoded"]
        assert not compressed({**answer, "body": "é" * 699}, event)["isBase64Encoded"]

    def test_what_is_unchanged_is_still_not_sent_again(self, api: Api) -> None:
        api.trained()
        seen = self.asked("gzip", "/dashboard/overview")
        headers = {"accept-encoding": "gzip", "if-none-match": seen["headers"]["ETag"]}
        again = api.get("/dashboard/overview", headers=headers)

        assert seen["headers"]["Content-Encoding"] == "gzip"
        assert (again.status, again.text) == (304, "")


class TestRevisions:
    def test_what_is_unchanged_is_not_sent_again(self, api: Api) -> None:
        api.trained()
        first = api.get("/models/credit")

        again = api.get("/models/credit", headers={"if-none-match": first.headers["ETag"]})

        assert (again.status, again.text, again.headers["ETag"]) == (304, "", first.headers["ETag"])

    def test_what_changed_is(self, api: Api) -> None:
        api.trained()
        seen = api.get("/models/credit").headers["ETag"]
        api.call("PUT", "/models/credit:1/reject", {"reason": REASON})

        again = api.get("/models/credit", headers={"if-none-match": seen})

        assert again.status == 200
        assert again.headers["ETag"] != seen

    def test_a_page_of_many_has_a_tag_that_fits_in_a_header(self) -> None:
        many = etag_of(*(f"model-{number}.{number}" for number in range(100)))

        assert len(many) == 34
        assert many != etag_of(*(f"model-{number}.{number + 1}" for number in range(100)))

    @given(st.lists(st.integers(0, 10**6), min_size=1, max_size=20))
    def test_a_tag_matches_itself_in_any_list_and_nothing_else(self, revisions: list[int]) -> None:
        tag = etag_of(*revisions)

        assert etag_matches(tag, tag)
        assert etag_matches(f'"other", W/{tag}', tag)
        assert etag_matches("*", tag)
        assert not etag_matches('"other"', tag)
        assert not etag_matches(None, tag)

    def test_a_decision_on_what_was_seen_goes_through(self, api: Api) -> None:
        api.trained()
        seen = api.get("/models/credit:2/detail").headers["ETag"]
        api.call("PUT", "/models/credit:1/reject", {"reason": REASON})

        answer = api.call("PUT", "/models/credit:2/approve", {"reason": REASON}, headers={"if-match": seen})

        assert answer.status == 200

    def test_a_decision_on_what_was_decided_meanwhile_is_told_who_did(self, api: Api) -> None:
        api.trained()
        seen = api.get("/models/credit:1/detail").headers["ETag"]
        api.call("PUT", "/models/credit:1/reject", {"reason": "worse on the young"}, user="grace")

        answer = api.call("PUT", "/models/credit:1/approve", {"reason": REASON}, headers={"if-match": seen})

        assert answer.status == 412
        assert "REJECTED by user:grace, worse on the young" in answer.json["detail"]
        assert api.call("PUT", "/models/credit:1/approve", {"reason": REASON}).status == 409

    def test_a_decision_lost_between_look_and_deed_is_told_the_same(
        self, api: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        api.trained()
        seen = api.get("/models/credit:1/detail").headers["ETag"]
        world = api.world

        def overtaken(*_args: object, **_named: object) -> None:
            monkeypatch.undo()
            monkeypatch.setattr("millrace.bootstrap.platform", api.platform)
            world.registry.decide("credit", 1, approve=False, actor="grace", reason="no", at=NOON)
            raise errors.AlreadyDecided("credit:1 was REJECTED by grace")

        monkeypatch.setattr(world.registry, "decide", overtaken)
        answer = api.call("PUT", "/models/credit:1/approve", {"reason": REASON}, headers={"if-match": seen})

        assert answer.status == 412
        assert "grace" in answer.json["detail"]

    def test_aliases_settings_and_contracts_take_if_match_too(self, api: Api) -> None:
        api.trained()
        api.approved(1)
        old = {"if-match": '"1"'}
        move = {"version": "credit:1", "reason": REASON}

        assert api.call("PUT", "/models/credit/aliases/shadow", move, headers=old).status == 412
        assert api.call("POST", "/models/credit/rollback", {"reason": REASON}, headers=old).status == 412
        assert api.call("PATCH", "/datasets/credit", {"task": "binary"}, headers=old).status == 412
        new = {"columns": [{"name": "status", "kind": "category"}]}
        assert api.call("PUT", "/datasets/credit/contract", new, headers={"if-match": '"7"'}).status == 412
        assert api.call("PUT", "/datasets/credit/contract", new, headers={"if-match": "nonsense"}).status == 412
        present = {"if-match": api.get("/datasets/credit").headers["ETag"]}
        assert api.call("PATCH", "/datasets/credit", {"exclude": ["remarks"]}, headers=present).status == 200

    def test_whoever_has_seen_a_revision_within_another_answer_may_say_that_alone(self, api: Api) -> None:
        api.trained()
        screen = api.get("/dashboard/datasets/credit").json
        settings, contract = screen["dataset"]["revision"], screen["contract"]["version"]
        version = api.get("/dashboard/models/credit:1").json["version"]["revision"]
        new = {"columns": [{"name": "status", "kind": "category"}]}

        for seen, status in ((99, 412), (settings, 200)):
            answer = api.call("PATCH", "/datasets/credit", {"task": "binary"}, headers={"if-match": f'"{seen}"'})
            assert answer.status == status, answer.text
        for seen, status in ((99, 412), (contract, 200)):
            answer = api.call("PUT", "/datasets/credit/contract", new, headers={"if-match": f'"{seen}"'})
            assert answer.status == status, answer.text
        for seen, status in ((99, 412), (version, 200)):
            decided = api.call("PUT", "/models/credit:1/reject", {"reason": REASON}, headers={"if-match": f'"{seen}"'})
            assert decided.status == status, decided.text


class TestPolling:
    def test_a_run_that_goes_on_is_asked_for_often_and_one_that_ended_not_at_all(self, api: Api) -> None:
        api.world.configure(target="status")
        api.world.ready()
        run = api.world.start()

        assert api.get(f"/runs/{run.run_id}").headers["X-Poll-After"] == "2"
        assert api.get("/runs").headers["X-Poll-After"] == "5"
        for each in api.world.ledger.list():
            api.world.ledger.close(each.run_id, state=RunState.FAILED, reason="no", steps=[], at=NOON)
        assert "X-Poll-After" not in api.get(f"/runs/{run.run_id}").headers
        assert api.get("/runs").headers["X-Poll-After"] == "30"


START = {"dataset": "credit"}


class TestRepeatedRequests:
    def start(self, api: Api, key: str, body: object = None, **given: object) -> tuple[int, str, bool]:
        api.world.clock.pass_time(timedelta(seconds=1))
        answer = api.call("POST", "/training/start", body or START, headers={"idempotency-key": key}, **given)
        return answer.status, answer.json.get("run_id", answer.json.get("type")), "Idempotent-Replay" in answer.headers

    def test_a_double_click_starts_one_run(self, api: Api) -> None:
        api.trained()

        status, run_id, replayed = self.start(api, "click-1")
        assert (status, replayed) == (201, False)
        assert self.start(api, "click-1") == (201, run_id, True)
        assert len(api.get("/runs", query={"pipeline": "training"}).json["items"]) == 2
        assert self.start(api, "click-2")[1] != run_id

    def test_a_key_with_another_request_is_refused(self, api: Api) -> None:
        api.trained()
        self.start(api, "click-1")

        assert self.start(api, "click-1", {"dataset": "credit", "reason": "another"})[:2] == (422, "KeyReused")

    def test_a_key_is_its_callers_own(self, api: Api) -> None:
        api.trained()
        first = self.start(api, "click-1")

        assert self.start(api, "click-1", user="grace")[1] != first[1]

    def test_what_was_refused_may_come_again(self, api: Api) -> None:
        assert self.start(api, "click-1")[:2] == (404, "NotFound")
        api.trained()

        assert self.start(api, "click-1")[0] == 201

    def test_what_may_be_repeated_anyway_needs_no_key(self, api: Api) -> None:
        api.trained()
        key = {"idempotency-key": "k"}

        assert api.call("PUT", "/models/credit:1/approve", {"reason": REASON}, headers=key).status == 200
        other = {"reason": f"{REASON}, said otherwise"}
        assert api.call("PUT", "/models/credit:1/approve", other, headers=key).status == 409

    def test_an_approval_that_was_not_answered_may_be_repeated_with_what_was_seen_then(self, api: Api) -> None:
        api.trained()
        seen = {"if-match": api.get("/models/credit:1/detail").headers["ETag"]}
        for _ in range(2):
            assert api.call("PUT", "/models/credit:1/approve", {"reason": REASON}, headers=seen).status == 200

    @pytest.mark.parametrize("key", ["", "   ", "k" * 201])
    def test_a_key_is_some_text_but_not_a_book(self, key: str, api: Api) -> None:
        assert self.start(api, key)[0] == 422


class TestSize:
    @pytest.mark.parametrize(("extra", "status"), [(0, 422), (1, 413)])
    def test_one_byte_more_than_the_limit_is_too_much(self, extra: int, status: int, api: Api) -> None:
        frame = json.dumps({"dataset": ""})
        body = json.dumps({"dataset": "x" * (MAX_BODY_BYTES - len(frame) + extra)})

        assert api.call("POST", "/training/start", body).status == status

    def test_bytes_are_counted_and_not_characters(self, api: Api) -> None:
        assert (
            api.call("POST", "/training/start", json.dumps({"reason": "ü" * MAX_BODY_BYTES}, ensure_ascii=False)).status
            == 413
        )

    @given(st.binary(max_size=1000))
    def test_an_encoded_body_is_measured_without_decoding_it(self, body: bytes) -> None:
        event = event_of("POST", "/", claims=None, body=base64.b64encode(body).decode() or None)

        assert 0 <= body_bytes({**event, "isBase64Encoded": True}) - len(body) <= 2


class TestCursors:
    def test_pages_follow_each_other_to_the_end(self, api: Api) -> None:
        for name in "abcde":
            api.call("POST", "/datasets", {"name": name})

        seen, cursor = [], None
        while True:
            page = api.get("/datasets", query={"limit": "2"} | ({"cursor": cursor} if cursor else {})).json
            seen.append([each["name"] for each in page["items"]])
            cursor = page["next_cursor"]
            if cursor is None:
                break

        assert seen == [["a", "b"], ["c", "d"], ["e"]]

    @pytest.mark.parametrize(
        ("path", "name", "usual", "other"),
        [
            ("/datasets", "name", "name", "-name"),
            ("/models", "name", "name", "-name"),
            ("/runs", "run_id", "-started_at", "started_at"),
        ],
    )
    def test_a_list_may_be_asked_for_the_other_way_round(
        self, path: str, name: str, usual: str, other: str, api: Api
    ) -> None:
        for each in "abc":
            api.world.registry.claim_number(each, dataset=each, run_id="r", algorithm="xgboost", at=NOON)
            api.world.registry.register(a_model_version(1, model=each, run_id="r"), actor="training")
            api.world.ledger.open(a_run(f"run-{each}", minutes=ord(each)))
            api.call("POST", "/datasets", {"name": each})

        def all_pages(**query: str) -> list[str]:
            found, cursor = [], {}
            while True:
                page = api.get(path, query={"limit": "2", **query, **cursor}).json
                found += [each[name] for each in page["items"]]
                if page["next_cursor"] is None:
                    return found
                cursor = {"cursor": page["next_cursor"]}

        assert len(all_pages()) == 3
        assert all_pages(sort=usual) == all_pages() == list(reversed(all_pages(sort=other)))
        cursor = api.get(path, query={"limit": "1"}).json["next_cursor"]
        assert api.get(path, query={"sort": other, "cursor": cursor}).status == 422
        assert api.get(path, query={"sort": "colour"}).status == 422

    @given(position=st.text(), scope=st.text(), other=st.text())
    def test_a_cursor_leads_where_it_was_made_for_and_nowhere_else(self, position: str, scope: str, other: str) -> None:
        cursor = to_cursor(position, scope)

        assert from_cursor(cursor, scope) == position
        if other != scope:
            with pytest.raises(errors.InvalidInput):
                from_cursor(cursor, other)

    @given(st.text(max_size=200))
    def test_what_is_no_cursor_is_refused(self, text: str) -> None:
        with pytest.raises(errors.InvalidInput):
            from_cursor(text, "datasets")

    @pytest.mark.parametrize("value", [None, 7, "x", [], ["a"], ["a", 7], {"a": 1}, ["a", "b", "c"]])
    def test_what_looks_like_one_and_is_not_is_refused(self, value: object) -> None:
        with pytest.raises(errors.InvalidInput):
            from_cursor(base64.urlsafe_b64encode(json.dumps(value).encode()).decode(), "datasets")

    def test_a_cursor_of_another_filter_is_refused(self, api: Api) -> None:
        api.trained()
        cursor = api.get("/runs", query={"limit": "1"}).json["next_cursor"]

        assert cursor
        assert api.get("/runs", query={"cursor": cursor, "state": "FAILED"}).status == 422


class TestFindingARoute:
    def test_a_literal_path_wins_over_one_with_a_name_in_its_place(self) -> None:
        assert find_endpoint("GET", "/training/estimate").operation_id == "get_training_estimate"
        assert find_endpoint("PUT", "/models/churn:7/approve").operation_id == "approve_version"
        assert find_endpoint("GET", "/models/churn:7/detail").operation_id == "get_model_version"

    def test_the_paths_that_the_projects_user_gave_are_there_as_written(self) -> None:
        there = {(endpoint.method, endpoint.path) for endpoint in ENDPOINTS}

        assert {
            ("POST", "/training/start"),
            ("POST", "/inference/predict"),
            ("GET", "/models"),
            ("GET", "/dashboard/stats"),
            ("PUT", "/models/{version}/approve"),
        } <= there


class TestHowOften:
    def test_who_asks_too_often_waits_and_others_do_not(self, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("lambdas.api.app.limit", RateLimit(per_second=2, burst=3))

        assert [api.get("/models").status for _ in range(4)] == [200, 200, 200, 429]
        refused = api.get("/models")
        assert refused.headers["Retry-After"] == "1"
        assert refused.json["type"] == "AskedTooOften"
        assert api.get("/models", user="grace").status == 200
        api.world.clock.pass_time(timedelta(seconds=0.5))
        assert [api.get("/models").status for _ in range(2)] == [200, 429]

    @given(st.lists(st.floats(0, 2), min_size=1, max_size=60))
    def test_no_more_are_granted_than_the_burst_and_the_rate_allow(self, pauses: list[float]) -> None:
        limit, now, granted = RateLimit(per_second=5, burst=4), NOON, 0
        for pause in pauses:
            now += timedelta(seconds=pause)
            with contextlib.suppress(AskedTooOften):
                limit.take("ada", now)
                granted += 1

        assert granted <= 4 + 5 * (now - NOON).total_seconds() + 1e-6
        assert granted >= min(len(pauses), 4)

    def test_a_clock_that_goes_back_gives_nothing(self) -> None:
        limit = RateLimit(per_second=1, burst=1)
        limit.take("ada", NOON)

        with pytest.raises(AskedTooOften):
            limit.take("ada", NOON - timedelta(hours=1))

    def test_only_so_many_callers_are_remembered(self) -> None:
        limit = RateLimit()
        for number in range(1500):
            limit.take(f"user:{number}", NOON)

        assert len(limit._buckets) == 1000
