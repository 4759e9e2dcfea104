"""The retrain governor: training starts when and only when it can help, and every refusal says why."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.domain.retraining import (
    RetrainingFacts,
    RetrainingPolicy,
    RetrainingReason,
    decide_retraining,
)
from tests.builders import NOON

HELPFUL = RetrainingFacts(
    now=NOON,
    policy=RetrainingPolicy(),
    has_target=True,
    champion="credit:3",
    champion_version=12,
    newest_version=13,
    new_rows=5000,
    trained_as=None,
    run_in_flight=None,
    last_started_at=NOON - timedelta(hours=25),
    spent_today_usd=1.0,
    estimate_usd=2.0,
)


def facts(**changed: Any) -> RetrainingFacts:
    return HELPFUL._replace(**changed)


def test_new_labels_within_every_limit_start_training() -> None:
    verdict = decide_retraining(HELPFUL)

    assert (verdict.start, verdict.reason) == (True, RetrainingReason.ALLOWED)
    assert verdict.sentence == "Training starts: v13 brings 5,000 labelled rows that credit:3 has not seen."


@pytest.mark.parametrize(
    ("changed", "reason", "said"),
    [
        ({"policy": RetrainingPolicy(governor=False)}, "governor_off", "the governor is off"),
        ({"has_target": False}, "no_target", "no target"),
        ({"champion": None}, "no_champion", "nothing to retrain"),
        ({"run_in_flight": "training-7"}, "run_in_flight", "training-7"),
        ({"newest_version": 12}, "no_new_labels", "Retraining cannot help: no new labels since v12"),
        ({"new_rows": 0}, "no_new_labels", "no new labels since v12"),
        (
            {"champion_version": None, "newest_version": 0, "new_rows": 0, "trained_in": "staging"},
            "no_new_labels",
            "there are no labels here, and credit:3 was trained on those of staging",
        ),
        ({"trained_as": "credit:4"}, "already_trained", "credit:4 came of v13 already"),
        ({"new_rows": 99}, "too_few_labels", "99 labelled rows, and the policy asks for 100"),
        ({"last_started_at": NOON - timedelta(hours=23)}, "cool_down", "2026-11-20 13:00 UTC"),
        ({"spent_today_usd": 24.0}, "spend_cap", "daily cap of 25.00 USD"),
    ],
)
def test_each_reason_against_it_is_said_in_a_sentence(changed: dict[str, Any], reason: str, said: str) -> None:
    verdict = decide_retraining(facts(**changed))

    assert (verdict.start, verdict.reason) == (False, reason)
    assert said in verdict.sentence


ANY_FACTS = st.builds(
    RetrainingFacts,
    now=st.just(NOON),
    policy=st.builds(
        RetrainingPolicy,
        governor=st.booleans(),
        cool_down_hours=st.sampled_from([0.0, 1.0, 24.0]),
        min_new_rows=st.integers(1, 200),
        daily_spend_cap_usd=st.none() | st.sampled_from([0.0, 5.0, 25.0]),
    ),
    has_target=st.booleans(),
    champion=st.none() | st.just("credit:3"),
    champion_version=st.none() | st.integers(1, 5),
    newest_version=st.integers(0, 8),
    new_rows=st.integers(0, 300),
    trained_as=st.none() | st.just("credit:4"),
    run_in_flight=st.none() | st.just("training-1"),
    last_started_at=st.none() | st.sampled_from([NOON - timedelta(hours=hours) for hours in (0, 1, 2, 24, 100)]),
    spent_today_usd=st.sampled_from([0.0, 3.0, 30.0]),
    estimate_usd=st.none() | st.sampled_from([0.0, 1.0, 6.0]),
    trained_in=st.none() | st.just("staging"),
)


@given(ANY_FACTS)
def test_it_starts_when_and_only_when_nothing_speaks_against_it(known: RetrainingFacts) -> None:
    policy = known.policy
    cooled = known.last_started_at is None or known.now - known.last_started_at >= timedelta(
        hours=policy.cool_down_hours
    )
    affordable = (
        policy.daily_spend_cap_usd is None
        or known.spent_today_usd + (known.estimate_usd or 0) <= policy.daily_spend_cap_usd
    )
    helps = (
        known.champion is not None
        and known.newest_version > (known.champion_version or 0)
        and known.new_rows >= policy.min_new_rows
        and known.trained_as is None
    )
    allowed = all([policy.governor, known.has_target, known.run_in_flight is None, helps, cooled, affordable])

    verdict = decide_retraining(known)

    assert verdict.start is allowed
    assert (verdict.reason is RetrainingReason.ALLOWED) is allowed
    assert verdict.sentence.endswith(".")


@given(ANY_FACTS, st.integers(0, 1000))
def test_more_labels_never_turn_a_start_into_a_refusal(known: RetrainingFacts, more: int) -> None:
    if decide_retraining(known).start:
        assert decide_retraining(known._replace(new_rows=known.new_rows + more)).start


@given(ANY_FACTS, st.floats(0, 100))
def test_more_spending_never_turns_a_refusal_into_a_start(known: RetrainingFacts, more: float) -> None:
    if not decide_retraining(known).start:
        assert not decide_retraining(known._replace(spent_today_usd=known.spent_today_usd + more)).start
