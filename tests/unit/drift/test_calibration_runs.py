"""A run of the calibration that is interrupted goes on where it was."""

from __future__ import annotations

from pathlib import Path

from benchmarks import drift_calibration as calibration
from benchmarks.drift_calibration import Unfinished


def test_what_was_measured_is_not_measured_again(tmp_path: Path) -> None:
    path = tmp_path / "build" / "unfinished.jsonl"
    Unfinished(path, {"share": 0.5, "code": "a"}).add("rate 3", {"flagged": 2})

    assert Unfinished(path, {"share": 0.5, "code": "a"}).done == {"rate 3": {"flagged": 2}}


def test_another_share_or_other_code_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "unfinished.jsonl"
    for other in ({"share": 1.0, "code": "a"}, {"share": 0.5, "code": "b"}):
        Unfinished(path, {"share": 0.5, "code": "a"}).add("rate 3", {"flagged": 2})

        assert Unfinished(path, other).done == {}


def test_a_finished_run_leaves_nothing_to_go_on_with(tmp_path: Path) -> None:
    unfinished = Unfinished(tmp_path / "unfinished.jsonl", {"share": 0.5, "code": "a"})
    unfinished.add("rate 3", {"flagged": 2})
    unfinished.finish()

    assert list(tmp_path.iterdir()) == []


def test_the_code_that_is_measured_is_the_rules_the_profiles_and_the_draws() -> None:
    measured = {path.name for path in calibration.measured_files()}

    assert {"decision.py", "significance.py", "psi.py", "profiling.py", "drift.py", "drift_calibration.py"} <= measured
