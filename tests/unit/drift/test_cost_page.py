from __future__ import annotations

import json
from collections.abc import Callable

from benchmarks import drift_cost
from benchmarks.pages import DRIFT_PAGE, between_marks


def test_the_page_shows_the_results_of_the_measured_run() -> None:
    results = json.loads(drift_cost.RESULTS.read_text())
    assert between_marks(DRIFT_PAGE.read_text(), drift_cost.BEGIN, drift_cost.END) == drift_cost.table(results)


def test_of_several_rounds_the_one_in_the_middle_counts() -> None:
    seconds = {"ours": iter([9.0, 1.0, 2.0]), "theirs": iter([50.0, 70.0, 60.0])}

    def measured(name: str) -> Callable[[], dict[str, float]]:
        return lambda: {"processor_seconds": next(seconds[name]), "peak_megabytes": 1.0}

    found = drift_cost.in_turn({name: measured(name) for name in seconds})
    assert {name: each["processor_seconds"] for name, each in found.items()} == {"ours": 2.0, "theirs": 60.0}


def test_memory_does_not_grow_with_rows() -> None:
    """A hundred times the rows: what differs is the reader's buffers, filled once."""
    by_rows = json.loads(drift_cost.RESULTS.read_text())["by_rows"]
    assert by_rows["10000000"]["peak_megabytes"] < 1.05 * by_rows["1000000"]["peak_megabytes"]
    assert by_rows["10000000"]["profile_kilobytes"] < 1.5 * by_rows["100000"]["profile_kilobytes"]
