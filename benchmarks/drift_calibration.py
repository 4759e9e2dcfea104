"""The error rates of the shipped drift rule: false alarms, shifts found, destroyed features found, monotone scores.

    python -m benchmarks.drift_calibration [--share 1.0] [--processes 2]     share: of the full number of windows

Draws baselines and windows, profiles them as the platform does and judges them with the default rule. Writes
benchmarks/results/drift_calibration.json and the tables in docs/drift.md. Each rate has a seed of its own and is kept
as soon as it is measured: an interrupted run goes on where it was, unless the code that it measures has changed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benchmarks.pages import DRIFT_PAGE, write_between_marks
from millrace.analytics.drift import DRIFT_METRICS
from millrace.analytics.drift.decision import judge_drift
from millrace.analytics.profiling import DatasetProfile, Profiler
from millrace.domain.drift import DriftJudgement, DriftRule, DriftVerdict

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "drift_calibration.json"
# What an unfinished run has measured so far.
UNFINISHED = ROOT / "build" / "drift_calibration.jsonl"
MEASURED = ("millrace/analytics", "millrace/domain/drift.py", "benchmarks/drift_calibration.py")
BEGIN, END = "<!-- calibration: generated -->", "<!-- calibration: end -->"

Generator = np.random.Generator
Column = npt.NDArray[Any]  # numbers or levels

_ZIPF = 1 / np.arange(1, 41) ** 1.5
_LEVELS = np.array([f"level-{number:02}" for number in range(40)])
NULL_SHARE = 0.05


@dataclass(frozen=True)
class Distribution:
    """`shift` moves a drawn column by that many standard deviations of the distribution."""

    name: str
    title: str
    kind: str
    draw: Callable[[Generator, int], Column]
    sd: float

    def shifted(self, rng: Generator, rows: int, shift: float) -> Column:
        drawn = self.draw(rng, rows)
        if self.kind == "integer":
            step = shift * self.sd
            up: Column = drawn + np.floor(step) + (rng.random(rows) < step % 1)  # integers stay integers
            return up
        if self.kind == "number":
            moved: Column = drawn + shift * self.sd
            return moved
        # An indicator moved by its sd: that share of rows changes over to the commonest level.
        common = float(_ZIPF[0] / _ZIPF.sum())
        leaving = min(1.0, shift * self.sd / (1 - common))
        changed: Column = np.where(rng.random(rows) < leaving, _LEVELS[0], drawn)
        return changed


def _zero_inflated(rng: Generator, rows: int) -> Column:
    return np.where(rng.random(rows) < 0.7, 0.0, rng.lognormal(0, 1, rows))


def _sparse(rng: Generator, rows: int) -> Column:
    return np.where(rng.random(rows) < 0.98, 0.0, rng.lognormal(0, 1, rows))


def _indicator_sd(share: float) -> float:
    return math.sqrt(share * (1 - share))


_LOGNORMAL_MEAN, _LOGNORMAL_SQUARE = math.exp(0.5), math.exp(2)


def _inflated_sd(share: float) -> float:
    return math.sqrt(share * _LOGNORMAL_SQUARE - (share * _LOGNORMAL_MEAN) ** 2)


DISTRIBUTIONS = {
    entry.name: entry
    for entry in (
        Distribution("normal", "normal", "number", lambda rng, rows: rng.normal(size=rows), 1.0),
        Distribution(
            "heavy_tail", "heavy tails (t, 3 d.f.)", "number", lambda rng, rows: rng.standard_t(3, rows), 3**0.5
        ),
        Distribution(
            "skewed",
            "skewed (lognormal)",
            "number",
            lambda rng, rows: rng.lognormal(0, 1, rows),
            math.sqrt(_LOGNORMAL_SQUARE - _LOGNORMAL_MEAN**2),
        ),
        Distribution(
            "integer", "integers with ties (Poisson 3)", "integer", lambda rng, rows: rng.poisson(3, rows) * 1.0, 3**0.5
        ),
        Distribution("zero_inflated", "70 % zeros", "number", _zero_inflated, _inflated_sd(0.3)),
        Distribution("sparse", "98 % zeros", "number", _sparse, _inflated_sd(0.02)),
        Distribution(
            "categorical",
            "40 levels, most of them rare",
            "category",
            lambda rng, rows: rng.choice(_LEVELS, rows, p=_ZIPF / _ZIPF.sum()),
            _indicator_sd(float(_ZIPF[0] / _ZIPF.sum())),
        ),
    )
}
MIXED = "mixed"


@dataclass(frozen=True)
class Design:
    """One cell of the calibration: how many features of which distribution, how many rows on both sides."""

    distribution: str
    features: int
    baseline_rows: int
    window_rows: int

    def distributions(self) -> list[Distribution]:
        kinds = list(DISTRIBUTIONS.values())
        if self.distribution == MIXED:
            return [kinds[place % len(kinds)] for place in range(self.features)]
        return [DISTRIBUTIONS[self.distribution]] * self.features


Change = Callable[[Generator, Distribution, int], pa.Array]


def profile_of(columns: dict[str, tuple[str, Column | pa.Array]]) -> DatasetProfile:
    profiler = Profiler({name: kind for name, (kind, _) in columns.items()}, None)
    rows = pa.table({name: pa.array(column) for name, (_, column) in columns.items()})
    profiler.add(rows, np.zeros(rows.num_rows, dtype=np.int64))
    return profiler.profile


def drawn(rng: Generator, design: Design, rows: int, *, first: Change | None = None) -> DatasetProfile:
    """A sample of `rows` rows. `first` draws the first feature where that one is to differ.

    Mixed columns miss values in every other feature.
    """
    columns: dict[str, tuple[str, Column | pa.Array]] = {}
    for place, distribution in enumerate(design.distributions()):
        if place == 0 and first is not None:
            column: Column | pa.Array = first(rng, distribution, rows)
        elif design.distribution == MIXED and place % 2:
            column = pa.array(distribution.draw(rng, rows), mask=rng.random(rows) < NULL_SHARE)
        else:
            column = distribution.draw(rng, rows)
        columns[f"x{place}"] = (distribution.kind, column)
    return profile_of(columns)


def judged(seed: int, design: Design, windows: int, *, first: Change | None = None) -> Iterator[DriftJudgement]:
    """One judgement per window. A baseline serves so many windows that it stays the smaller part of the work."""
    rng = np.random.default_rng(seed)
    serves = max(1, design.baseline_rows // (10 * design.window_rows))
    baseline = None
    for number in range(windows):
        if baseline is None or number % serves == 0:
            baseline = drawn(rng, design, design.baseline_rows)
        yield judge_drift(baseline, drawn(rng, design, design.window_rows, first=first))


def false_alarms(seed: int, design: Design, windows: int) -> int:
    return sum(outcome.verdict is DriftVerdict.DRIFT for outcome in judged(seed, design, windows))


def found(seed: int, design: Design, windows: int, change: Change) -> int:
    """In how many windows the changed feature itself is named."""
    return sum(
        "x0" in {feature.feature for feature in outcome.drifted}
        for outcome in judged(seed, design, windows, first=change)
    )


def shifted_by(shift: float) -> Change:
    return lambda rng, distribution, rows: pa.array(distribution.shifted(rng, rows, shift))


def _stuck(rng: Generator, distribution: Distribution, rows: int) -> pa.Array:
    return pa.array(np.repeat(distribution.draw(rng, 1), rows))


def _emptied(_rng: Generator, distribution: Distribution, rows: int) -> pa.Array:
    return pa.nulls(rows, pa.string() if distribution.kind == "category" else pa.float64())


def _scrambled(rng: Generator, distribution: Distribution, rows: int) -> pa.Array:
    """Other units, or other labels."""
    column = distribution.draw(rng, rows)
    if distribution.kind == "category":
        return pa.array([f"other-{value}" for value in column])
    return pa.array(column * 1000.0 + 1000.0)


DESTRUCTIONS: dict[str, tuple[str, Change]] = {
    "emptied": ("every value missing", _emptied),
    "scrambled": ("other units or labels", _scrambled),
    "stuck": ("one value for ever", _stuck),
}

# The sparse feature is left out where it is stuck: 98 of 100 of its values are that value anyway.
UNSEEN = {("stuck", "sparse")}

# How sides and features are combined, with the windows of a full run; every distribution goes through each.
_QUIET = {
    (5, 300, 100): 1_000,
    (5, 100_000, 100): 1_000,
    (20, 300, 100): 500,
    (20, 300, 300): 500,
    (20, 3_000, 1_000): 300,
    (20, 1_000, 10_000): 100,
    (20, 100_000, 300): 500,
    (200, 300, 100): 100,
    (200, 3_000, 300): 100,
    (200, 100_000, 100): 100,
}
_SHIFTED = {(20, 300, 300): 3_000, (20, 3_000, 300): 400, (20, 100_000, 300): 400}
_DESTROYED = {(20, 300, 100): 50, (200, 1_000, 100): 20}
SHIFT_SD = 0.5
SHIFTS = (0.0, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 2.0)
SCORED_WINDOWS = 60
# Of the first rate; each has the next one.
SEED = 1_000


@dataclass(frozen=True)
class Rate:
    """Of `windows` in this design, `flagged` got the verdict that is counted."""

    distribution: str
    features: int
    baseline_rows: int
    window_rows: int
    change: str
    windows: int
    flagged: int


def measure(seed: int, design: Design, change: str, windows: int) -> Rate:
    if not change:
        flagged = false_alarms(seed, design, windows)
    else:
        flagged = found(
            seed, design, windows, DESTRUCTIONS[change][1] if change in DESTRUCTIONS else shifted_by(SHIFT_SD)
        )
    return Rate(**asdict(design), change=change, windows=windows, flagged=flagged)


def plan(share: float) -> Iterator[tuple[str, Design, str, int]]:
    """Section, design, change and windows of every measurement."""

    def windows(full: int) -> int:
        return max(10, round(full * share))

    for name in [*DISTRIBUTIONS, MIXED]:
        for size, full in _QUIET.items():
            yield "unchanged", Design(name, *size), "", windows(full)
        for size, full in _SHIFTED.items():
            yield "shifted", Design(name, *size), f"{SHIFT_SD} sd", windows(full)
        for size, full in _DESTROYED.items():
            for change in DESTRUCTIONS:
                if (change, name) not in UNSEEN:
                    yield "destroyed", Design(name, *size), change, windows(full)


def measured_files() -> list[Path]:
    return [file for place in MEASURED for file in (sorted((ROOT / place).rglob("*.py")) or [ROOT / place])]


def measured_code() -> str:
    """A digest of the code whose rates these are."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in measured_files())).hexdigest()


