"""Times are counted in classes: percentiles stay true to 5 %, however hours are put together."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.domain.traffic import Asked, AskedOutcome, added, counts_of, traffic_hour
from tests.builders import NOON

TIMES = st.lists(st.floats(1.0, 600_000.0), min_size=1, max_size=60)


def answered(times: list[float]) -> list[Asked]:
    return [Asked(model="credit", at=NOON, outcome=AskedOutcome.ANSWERED, latency_ms=each) for each in times]


def nearest_rank(times: list[float], share: float) -> float:
    return sorted(times)[math.ceil(share * len(times)) - 1]


@given(TIMES)
def test_percentiles_are_within_five_percent_of_those_of_the_times_themselves(times: list[float]) -> None:
    hour = traffic_hour(NOON, counts_of(answered(times)))

    assert hour.p50_ms == pytest.approx(nearest_rank(times, 0.5), rel=0.05)
    assert hour.p95_ms == pytest.approx(nearest_rank(times, 0.95), rel=0.05)
    assert hour.p99_ms == pytest.approx(nearest_rank(times, 0.99), rel=0.05)


@given(TIMES, TIMES)
def test_it_makes_no_difference_how_requests_are_put_together(first: list[float], second: list[float]) -> None:
    apart = added(counts_of(answered(first)), counts_of(answered(second)))

    assert traffic_hour(NOON, apart) == traffic_hour(NOON, counts_of(answered(second + first)))


@pytest.mark.parametrize(("latency_ms", "told"), [(0.0, 1.0), (0.3, 1.0), (1e12, 2.0**23)])
def test_what_is_off_the_scale_is_at_its_end(latency_ms: float, told: float) -> None:
    assert traffic_hour(NOON, counts_of(answered([latency_ms]))).p50_ms == pytest.approx(told, rel=0.05)


def test_requests_without_an_answer_have_no_time() -> None:
    refused = Asked(model="credit", at=NOON, outcome=AskedOutcome.REFUSED, latency_ms=3.0)
    failed = refused.model_copy(update={"outcome": AskedOutcome.FAILED})

    hour = traffic_hour(NOON, counts_of([refused, refused, failed]))

    assert (hour.requests, hour.refused, hour.failed, hour.p50_ms, hour.p99_ms) == (3, 2, 1, None, None)
