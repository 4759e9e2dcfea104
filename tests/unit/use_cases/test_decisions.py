"""Approving, rejecting, promoting, moving an alias, and who was champion when."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from millrace.adapters.memory import InMemoryEventBus
from millrace.domain.event import DomainEvent, ModelVersionApproved
from millrace.domain.identity import automatic_deployment_run_id
from millrace.domain.model import ApprovalState, ModelEvent, ModelEventKind, ModelVersion
from millrace.errors import AlreadyDecided, Conflict, InvalidInput, NotAllowed, NotFound
from millrace.use_cases.approve_model_version import approve_model_version, check_four_eyes
from millrace.use_cases.find_champion import champion_at
from millrace.use_cases.move_alias import move_alias
from millrace.use_cases.promote_model_version import promote_model_version
from millrace.use_cases.reject_model_version import reject_model_version
from millrace.use_cases.roll_back import roll_back
from tests.builders import NOON, a_model_version, a_run, later
from tests.contract.concurrency import all_at_once
from tests.unit.use_cases.world import World

REASON = "better on the rows that matter"


def register(world: World, count: int = 1) -> None:
    for index in range(count):
        run_id = f"training-{index}"
        number = world.registry.claim_number("credit", dataset="credit", run_id=run_id, algorithm="xgboost", at=NOON)
        world.registry.register(a_model_version(number, run_id=run_id), actor="training")


def approve(world: World, version_id: str = "credit:1", reason: str = REASON) -> ModelVersion:
    world.clock.pass_time(timedelta(minutes=1))
    return approve_model_version(
        registry=world.registry,
        catalog=world.catalog,
        ledger=world.ledger,
        bus=world.bus,
        clock=world.clock,
        version_id=version_id,
        actor="ada",
        reason=reason,
    )


def reject(world: World, version_id: str = "credit:1", reason: str = REASON) -> ModelVersion:
    return reject_model_version(
        registry=world.registry, clock=world.clock, version_id=version_id, actor="ada", reason=reason
    )


def promote(world: World, number: int) -> ModelEvent | None:
    world.clock.pass_time(timedelta(minutes=1))
    return promote_model_version(
        registry=world.registry,
        notifier=world.notifier,
        clock=world.clock,
        model="credit",
        number=number,
        actor="ada",
        reason=REASON,
    )


def move(world: World, version_id: str, **given: Any) -> ModelEvent:
    world.clock.pass_time(timedelta(minutes=1))
    return move_alias(
        registry=world.registry,
        clock=world.clock,
        version_id=version_id,
        **{"alias": "champion", "actor": "bob", "reason": "back again", **given},
    )


def champion(world: World) -> int | None:
    return world.registry.model("credit").aliases.get("champion")


def test_an_approval_is_kept_and_announced(world: World) -> None:
    register(world)

    approved = approve(world, reason=f"  {REASON} ")

    assert world.registry.get("credit", 1) == approved
    assert approved.approval.model_dump() == {
        "state": ApprovalState.APPROVED,
        "actor": "ada",
        "reason": REASON,
        "decided_at": later(1),
    }
    assert world.bus.published == [ModelVersionApproved(model="credit", number=1, actor="ada", reason=REASON)]


def test_a_rejection_is_kept_and_not_announced(world: World) -> None:
    register(world)

    reject(world)

    assert world.registry.get("credit", 1).approval.state == ApprovalState.REJECTED
    assert world.registry.history("credit")[-1].reason == REASON
    assert world.bus.published == []


@pytest.mark.parametrize("reason", ["", "   ", "\n"])
def test_an_approval_needs_a_reason(world: World, reason: str) -> None:
    register(world)

    with pytest.raises(InvalidInput, match="say why"):
        approve(world, reason=reason)

    assert world.registry.get("credit", 1).approval.state == ApprovalState.PENDING


@pytest.mark.parametrize("reason", ["", "no", "too short", " " * 20 + "x"])
def test_a_rejection_needs_a_reason_that_says_something(world: World, reason: str) -> None:
    register(world)

    with pytest.raises(InvalidInput, match="at least 10 characters"):
        reject(world, reason=reason)

    assert world.registry.get("credit", 1).approval.state == ApprovalState.PENDING


@pytest.mark.parametrize("decide", [approve, reject])
def test_what_does_not_exist_cannot_be_decided(world: World, decide: Any) -> None:
    with pytest.raises(NotFound, match="credit:1"):
        decide(world)
    with pytest.raises(InvalidInput, match="model version id"):
        decide(world, "credit")
    assert world.bus.published == []


@pytest.mark.parametrize("first", [approve, reject])
@pytest.mark.parametrize("second", [approve, reject])
def test_deciding_twice_is_an_error_and_announces_nothing(world: World, first: Any, second: Any) -> None:
    register(world)
    first(world)
    announced = list(world.bus.published)

    with pytest.raises(AlreadyDecided):
        second(world, reason="another reason than before")

    assert world.bus.published == announced


def test_many_approvals_at_once_announce_one(world: World) -> None:
    register(world)

    won, lost = all_at_once([lambda who=n: approve(world, reason=f"{REASON} to {who}") for n in range(20)])

    assert (len(won), {type(error) for error in lost}) == (1, {AlreadyDecided})
    assert len(world.bus.published) == 1


class DeafOnce(InMemoryEventBus):
    """A bus that refuses the first event."""

    def publish(self, event: DomainEvent) -> None:
        refused = getattr(self, "refused", False)
        self.refused = True
        if not refused:
            raise ConnectionError("the bus is away")
        super().publish(event)


def test_an_approval_of_which_nobody_heard_is_announced_when_it_is_said_again(world: World) -> None:
    register(world)
    world.bus = DeafOnce()
    with pytest.raises(ConnectionError):
        approve(world)
    assert (world.registry.get("credit", 1).approval.state, world.bus.published) == (ApprovalState.APPROVED, [])

    again = approve(world)

    assert again.approval.decided_at == later(1)
    assert world.bus.published == [ModelVersionApproved(model="credit", number=1, actor="ada", reason=REASON)]
    assert [event.kind for event in world.registry.history("credit")].count(ModelEventKind.APPROVED) == 1


def test_an_approval_that_was_heard_is_decided(world: World) -> None:
    register(world)
    approve(world)
    world.ledger.open(a_run(automatic_deployment_run_id("credit", 1), pipeline="deployment"))

    with pytest.raises(AlreadyDecided):
        approve(world)
    assert len(world.bus.published) == 1


def test_the_champion_is_whoever_was_approved(world: World) -> None:
    register(world)
    approve(world)

    moved = promote(world, 1)

    assert moved is not None
    assert moved == world.registry.history("credit")[-1]
    assert champion(world) == 1
    assert world.notifier.sent[-1].path == "/models/credit/1"


def test_only_an_approved_version_is_promoted(world: World) -> None:
    register(world)

    with pytest.raises(Conflict):
        promote(world, 1)
    with pytest.raises(NotFound):
        promote(world, 9)

    assert champion(world) is None


@pytest.mark.parametrize("order", list(permutations([1, 2, 3])))
def test_approvals_delivered_in_any_order_and_twice_end_with_the_last_approved(
    world: World, order: tuple[int, ...]
) -> None:
    register(world, 3)
    for number in (1, 2, 3):
        approve(world, f"credit:{number}")

    for number in (*order, *order):
        promote(world, number)

    assert champion(world) == 3


def test_an_approval_delivered_again_does_not_undo_what_a_person_did_since(world: World) -> None:
    register(world, 2)
    for number in (1, 2):
        approve(world, f"credit:{number}")
        promote(world, number)
    move(world, "credit:1")

    assert promote(world, 2) is None

    assert champion(world) == 1


def test_one_of_many_promotions_of_the_same_approval_moves_the_alias(world: World) -> None:
    register(world)
    approve(world)

    won, lost = all_at_once([lambda: promote(world, 1) for _ in range(20)])

    assert len([event for event in won if event]) == 1
    assert {type(error) for error in lost} <= {Conflict}
    assert len([event for event in world.registry.history("credit") if event.alias]) == 1


def test_a_person_moves_an_alias_with_a_reason(world: World) -> None:
    register(world, 2)
    approve(world, "credit:1")
    approve(world, "credit:2")
    move(world, "credit:1")

    event = move(world, "credit:2", expected=1, reason="roll forward")

    assert (event.previous_number, event.number, event.actor, event.reason) == (1, 2, "bob", "roll forward")
    assert champion(world) == 2


def test_a_move_from_somewhere_else_than_the_person_saw_is_a_conflict(world: World) -> None:
    register(world, 3)
    for number in (1, 2, 3):
        approve(world, f"credit:{number}")
    move(world, "credit:1")

    with pytest.raises(Conflict):
        move(world, "credit:3", expected=2)

    assert champion(world) == 1


@pytest.mark.parametrize("given", [{"alias": "Champion"}, {"alias": ""}, {"alias": "a b"}, {"reason": " "}])
def test_a_wrong_name_or_no_reason_moves_nothing(world: World, given: dict[str, str]) -> None:
    register(world)
    approve(world)

    with pytest.raises(InvalidInput):
        move(world, "credit:1", **given)

    assert world.registry.model("credit").aliases == {}


def test_who_was_champion_is_answered_for_any_time(world: World) -> None:
    register(world, 2)
    expected: list[tuple[Any, int | None]] = [(world.clock.now(), None)]
    for number in (1, 2):
        approve(world, f"credit:{number}")
        expected.append((world.clock.now(), champion(world)))
        promote(world, number)
        expected.append((world.clock.now(), number))
    move(world, "credit:1")
    expected.append((world.clock.now(), 1))

    for at, number in expected:
        for moment in (at, at + timedelta(seconds=59)):
            found = champion_at(registry=world.registry, model="credit", at=moment)
            assert (found and found.number) == number


def test_an_unknown_model_never_had_a_champion(world: World) -> None:
    with pytest.raises(NotFound):
        champion_at(registry=world.registry, model="credit", at=NOON)


class TestFourEyes:
    """Who asked for a training run may not approve what came of it, when the dataset says so."""

    def test_somebody_else_has_to_approve(self, world: World) -> None:
        _, (version, *_) = world.trained(four_eyes=True)

        with pytest.raises(NotAllowed, match="ada asked for the run that made credit:1"):
            approve(world, version.id)

        assert world.registry.get("credit", 1).approval.state is ApprovalState.PENDING
        assert not any(isinstance(event, ModelVersionApproved) for event in world.bus.published)

    def test_the_same_person_by_another_way_is_the_same_person(self, world: World) -> None:
        _, (version, *_) = world.trained(four_eyes=True)

        with pytest.raises(NotAllowed):
            check_four_eyes(world.catalog, world.ledger, version, "cli:ada")
        check_four_eyes(world.catalog, world.ledger, version, "cli:grace")

    def test_an_environment_may_want_it_whatever_the_dataset_says(self, world: World) -> None:
        _, (version, *_) = world.trained()

        with pytest.raises(NotAllowed, match="this environment wants four eyes"):
            check_four_eyes(world.catalog, world.ledger, version, "user:ada", always=True)
        check_four_eyes(world.catalog, world.ledger, version, "user:grace", always=True)

    def test_without_the_policy_one_person_is_enough(self, world: World) -> None:
        _, (version, *_) = world.trained()

        assert approve(world, version.id).approval.actor == "ada"


class TestRollingBack:
    """The champion becomes the one before it."""

    def champions(self, world: World, *numbers: int) -> None:
        register(world, max(numbers))
        for number in sorted(set(numbers)):
            approve(world, f"credit:{number}")
        for number in numbers:
            self.move(world, number)

    def move(self, world: World, number: int) -> None:
        move_alias(
            registry=world.registry,
            clock=world.clock,
            alias="champion",
            version_id=f"credit:{number}",
            actor="ada",
            reason="a change",
        )

    def back(self, world: World) -> int:
        return roll_back(
            registry=world.registry, clock=world.clock, model="credit", actor="grace", reason=" complaints "
        ).number

    def test_it_goes_to_the_champion_before(self, world: World) -> None:
        self.champions(world, 1, 2)

        assert self.back(world) == 1

        assert world.registry.model("credit").aliases == {"champion": 1}
        assert world.registry.history("credit")[-1].reason == "complaints"

    def test_twice_goes_two_steps_back_and_not_forth_again(self, world: World) -> None:
        self.champions(world, 1, 2, 3)

        assert [self.back(world), self.back(world)] == [2, 1]
        with pytest.raises(Conflict, match="no earlier champion"):
            self.back(world)

    def test_a_champion_after_a_roll_back_has_the_one_rolled_back_to_before_it(self, world: World) -> None:
        self.champions(world, 1, 2)
        self.back(world)
        register(world, 3)
        approve(world, "credit:3")
        self.move(world, 3)

        assert self.back(world) == 1

    def test_without_a_champion_or_an_earlier_one_there_is_nothing_to_go_back_to(self, world: World) -> None:
        register(world)
        with pytest.raises(Conflict):
            self.back(world)
        approve(world)
        self.move(world, 1)
        with pytest.raises(Conflict):
            self.back(world)

    def test_it_needs_a_reason(self, world: World) -> None:
        self.champions(world, 1, 2)
        with pytest.raises(InvalidInput, match="say why"):
            roll_back(registry=world.registry, clock=world.clock, model="credit", actor="ada", reason="  ")
