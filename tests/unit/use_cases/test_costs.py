"""What runs cost, by region, month, model and pipeline; nothing is made up and nothing counted twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.adapters.memory import InMemoryEndpointUses, InMemoryRunLedger, SetClock
from millrace.domain.cost import (
    HOME_REGION,
    USD_PER_HOUR,
    cost_of,
    cost_of_invocations,
    cost_of_steps,
    costs_of_steps,
    usd_per_hour,
)
from millrace.domain.endpoint_use import EndpointUse, cost_of_endpoint
from millrace.domain.run import Invocations, Job, RunState, Step
from millrace.use_cases.sum_costs import Spent, sum_costs
from tests.builders import NOON, a_run, an_endpoint_use


def summed(
    ledger: InMemoryRunLedger | None = None, *uses: EndpointUse, since: datetime, now: datetime = NOON
) -> list[Spent]:
    kept = InMemoryEndpointUses()
    for use in uses:
        kept.begin(use.model_copy(update={"until": None}))
        if use.until is not None:
            kept.end(use.model, use.number, at=use.until)
    return list(sum_costs(ledger=ledger or InMemoryRunLedger(), uses=kept, clock=SetClock(now), since=since))


def a_step(seconds: float | None = 3600, machine: str = "ml.m5.large", region: str | None = None) -> Step:
    job = Job(service="sagemaker", name="a", machine=machine, billable_seconds=seconds, region=region)
    return Step(name="TrainCandidates", state=RunState.SUCCEEDED, job=job)


def a_call(seconds: float = 10, memory_mb: int = 1024, transitions: int = 1) -> Step:
    invocations = Invocations(memory_mb=memory_mb, count=1, seconds=seconds)
    return Step(name="PlanTraining", state=RunState.SUCCEEDED, invocations=invocations, transitions=transitions)


def ended(ledger: InMemoryRunLedger, run_id: str, *steps: Step, at: datetime = NOON, **facts: str) -> None:
    ledger.open(a_run(run_id, **facts).model_copy(update={"started_at": at}))
    ledger.close(run_id, state=RunState.SUCCEEDED, reason=None, steps=steps, at=at)


def test_a_job_costs_what_its_region_asks() -> None:
    costs = {region: cost_of_steps([a_step(region=region)]) for region in (None, "us-east-1", "eu-central-1")}

    assert costs == {
        None: pytest.approx(0.115),
        "us-east-1": pytest.approx(0.115),
        "eu-central-1": pytest.approx(0.138),
    }


@given(st.sampled_from(sorted(USD_PER_HOUR[HOME_REGION])), st.floats(0, 1e6))
def test_a_region_that_nobody_wrote_down_is_never_cheaper_than_one_that_somebody_did(
    machine: str, seconds: float
) -> None:
    listed = [usd_per_hour(machine, region) for region in USD_PER_HOUR]
    job = Job(service="glue", name="a", machine=machine, billable_seconds=seconds, region="mars-north-1")

    assert usd_per_hour(machine, "mars-north-1") == max(price for price in listed if price is not None)
    assert cost_of(job) == pytest.approx(seconds / 3600 * max(price for price in listed if price is not None))


def test_every_region_lists_the_same_machines() -> None:
    assert {frozenset(prices) for prices in USD_PER_HOUR.values()} == {frozenset(USD_PER_HOUR[HOME_REGION])}


def test_a_function_costs_its_memory_by_its_time_and_each_start() -> None:
    """3 million starts of 120 ms with 1,536 MB are 540,000 GB-seconds."""
    invocations = Invocations(memory_mb=1536, count=3_000_000, seconds=3_000_000 * 0.120)

    assert cost_of_invocations(invocations) == pytest.approx(540_000 * 0.0000133334 + 0.60)


def test_a_run_costs_its_jobs_its_functions_and_its_transitions() -> None:
    costs = costs_of_steps([a_step(), a_call(10, transitions=30), a_call(20, transitions=10)])

    assert (costs.jobs, costs.invocations, costs.transitions) == (1, 2, 40)
    assert costs.jobs_usd == pytest.approx(0.115)
    assert costs.functions_usd == pytest.approx(30 * 13.3334e-6 + 2 * 0.2e-6)
    assert costs.transitions_usd == pytest.approx(0.001)
    assert costs.usd == pytest.approx(0.115 + costs.functions_usd + 0.001)


def test_the_cost_of_a_run_with_jobs_is_not_known_by_its_functions_alone() -> None:
    assert costs_of_steps([a_step(None), a_call()]).usd is None
    assert costs_of_steps([a_call()]).usd == pytest.approx(10 * 13.3334e-6 + 0.2e-6 + 25e-6)


def test_nothing_is_known_of_a_run_without_steps_or_of_before_functions_were_counted() -> None:
    of_before = Step(name="PlanTraining", state=RunState.SUCCEEDED)

    assert (cost_of_steps([]), cost_of_steps([of_before])) == (None, None)
    assert cost_of_steps([of_before, a_step()]) == pytest.approx(0.115)


@given(st.lists(st.tuples(st.floats(0, 900), st.sampled_from([1024, 1769]), st.integers(0, 50))), st.integers(0, 10))
def test_parts_of_a_run_cost_together_what_it_costs(calls: list[tuple[float, int, int]], cut: int) -> None:
    steps = [a_step(), *(a_call(*call) for call in calls)]
    parts = [costs_of_steps(steps[: cut + 1]), costs_of_steps(steps[cut + 1 :])]

    assert costs_of_steps(steps).usd == pytest.approx(sum(part.usd or 0.0 for part in parts))


def test_runs_are_summed_by_month_model_and_pipeline() -> None:
    ledger = InMemoryRunLedger()
    ended(ledger, "old", a_step(), at=NOON - timedelta(days=60))
    ended(ledger, "october", a_step(), at=NOON - timedelta(days=30))
    ended(ledger, "training-1", a_step(), a_step())
    ended(ledger, "training-2", a_step(None))
    ended(ledger, "batch-1", a_step(), pipeline="batch_inference", model="churn")
    ledger.open(a_run("running"))

    assert summed(ledger, since=NOON - timedelta(days=40)) == [
        Spent("2026-11", "churn", "batch_inference", 1, 0, pytest.approx(0.115)),
        Spent("2026-11", "credit", "training", 2, 1, pytest.approx(0.23)),
        Spent("2026-10", "credit", "training", 1, 0, pytest.approx(0.115)),
    ]


def test_months_of_many_pages_are_summed_whole() -> None:
    ledger = InMemoryRunLedger()
    for number in range(250):
        ended(ledger, f"training-{number:03}", a_step(), at=NOON + timedelta(seconds=number))

    (spent,) = summed(ledger, since=NOON)

    assert (spent.runs, spent.cost_usd) == (250, pytest.approx(250 * 0.115))


OCTOBER, NOVEMBER = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)


def test_a_months_endpoint_hours_end_with_the_month_and_go_on_in_the_next() -> None:
    use = an_endpoint_use(since=NOVEMBER - timedelta(hours=10), until=NOVEMBER + timedelta(hours=5))

    assert summed(None, use, since=OCTOBER) == [
        Spent("2026-11", "credit", "endpoint", 0, 0, pytest.approx(5 * 0.115), 5.0),
        Spent("2026-10", "credit", "endpoint", 0, 0, pytest.approx(10 * 0.115), 10.0),
    ]


def test_an_endpoint_in_service_costs_until_now_and_only_from_the_day_that_was_asked_for() -> None:
    (spent,) = summed(None, an_endpoint_use(since=OCTOBER), since=NOON - timedelta(hours=48))

    assert (spent.month, spent.hours, spent.cost_usd) == ("2026-11", 48.0, pytest.approx(48 * 0.115))


def test_endpoints_of_a_models_versions_are_one_line() -> None:
    uses = [
        an_endpoint_use(number=1, since=NOON - timedelta(hours=3), until=NOON - timedelta(hours=1)),
        an_endpoint_use(number=2, since=NOON - timedelta(hours=2)),
        an_endpoint_use("churn", since=NOON - timedelta(hours=1), region="eu-central-1"),
    ]

    assert [(spent.model, spent.hours, spent.cost_usd) for spent in summed(None, *uses, since=NOVEMBER)] == [
        ("churn", 1.0, pytest.approx(0.138)),
        ("credit", 4.0, pytest.approx(4 * 0.115)),
    ]


def test_an_endpoint_that_may_have_grown_or_has_no_list_price_costs_at_least_so_much() -> None:
    hour = NOON - timedelta(hours=1)
    uses = [
        an_endpoint_use("grown", since=hour, most_machines=4),
        an_endpoint_use("unpriced", since=hour, machine="ml.p9.huge"),
        an_endpoint_use("plain", since=hour),
    ]

    assert [(spent.model, spent.cost_usd, spent.at_least) for spent in summed(None, *uses, since=hour)] == [
        ("grown", pytest.approx(0.115), True),
        ("plain", pytest.approx(0.115), False),
        ("unpriced", 0.0, True),
    ]
    assert cost_of_endpoint(uses[1], hour, NOON) is None


def test_a_serverless_endpoint_has_no_hours_to_pay_for() -> None:
    use = an_endpoint_use(machine=None)

    assert summed(None, use, since=NOVEMBER, now=NOON + timedelta(days=1)) == []
    assert cost_of_endpoint(use, NOVEMBER, NOON) is None
    assert not use.may_cost_more


MINUTES = st.integers(0, 60 * 24 * 60)


@given(since=MINUTES, lasted=st.none() | MINUTES, asked=MINUTES)
def test_the_days_and_the_months_of_an_endpoint_add_up_to_the_whole(since: int, lasted: int | None, asked: int) -> None:
    began, now = OCTOBER + timedelta(minutes=since), OCTOBER + timedelta(days=121)
    use = an_endpoint_use(since=began, until=None if lasted is None else began + timedelta(minutes=lasted))
    first = OCTOBER + timedelta(minutes=asked)

    ended = min(use.until or now, now)
    whole = max(0.0, (ended - max(began, first)).total_seconds()) / 3600 * 0.115
    midnights = [first, *(day for n in range(121) if (day := OCTOBER + timedelta(days=n)) > first), now]
    days = [cost_of_endpoint(use, start, end) or 0.0 for start, end in pairwise(midnights)]
    assert sum(days) == pytest.approx(whole)
    assert sum(spent.cost_usd for spent in summed(None, use, since=first, now=now)) == pytest.approx(whole)
