"""Many calls at the same moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

T = TypeVar("T")


def all_at_once(calls: Sequence[Callable[[], T]]) -> tuple[list[T], list[Exception]]:
    """What the calls returned, and what they raised. No call begins before all are ready."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        futures = [pool.submit(run, call) for call in calls]
    errors = [future.exception() for future in futures]
    returned = [future.result() for future, error in zip(futures, errors, strict=True) if error is None]
    raised = [error for error in errors if isinstance(error, Exception)]
    assert len(returned) + len(raised) == len(calls)
    return returned, raised
