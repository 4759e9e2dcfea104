"""What runs cost, by region, month, model and pipeline; nothing is made up and nothing counted twice."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.adapters.memory import InMemoryRunLedger
from millrace.domain.cost import HOME_REGION, USD_PER_HOUR, cost_of, cost_of_steps, usd_per_hour
from millrace.domain.run import Job, RunState, Step
from millrace.use_cases.sum_costs import Spent, sum_costs
from tests.builders import NOON, a_run


def a_step(seconds: float | None = 3600, machine: str = "ml.m5.large", region: str | None = None) -> Step:
    job = Job(service="sagemaker", name="a", machine=machine, billable_seconds=seconds, region=region)
    return Step(name="TrainCandidates", state=RunState.SUCCEEDED, job=job)


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


def test_runs_are_summed_by_month_model_and_pipeline() -> None:
    ledger = InMemoryRunLedger()
    ended(ledger, "old", a_step(), at=NOON - timedelta(days=60))
    ended(ledger, "october", a_step(), at=NOON - timedelta(days=30))
    ended(ledger, "training-1", a_step(), a_step())
    ended(ledger, "training-2", a_step(None))
    ended(ledger, "batch-1", a_step(), pipeline="batch_inference", model="churn")
    ledger.open(a_run("running"))

    assert sum_costs(ledger=ledger, since=NOON - timedelta(days=40)) == [
        Spent("2026-11", "churn", "batch_inference", 1, 0, pytest.approx(0.115)),
        Spent("2026-11", "credit", "training", 2, 1, pytest.approx(0.23)),
        Spent("2026-10", "credit", "training", 1, 0, pytest.approx(0.115)),
    ]


def test_months_of_many_pages_are_summed_whole() -> None:
    ledger = InMemoryRunLedger()
    for number in range(250):
        ended(ledger, f"training-{number:03}", a_step(), at=NOON + timedelta(seconds=number))

    (spent,) = sum_costs(ledger=ledger, since=NOON)

    assert (spent.runs, spent.cost_usd) == (250, pytest.approx(250 * 0.115))
