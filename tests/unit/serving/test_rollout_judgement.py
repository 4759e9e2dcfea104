"""What is concluded from a challenger's requests: what chance explains is not held against it, what it does not is."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from millrace.analytics.rollout import (
    ALPHA,
    Finding,
    Seen,
    difference_interval,
    g_test,
    judge,
    median_interval,
    population_stability_index,
    share_interval,
    tell_apart,
)
from millrace.domain.rollout import LONGEST, MOST_STEPS, DeploymentPolicy, Strategy, WhenQuiet

DEPLOYMENT = Path(__file__).parents[3] / "state_machines" / "deployment.asl.json"
POLICY = DeploymentPolicy(strategy=Strategy.CANARY, share=0.2)
COUNTS = st.lists(st.integers(5, 500), min_size=2, max_size=8)


def seen(requests: int, *, failed: int = 0, ms: float = 10.0, answers: str = "yn", seed: int = 1) -> Seen:
    rng = random.Random(seed)
    found = Seen(failures=["EvaluationInvalid: torn"] * failed)
    for _ in range(requests - failed):
        found.add(latency_ms=ms * rng.uniform(0.8, 1.2), prediction=rng.choice(answers), failure=None)
    return found


def test_two_that_do_alike_are_told_so() -> None:
    judgement = judge(seen(200), seen(800, seed=2), POLICY)

    assert judgement.finding is Finding.FINE
    assert "200 of 200 requests" in judgement.sentence


@pytest.mark.parametrize(
    ("challenger", "why"),
    [
        (seen(200, failed=20), "10% failed against 0%"),
        (seen(200, ms=900), "ms against 9.93 ms, more than 3 times"),
        (seen(200, answers="yyyyyyyyyn"), "distributed otherwise"),
    ],
)
def test_what_chance_does_not_explain_ends_the_rollout(challenger: Seen, why: str) -> None:
    judgement = judge(challenger, seen(800, seed=2), POLICY)

    assert judgement.finding is Finding.WORSE
    assert why in judgement.sentence


def test_a_challenger_that_answers_nothing_is_found_out_by_its_first_few_requests() -> None:
    assert judge(seen(6, failed=6), seen(20), POLICY).finding is Finding.WORSE
    assert "EvaluationInvalid: torn" in judge(seen(6, failed=6), seen(20), POLICY).sentence


def test_the_champions_own_failures_are_no_reason_against_the_challenger() -> None:
    assert judge(seen(200, failed=20), seen(800, failed=80, seed=2), POLICY).finding is Finding.FINE
    assert judge(seen(200), seen(800, failed=700, seed=2), POLICY).finding is Finding.FINE


def test_twice_a_tiny_latency_is_no_reason() -> None:
    assert judge(seen(200, ms=3), seen(800, ms=0.5, seed=2), POLICY).finding is Finding.FINE


@pytest.mark.parametrize(("when_quiet", "promotes"), [(WhenQuiet.PROMOTE, True), (WhenQuiet.ROLL_BACK, False)])
def test_a_version_that_few_asked_passes_as_the_settings_say(when_quiet: WhenQuiet, promotes: bool) -> None:
    quiet = judge(Seen(), Seen(), POLICY)
    few = judge(seen(POLICY.minimum_requests - 1), seen(800), POLICY)

    assert (quiet.finding, few.finding) == (Finding.TOO_FEW, Finding.TOO_FEW)
    assert "no traffic was seen" in quiet.sentence
    assert quiet.promotes(when_quiet) is few.promotes(when_quiet) is promotes


def test_a_version_that_few_asked_and_that_failed_them_does_not_pass() -> None:
    judgement = judge(seen(2, failed=1), seen(2), POLICY)

    assert judgement.finding is Finding.TOO_FEW_AND_FAILING
    assert not judgement.promotes(WhenQuiet.PROMOTE)
    assert "EvaluationInvalid" in judgement.sentence


def test_a_good_version_is_seldom_condemned_though_it_is_looked_at_again_and_again() -> None:
    """1,000 rollouts of a version that is exactly as the champion: failures, latencies and answers are drawn alike."""
    rng = random.Random(7)
    condemned = 0
    for _ in range(1000):
        challenger, champion = Seen(), Seen()
        for _ in range(POLICY.looks):
            for found, requests in ((challenger, 10), (champion, 40)):
                for _ in range(requests):
                    failure = "down" if rng.random() < 0.02 else None
                    found.add(latency_ms=rng.expovariate(0.1), prediction=rng.choice("yyn"), failure=failure)
            if judge(challenger, champion, POLICY).finding is Finding.WORSE:
                condemned += 1
                break
    assert condemned <= 1000 * ALPHA * 2


@given(st.floats(0.01, 0.5), st.integers(1, 86_400), st.sampled_from([Strategy.CANARY, Strategy.LINEAR]))
def test_whatever_the_settings_allow_fits_into_an_execution_and_its_history(
    share: float, step_seconds: int, strategy: Strategy
) -> None:
    """Step Functions ends an execution at 25,000 events; a look is a Wait, a Task and a Choice: nine of them."""
    policy = DeploymentPolicy(strategy=strategy, share=share, step_seconds=step_seconds)
    if policy.steps > MOST_STEPS or policy.takes > LONGEST:
        return

    execution = json.loads(DEPLOYMENT.read_text())["TimeoutSeconds"]
    around = 3 * 7200
    assert policy.looks * 9 < 20_000
    assert policy.looks * (policy.look_seconds + 5) + around < execution
    assert policy.look_seconds <= max(60, policy.takes.total_seconds() / 1000)


def test_a_request_that_was_told_twice_counts_once() -> None:
    told = {"request_id": "a", "number": 2, "latency_ms": 1.0, "prediction": "y", "failure": None}

    mine, theirs = tell_apart([told, told, told | {"number": 1}, told | {"request_id": "b", "failure": "x"}], 2)

    assert (mine.requests, len(mine.failures), theirs.requests) == (2, 1, 1)


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
def test_intervals_hold_what_was_seen(one: int, more: int, two: int, others: int) -> None:
    low, high = difference_interval(one, one + more, two, two + others, 0.01)
    shares = [hits / trials if trials else 0.0 for hits, trials in ((one, one + more), (two, two + others))]

    assert low <= shares[0] - shares[1] <= high
    low, high = share_interval(one, one + more, 0.01)
    assert 0 <= low <= shares[0] + 1e-9
    assert shares[0] - 1e-9 <= high <= 1


def test_wilsons_interval_agrees_with_another_implementation() -> None:
    low, high = share_interval(7, 50, 0.025)
    theirs = stats.binomtest(7, 50).proportion_ci(0.95, "wilson")

    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=80))
def test_the_interval_of_a_median_holds_the_median(values: list[float]) -> None:
    low, high = median_interval(values, 0.01)

    assert low <= sorted(values)[len(values) // 2] <= high


@given(COUNTS, st.integers(1, 9))
def test_counts_in_the_same_shares_are_alike(counts: list[int], times: int) -> None:
    many: list[float] = [count * times for count in counts]

    assert g_test(counts, many) == pytest.approx(1.0, abs=1e-6)
    assert population_stability_index(counts, counts) == pytest.approx(0.0, abs=1e-12)


def test_the_g_test_agrees_with_scipy() -> None:
    table = [[120, 80, 40], [90, 100, 70]]
    ours, theirs = g_test(*table), stats.chi2_contingency(table, lambda_="log-likelihood", correction=False)

    # Williams' correction makes ours a little more careful.
    assert theirs.pvalue < ours < theirs.pvalue * 1.2