class Unfinished:
    """The steps of one run that are done, a line each. A file of another run, or of other code, is begun anew."""

    def __init__(self, path: Path, run: dict[str, Any]) -> None:
        self._path = path
        lines = path.read_text().splitlines() if path.exists() else []
        if not lines or json.loads(lines[0]) != run:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(run) + "\n")
            lines = []
        self.done: dict[str, Any] = dict(json.loads(line) for line in lines[1:])

    def add(self, step: str, outcome: Any) -> None:
        self.done[step] = outcome
        with self._path.open("a") as file:
            file.write(json.dumps([step, outcome]) + "\n")

    def finish(self) -> None:
        self._path.unlink()


def run(share: float, processes: int) -> dict[str, Any]:
    steps = [(f"rate {place}", section) for place, (section, *_) in enumerate(plan(share))]
    unfinished = Unfinished(UNFINISHED, {"share": share, "code": measured_code()})
    with ProcessPoolExecutor(processes) as pool:
        pending: dict[Future[Any], str] = {}
        for place, (_, design, change, windows) in enumerate(plan(share)):
            if f"rate {place}" not in unfinished.done:
                pending[pool.submit(measure, SEED + place, design, change, windows)] = f"rate {place}"
        for name in DISTRIBUTIONS:
            if f"scores {name}" not in unfinished.done:
                pending[pool.submit(mean_scores, name, SCORED_WINDOWS)] = f"scores {name}"
        for step in as_completed(pending):
            outcome = step.result()
            unfinished.add(pending[step], asdict(outcome) if isinstance(outcome, Rate) else outcome)
            print(pending[step], outcome, flush=True)
    results: dict[str, Any] = {"rule": DriftRule().model_dump(), "share": share}
    for section in ("unchanged", "shifted", "destroyed"):
        results[section] = [unfinished.done[step] for step, its in steps if its == section]
    results["scores"] = {name: unfinished.done[f"scores {name}"] for name in DISTRIBUTIONS}
    unfinished.finish()
    return results


