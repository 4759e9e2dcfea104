"""A version comes into service step by step: who answers, what is seen, and how it ends."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.tasks import roll_back_rollout, start_rollout, watch_rollout
from millrace import bootstrap
from millrace.adapters.memory import InMemoryRecordQueue
from millrace.domain import place
from millrace.domain.model import ModelEventKind, ModelVersion
from millrace.domain.rollout import DeploymentPolicy, Rollout, Strategy
from millrace.errors import Conflict, InvalidInput, NotDeployed, RolloutEnded, RolloutFailed, RowsInvalid
from millrace.settings import Settings
from millrace.use_cases.abort_rollout import abort_rollout
from millrace.use_cases.load_served_model import ServedModels
from millrace.use_cases.predict_rows import Answer, predict_rows
from millrace.use_cases.promote_model_version import promote_model_version
from millrace.use_cases.roll_back import roll_back
from millrace.use_cases.write_inference_records import Message, write_inference_records
from tests.builders import ARTIFACTS_BUCKET, DATA_BUCKET, NOON
from tests.unit.lambdas.conftest import Context
from tests.unit.serving.conftest import Exported, promote
from tests.unit.use_cases.world import World

ROWS = [{"age": 30, "home": "own"}, {"age": 55, "home": "rent"}]
RUN = "deployment-2"


class Traffic:
    """Requests to the model `credit`, and what is filed of them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.records = InMemoryRecordQueue()
        self.served = ServedModels(world.registry, world.store, ARTIFACTS_BUCKET, lambda: world.clock.now().timestamp())
        self.asked = 0

    def ask(self, rows: list[dict[str, Any]] | None = None, record_ids: list[str] | None = None) -> Answer:
        self.asked += 1
        return predict_rows(
            served_models=self.served,
            records=self.records,
            clock=self.world.clock,
            model="credit",
            rows=ROWS if rows is None else rows,
            record_ids=record_ids,
            actor="ada",
            request_id=f"request-{self.asked}",
        )

    def passes(self, requests: int = 100) -> list[str]:
        """Who answered; everything is filed."""
        self.world.clock.pass_time(timedelta(seconds=3))
        answered = [self.ask().version_id for _ in range(requests)]
        self.file()
        return answered

    def file(self) -> None:
        messages = [Message(f"{self.asked}-{n}", f"[{record}]") for n, record in enumerate(self.records.records)]
        failed = write_inference_records(
            store=self.world.store, traffic=self.world.traffic, data_bucket=DATA_BUCKET, messages=messages
        )
        assert failed == {}
        self.records.records.clear()

    def filed(self, folder: str) -> list[dict[str, Any]]:
        found = self.world.store.list(f"s3://{DATA_BUCKET}/inference/credit/{folder}/")
        return [json.loads(line) for each in found for line in self.world.store.read(each.uri).splitlines()]


@pytest.fixture
def deployed(world: World, versions: list[ModelVersion], first: Exported, second: Exported) -> World:
    """Version 1 is champion, version 2 was checked and can answer."""
    for number, exported in ((1, first), (2, second)):
        for name, content in exported.files.items():
            world.store.write(place.serving_uri(ARTIFACTS_BUCKET, "credit", number, name), content)
    promote(world, 1)
    return world


@pytest.fixture
def traffic(deployed: World) -> Traffic:
    return Traffic(deployed)


