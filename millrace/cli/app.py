"""`millrace`: the commands. Each parses, calls the platform, and prints a table or JSON."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from millrace import bootstrap
from millrace.bootstrap import Platform
from millrace.cli import checkout, demo, dropping, following, render
from millrace.cli.deployment import connect
from millrace.domain.dataset import Task
from millrace.domain.entity import Entity
from millrace.domain.model import ModelVersion, parse_version_id
from millrace.domain.run import Run, RunState
from millrace.errors import PlatformError
from millrace.use_cases.approve_model_version import approve_model_version
from millrace.use_cases.check_tallies import check_tallies
from millrace.use_cases.reject_model_version import reject_model_version
from millrace.use_cases.start_training import start_training
from millrace.use_cases.verify_audit import verify_audit

app = typer.Typer(
    help="Drop a dataset in a bucket; governed, honestly compared model versions come out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

audit_app = typer.Typer(help="Who did what, and can it be trusted?", no_args_is_help=True)
app.add_typer(audit_app, name="audit")

EnvironmentOption = Annotated[
    str, typer.Option("--environment", "-e", envvar="MILLRACE_ENVIRONMENT", help="Which deployment to talk to.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why: it is kept with the decision.")]
LOCAL = checkout.ENVIRONMENT


@dataclass(frozen=True)
class Session:
    """One command's way to the platform and to the terminal."""

    platform: Platform
    console: Console
    as_json: bool

    def show(self, entities: Entity | Sequence[Entity], *tables: Any) -> None:
        if self.as_json:
            print_json(entities)
        else:
            for each in tables:
                self.console.print(each)


def print_json(value: Entity | Sequence[Entity] | dict[str, Any]) -> None:
    if isinstance(value, Entity):
        plain: Any = value.model_dump(mode="json")
    elif isinstance(value, dict):
        plain = value
    else:
        plain = [each.model_dump(mode="json") for each in value]
    sys.stdout.write(json.dumps(plain, indent=2) + "\n")


def session(environment: str, as_json: bool) -> Session:
    settings = connect(environment, Path.cwd())
    return Session(bootstrap.platform(settings), Console(stderr=as_json), as_json)


def actor() -> str:
    return f"cli:{getpass.getuser()}"


@app.command()
def up() -> None:
    """Start the local platform with the state it had, and deploy the templates to it."""
    root = checkout.find_checkout(Path.cwd())
    checkout.synthesise(root)
    checkout.platform_command(root, "up", "--assembly", checkout.ASSEMBLY)


@app.command()
def down() -> None:
    """Stop the local platform; its state stays."""
    checkout.platform_command(checkout.find_checkout(Path.cwd()), "down")


@app.command()
def status(as_json: JsonOption = False) -> None:
    """Is the local platform running, where, and with what deployed?"""
    checkout.platform_command(checkout.find_checkout(Path.cwd()), "status", *(["--json"] if as_json else []))


@app.command()
def drop(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="CSV, JSON Lines or Parquet.")
    ],
    dataset: Annotated[str, typer.Option(help="The dataset this is a version of; made when it is new.")],
    target: Annotated[str | None, typer.Option(help="The column to predict. Without one the version waits.")] = None,
    task: Annotated[
        Task | None, typer.Option(help="What kind of prediction; told from the data when left out.")
    ] = None,
    key: Annotated[
        list[str] | None, typer.Option(help="Column(s) that identify a row; repeated rows are set aside.")
    ] = None,
    wait: Annotated[bool, typer.Option(help="Follow until the model versions are judged.")] = True,
    timeout: Annotated[float, typer.Option(help="Seconds to follow.")] = 3600.0,
    environment: EnvironmentOption = LOCAL,
    as_json: JsonOption = False,
) -> None:
    """Upload a file as a dataset version, and follow what becomes of it."""
    here = session(environment, as_json)
    changes = dropping.SettingsChange(target=target, task=task, key=tuple(key or ()))
    dropping.configure(here.platform, dataset, changes, actor=actor())
    run_id = dropping.upload(here.platform, file, dataset, here.console)
    runs = dropping.follow_drop(here.platform, run_id, here.console, seconds=timeout) if wait else []
    if as_json:
        print_json(runs if wait else {"run_id": run_id})
    else:
        tell_runs(here, runs or [run_id])
    if not all(render.ended_well(run) for run in runs):
        raise typer.Exit(1)