def mean_scores(name: str, windows: int) -> dict[str, list[float]]:
    """Each metric's mean score on 1,000 rows against 3,000, for each of SHIFTS."""
    design = Design(name, 1, 3_000, 1_000)
    scores: dict[str, list[float]] = {}
    for shift in SHIFTS:
        totals: dict[str, float] = {}
        for outcome in judged(4_000, design, windows, first=shifted_by(shift)):
            for score in outcome.features[0].scores:
                totals[score.metric] = totals.get(score.metric, 0.0) + score.score / windows
        for metric, total in totals.items():
            scores.setdefault(metric, []).append(round(total, 4))
    return scores


def tables(results: dict[str, Any]) -> str:
    """The generated part of docs/drift.md."""
    return "\n\n".join(
        [
            _metrics_table(),
            "### Nothing changed: windows with any alarm\n\n" + _summary(results["unchanged"]),
            _rates_table(results["unchanged"]),
            f"### One feature of 20 shifted by {SHIFT_SD} sd: windows in which it is named\n\n"
            + _summary(results["shifted"]),
            _rates_table(results["shifted"]),
            "### One feature destroyed: windows in which it is named\n\n" + _summary(results["destroyed"]),
            _rates_table(results["destroyed"]),
            "### Mean score by shift\n\n1,000 rows against 3,000.",
            _scores_table(results["scores"]),
        ]
    )