@pytest.fixture
def state(deployed: World, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The state machine's, when it comes to StartRollout."""
    platform = bootstrap.platform(Settings(data_bucket=DATA_BUCKET)).with_parts(**vars(deployed))
    monkeypatch.setattr(bootstrap, "platform", lambda: platform)
    return {"run_id": RUN, "model": "credit", "number": 2, "actor": "ada", "reason": "good"}


def policy(world: World, **settings: Any) -> None:
    world.configure(deployment=settings)


def start(state: dict[str, Any]) -> dict[str, Any]:
    state["rollout"] = start_rollout.handler(state, Context())  # type: ignore[arg-type]
    return state["rollout"]  # type: ignore[no-any-return]


def look(state: dict[str, Any]) -> dict[str, Any]:
    given = {name: state[name] for name in ("run_id", "model", "number")}
    wait = {"wait_seconds": state["rollout"]["wait_seconds"]}
    answer: dict[str, Any] = watch_rollout.handler(given | wait, Context())  # type: ignore[arg-type]
    return answer


def kinds(world: World) -> list[ModelEventKind]:
    return [event.kind for event in world.registry.history("credit")]


def rollout_of(world: World) -> Rollout | None:
    return world.registry.model("credit").rollout


def broken(world: World, number: int = 2) -> None:
    """The graph is another one than was checked."""
    world.store.write(place.serving_uri(ARTIFACTS_BUCKET, "credit", number, "model.onnx"), b"torn")


class TestStarting:
    def test_without_a_strategy_everything_goes_at_once(self, deployed: World, state: dict[str, Any]) -> None:
        assert start(state)["next"] == "promote"
        assert rollout_of(deployed) is None

    def test_the_first_version_has_nobody_to_be_compared_with(
        self, world: World, versions: list[ModelVersion], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        policy(world, strategy="canary")
        platform = bootstrap.platform(Settings()).with_parts(**vars(world))
        monkeypatch.setattr(bootstrap, "platform", lambda: platform)

        assert start({"run_id": RUN, "model": "credit", "number": 2})["next"] == "promote"

    def test_a_canary_begins_with_its_share_and_is_told(self, deployed: World, state: dict[str, Any]) -> None:
        policy(deployed, strategy="canary", share=0.2, step_seconds=300)

        assert start(state) == {"next": "wait", "wait_seconds": 30}

        event = deployed.registry.history("credit")[-1]
        assert (event.kind, event.number) == (ModelEventKind.ROLLOUT_STARTED, 2)
        assert event.reason == "canary: 20% of the requests beside credit:1 for 5 min"
        assert "canary: 20%" in deployed.notifier.sent[-1].message
        assert deployed.notifier.sent[-1].path == "/models/credit/2"

    def test_starting_again_changes_nothing(self, deployed: World, state: dict[str, Any]) -> None:
        policy(deployed, strategy="canary")
        start(state)
        before = (rollout_of(deployed), kinds(deployed))
        deployed.clock.pass_time(timedelta(seconds=9))

        assert start(state)["next"] == "wait"
        assert (rollout_of(deployed), kinds(deployed)) == before

    def test_a_later_approval_takes_the_place_and_an_earlier_one_does_not(
        self, deployed: World, state: dict[str, Any]
    ) -> None:
        policy(deployed, strategy="canary")
        start(state)
        later = {**state, "run_id": "deployment-3", "number": 3}
        start(later)

        assert rollout_of(deployed) is not None
        assert rollout_of(deployed).number == 3  # type: ignore[union-attr]
        with pytest.raises(RolloutEnded, match="credit:3, approved later, takes its place"):
            look(state)
        with pytest.raises(Conflict, match="credit:3, approved later"):
            start(state)

    def test_a_person_may_have_an_earlier_version_again(self, deployed: World, state: dict[str, Any]) -> None:
        promote(deployed, 3)
        assert start(state)["next"] == "promote"
        policy(deployed, strategy="canary")
        assert start(state)["next"] == "promote"

        assert start({**state, "again": True})["next"] == "wait"
        assert start({**state, "again": True, "run_id": "deployment-9"})["next"] == "wait"
        assert rollout_of(deployed).run_id == "deployment-9"  # type: ignore[union-attr]


class TestAnswering:
    def test_the_challenger_answers_its_share_and_the_records_say_who_answered(
        self, traffic: Traffic, state: dict[str, Any]
    ) -> None:
        policy(traffic.world, strategy="canary", share=0.3)
        start(state)

        answered = traffic.passes(400)

        assert 70 < answered.count("credit:2") < 170
        by_request = {record["request_id"]: record["number"] for record in traffic.filed("records")}
        assert [f"credit:{by_request[f'request-{n}']}" for n in range(1, 401)] == answered
        seen = traffic.filed(f"rollouts/{RUN}")
        assert {each["request_id"]: each["number"] for each in seen} == by_request

    def test_without_a_rollout_nothing_is_observed(self, traffic: Traffic) -> None:
        assert set(traffic.passes(20)) == {"credit:1"}
        assert traffic.filed("rollouts") == []

    def test_the_same_record_always_gets_the_same_version(self, traffic: Traffic, state: dict[str, Any]) -> None:
        policy(traffic.world, strategy="canary", share=0.5)
        start(state)
        traffic.world.clock.pass_time(timedelta(seconds=3))

        for record in map(str, range(30)):
            answered = {traffic.ask(record_ids=[record, f"{record}-b"]).version_id for _ in range(3)}
            assert len(answered) == 1

    def test_what_the_challenger_cannot_answer_the_champion_does(self, traffic: Traffic, state: dict[str, Any]) -> None:
        policy(traffic.world, strategy="canary", share=0.5)
        start(state)
        broken(traffic.world)

        assert set(traffic.passes(60)) == {"credit:1"}

        seen = traffic.filed(f"rollouts/{RUN}")
        failed = [each for each in seen if each["failure"]]
        assert {each["number"] for each in failed} == {2}
        assert len(failed) > 10
        assert "not the one that was checked" in failed[0]["failure"]
        assert len([each for each in seen if each["number"] == 1]) == 60

    def test_rows_that_the_champion_refuses_too_are_nobodys_failure(
        self, traffic: Traffic, state: dict[str, Any]
    ) -> None:
        policy(traffic.world, strategy="canary", share=0.5)
        start(state)
        traffic.world.clock.pass_time(timedelta(seconds=3))

        for _ in range(20):
            with pytest.raises(RowsInvalid):
                traffic.ask([{"age": "old"}])
        traffic.file()

        assert traffic.filed("rollouts") == []

    def test_when_nobody_can_answer_the_champions_error_is_told(self, traffic: Traffic, state: dict[str, Any]) -> None:
        policy(traffic.world, strategy="canary", share=0.5)
        start(state)
        traffic.world.clock.pass_time(timedelta(seconds=3))
        broken(traffic.world)
        for name in ("serving.json", "model.onnx"):
            traffic.world.store.delete(place.serving_uri(ARTIFACTS_BUCKET, "credit", 1, name))

        for _ in range(20):
            with pytest.raises(NotDeployed, match="credit:1"):
                traffic.ask()

    def test_a_shadow_answers_too_and_nobody_is_given_its_answer(self, traffic: Traffic, state: dict[str, Any]) -> None:
        policy(traffic.world, strategy="shadow")
        start(state)

        assert set(traffic.passes(20)) == {"credit:1"}

        assert {record["number"] for record in traffic.filed("records")} == {1}
        shadow = [each for each in traffic.filed(f"rollouts/{RUN}") if each["number"] == 2]
        assert len(shadow) == 20
        assert [answer["record_id"] for answer in shadow[0]["not_given"]] == [
            f"{shadow[0]['request_id']}-{row}" for row in range(len(ROWS))
        ]

    def test_a_shadow_that_breaks_is_not_noticed_by_the_caller(self, traffic: Traffic, state: dict[str, Any]) -> None:
        policy(traffic.world, strategy="shadow")
        start(state)
        broken(traffic.world)

        assert set(traffic.passes(20)) == {"credit:1"}
        assert len([each for each in traffic.filed("rollouts") if each["failure"]]) == 20


class TestWatching:
    def test_a_canary_that_does_well_is_promoted_after_its_time(self, traffic: Traffic, state: dict[str, Any]) -> None:
        world = traffic.world
        policy(world, strategy="canary", share=0.5, step_seconds=60, max_psi=9)
        start(state)
        traffic.passes(200)

        assert look(state)["next"] == "wait"
        world.clock.pass_time(timedelta(seconds=60))
        assert look(state)["next"] == "promote"
        assert look(state)["next"] == "promote"

        assert kinds(world)[-2:] == [ModelEventKind.ROLLOUT_STARTED, ModelEventKind.ROLLOUT_PASSED]
        assert "predictions alike" in world.registry.history("credit")[-1].reason
        promote_model_version(
            registry=world.registry,
            notifier=world.notifier,
            clock=world.clock,
            model="credit",
            number=2,
            actor="ada",
            reason="good",
        )
        assert world.registry.model("credit").aliases["champion"] == 2
        assert rollout_of(world) is None
        assert set(traffic.passes(20)) == {"credit:2"}
        assert look(state)["next"] == "promote"

    def test_a_broken_canary_is_found_long_before_its_time_is_over(
        self, traffic: Traffic, state: dict[str, Any]
    ) -> None:
        policy(traffic.world, strategy="canary", share=0.3, step_seconds=3600)
        start(state)
        broken(traffic.world)
        traffic.passes(40)

        with pytest.raises(RolloutFailed, match="not the one that was checked") as failed:
            look(state)

        cause = json.dumps({"errorType": "RolloutFailed", "errorMessage": str(failed.value)})
        state["failure"] = {"Error": "RolloutFailed", "Cause": cause}
        roll_back_rollout.handler(state, Context())  # type: ignore[arg-type]
        assert rollout_of(traffic.world) is None
        event = traffic.world.registry.history("credit")[-1]
        assert (event.kind, event.actor) == (ModelEventKind.ROLLOUT_ENDED, f"run:{RUN}")
        assert event.reason == str(failed.value)
        assert set(traffic.passes(20)) == {"credit:1"}

    def test_without_traffic_the_version_passes_and_that_is_said(self, deployed: World, state: dict[str, Any]) -> None:
        policy(deployed, strategy="canary", step_seconds=60)
        start(state)
        deployed.clock.pass_time(timedelta(seconds=61))

        assert look(state)["next"] == "promote"
        assert "no traffic was seen" in deployed.registry.history("credit")[-1].reason

    def test_without_traffic_a_careful_policy_rolls_back(self, deployed: World, state: dict[str, Any]) -> None:
        policy(deployed, strategy="canary", step_seconds=60, when_quiet="roll_back")
        start(state)
        deployed.clock.pass_time(timedelta(seconds=61))

        with pytest.raises(RolloutFailed, match="no traffic was seen"):
            look(state)

    def test_linear_steps_take_more_and_more(self, traffic: Traffic, state: dict[str, Any]) -> None:
        policy(traffic.world, strategy="linear", share=0.3, step_seconds=60, max_psi=9)
        start(state)
        shares = []
        for _ in range(3):
            shares.append(rollout_of(traffic.world).share)  # type: ignore[union-attr]
            traffic.passes(50)
            traffic.world.clock.pass_time(timedelta(seconds=61))
            said = look(state)

        assert shares == [0.3, 0.6, 0.9]
        assert said["next"] == "promote"
        assert kinds(traffic.world)[-4:] == [
            ModelEventKind.ROLLOUT_STARTED,
            ModelEventKind.ROLLOUT_STEPPED,
            ModelEventKind.ROLLOUT_STEPPED,
            ModelEventKind.ROLLOUT_PASSED,
        ]
        assert "step 2 of 3: 60%" in traffic.world.registry.history("credit")[-3].reason

    def test_of_too_many_observations_a_part_is_read(
        self, traffic: Traffic, state: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        policy(traffic.world, strategy="canary", step_seconds=3600)
        start(state)
        traffic.passes(40)
        monkeypatch.setattr("millrace.use_cases.watch_rollout.READ_BYTES", 0)

        assert "no traffic was seen" in look(state)["sentence"]


class TestAborting:
    def test_a_person_ends_a_rollout_and_its_run_says_who_and_why(self, deployed: World, state: dict[str, Any]) -> None:
        policy(deployed, strategy="canary")
        start(state)

        abort_rollout(
            registry=deployed.registry, clock=deployed.clock, model="credit", actor="bob", reason="complaints"
        )

        assert rollout_of(deployed) is None
        with pytest.raises(RolloutEnded, match="by bob: complaints"):
            look(state)
        with pytest.raises(Conflict, match="no version of credit"):
            abort_rollout(registry=deployed.registry, clock=deployed.clock, model="credit", actor="bob", reason="again")

    def test_a_reason_is_needed(self, deployed: World) -> None:
        with pytest.raises(InvalidInput):
            abort_rollout(registry=deployed.registry, clock=deployed.clock, model="credit", actor="bob", reason=" ")

    def test_rolling_back_during_a_rollout_ends_that_and_the_champion_stays(
        self, deployed: World, state: dict[str, Any]
    ) -> None:
        promote(deployed, 3)
        policy(deployed, strategy="canary")
        deployed.registry.move_rollout(
            "credit",
            Rollout(
                run_id=RUN,
                number=2,
                champion=3,
                policy=DeploymentPolicy(strategy=Strategy.CANARY),
                started_at=NOON,
                step_started_at=NOON,
            ),
            run_id=RUN,
            number=2,
            actor="ada",
            reason="canary",
            at=NOON,
        )

        roll_back(registry=deployed.registry, clock=deployed.clock, model="credit", actor="bob", reason="complaints")

        assert (rollout_of(deployed), deployed.registry.model("credit").aliases["champion"]) == (None, 3)
        roll_back(registry=deployed.registry, clock=deployed.clock, model="credit", actor="bob", reason="complaints")
        assert deployed.registry.model("credit").aliases["champion"] == 1


@given(st.text(min_size=1, max_size=40), st.floats(0.01, 0.24))
def test_what_a_challenger_took_it_keeps_when_it_takes_more(key: str, share: float) -> None:
    rollout = Rollout(
        run_id=RUN,
        number=2,
        champion=1,
        policy=DeploymentPolicy(strategy=Strategy.LINEAR, share=share),
        started_at=NOON,
        step_started_at=NOON,
    )
    took = [rollout.model_copy(update={"step": step}).takes(key) for step in range(1, rollout.policy.steps + 1)]

    assert took == sorted(took)
    assert rollout.model_copy(update={"step": rollout.policy.steps}).share < 1
    assert rollout.share <= 1 - rollout.policy.share_at(rollout.policy.steps) + share


def test_assignment_has_the_share_that_was_asked_for() -> None:
    rollout = Rollout(
        run_id=RUN,
        number=2,
        champion=1,
        policy=DeploymentPolicy(strategy=Strategy.CANARY, share=0.1),
        started_at=NOON,
        step_started_at=NOON,
    )

    assert sum(rollout.takes(f"request-{n}") for n in range(20_000)) == pytest.approx(2000, abs=150)