def tell_runs(here: Session, runs: Sequence[Run | str]) -> None:
    for run in runs:
        if isinstance(run, str):
            here.console.print(f"started {run}; follow it with: millrace run {run} --follow")
        else:
            here.console.print(f"[bold]{run.run_id}[/bold] {run.state}: {run.outcome or run.reason or ''}")


@app.command()
def train(
    dataset: Annotated[str, typer.Argument(help="The dataset to train on.")],
    version: Annotated[int | None, typer.Option(help="Which version; the latest ready one when left out.")] = None,
    environment: EnvironmentOption = LOCAL,
    as_json: JsonOption = False,
) -> None:
    """Start a training run by hand."""
    here = session(environment, as_json)
    run = start_training(
        catalog=here.platform.catalog,
        ledger=here.platform.ledger,
        pipelines=here.platform.pipelines,
        clock=here.platform.clock,
        dataset=dataset,
        version=version,
        started_by=actor(),
    )
    here.show(run, f"started {run.run_id}; follow it with: millrace run {run.run_id} --follow")


@app.command()
def runs(
    state: Annotated[RunState | None, typer.Option(help="Only runs in this state.")] = None,
    pipeline: Annotated[str | None, typer.Option(help="ingest or training.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 20,
    environment: EnvironmentOption = LOCAL,
    as_json: JsonOption = False,
) -> None:
    """Which runs are going, failed, done? Newest first."""
    here = session(environment, as_json)
    found = here.platform.ledger.list(pipeline=pipeline, state=state, limit=limit)
    columns = ["state", "run", "on", "started", "took", "by"]
    here.show(found, render.table("Runs", columns, render.run_rows(found)))


@app.command()
def run(
    run_id: Annotated[str, typer.Argument(help="As `millrace runs` lists it.")],
    follow: Annotated[bool, typer.Option("--follow", help="Watch until it ends.")] = False,
    timeout: Annotated[float, typer.Option(help="Seconds to follow.")] = 3600.0,
    environment: EnvironmentOption = LOCAL,
    as_json: JsonOption = False,
) -> None:
    """Where is one run, or why did it fail?"""
    here = session(environment, as_json)
    found = here.platform.ledger.get(run_id)
    if follow:
        found = following.follow(here.platform, run_id, here.console, seconds=timeout)
    steps = following.current_steps(here.platform, found)
    shown = found.model_copy(update={"steps": tuple(steps)})
    here.show(shown, f"{run_id}: {found.state} {found.reason or found.outcome or ''}", render.step_table(steps))
    if follow and not render.ended_well(found):
        raise typer.Exit(1)


@app.command()
def datasets(environment: EnvironmentOption = LOCAL, as_json: JsonOption = False) -> None:
    """The datasets, their latest version and what they predict."""
    here = session(environment, as_json)
    found = here.platform.catalog.list()
    columns = ["dataset", "latest version", "target", "since"]
    here.show(found, render.table("Datasets", columns, render.dataset_rows(found)))


@app.command()
def dataset(name: str, environment: EnvironmentOption = LOCAL, as_json: JsonOption = False) -> None:
    """One dataset's versions: rows in, accepted, quarantined, or why it was refused."""
    here = session(environment, as_json)
    here.platform.catalog.get(name)
    versions = here.platform.catalog.versions(name)
    columns = ["version", "state", "what came of it"]
    here.show(versions, render.table(name, columns, render.version_rows(versions)))


@app.command()
def quarantine(
    name: Annotated[str, typer.Argument(help="The dataset.")],
    version: Annotated[int | None, typer.Option(help="Which version; the latest when left out.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many rows to print.")] = 20,
    environment: EnvironmentOption = LOCAL,
    as_json: JsonOption = False,
) -> None:
    """The rows that were set aside: line, all reasons, original text."""
    here = session(environment, as_json)
    rows = dropping.quarantined_rows(here.platform, name, version, limit=limit)
    if as_json:
        print_json({"rows": rows})
    else:
        lines = ([str(row["line"]), "\n".join(row["reasons"]), row["text"]] for row in rows)
        here.console.print(render.table(f"{name}: rows set aside", ["line", "reasons", "text"], lines))


@app.command()
def models(environment: EnvironmentOption = LOCAL, as_json: JsonOption = False) -> None:
    """The registered models and what their aliases point at."""
    here = session(environment, as_json)
    found = here.platform.registry.models()
    columns = ["model", "dataset", "versions", "aliases"]
    here.show(found, render.table("Models", columns, render.model_rows(found)))


@app.command()
def model(
    name: Annotated[str, typer.Argument(metavar="ID", help="A model (churn) or a version (churn:7).")],
    environment: EnvironmentOption = LOCAL,
    as_json: JsonOption = False,
) -> None:
    """One model's versions and history, or all about one version."""
    here = session(environment, as_json)
    if ":" in name:
        show_version(here, here.platform.registry.get(*parse_version_id(name)))
        return
    here.platform.registry.model(name)
    versions = here.platform.registry.versions(name)
    history = render.event_rows(here.platform.registry.history(name))
    here.show(
        versions,
        render.table(name, render.CANDIDATE_COLUMNS, render.candidate_rows(versions)),
        render.verdict_lines(versions),
        render.table("History", ["at", "version", "what", "who", "why"], history),
    )


def show_version(here: Session, version: ModelVersion) -> None:
    metrics = render.table("On the test split", ["metric", "value", "95 % interval"], render.metric_rows(version))
    here.show(version, render.version_facts(version), metrics)


@app.command()
def approve(
    version: Annotated[str, typer.Argument(metavar="ID", help="For example churn:7.")],
    reason: ReasonOption,
    environment: EnvironmentOption = LOCAL,
    as_json: JsonOption = False,
) -> None:
    """Let a model version become the champion."""
    here = session(environment, as_json)
    decided = approve_model_version(
        registry=here.platform.registry,
        catalog=here.platform.catalog,
        ledger=here.platform.ledger,
        bus=here.platform.bus,
        clock=here.platform.clock,
        version_id=version,
        actor=actor(),
        reason=reason,
    )
    tell_decision(here, decided)


@app.command()
def reject(
    version: Annotated[str, typer.Argument(metavar="ID", help="For example churn:7.")],
    reason: ReasonOption,
    environment: EnvironmentOption = LOCAL,
    as_json: JsonOption = False,
) -> None:
    """Refuse a model version."""
    here = session(environment, as_json)
    decided = reject_model_version(
        registry=here.platform.registry, clock=here.platform.clock, version_id=version, actor=actor(), reason=reason
    )
    tell_decision(here, decided)


def tell_decision(here: Session, decided: ModelVersion) -> None:
    here.show(decided, f"{decided.id} is {decided.approval.state}: {decided.approval.reason}")


@audit_app.command(name="verify")
def verify_audit_command(environment: EnvironmentOption = LOCAL, as_json: JsonOption = False) -> None:
    """Was an entry of the audit trail altered, removed or put in? Do the kept counts hold?"""
    here = session(environment, as_json)
    report = verify_audit(trail=here.platform.audit)
    check = check_tallies(
        catalog=here.platform.catalog,
        ledger=here.platform.ledger,
        registry=here.platform.registry,
        tallies=here.platform.tallies,
    )
    if as_json:
        print_json({"audit": report.model_dump(mode="json"), "counts": check.model_dump(mode="json")})
    else:
        here.console.print(
            f"{report.entries:,} entries in {report.chains:,} chains: {'; '.join(report.faults) or 'whole'}"
        )
        here.console.print("The kept counts hold." if check.agrees else f"The kept counts differ: {check}")
    if report.faults or not check.agrees:
        raise typer.Exit(1)


@app.command(name="demo")
def demo_command(as_json: JsonOption = False) -> None:
    """Start the platform, drop 6,000 real flights, end with three judged model versions."""
    root = checkout.find_checkout(Path.cwd())
    console = Console(stderr=as_json)
    timings = demo.Timings()
    with timings.part("templates synthesised"):
        checkout.synthesise(root)
    with timings.part("platform started and deployed"):
        checkout.platform_command(root, "up", "--assembly", checkout.ASSEMBLY)
    here = Session(bootstrap.platform(connect(LOCAL, root)), console, as_json)
    report = demo.run_demo(here.platform, root, console, timings, actor=actor())
    if as_json:
        print_json({**report, "dashboard_url": checkout.dashboard(root)["url"]})
    else:
        demo.tell(report, checkout.dashboard(root), here.platform, console)


def main() -> None:
    """Run the command line. A platform error is a sentence and exit code 1, never a traceback."""
    try:
        app()
    except PlatformError as error:
        Console(stderr=True).print(f"[red]{type(error).__name__}[/red]: {error}", highlight=False)
        sys.exit(1)