def _metrics_table() -> str:
    body = [
        [f"`{metric.name}`", ", ".join(metric.applies_to), f"{metric.default_threshold}", metric.formula, metric.source]
        for metric in DRIFT_METRICS.values()
    ]
    escaped = [[cell.replace("|", "\\|") for cell in row] for row in body]
    return _table(["metric", "applies to", "default threshold", "formula", "source"], escaped)


def _summary(rates: list[dict[str, Any]]) -> str:
    windows, flagged = (sum(rate[key] for rate in rates) for key in ("windows", "flagged"))
    low, high = wilson(flagged, windows)
    return f"All {windows:,} windows together: {flagged / windows:.2%} (95 % interval {low:.2%} to {high:.2%})."


def wilson(hits: int, trials: int, z: float = 1.96) -> tuple[float, float]:
    """Interval of a share (Wilson, 1927)."""
    middle = (hits + z * z / 2) / (trials + z * z)
    half = z / (trials + z * z) * math.sqrt(hits * (trials - hits) / trials + z * z / 4)
    return middle - half, middle + half


def _rates_table(rates: list[dict[str, Any]]) -> str:
    """A line per size and change, a column per distribution."""
    names = [*DISTRIBUTIONS, MIXED]
    titles = [DISTRIBUTIONS[name].title if name in DISTRIBUTIONS else "all of these, with nulls" for name in names]
    lines: dict[tuple[Any, ...], dict[str, str]] = {}
    for rate in rates:
        change = DESTRUCTIONS[rate["change"]][0] if rate["change"] in DESTRUCTIONS else rate["change"]
        key = (rate["features"], rate["baseline_rows"], rate["window_rows"], change)
        lines.setdefault(key, {})[rate["distribution"]] = f"{rate['flagged'] / rate['windows']:.1%}"
        lines[key]["windows"] = f"{rate['windows']:,}"
    head = ["features", "baseline rows", "window rows", "change", "windows each", *titles]
    body = [
        [
            f"{key[0]}",
            f"{key[1]:,}",
            f"{key[2]:,}",
            key[3],
            line["windows"],
            *[line.get(name, "not seen") for name in names],
        ]
        for key, line in lines.items()
    ]
    if not any(row[3] for row in body):
        head, body = [*head[:3], *head[4:]], [[*row[:3], *row[4:]] for row in body]
    return _table(head, body)


def _scores_table(scores: dict[str, dict[str, list[float]]]) -> str:
    head = ["distribution", "metric", *[f"{shift} sd" for shift in SHIFTS]]
    body = [
        [DISTRIBUTIONS[name].title, f"`{metric}`", *[f"{value:.3f}" for value in values]]
        for name, found in scores.items()
        for metric, values in found.items()
        if metric not in ("null_share", "new_categories")
    ]
    return _table(head, body)


def _table(head: list[str], body: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *body])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--page-only", action="store_true", help="write the page again from the results that are there")
    arguments = parser.parse_args()
    if not arguments.page_only:
        RESULTS.write_text(json.dumps(run(arguments.share, arguments.processes), indent=1) + "\n")
    write_between_marks(DRIFT_PAGE, BEGIN, END, tables(json.loads(RESULTS.read_text())))


if __name__ == "__main__":
    main()
