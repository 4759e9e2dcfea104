"""Every ModelRegistry: numbers, approvals and aliases move one at a time, and the history proves it."""

from __future__ import annotations

import pytest

from millrace.domain.model import ApprovalState, ModelEventKind, ModelVersion, RegisteredModel
from millrace.domain.rollout import DeploymentPolicy, Rollout, Strategy
from millrace.errors import AlreadyDecided, Conflict, NotFound, RolloutEnded
from millrace.ports import ModelRegistry
from tests.builders import NOON, a_model_version, a_truth_file, a_verdict, later
from tests.contract.concurrency import all_at_once


def claimed(registry: ModelRegistry, run_id: str = "training-1", algorithm: str = "xgboost") -> int:
    return registry.claim_number("credit", dataset="credit", run_id=run_id, algorithm=algorithm, at=NOON)


def registered(registry: ModelRegistry, run_id: str = "training-1", algorithm: str = "xgboost") -> ModelVersion:
    number = claimed(registry, run_id, algorithm)
    return registry.register(a_model_version(number, run_id=run_id, algorithm=algorithm), actor="training")


def approved(registry: ModelRegistry, run_id: str) -> int:
    number = registered(registry, run_id).number
    registry.decide("credit", number, approve=True, actor="ada", reason="good", at=later(1))
    return number


def promote(registry: ModelRegistry, number: int, *, expected: int | None, minutes: float = 2) -> None:
    registry.move_alias(
        "credit", "champion", number, expected=expected, actor="ada", reason="better", at=later(minutes)
    )


def assert_history_has_no_gaps(registry: ModelRegistry) -> None:
    history = registry.history("credit")
    assert [event.sequence for event in history] == list(range(1, len(history) + 1))


def test_numbers_are_claimed_in_order_and_once_per_candidate(registry: ModelRegistry) -> None:
    assert [claimed(registry, algorithm=name) for name in ("a", "b", "a", "c", "b")] == [1, 2, 1, 3, 2]
    assert claimed(registry, "training-2", "a") == 4
    assert registry.model("credit").latest_number == 4


def test_a_claimed_number_is_no_version_yet(registry: ModelRegistry) -> None:
    claimed(registry)

    with pytest.raises(NotFound):
        registry.get("credit", 1)
    assert list(registry.versions("credit")) == []
    assert list(registry.history("credit")) == []


def test_many_candidates_at_once_get_numbers_without_gaps(registry: ModelRegistry) -> None:
    numbers, errors = all_at_once([lambda name=str(n): claimed(registry, algorithm=name) for n in range(12)])

    assert errors == []
    assert sorted(numbers) == list(range(1, 13))


def test_the_same_candidate_at_once_gets_one_number(registry: ModelRegistry) -> None:
    numbers, errors = all_at_once([lambda: claimed(registry) for _ in range(12)])

    assert errors == []
    assert set(numbers) == {1}


def test_a_registered_version_is_found_again_with_everything(registry: ModelRegistry) -> None:
    version = registered(registry)

    assert registry.get("credit", 1) == version == a_model_version(1)
    assert list(registry.versions("credit")) == [version]
    assert registry.model("credit") == RegisteredModel(
        name="credit", dataset="credit", latest_number=1, newest=1, pending=(1,), revision=1, created_at=NOON
    )


def test_models_that_wait_for_a_decision_are_found_until_nothing_of_them_waits(registry: ModelRegistry) -> None:
    for minute, model in enumerate(("pears", "apples", "plums", "pears")):
        number = registry.claim_number(model, dataset=model, run_id=f"t-{minute}", algorithm="xgboost", at=NOON)
        made = a_model_version(number, model=model, run_id=f"t-{minute}", created_at=later(minute))
        registry.register(made, actor="training")

    def waiting(limit: int = 50) -> list[RegisteredModel]:
        return list(registry.waiting(limit=limit))

    assert waiting() == [registry.model(name) for name in ("pears", "plums", "apples")]
    assert [model.name for model in waiting(2)] == ["pears", "plums"]
    for model, number, left in (("plums", 1, ["pears", "apples"]), ("pears", 1, ["pears", "apples"])):
        registry.decide(model, number, approve=False, actor="ada", reason="no", at=later(9))
        assert [each.name for each in waiting()] == left
    registry.decide("pears", 2, approve=True, actor="ada", reason="good", at=later(9))
    assert [each.name for each in waiting()] == ["apples"]


