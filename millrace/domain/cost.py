"""What jobs cost, about: on-demand list prices of us-east-1, by the hour.

Prices of 2026-11 from the public price lists of SageMaker (training and processing) and Glue (0.44 USD a DPU-hour).
A machine that is not listed has no known cost. Regions differ by some per cent, and accounts
have discounts.
"""

from __future__ import annotations

from collections.abc import Iterable

from millrace.domain.run import Job, Step

USD_PER_HOUR = {
    "ml.m5.large": 0.115,
    "ml.m5.xlarge": 0.23,
    "ml.m5.2xlarge": 0.461,
    "ml.m5.4xlarge": 0.922,
    "ml.c5.xlarge": 0.204,
    "ml.c5.2xlarge": 0.408,
    "ml.c5.4xlarge": 0.816,
    "G.1X": 0.44,
    "G.2X": 0.88,
}


def cost_of(job: Job) -> float | None:
    """US dollars. None while it is not known how long the job was billed for, or what its machines cost."""
    price = USD_PER_HOUR.get(job.machine or "")
    if price is None or job.billable_seconds is None:
        return None
    return job.billable_seconds / 3600 * price


def cost_of_steps(steps: Iterable[Step]) -> float | None:
    """The jobs of all steps together; None when none of them has a known cost."""
    costs = [cost_of(step.job) for step in steps if step.job is not None]
    known = [cost for cost in costs if cost is not None]
    return sum(known) if known else None
