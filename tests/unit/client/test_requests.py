"""A request's manners: who asks, what is refused, when to ask again, how lists are read."""

from __future__ import annotations

import base64
import json

import pytest

from millrace import names
from millrace.client import (
    AccessToken,
    ApiKey,
    Client,
    Conflict,
    Invalid,
    MachineSignIn,
    NotFound,
    NotSignedIn,
    Problem,
    RunUnfinished,
    TooManyRequests,
    Unreachable,
)
from tests.unit.client.fake_api import LOST, FakeApi, said


def test_a_key_asks_below_its_own_path_and_a_token_does_not() -> None:
    api = FakeApi(said({}), said({}))

    api.client(ApiKey("mr_1_secret")).get("/models")
    api.client(AccessToken("jwt")).get("/models")

    assert api.lines == [f"GET {names.KEYED_PATH}/models", "GET /models"]
    assert [request.headers["Authorization"] for request in api.asked] == ["Bearer mr_1_secret", "Bearer jwt"]


def test_credentials_are_not_shown() -> None:
    assert "secret" not in f"{ApiKey('secret')!r} {AccessToken('secret')!r}"


def test_a_problem_says_what_the_api_said() -> None:
    body = {
        "type": "FieldsInvalid",
        "title": "Fields are wrong",
        "status": 422,
        "detail": "body.target: no such column",
        "request_id": "r-1",
        "fields": [{"field": "body.target", "reason": "no such column"}],
    }

    with pytest.raises(Invalid) as raised:
        FakeApi(said(body, 422)).client().get("/datasets/x")

    found = raised.value
    assert (found.type, found.title, found.detail, found.request_id, found.status, found.fields) == (
        "FieldsInvalid",
        "Fields are wrong",
        "body.target: no such column",
        "r-1",
        422,
        body["fields"],
    )
    assert str(found) == "body.target: no such column (request r-1)"


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, NotSignedIn), (404, NotFound), (409, Conflict), (412, Conflict), (500, Problem)],
)
def test_each_status_has_its_exception(status: int, kind: type[Problem]) -> None:
    with pytest.raises(Problem) as raised:
        FakeApi(said({"message": "no"}, status, x_request_id="r-2")).client().get("/models")

    assert type(raised.value) is kind
    assert (raised.value.detail, raised.value.request_id) == ("no", "r-2")


def test_a_refusal_that_is_no_document_is_told_by_its_status() -> None:
    api = FakeApi()
    api.answers = [said(None, 502)]

    with pytest.raises(Problem, match="HTTP 502"):
        api.client().get("/models")


def test_who_asks_too_often_waits_as_long_as_told() -> None:
    api = FakeApi(said({}, 429, retry_after="3"), said({"ok": True}))

    assert api.client().get("/models") == {"ok": True}

    assert api.slept == [3.0]


def test_waiting_ends_when_it_does_not_help() -> None:
    api = FakeApi(*[said({}, 429, retry_after="1")] * 9)

    with pytest.raises(TooManyRequests):
        api.client().get("/models")

    assert len(api.asked) == 4


def test_a_lost_post_is_sent_again_with_the_same_key() -> None:
    api = FakeApi(LOST, said({"run_id": "training-1"}, 201, idempotent_replay="true"))

    assert api.client().start_training("churn", version=3)["run_id"] == "training-1"

    first, second = api.asked
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"] != ""
    assert json.loads(second.body or b"") == {"dataset": "churn", "reason": "", "dataset_version": 3}


def test_choices_for_a_run_alone_go_with_it() -> None:
    api = FakeApi(said({"run_id": "training-1"}, 201))

    api.client().start_training("churn", choices={"algorithms": ["linear"], "trials": 2})

    assert json.loads(api.asked[0].body or b"")["training"] == {"algorithms": ["linear"], "trials": 2}


def test_two_posts_have_two_keys() -> None:
    api = FakeApi(said({}), said({}))

    api.client().start_training("churn")
    api.client().start_training("churn")

    assert len({request.headers["Idempotency-Key"] for request in api.asked}) == 2


def test_a_prediction_has_no_key_and_is_not_sent_twice() -> None:
    api = FakeApi(LOST)

    with pytest.raises(Unreachable):
        api.client().predict("churn", [{"age": 1}])

    (asked,) = api.asked
    assert "Idempotency-Key" not in asked.headers


class Renewable:
    prefix = ""

    def __init__(self) -> None:
        self.tokens = ["old", "new"]

    def token(self) -> str:
        return self.tokens[0]

    def renew(self) -> bool:
        self.tokens.pop(0)
        return True


def test_a_token_that_has_ended_is_renewed_once() -> None:
    api = FakeApi(said({}, 401), said({"ok": True}))

    assert api.client(Renewable()).get("/models") == {"ok": True}

    assert [request.headers["Authorization"] for request in api.asked] == ["Bearer old", "Bearer new"]


def test_a_renewed_token_that_is_refused_is_an_end() -> None:
    with pytest.raises(NotSignedIn):
        FakeApi(said({}, 401), said({}, 401)).client(Renewable()).get("/models")