def test_models_with_a_champion_are_found_by_name(registry: ModelRegistry) -> None:
    for model, alias in (("pears", "champion"), ("apples", "champion"), ("plums", "tried"), ("figs", None)):
        number = registry.claim_number(model, dataset=model, run_id="t-1", algorithm="xgboost", at=NOON)
        registry.register(a_model_version(number, model=model, run_id="t-1"), actor="training")
        registry.decide(model, number, approve=True, actor="ada", reason="good", at=later(1))
        if alias:
            registry.move_alias(model, alias, number, expected=None, actor="ada", reason="good", at=later(2))

    assert list(registry.live()) == [registry.model("apples"), registry.model("pears")]
    assert [model.name for model in registry.live(limit=1)] == ["apples"]


def test_models_are_looked_up_by_name_together(registry: ModelRegistry) -> None:
    registered(registry)

    assert registry.look_up_models(["credit", "nobody", "credit"]) == {"credit": registry.model("credit")}
    assert registry.look_up_models([]) == {}


def test_registering_is_an_event_with_the_verdict(registry: ModelRegistry) -> None:
    claimed(registry)
    registry.register(a_model_version(verdict=a_verdict("It gains 0.02.")), actor="training")

    [event] = registry.history("credit")

    assert (event.kind, event.number, event.actor, event.reason, event.at) == (
        ModelEventKind.REGISTERED,
        1,
        "training",
        "It gains 0.02.",
        NOON,
    )


def test_registering_again_answers_what_is_stored_and_adds_no_event(registry: ModelRegistry) -> None:
    first = registered(registry)

    again = registry.register(a_model_version(1, training_seconds=99.0), actor="training")

    assert again == first == registry.get("credit", 1)
    assert len(registry.history("credit")) == 1


def test_a_number_that_was_not_claimed_for_the_candidate_is_refused(registry: ModelRegistry) -> None:
    claimed(registry)

    with pytest.raises(Conflict):
        registry.register(a_model_version(2), actor="training")
    with pytest.raises(Conflict):
        registry.register(a_model_version(1, algorithm="linear"), actor="training")

    assert list(registry.versions("credit")) == []


def test_versions_are_listed_newest_first_and_models_by_name(registry: ModelRegistry) -> None:
    for number in range(1, 12):
        registered(registry, f"training-{number}")
    registry.claim_number("apples", dataset="apples", run_id="r", algorithm="a", at=NOON)

    assert [version.number for version in registry.versions("credit")] == list(range(11, 0, -1))
    assert [model.name for model in registry.models()] == ["apples", "credit"]


def test_what_does_not_exist_is_not_found(registry: ModelRegistry) -> None:
    with pytest.raises(NotFound, match="credit"):
        registry.model("credit")
    with pytest.raises(NotFound, match="credit:1"):
        registry.get("credit", 1)
    with pytest.raises(NotFound, match="credit:1"):
        registry.decide("credit", 1, approve=True, actor="ada", reason="good", at=NOON)
    with pytest.raises(NotFound):
        promote(registry, 1, expected=None)
    assert list(registry.history("credit")) == []


@pytest.mark.parametrize(("approve", "state"), [(True, ApprovalState.APPROVED), (False, ApprovalState.REJECTED)])
def test_a_decision_is_kept_with_actor_reason_and_time(
    registry: ModelRegistry, approve: bool, state: ApprovalState
) -> None:
    registered(registry)

    decided = registry.decide("credit", 1, approve=approve, actor="ada", reason="seen", at=later(5))

    assert registry.get("credit", 1) == decided
    assert decided.approval.model_dump() == {"state": state, "actor": "ada", "reason": "seen", "decided_at": later(5)}
    assert decided.revision == 2
    last = registry.history("credit")[-1]
    assert (last.kind, last.number, last.actor, last.reason, last.at) == (state, 1, "ada", "seen", later(5))


@pytest.mark.parametrize("second", [True, False])
def test_deciding_twice_is_an_error_that_says_who_decided(registry: ModelRegistry, second: bool) -> None:
    registered(registry)
    registry.decide("credit", 1, approve=True, actor="ada", reason="good", at=later(1))

    with pytest.raises(AlreadyDecided, match="ada"):
        registry.decide("credit", 1, approve=second, actor="bob", reason="no", at=later(2))

    assert registry.get("credit", 1).approval.actor == "ada"
    assert len(registry.history("credit")) == 2


