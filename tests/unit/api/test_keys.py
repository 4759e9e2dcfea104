"""API keys: what they open, what they never open, and that nobody gets a secret to see but who made the key."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from lambdas.api.app import ENDPOINTS
from lambdas.api.resource import Endpoint
from millrace import names
from millrace.adapters.memory import InMemoryApiKeys
from millrace.domain.api_key import DEFAULT_DAYS, MAX_DAYS, token_of
from millrace.domain.role import Role
from tests.builders import NOON, an_api_key, later
from tests.unit.api.conftest import REASON, Answer, Api
from tests.unit.api.requests_of import QUERIES, body_of, named, path_of
from tests.unit.api.test_reads_and_writes import rolling_out

CLOSED = [endpoint for endpoint in ENDPOINTS if endpoint.allow]
PEOPLE_ONLY = {
    "approve_version",
    "reject_version",
    "deploy_version",
    "put_alias",
    "roll_back_model",
    "create_api_key",
    "revoke_key",
}
SECRET = "5" * 64
TOKEN = token_of("0" * 16, SECRET)


def by_key(api: Api, method: str, path: str, body: object = None, *, token: str = TOKEN, **given: object) -> Answer:
    headers = {"Authorization": f"Bearer {token}"}
    return api.call(method, f"{names.KEYED_PATH}{path}", body, headers=headers, **given)


def made(api: Api, *roles: str, **said: object) -> Answer:
    body = {"name": "ci", "roles": list(roles), **said}
    return api.call("POST", "/api-keys", body, roles=["viewer", "scientist"])


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("endpoint", CLOSED, ids=named)
def test_a_key_gets_in_where_its_role_does_but_not_where_a_person_is_needed(
    endpoint: Endpoint, role: Role, api: Api
) -> None:
    api.trained()
    api.world.api_keys.add(an_api_key(key_id="1" * 16, roles=(role,)))
    token = token_of("1" * 16, SECRET)

    answered = by_key(
        api,
        endpoint.method,
        path_of(endpoint),
        body_of(endpoint),
        token=token,
        query=QUERIES.get(endpoint.operation_id),
    ).status

    assert (answered == 403) is (role not in endpoint.allow or endpoint.operation_id in PEOPLE_ONLY)
    assert answered not in (401, 500)


def test_what_is_a_persons_is_declared_at_its_routes() -> None:
    assert {endpoint.operation_id for endpoint in ENDPOINTS if endpoint.people_only} == PEOPLE_ONLY


def test_a_decision_is_a_persons_and_the_refusal_says_so(api: Api) -> None:
    api.trained()
    api.world.api_keys.add(an_api_key(roles=(Role.ADMIN,)))

    refused = by_key(api, "PUT", "/models/credit:1/approve", {"reason": REASON})

    assert refused.status == 403
    assert "for a person who has signed in" in refused.json["detail"]
    assert api.get("/models/credit:1/detail").json["approval"]["state"] == "PENDING"


def test_a_key_may_pull_a_challenger_back_but_not_choose_who_answers(api: Api) -> None:
    """An abort leaves the champion that a person approved; a rollback is a choice."""
    rolling_out(api)
    api.world.api_keys.add(an_api_key(roles=(Role.APPROVER,)))

    chosen = by_key(api, "POST", "/models/credit/rollback", {"reason": REASON})
    assert (chosen.status, api.get("/models/credit").json["rollout"] is None) == (403, False)
    before = api.get("/models/credit").json["aliases"]
    assert by_key(api, "POST", "/models/credit/rollout/abort", {"reason": REASON}).status == 200

    after = api.get("/models/credit").json
    assert (after["rollout"], after["aliases"]) == (None, before)


def test_a_machine_is_no_person_either(api: Api) -> None:
    claims = {"token_use": "access", "client_id": "32L8", "scope": f"{names.SCOPE_PREFIX}/admin"}

    assert api.call("POST", "/api-keys", {"name": "ci", "roles": ["viewer"]}, claims=claims).status == 403


class TestMaking:
    def test_the_secret_is_shown_once_and_opens_the_api(self, api: Api) -> None:
        answer = made(api, "viewer")

        token = answer.json["token"]
        assert answer.status == 201
        assert by_key(api, "GET", "/models", token=token).status == 200
        listed = api.get("/api-keys").text
        assert answer.json["key_id"] in listed
        assert token.rpartition("_")[2] not in listed

    def test_nothing_that_is_kept_holds_the_secret(self, api: Api, caplog: pytest.LogCaptureFixture) -> None:
        token = made(api, "viewer").json["token"]
        by_key(api, "GET", "/models", token=token)
        by_key(api, "GET", "/models", token=token[:-1] + "!")
        kept = api.world.api_keys.page(limit=9).items[0].model_dump_json()
        entries = [entry.model_dump_json() for entry in api.world.audit.page().items]

        secret = token.rpartition("_")[2]
        written = str([vars(record) for record in caplog.records])
        assert secret not in kept + "".join(entries)
        assert "refused" in written
        assert secret[:32] not in written

    def test_it_has_the_roles_of_its_maker_when_none_are_named(self, api: Api) -> None:
        answer = api.call("POST", "/api-keys", {"name": "ci"}, roles=["viewer", "scientist"])

        assert answer.json["roles"] == ["scientist", "viewer"]

    def test_two_keys_never_share_a_secret_or_an_id(self, api: Api) -> None:
        tokens = [made(api, "viewer").json["token"] for _ in range(20)]

        assert len({token.split("_")[1] for token in tokens}) == len({token.split("_")[2] for token in tokens}) == 20

    @pytest.mark.parametrize("role", ["approver", "admin"])
    def test_a_role_that_the_maker_lacks_is_not_given(self, role: str, api: Api) -> None:
        answer = made(api, "viewer", role)

        assert answer.status == 403
        assert role in answer.json["detail"]
        assert api.get("/api-keys").json["items"] == []

    def test_an_admin_may_do_everything_and_may_give_any_role(self, api: Api) -> None:
        answer = api.call("POST", "/api-keys", {"name": "ci", "roles": list(Role)}, roles=["admin"])

        assert answer.json["roles"] == sorted(Role)

    def test_it_lives_90_days_unless_its_maker_says_otherwise_and_a_year_at_most(self, api: Api) -> None:
        lives = [made(api, "viewer").json, made(api, "viewer", days=MAX_DAYS).json]

        days = [(an_api_key(**{"expires_at": life["expires_at"]}).expires_at - NOON).days for life in lives]
        assert days == [DEFAULT_DAYS, MAX_DAYS] == [90, 365]
        assert made(api, "viewer", days=MAX_DAYS + 1).status == 422
        assert made(api, "viewer", days=0).status == 422
        assert made(api).status == 422

    def test_its_answer_is_not_kept_so_it_takes_no_idempotency_key(self, api: Api) -> None:
        body = {"name": "ci", "roles": ["viewer"]}
        answer = api.call("POST", "/api-keys", body, headers={"Idempotency-Key": "one"})

        assert answer.status == 422
        assert api.get("/api-keys").json["items"] == []


class TestUsing:
    @pytest.fixture(autouse=True)
    def known(self, api: Api) -> None:
        api.world.api_keys.add(an_api_key(roles=(Role.VIEWER, Role.SCIENTIST)))

    def test_it_may_come_in_either_header(self, api: Api) -> None:
        assert by_key(api, "GET", "/models").status == 200
        said = api.get(f"{names.KEYED_PATH}/models", headers={"X-Api-Key": TOKEN})
        assert said.status == 200
        assert api.get(f"{names.KEYED_PATH}/models").status == 401

    def test_a_token_of_the_pool_is_no_key_and_a_key_is_no_token(self, api: Api) -> None:
        assert by_key(api, "GET", "/models", token="eyJ.eyJ.sig").status == 401
        assert api.get("/models", claims=None, headers={"X-Api-Key": TOKEN}).status == 401

    @pytest.mark.parametrize(
        "token",
        [
            token_of("0" * 16, "6" * 64),
            token_of("9" * 16, SECRET),
            TOKEN[:-1],
            TOKEN + "5",
            TOKEN.replace("mr_", "mr-"),
            "mr__",
            "mr_0000000000000000_",
        ],
    )
    def test_what_is_not_exactly_the_key_is_refused(self, token: str, api: Api) -> None:
        refused = by_key(api, "GET", "/models", token=token)

        assert refused.status == 401
        assert refused.json["type"] == "NotSignedIn"

    def test_an_unknown_id_and_a_wrong_secret_are_told_the_same(self, api: Api) -> None:
        answers = [
            by_key(api, "GET", "/models", token=token).json["detail"]
            for token in (token_of("0" * 16, "6" * 64), token_of("9" * 16, SECRET))
        ]

        assert answers[0] == answers[1]

    def test_it_acts_as_its_owner(self, api: Api) -> None:
        assert by_key(api, "POST", "/datasets", {"name": "churn"}).status == 201

        assert api.get("/activity").json["items"][0]["actor"] == "user:ada"

    def test_its_owner_asked_for_what_it_trains_so_four_eyes_hold(self, api: Api) -> None:
        api.world.configure(target="status", four_eyes=True)
        api.world.ready()
        started = by_key(api, "POST", "/training/start", {"dataset": "credit"}).json
        run = api.world.ledger.get(started["run_id"])
        candidates = api.world.train(run, api.world.plan(run))
        api.world.collect(run, candidates)
        api.world.evaluate(run, candidates)
        api.world.register_candidates(run)

        refused = api.call("PUT", "/models/credit:1/approve", {"reason": REASON}, user="ada")

        assert refused.status == 403
        assert "four eyes" in refused.json["detail"]

    def test_where_it_is_sent_on_to_it_gets_in_too(self, api: Api) -> None:
        where = by_key(api, "POST", "/datasets", {"name": "churn"}).headers["Location"]

        assert where == f"{names.KEYED_PATH}/datasets/churn"

    def test_a_revoked_key_is_refused_at_once_and_told_why(self, api: Api) -> None:
        assert api.call("DELETE", f"/api-keys/{'0' * 16}").status == 200

        refused = by_key(api, "GET", "/models")

        assert refused.status == 401
        assert "was revoked at 2026-11-20 12:00 UTC" in refused.json["detail"]
        assert api.call("DELETE", f"/api-keys/{'0' * 16}").status == 409

    def test_it_is_good_until_the_moment_it_expires(self, api: Api) -> None:
        api.world.clock.pass_time(timedelta(days=90, seconds=-1))
        assert by_key(api, "GET", "/models").status == 200

        api.world.clock.pass_time(timedelta(seconds=1))
        refused = by_key(api, "GET", "/models")

        assert refused.status == 401
        assert "expired at 2027-02-18 12:00 UTC" in refused.json["detail"]
        assert api.get("/api-keys").json["items"][0]["valid"] is False

    def test_its_use_is_noted_once_an_hour(self, api: Api) -> None:
        noted = api.world.api_keys
        for _ in range(3):
            by_key(api, "GET", "/models")
        assert (noted.uses_noted, noted.get("0" * 16).last_used_at) == (1, NOON)

        api.world.clock.pass_time(timedelta(minutes=59))
        by_key(api, "GET", "/models")
        assert noted.uses_noted == 1

        api.world.clock.pass_time(timedelta(minutes=1))
        by_key(api, "GET", "/models")
        assert noted.get("0" * 16).last_used_at == later(60)
        assert api.get("/api-keys").json["items"][0]["last_used_at"] == "2026-11-20T13:00:00Z"

    def test_a_refused_key_is_not_noted_as_used(self, api: Api) -> None:
        by_key(api, "GET", "/models", token=token_of("0" * 16, "6" * 64))

        assert api.world.api_keys.uses_noted == 0

    def test_it_counts_toward_what_its_owner_may_ask(self, api: Api) -> None:
        statuses = [by_key(api, "GET", "/models").status for _ in range(60)]
        statuses += [api.get("/models").status for _ in range(60)]

        assert 429 in statuses[60:]

    def test_predictions_take_it_too(self, api: Api) -> None:
        answer = by_key(api, "POST", "/inference/predict", {"model": "none", "rows": [{"age": 1}]})

        assert answer.status == 404
        assert by_key(api, "POST", "/inference/predict", {"model": "none"}, token=TOKEN[:-1]).status == 401


class TestListing:
    @pytest.fixture(autouse=True)
    def known(self, api: Api) -> None:
        api.world.api_keys.add(an_api_key("1" * 16, owner="user:ada", created_at=NOON))
        api.world.api_keys.add(an_api_key("2" * 16, owner="user:bob", created_at=later(1)))

    def listed(self, answer: Answer) -> list[str]:
        return [key["key_id"][0] for key in json.loads(answer.text)["items"]]

    def test_everybody_sees_ones_own(self, api: Api) -> None:
        assert self.listed(api.get("/api-keys", user="ada", roles=["viewer"])) == ["1"]
        assert self.listed(api.get("/api-keys", user="eve", roles=["viewer"])) == []

    def test_an_admin_sees_all_newest_first_and_nobody_else(self, api: Api) -> None:
        assert self.listed(api.get("/api-keys", query={"all": "true"}, roles=["admin"])) == ["2", "1"]
        assert api.get("/api-keys", query={"all": "true"}, roles=["scientist", "approver"]).status == 403

    def test_one_revokes_ones_own_and_an_admin_any(self, api: Api) -> None:
        assert api.call("DELETE", f"/api-keys/{'2' * 16}", user="ada", roles=["viewer"]).status == 404
        assert api.call("DELETE", f"/api-keys/{'1' * 16}", user="ada", roles=["viewer"]).status == 200
        assert api.call("DELETE", f"/api-keys/{'2' * 16}", user="eve", roles=["admin"]).status == 200

    def test_the_list_changes_its_tag_when_a_key_expires(self, api: Api) -> None:
        tag = api.get("/api-keys").headers["ETag"]
        assert api.get("/api-keys", headers={"If-None-Match": tag}).status == 304

        api.world.clock.pass_time(timedelta(days=90))
        assert api.get("/api-keys", headers={"If-None-Match": tag}).status == 200


def test_a_use_that_was_noted_meanwhile_is_not_noted_again() -> None:
    keys = InMemoryApiKeys()
    keys.add(an_api_key())
    seen = keys.get("0" * 16)

    keys.note_use(seen, at=later(1))
    keys.note_use(seen, at=later(2))

    assert keys.get("0" * 16).last_used_at == later(1)
