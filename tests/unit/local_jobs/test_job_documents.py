"""Documents of jobs on their way to Step Functions and EventBridge."""

from __future__ import annotations

from local.jobs.documents import milliseconds


def test_moments_are_milliseconds_and_how_long_something_took_stays_seconds() -> None:
    run = {
        "StartedOn": 1.5,
        "CompletedOn": 9.25,
        "ExecutionTime": 8,
        "Jobs": [{"CreationTime": 2}],
        "NumberOfWorkers": 2,
    }

    assert milliseconds(run) == {
        "StartedOn": 1500,
        "CompletedOn": 9250,
        "ExecutionTime": 8,
        "Jobs": [{"CreationTime": 2000}],
        "NumberOfWorkers": 2,
    }


def test_a_text_in_a_field_of_times_stays_as_it_is() -> None:
    assert milliseconds({"CreatedTime": "2026-11-20"}) == {"CreatedTime": "2026-11-20"}