def test_one_of_many_decisions_at_once_wins(registry: ModelRegistry) -> None:
    registered(registry)

    won, lost = all_at_once(
        [
            lambda n=n: registry.decide("credit", 1, approve=n % 2 == 0, actor=f"p{n}", reason="x", at=later(n))
            for n in range(20)
        ]
    )

    assert len(won) == 1
    assert {type(error) for error in lost} == {AlreadyDecided}
    assert registry.get("credit", 1) == won[0]
    assert len(registry.history("credit")) == 2


def test_an_alias_moves_and_the_history_says_from_where(registry: ModelRegistry) -> None:
    one, two = approved(registry, "training-1"), approved(registry, "training-2")

    promote(registry, one, expected=None)
    promote(registry, two, expected=one, minutes=3)

    assert registry.model("credit").aliases == {"champion": two}
    last = registry.history("credit")[-1]
    assert (last.kind, last.alias, last.previous_number, last.number, last.at) == (
        ModelEventKind.ALIAS_MOVED,
        "champion",
        one,
        two,
        later(3),
    )
    assert_history_has_no_gaps(registry)


def test_a_file_of_ground_truth_is_noted_once_and_stays_as_it_was_noted(registry: ModelRegistry) -> None:
    approved(registry, "training-1")

    assert registry.note_truth_file(a_truth_file(kept=7)) is True
    assert registry.note_truth_file(a_truth_file(kept=8)) is False

    assert registry.truth_file("credit", a_truth_file().file_id) == a_truth_file(kept=7)
    with pytest.raises(NotFound):
        registry.truth_file("credit", "another")
    with pytest.raises(NotFound):
        registry.note_truth_file(a_truth_file(model="nothing"))
    with pytest.raises(NotFound):
        registry.note_truth_told("nothing", "4" * 24, 1, days=[NOON.date()], actor="ada")


@pytest.mark.parametrize("kind", [ModelEventKind.DEPLOYMENT_REQUESTED, ModelEventKind.DEPLOYMENT_FAILED])
def test_what_became_of_a_deployment_is_noted_once_per_time_and_changes_nothing_else(
    registry: ModelRegistry, kind: ModelEventKind
) -> None:
    one = approved(registry, "training-1")
    before = registry.model("credit")

    for minutes in (5, 5, 6):
        registry.note_deployment("credit", one, kind, actor="ada", reason="it differs", at=later(minutes))

    noted = [event for event in registry.history("credit") if event.kind is kind]
    assert [(event.number, event.actor, event.reason, event.at) for event in noted] == [
        (one, "ada", "it differs", later(5)),
        (one, "ada", "it differs", later(6)),
    ]
    assert registry.model("credit").aliases == before.aliases
    assert_history_has_no_gaps(registry)
    with pytest.raises(NotFound):
        registry.note_deployment("credit", 99, kind, actor="ada", reason="it differs", at=later(7))


def a_rollout(number: int, champion: int, run_id: str = "deployment-1", **facts: object) -> Rollout:
    policy = DeploymentPolicy(strategy=Strategy.LINEAR, share=0.4)
    rollout = Rollout(
        run_id=run_id, number=number, champion=champion, policy=policy, started_at=NOON, step_started_at=NOON
    )
    return rollout.model_copy(update=facts)


def roll_out(registry: ModelRegistry, rollout: Rollout | None, number: int = 2, run_id: str = "deployment-1") -> str:
    """What kind of event that was, or nothing."""
    event = registry.move_rollout(
        "credit", rollout, run_id=run_id, number=number, actor="ada", reason="as told", at=later(9)
    )
    return event.kind if event else ""


@pytest.fixture
def two(registry: ModelRegistry) -> ModelRegistry:
    """Version 1 is champion, version 2 is approved."""
    promote(registry, approved(registry, "training-1"), expected=None)
    approved(registry, "training-2")
    return registry


def test_a_rollout_begins_steps_passes_and_ends_with_an_event_each(two: ModelRegistry) -> None:
    for rollout, kind in [
        (a_rollout(2, 1), "ROLLOUT_STARTED"),
        (a_rollout(2, 1, step=2), "ROLLOUT_STEPPED"),
        (a_rollout(2, 1, step=2, passed=True), "ROLLOUT_PASSED"),
        (None, "ROLLOUT_ENDED"),
    ]:
        assert roll_out(two, rollout) == kind
        assert two.model("credit").rollout == rollout
        assert roll_out(two, rollout) == ""
        last = two.history("credit")[-1]
        assert (last.kind, last.number, last.actor, last.reason, last.at) == (kind, 2, "ada", "as told", later(9))
    assert two.model("credit").aliases == {"champion": 1}
    assert_history_has_no_gaps(two)


