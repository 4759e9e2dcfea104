"""What runs cost, about: on-demand list prices by region, as of PRICES_OF.

From the public price lists of SageMaker (training, processing, transform and hosting have one price for these
machines), Glue (0.44 USD a DPU-hour), Lambda and Step Functions, which ask the same in all regions listed here. Spot
has no list price: what a job's machines saved is in the seconds that the service bills. A machine that is not listed
has no known cost; accounts have discounts and free allowances. Requests to S3 and DynamoDB, and logs, are counted by
nobody but AWS's bill.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from millrace.domain.run import Invocations, Job, Step

PRICES_OF = "2026-11"
HOME_REGION = "us-east-1"

_GLUE = {"G.1X": 0.44, "G.2X": 0.88}
_VIRGINIA = {
    "ml.m5.large": 0.115,
    "ml.m5.xlarge": 0.23,
    "ml.m5.2xlarge": 0.461,
    "ml.m5.4xlarge": 0.922,
    "ml.c5.xlarge": 0.204,
    "ml.c5.2xlarge": 0.408,
    "ml.c5.4xlarge": 0.816,
}
USD_PER_HOUR: Mapping[str, Mapping[str, float]] = {
    HOME_REGION: _VIRGINIA | _GLUE,
    "us-east-2": _VIRGINIA | _GLUE,
    "us-west-2": _VIRGINIA | _GLUE,
    "eu-west-1": {
        "ml.m5.large": 0.128,
        "ml.m5.xlarge": 0.257,
        "ml.m5.2xlarge": 0.514,
        "ml.m5.4xlarge": 1.027,
        "ml.c5.xlarge": 0.23,
        "ml.c5.2xlarge": 0.461,
        "ml.c5.4xlarge": 0.922,
    }
    | _GLUE,
    "eu-central-1": {
        "ml.m5.large": 0.138,
        "ml.m5.xlarge": 0.276,
        "ml.m5.2xlarge": 0.552,
        "ml.m5.4xlarge": 1.104,
        "ml.c5.xlarge": 0.233,
        "ml.c5.2xlarge": 0.466,
        "ml.c5.4xlarge": 0.931,
    }
    | _GLUE,
}
USD_PER_GB_SECOND = 13.3334e-6  # Lambda on arm64
USD_PER_INVOCATION = 0.2e-6
USD_PER_TRANSITION = 25e-6


class Costs(NamedTuple):
    """What a run cost, by what was billed: US dollars beside what there was of it.

    `jobs_usd` is None when there were jobs and of none the cost is known.
    """

    jobs: int
    jobs_usd: float | None
    invocations: int
    functions_usd: float
    transitions: int
    transitions_usd: float

    @property
    def usd(self) -> float | None:
        """All of it; None when nothing is known: of the jobs of a run that had some, or of a run without steps."""
        if self.jobs_usd is None or not (self.jobs or self.invocations or self.transitions):
            return None
        return self.jobs_usd + self.functions_usd + self.transitions_usd


def usd_per_hour(machine: str, region: str | None) -> float | None:
    """None for a machine without a list price. In a region that is not listed the dearest price that is.

    Spending caps go by it, so a region that nobody wrote down must not look free. Jobs of before regions were recorded
    ran in HOME_REGION.
    """
    listed = USD_PER_HOUR.get(region or HOME_REGION)
    if listed is not None:
        return listed.get(machine)
    return max((prices[machine] for prices in USD_PER_HOUR.values() if machine in prices), default=None)


def cost_of(job: Job) -> float | None:
    """US dollars. None while it is not known how long the job was billed for, or what its machines cost."""
    price = usd_per_hour(job.machine or "", job.region)
    if price is None or job.billable_seconds is None:
        return None
    return job.billable_seconds / 3600 * price


def cost_of_invocations(invocations: Invocations) -> float:
    """US dollars: by memory and time, and by start. https://aws.amazon.com/lambda/pricing/"""
    gb_seconds = invocations.memory_mb / 1024 * invocations.seconds
    return gb_seconds * USD_PER_GB_SECOND + invocations.count * USD_PER_INVOCATION


def costs_of_steps(steps: Iterable[Step]) -> Costs:
    """What the steps cost together. Of a run of before functions were counted, only its jobs are known."""
    seen = tuple(steps)
    jobs = [cost_of(step.job) for step in seen if step.job is not None]
    known = [cost for cost in jobs if cost is not None]
    functions = [step.invocations for step in seen if step.invocations is not None]
    transitions = sum(step.transitions or 0 for step in seen)
    return Costs(
        jobs=len(jobs),
        jobs_usd=None if jobs and not known else sum(known),
        invocations=sum(each.count for each in functions),
        functions_usd=sum(map(cost_of_invocations, functions)),
        transitions=transitions,
        transitions_usd=transitions * USD_PER_TRANSITION,
    )


def cost_of_steps(steps: Iterable[Step]) -> float | None:
    """All that is known of the steps' cost together, in US dollars; None when that is nothing."""
    return costs_of_steps(steps).usd