def test_a_machine_signs_in_when_it_is_first_asked_and_again_when_its_token_has_ended() -> None:
    api = FakeApi(
        said({"access_token": "t1"}),
        said({"ok": True}),
        said({}, 401),
        said({"access_token": "t2"}),
        said({"ok": True}),
    )
    machine = MachineSignIn("https://pool.test/token", "client-1", "s3cret", send=api.send)
    client = api.client(machine)

    assert [client.get("/models"), client.get("/models")] == [{"ok": True}] * 2

    assert api.lines[0] == "POST https://pool.test/token"
    assert api.asked[0].headers["Authorization"] == f"Basic {base64.b64encode(b'client-1:s3cret').decode()}"
    assert api.asked[0].body == b"grant_type=client_credentials"
    assert [each.headers["Authorization"] for each in api.asked if each.method == "GET"] == [
        "Bearer t1",
        "Bearer t1",
        "Bearer t2",
    ]
    assert "s3cret" not in repr(machine)
    assert "t2" not in repr(machine)


def test_a_machine_that_the_pool_does_not_know_is_told_so() -> None:
    api = FakeApi(said({"error": "invalid_client"}, 401))

    with pytest.raises(NotSignedIn):
        api.client(MachineSignIn("https://pool.test/token", "client-1", "wrong", send=api.send)).get("/models")


def test_a_list_is_read_page_by_page_also_over_an_empty_page() -> None:
    api = FakeApi(
        said({"items": [{"n": 1}], "next_cursor": "a b"}),
        said({"items": [], "next_cursor": "c"}),
        said({"items": [{"n": 2}], "next_cursor": None}),
    )

    found = list(api.client().runs(state="FAILED", dataset=None))

    assert found == [{"n": 1}, {"n": 2}]
    assert api.lines == [
        "GET /runs?state=FAILED",
        "GET /runs?state=FAILED&cursor=a+b",
        "GET /runs?state=FAILED&cursor=c",
    ]


def test_a_page_that_nobody_needs_is_not_asked_for() -> None:
    api = FakeApi(said({"items": [{"name": "churn"}], "next_cursor": "more"}))

    assert next(api.client().datasets()) == {"name": "churn"}

    assert len(api.asked) == 1


def test_waiting_for_a_run_asks_when_the_api_says_and_lets_an_arrival_become_a_run() -> None:
    api = FakeApi(
        said({}, 404),
        said({"state": "RUNNING"}, x_poll_after="7"),
        said({"state": "FAILED", "reason": "no rows"}),
    )
    seen: list[str] = []

    run = api.client().wait_for_run("ingest-1", seen=lambda found: seen.append(found["state"]))

    assert run["reason"] == "no rows"
    assert (api.slept, seen) == ([1.0, 7.0], ["RUNNING", "FAILED"])


def test_a_run_that_never_comes_is_not_waited_for_longer_than_an_arrival_takes() -> None:
    api = FakeApi(*[said({}, 404)] * 100)

    with pytest.raises(NotFound):
        api.client().wait_for_run("ingest-1")

    assert 60 <= sum(api.slept) <= 62


def test_a_run_that_goes_on_is_left_after_the_given_time() -> None:
    api = FakeApi(*[said({"state": "RUNNING"}, x_poll_after="5")] * 9)

    with pytest.raises(RunUnfinished, match="training-1"):
        api.client().wait_for_run("training-1", seconds=8)

    assert sum(api.slept) == 10


def test_a_decision_says_what_was_seen() -> None:
    api = FakeApi(said({"id": "churn:7"}, etag='"4"'), said({"id": "churn:7"}))
    client = api.client()

    client.approve("churn:7", "better on every segment", if_match=client.model_version("churn:7").etag)

    assert api.lines == ["GET /models/churn:7/detail", "PUT /models/churn:7/approve"]
    assert api.asked[1].headers["If-Match"] == '"4"'


def test_a_deployment_that_was_asked_for_again_carries_a_key_so_that_it_can_be_repeated() -> None:
    api = FakeApi(said({"run_id": "deployment-2"}, status=202))

    assert api.client().deploy_again("churn:7", "the quota was raised")["run_id"] == "deployment-2"

    assert api.lines == ["POST /models/churn:7/deploy"]
    assert json.loads(api.asked[0].body or b"") == {"reason": "the quota was raised"}
    assert api.asked[0].headers["Idempotency-Key"]


def test_a_name_never_leads_elsewhere() -> None:
    api = FakeApi(said({}))

    api.client().run("../models?x=1#")

    assert api.lines == ["GET /runs/..%2Fmodels%3Fx%3D1%23"]


@pytest.mark.parametrize("address", ["http://millrace.test/api", "ftp://127.0.0.1", "file:///etc/passwd"])
def test_credentials_leave_the_machine_only_encrypted(address: str) -> None:
    with pytest.raises(Unreachable, match="only https"):
        Client(address, AccessToken("token"))


def test_a_settings_change_makes_the_dataset_where_there_is_none() -> None:
    api = FakeApi(said({}, 404), said({"name": "churn"}, 201), said({"name": "churn"}), said({"name": "churn"}))
    client = api.client()

    client.configure_dataset("churn", {"target": "left"})
    client.configure_dataset("churn", {"target": "left"})

    assert api.lines == ["GET /datasets/churn", "POST /datasets", "GET /datasets/churn", "PATCH /datasets/churn"]
    assert json.loads(api.asked[1].body or b"") == {"name": "churn", "settings": {"target": "left"}}