def test_a_rollout_belongs_to_its_run(two: ModelRegistry) -> None:
    roll_out(two, a_rollout(2, 1))

    with pytest.raises(Conflict, match="a rollout of version 2 already"):
        roll_out(two, a_rollout(2, 1, "deployment-2"), run_id="deployment-2")
    assert roll_out(two, None, run_id="deployment-2") == ""
    assert two.model("credit").rollout == a_rollout(2, 1)
    roll_out(two, None)
    with pytest.raises(RolloutEnded):
        roll_out(two, a_rollout(2, 1, step=2))
    with pytest.raises(NotFound):
        roll_out(two, a_rollout(9, 1), number=9)


def test_another_champion_ends_a_rollout_and_another_alias_does_not(two: ModelRegistry) -> None:
    roll_out(two, a_rollout(2, 1))
    two.move_alias("credit", "stable", 2, expected=None, actor="ada", reason="a name", at=later(9))
    assert two.model("credit").rollout is not None

    promote(two, 2, expected=1)

    assert two.model("credit").rollout is None
    with pytest.raises(Conflict, match="the champion is 2 now"):
        roll_out(two, a_rollout(2, 1))


def test_of_many_rollouts_at_once_one_begins(two: ModelRegistry) -> None:
    begun, refused = all_at_once(
        [lambda run=f"deployment-{n}": roll_out(two, a_rollout(2, 1, run), run_id=run) for n in range(8)]
    )

    assert begun == ["ROLLOUT_STARTED"]
    assert [type(error) for error in refused] == [Conflict] * 7
    assert_history_has_no_gaps(two)


def test_two_aliases_do_not_disturb_each_other(registry: ModelRegistry) -> None:
    one, two = approved(registry, "training-1"), approved(registry, "training-2")
    promote(registry, one, expected=None)

    registry.move_alias("credit", "shadow", two, expected=None, actor="ada", reason="try", at=later(3))

    assert registry.model("credit").aliases == {"champion": one, "shadow": two}


@pytest.mark.parametrize("approve", [None, False])
def test_only_an_approved_version_can_get_an_alias(registry: ModelRegistry, approve: bool | None) -> None:
    registered(registry)
    if approve is False:
        registry.decide("credit", 1, approve=False, actor="ada", reason="worse", at=later(1))

    with pytest.raises(Conflict):
        promote(registry, 1, expected=None)

    assert registry.model("credit").aliases == {}


def test_an_alias_that_is_elsewhere_than_expected_stays(registry: ModelRegistry) -> None:
    one, two = approved(registry, "training-1"), approved(registry, "training-2")
    promote(registry, one, expected=None)

    for expected in (None, two):
        with pytest.raises(Conflict):
            promote(registry, two, expected=expected)
    with pytest.raises(Conflict):
        promote(registry, one, expected=one)

    assert registry.model("credit").aliases == {"champion": one}
    assert len([event for event in registry.history("credit") if event.alias]) == 1


def test_fifty_promotions_at_once_have_one_winner_and_forty_nine_conflicts(registry: ModelRegistry) -> None:
    numbers = [approved(registry, f"training-{n}") for n in range(50)]
    before = len(registry.history("credit"))

    won, lost = all_at_once([lambda number=number: promote(registry, number, expected=None) for number in numbers])

    assert len(won) == 1
    assert [type(error) for error in lost] == [Conflict] * 49
    assert registry.model("credit").aliases["champion"] == registry.history("credit")[-1].number
    assert len(registry.history("credit")) == before + 1
    assert_history_has_no_gaps(registry)


def test_everything_at_once_leaves_a_history_without_gaps(registry: ModelRegistry) -> None:
    numbers = [approved(registry, f"training-{n}") for n in range(3)]
    pending = [registered(registry, f"pending-{n}").number for n in range(3)]
    before = len(registry.history("credit"))

    _, errors = all_at_once(
        [lambda n=n: promote(registry, n, expected=None) for n in numbers]
        + [lambda n=n: registry.decide("credit", n, approve=True, actor="a", reason="r", at=NOON) for n in pending]
        + [lambda n=n: registered(registry, f"new-{n}") for n in range(3)]
    )

    assert [type(error) for error in errors] == [Conflict] * 2
    assert len(registry.history("credit")) == before + 7
    assert_history_has_no_gaps(registry)
