"""What jobs cost, about: on-demand list prices by region, as of PRICES_OF.

From the public price lists of SageMaker (training, processing, transform and hosting have one price for these machines)
and Glue (0.44 USD a DPU-hour). Spot has no list price: what a job's machines saved is in the seconds that the service
bills. A machine that is not listed has no known cost; accounts have discounts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from millrace.domain.run import Job, Step

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


def cost_of_steps(steps: Iterable[Step]) -> float | None:
    """The jobs of all steps together; None when none of them has a known cost."""
    costs = [cost_of(step.job) for step in steps if step.job is not None]
    known = [cost for cost in costs if cost is not None]
    return sum(known) if known else None
