"""The main job on real data: what it did, where, and how long each step took."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from millrace import names
from millrace.bootstrap import Platform
from millrace.cli import dropping, following, render
from millrace.domain.cost import costs_of_steps
from millrace.domain.model import ApprovalState
from millrace.domain.run import Run
from millrace.errors import PlatformError

DATASET = "flights"
TARGET = "late"
KEY = ("flight_id",)
FILE = Path("examples") / "flights.csv"
SECONDS = 1800.0
# The local platform lets this one do everything.
PERSON = "demo"


class DemoFailed(PlatformError):
    """A run of the demo did not succeed."""


class Timings:
    """How long each part took, in order."""

    def __init__(self) -> None:
        self.parts: list[tuple[str, float]] = []

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        self.parts.append((name, time.monotonic() - started))

    def add_run(self, run: Run) -> None:
        for step in run.steps:
            if step.seconds is not None:
                self.parts.append((f"{run.pipeline}: {step.name} {step.item or ''}".strip(), step.seconds))


def run_demo(platform: Platform, root: Path, console: Console, timings: Timings, *, actor: str) -> dict[str, Any]:
    """Drop the flights and follow them to judged versions. Raises DemoFailed with the failed run's reason."""
    with timings.part("dropped, prepared, trained, judged"):
        change = dropping.SettingsChange(target=TARGET, key=KEY)
        dropping.configure(platform, DATASET, change, actor=actor)
        run_id = dropping.upload(platform, root / FILE, DATASET, console)
        runs = dropping.follow_drop(platform, run_id, console, seconds=SECONDS)
    for run in runs:
        if not render.ended_well(run):
            raise DemoFailed(f"{run.run_id} ended {run.state}: {run.reason}")
        timings.add_run(run)
    trained = _judged_run(platform, runs)
    versions = [v for v in platform.registry.versions(DATASET) if v.lineage.run_id == trained.run_id]
    return {
        "runs": [run.model_dump(mode="json") for run in [*runs, *([] if trained in runs else [trained])]],
        "dataset_version": platform.catalog.version(DATASET, _version(runs[0])).model_dump(mode="json"),
        "model_versions": [version.model_dump(mode="json") for version in versions],
        "seconds": dict(timings.parts),
    }


def _version(run: Run) -> int:
    if run.dataset_version is None:
        raise DemoFailed(f"{run.run_id} names no dataset version")
    return run.dataset_version


def _judged_run(platform: Platform, runs: list[Run]) -> Run:
    """This drop's training run; when the bytes were known already, the run that trained on them before."""
    if runs[-1].pipeline == names.TRAINING_PIPELINE:
        return runs[-1]
    earlier = following.find_training(platform, DATASET, _version(runs[0]))
    if earlier is None:
        raise DemoFailed(f"these bytes are {DATASET} v{_version(runs[0])} already, and no run has trained on it")
    return earlier


def tell_dashboard(dashboard: Mapping[str, Any], console: Console) -> None:
    """`dashboard` is what the local platform wrote about it: its address, and who may sign in."""
    console.print(f"Open {dashboard['url']}", highlight=False)
    demo = next(person for person in dashboard["people"] if person["name"] == PERSON)
    console.print(f"and sign in as {demo['name']} with the password {demo['password']}", highlight=False, markup=False)


def tell(report: dict[str, Any], dashboard: Mapping[str, Any], platform: Platform, console: Console) -> None:
    number = report["dataset_version"]["version"]
    version = platform.catalog.version(DATASET, number)
    candidates = [platform.registry.get(v["model"], v["number"]) for v in report["model_versions"]]
    candidates.sort(key=lambda candidate: (not candidate.recommended, candidate.number))
    console.rule("What it did")
    console.print(report["runs"][0]["outcome"])
    if version.quality:
        console.print(f"{DATASET} v{number}: " + "\n  ".join(render.quality_lines(version.quality)))
    for row in dropping.quarantined_rows(platform, DATASET, number, limit=2):
        console.print(f"  set aside, line {row['line']}: {'; '.join(row['reasons'])}", highlight=False)
    console.print(render.table("", render.CANDIDATE_COLUMNS, render.candidate_rows(candidates)))
    console.print(render.verdict_lines(candidates), highlight=False)
    console.rule("Where")
    places = {"data": version.location, "quarantine": version.quarantine_location}
    places |= {candidate.id: candidate.artifact_uri for candidate in candidates}
    for name, place in places.items():
        console.print(f"{name:<11} {place}", highlight=False, soft_wrap=True)
    console.rule("How long")
    console.print(render.table("", ["part", "took"], ([n, render.seconds(s)] for n, s in report["seconds"].items())))
    console.rule("What the same seconds cost on AWS")
    for run in map(Run.model_validate, report["runs"]):
        console.print(
            f"{run.pipeline:<11} {render.cost_line(costs_of_steps(run.steps))}", highlight=False, soft_wrap=True
        )
    console.rule("What next")
    tell_dashboard(dashboard, console)
    best = next((c for c in candidates if c.recommended), candidates[0])
    console.print(f"There, or with: millrace model {best.id}", highlight=False)
    if best.approval.state is ApprovalState.PENDING:
        console.print(f'millrace approve {best.id} --reason "…"  makes it the champion', highlight=False)
    console.print("make down stops the platform; make up starts it again with its state")
