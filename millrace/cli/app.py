"""`millrace`: the commands. Each parses, calls the platform, and prints a table or JSON."""

from __future__ import annotations

import getpass
import json
import sys
import time
import webbrowser
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from millrace import bootstrap
from millrace.cli import answers, checkout, demo, dropping, remote, render, sending, signing_in
from millrace.cli.checkout import CommandFailed
from millrace.cli.deployment import connect, registry_table_settings
from millrace.client import Client, UploadInterrupted, at, send
from millrace.domain.cost import PRICES_OF
from millrace.domain.dataset import Task
from millrace.domain.model import parse_version_id
from millrace.domain.run import RunState
from millrace.errors import InvalidInput, NotFound, PlatformError
from millrace.use_cases.check_tallies import check_tallies
from millrace.use_cases.export_model_version import export_model_version
from millrace.use_cases.import_model_version import import_model_version
from millrace.use_cases.restore_platform import restore_platform
from millrace.use_cases.sum_costs import Spent, sum_costs
from millrace.use_cases.sweep import find_leftovers, remove_leftovers
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
FileArgument = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="CSV, JSON Lines or Parquet.")
]
LOCAL = checkout.ENVIRONMENT
TIMES = ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%MZ"]
Document = dict[str, Any]


@dataclass(frozen=True)
class SignedIn:
    """One command's way to the API and to the terminal."""

    client: Client
    console: Console
    as_json: bool

    def show(self, document: Document | list[Document], *tables: Any) -> None:
        if self.as_json:
            print_json(document)
        else:
            for each in tables:
                # A line that the terminal breaks itself stays one line to copy: an address, an id.
                self.console.print(each, highlight=False, soft_wrap=isinstance(each, str))


def signed_in(environment: str, as_json: bool) -> SignedIn:
    return SignedIn(remote.client_of(environment, Path.cwd()), Console(stderr=as_json), as_json)


def print_json(document: Document | list[Document]) -> None:
    sys.stdout.write(json.dumps(document, indent=2) + "\n")


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
def login(
    url: Annotated[str | None, typer.Option(help="Where the dashboard is; known for the local platform.")] = None,
    key: Annotated[bool, typer.Option("--key", help="With an API key, which is asked for.")] = False,
    environment: EnvironmentOption = LOCAL,
) -> None:
    """Sign in, in a browser or with an API key. It is kept in a file that only you can read."""
    root = Path.cwd()
    file = remote.sign_in_file(environment, root)
    deployment = signing_in.find_deployment(url or remote.known_url(environment, root), send)
    if key:
        secret = typer.prompt("API key", hide_input=sys.stdin.isatty(), err=True).strip()
        kept = remote.kept_key(deployment, secret)
    else:
        tokens = signing_in.sign_in_by_browser(deployment, send, open_page=open_page)
        kept = remote.kept_tokens(deployment, tokens, now=time.time())
    # A key that opens nothing is found now, not by the next command, and takes no other sign-in away.
    remote.client_for(kept, file, send=send).get("/dashboard/stats")
    file.write(kept)
    Console(stderr=True).print(f"signed in to {deployment.environment} at {deployment.url}; kept in {file.path}")


def open_page(address: str) -> None:
    Console(stderr=True).print(f"Sign in at:\n{address}", highlight=False, soft_wrap=True, markup=False)
    webbrowser.open(address)


@app.command()
def logout(environment: EnvironmentOption = LOCAL) -> None:
    """Forget who signed in."""
    remote.sign_in_file(environment, Path.cwd()).forget()


@app.command(name="upload")
@app.command()
def drop(
    file: FileArgument,
    dataset: Annotated[str, typer.Option(help="The dataset this is a version of; made when it is new.")],
    target: Annotated[str | None, typer.Option(help="The column to predict. Without one the version waits.")] = None,
    task: Annotated[
        Task | None, typer.Option(help="What kind of prediction; told from the data when left out.")
    ] = None,
    key: Annotated[
        list[str] | None, typer.Option(help="Column(s) that identify a row; repeated rows are set aside.")
    ] = None,
    resume: Annotated[str | None, typer.Option(help="Go on with an upload that was interrupted, by its id.")] = None,
    wait: Annotated[bool, typer.Option(help="Follow until the model versions are judged.")] = True,
    timeout: Annotated[float, typer.Option(help="Seconds to follow.")] = 3600.0,
    environment: EnvironmentOption = LOCAL,
    as_json: JsonOption = False,
) -> None:
    """Upload a file as a dataset version, and follow what becomes of it."""
    here = signed_in(environment, as_json)
    changes = dropping.SettingsChange(target=target, task=task, key=tuple(key or ())).as_settings()
    here.client.configure_dataset(dataset, changes)
    try:
        run_id = sending.upload(here.client, file, dataset, here.console, resume=resume)
    except UploadInterrupted as broken:
        raise CommandFailed(f"{broken}; go on with: --resume {broken.upload_id}") from broken
    runs = sending.follow_upload(here.client, run_id, here.console, seconds=timeout) if wait else []
    here.show(runs if wait else {"run_id": run_id}, *(ended_line(run) for run in runs))
    if not wait and not as_json:
        here.console.print(started_line(run_id))
    if not all(run["state"] == "SUCCEEDED" for run in runs):
        raise typer.Exit(1)


def ended_line(run: Document) -> str:
    return f"[bold]{run['run_id']}[/bold] {run['state']}: {run['outcome'] or run['reason'] or ''}"


def started_line(run_id: str) -> str:
    return f"started {run_id}; follow it with: millrace run {run_id} --follow"


@app.command()
def train(
    dataset: Annotated[str, typer.Argument(help="The dataset to train on.")],
    version: Annotated[int | None, typer.Option(help="Which version; the latest ready one when left out.")] = None,
    algorithm: Annotated[
        list[str] | None, typer.Option(help="Only this one, for this run; may be said several times.")
    ] = None,
    trials: Annotated[int | None, typer.Option(min=1, help="Of each algorithm, for this run.")] = None,
    reason: Annotated[str, typer.Option(help="Why, for who reads it later.")] = "",
    environment: EnvironmentOption = LOCAL,
    as_json: JsonOption = False,
) -> None:
    """Start a training run by hand, with the dataset's settings or with choices for this run alone."""
    here = signed_in(environment, as_json)
    said = {"algorithms": algorithm, "trials": trials}
    choices = {name: value for name, value in said.items() if value}
    run = here.client.start_training(dataset, version=version, reason=reason, choices=choices)
    here.show(run, started_line(run["run_id"]))


@app.command()
def runs(
    state: Annotated[RunState | None, typer.Option(help="Only runs in this state.")] = None,
    pipeline: Annotated[str | None, typer.Option(help="ingest, training, deployment, …")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 20,
    follow: Annotated[str | None, typer.Option(metavar="ID", help="Watch this one until it ends.")] = None,
    environment: EnvironmentOption = LOCAL,
    as_json: JsonOption = False,
) -> None:
    """Which runs are going, failed, done? Newest first."""
    here = signed_in(environment, as_json)
    if follow:
        show_run(here, follow, follow=True, timeout=3600.0)
        return
    found = list(islice(here.client.runs(state=state, pipeline=pipeline), limit))
    here.show(found, answers.run_table(found))


@app.command()
def run(
    run_id: Annotated[str, typer.Argument(help="As `millrace runs` lists it.")],
    follow: Annotated[bool, typer.Option("--follow", help="Watch until it ends.")] = False,
    timeout: Annotated[float, typer.Option(help="Seconds to follow.")] = 3600.0,
    environment: EnvironmentOption = LOCAL,
    as_json: JsonOption = False,
) -> None:
    """Where is one run, or why did it fail?"""
    show_run(signed_in(environment, as_json), run_id, follow=follow, timeout=timeout)


def show_run(here: SignedIn, run_id: str, *, follow: bool, timeout: float) -> None:
    client = here.client
    found = sending.follow(client, run_id, here.console, seconds=timeout) if follow else client.run(run_id)
    line = f"{run_id}: {found['state']} {found['reason'] or found['outcome'] or ''}"
    cost = f"cost {render.cost_line(answers.costs_of(found))}"
    here.show(found, line, render.step_table(answers.steps_of(found)), cost)
    if follow and found["state"] != "SUCCEEDED":
        raise typer.Exit(1)


@app.command()
def datasets(environment: EnvironmentOption = LOCAL, as_json: JsonOption = False) -> None:
    """The datasets, their latest version and what they predict."""
    here = signed_in(environment, as_json)
    found = list(here.client.datasets())
    here.show(found, answers.dataset_table(found))


@app.command()
def dataset(name: str, environment: EnvironmentOption = LOCAL, as_json: JsonOption = False) -> None:
    """One dataset's versions: rows in, accepted, quarantined, or why it was refused."""
    here = signed_in(environment, as_json)
    versions = list(here.client.dataset_versions(name))
    here.show(versions, answers.version_table(name, versions))


@app.command()
def quarantine(
    name: Annotated[str, typer.Argument(help="The dataset.")],
    version: Annotated[int | None, typer.Option(help="Which version; the latest when left out.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many rows to print.")] = 20,
    environment: EnvironmentOption = LOCAL,
    as_json: JsonOption = False,
) -> None:
    """The rows that were set aside: line, all reasons, original text."""
    here = signed_in(environment, as_json)
    number = version or here.client.get(at("datasets", name))["latest_version"]
    if number == 0:
        raise NotFound(f"dataset {name!r} has no version yet")
    rows = list(islice(here.client.items(at("datasets", name, "versions", str(number), "quarantine")), limit))
    lines = ([str(row["line"]), "\n".join(row["reasons"]), row["text"]] for row in rows)
    here.show({"rows": rows}, render.table(f"{name}: rows set aside", ["line", "reasons", "text"], lines))


@app.command()
def models(environment: EnvironmentOption = LOCAL, as_json: JsonOption = False) -> None:
    """The registered models: what serves, what is newest, what waits for a decision."""
    here = signed_in(environment, as_json)
    found = list(here.client.models())
    here.show(found, answers.model_table(found))


@app.command()
def model(
    name: Annotated[str, typer.Argument(metavar="ID", help="A model (churn) or a version (churn:7).")],
    environment: EnvironmentOption = LOCAL,
    as_json: JsonOption = False,
) -> None:
    """One model's versions and history, or all about one version."""
    here = signed_in(environment, as_json)
    if ":" in name:
        parse_version_id(name)
        version = here.client.model_version(name).body
        here.show(version, answers.version_facts(version), answers.metric_table(version))
        return
    versions = list(here.client.model_versions(name))
    history = list(here.client.items(at("models", name, "history")))
    here.show(versions, answers.candidate_table(name, versions), answers.history_table(history))


@app.command()
def approve(
    version: Annotated[str, typer.Argument(metavar="ID", help="For example churn:7.")],
    reason: ReasonOption,
    environment: EnvironmentOption = LOCAL,
    as_json: JsonOption = False,
) -> None:
    """Let a model version become the champion."""
    here = signed_in(environment, as_json)
    parse_version_id(version)
    tell_decision(here, here.client.approve(version, reason))


@app.command()
def reject(
    version: Annotated[str, typer.Argument(metavar="ID", help="For example churn:7.")],
    reason: ReasonOption,
    environment: EnvironmentOption = LOCAL,
    as_json: JsonOption = False,
) -> None:
    """Refuse a model version."""
    here = signed_in(environment, as_json)
    parse_version_id(version)
    tell_decision(here, here.client.reject(version, reason))


@app.command()
def redeploy(
    version: Annotated[str, typer.Argument(metavar="ID", help="For example churn:7.")],
    reason: ReasonOption,
    wait: Annotated[bool, typer.Option(help="Follow until it serves, or is taken back.")] = True,
    timeout: Annotated[float, typer.Option(help="Seconds to follow.")] = 3600.0,
    environment: EnvironmentOption = LOCAL,
    as_json: JsonOption = False,
) -> None:
    """Deploy an approved model version once more: its deployment failed, or it was rolled back."""
    here = signed_in(environment, as_json)
    parse_version_id(version)
    started = here.client.deploy_again(version, reason)
    if not wait:
        here.show(started, started_line(started["run_id"]))
        return
    ended = sending.follow(here.client, started["run_id"], here.console, seconds=timeout)
    here.show(ended, ended_line(ended))
    if ended["state"] != "SUCCEEDED":
        raise typer.Exit(1)


def tell_decision(here: SignedIn, decided: Document) -> None:
    approval = decided["approval"]
    here.show(decided, f"{decided['id']} is {approval['state']}: {approval['reason']}")


@app.command()
def predict(
    name: Annotated[str, typer.Argument(metavar="MODEL")],
    rows: Annotated[typer.FileText, typer.Argument(help="JSON: one row, or a list of them; - reads what is piped in.")],
    explain: Annotated[bool, typer.Option("--explain", help="Say what each value did to the score.")] = False,
    environment: EnvironmentOption = LOCAL,
    as_json: JsonOption = False,
) -> None:
    """Predictions for rows, answered now by the model's champion."""
    here = signed_in(environment, as_json)
    try:
        said = json.load(rows)
    except ValueError as error:
        raise InvalidInput(f"the rows are not JSON: {error}") from error
    answer = here.client.predict(name, said if isinstance(said, list) else [said], explain=explain)
    here.show(answer, answers.prediction_table(answer))


@app.command()
def batch(
    name: Annotated[str, typer.Argument(metavar="MODEL")],
    file: FileArgument,
    save: Annotated[Path | None, typer.Option(help="Download the results here, as CSV.", dir_okay=False)] = None,
    wait: Annotated[bool, typer.Option(help="Follow until the results are there.")] = True,
    timeout: Annotated[float, typer.Option(help="Seconds to follow.")] = 3600.0,
    environment: EnvironmentOption = LOCAL,
    as_json: JsonOption = False,
) -> None:
    """Predict every row of a file."""
    here = signed_in(environment, as_json)
    with sending.sent_bytes(file, here.console) as sent:
        job = here.client.predict_file(name, file, sent=sent)
    if not wait:
        here.show(job, started_line(job["job_id"]))
        return
    ended = sending.follow(here.client, job["job_id"], here.console, seconds=timeout)
    if ended["state"] != "SUCCEEDED":
        here.show({"run": ended, "results": {"files": []}}, ended_line(ended))
        raise typer.Exit(1)
    if save is not None:
        here.client.save_batch_results(job["job_id"], save)
        here.show({"run": ended, "results": {"saved": str(save)}}, ended_line(ended), f"saved as {save}")
        return
    results = here.client.batch_results(job["job_id"])
    files = (f"{each['format']:<8} {each['address']}" for each in results["files"])
    here.show({"run": ended, "results": results}, ended_line(ended), *files, "good for five minutes; or: --save FILE")


@audit_app.command(name="verify")
def verify_audit_command(environment: EnvironmentOption = LOCAL, as_json: JsonOption = False) -> None:
    """Was an entry of the audit trail altered, removed or put in? Do the kept counts hold?"""
    platform = bootstrap.platform(connect(environment, Path.cwd()))
    console = Console(stderr=as_json)
    report = verify_audit(trail=platform.audit)
    check = check_tallies(
        catalog=platform.catalog, ledger=platform.ledger, registry=platform.registry, tallies=platform.tallies
    )
    if as_json:
        print_json({"audit": report.model_dump(mode="json"), "counts": check.model_dump(mode="json")})
    else:
        console.print(f"{report.entries:,} entries in {report.chains:,} chains: {'; '.join(report.faults) or 'whole'}")
        console.print("The kept counts hold." if check.agrees else f"The kept counts differ: {check}")
    if report.faults or not check.agrees:
        raise typer.Exit(1)


@app.command()
def restore(
    since: Annotated[
        datetime, typer.Option(formats=TIMES, help="Objects removed at or after this time (UTC) come back.")
    ],
    prefix: Annotated[
        list[str] | None,
        typer.Option(help="Only below this address (s3://bucket/prefix/); both buckets when left out."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    environment: EnvironmentOption = LOCAL,
    as_json: JsonOption = False,
) -> None:
    """Bring back a registry that was deleted, and objects that were. Needs AWS credentials; docs/runbook.md."""
    platform = bootstrap.platform(connect(environment, Path.cwd()))
    buckets = (platform.settings.require("data_bucket"), platform.settings.require("artifacts_bucket"))
    restored = restore_platform(
        table=platform.registry_table,
        read_settings=lambda: registry_table_settings(environment),
        history=platform.object_history,
        prefixes=prefix or [f"s3://{bucket}/" for bucket in buckets],
        since=since.replace(tzinfo=UTC),
        dry_run=dry_run,
    )
    backup = restored.table and {"backup": restored.table.backup_id, "at": restored.table.at.isoformat()}
    if as_json:
        print_json({"dry_run": dry_run, "table": backup, "objects": list(restored.objects)})
        return
    done = "would be" if dry_run else "was"
    console = Console()
    table = f"{done} restored from {restored.table.backup_id}" if restored.table else "is there and stays as it is"
    console.print(f"the registry {table}", highlight=False, soft_wrap=True)
    console.print(f"{len(restored.objects):,} removed object(s) {done} brought back", highlight=False)


@app.command()
def sweep(
    older_than_days: Annotated[float, typer.Option(min=1, help="What is younger stays.")] = 7.0,
    remove: Annotated[
        bool, typer.Option("--remove", help="Remove what is listed; without it, it is only listed.")
    ] = False,
    environment: EnvironmentOption = LOCAL,
    as_json: JsonOption = False,
) -> None:
    """What nobody needs and somebody pays for: artefacts, endpoints, unfinished uploads. Needs AWS credentials."""
    platform = bootstrap.platform(connect(environment, Path.cwd()))
    prefix = f"millrace-{environment}"
    found = find_leftovers(
        history=platform.object_history,
        registry=platform.registry,
        ledger=platform.ledger,
        endpoints=platform.endpoints,
        uses=platform.endpoint_uses,
        multipart=platform.multipart,
        data_bucket=platform.settings.require("data_bucket"),
        artifacts_bucket=platform.settings.require("artifacts_bucket"),
        endpoint_prefix=prefix,
        before=platform.clock.now() - timedelta(days=older_than_days),
    )
    if remove:
        remove_leftovers(
            found,
            store=platform.store,
            endpoints=platform.endpoints,
            uses=platform.endpoint_uses,
            multipart=platform.multipart,
            clock=platform.clock,
            endpoint_prefix=prefix,
        )
    if as_json:
        print_json({"removed": remove, "leftovers": [each._asdict() for each in found]})
        return
    lines = ([each.kind.value.lower(), each.name, f"{each.size_bytes:,}", each.reason] for each in found)
    total = sum(each.size_bytes for each in found)
    title = f"{len(found):,} leftover(s), {total:,} bytes: {'removed' if remove else 'to be removed with --remove'}"
    Console().print(render.table(title, ["kind", "what", "bytes", "why"], lines))


@app.command()
def export_version(
    version: Annotated[str, typer.Argument(help="An approved and deployed version, for example churn:7.")],
    environment: EnvironmentOption = LOCAL,
    as_json: JsonOption = False,
) -> None:
    """Say by digests what another environment needs to take a version over. Needs AWS credentials; docs/runbook.md."""
    platform = bootstrap.platform(connect(environment, Path.cwd()))
    address = export_model_version(
        registry=platform.registry,
        catalog=platform.catalog,
        store=platform.store,
        artifacts_bucket=platform.settings.require("artifacts_bucket"),
        environment=environment,
        version_id=version,
    )
    if as_json:
        print_json({"address": address})
        return
    Console().print(f"there: millrace import-version {address}", highlight=False, soft_wrap=True)


@app.command()
def import_version(
    address: Annotated[str, typer.Argument(help="What `millrace export-version` printed: s3://…/export-….json")],
    environment: EnvironmentOption = LOCAL,
    as_json: JsonOption = False,
) -> None:
    """Take a version of another environment over; it waits for approval here. Needs AWS credentials."""
    platform = bootstrap.platform(connect(environment, Path.cwd()))
    taken = import_model_version(
        catalog=platform.catalog,
        registry=platform.registry,
        ledger=platform.ledger,
        source=platform.store,
        store=platform.store,
        notifier=platform.notifier,
        clock=platform.clock,
        artifacts_bucket=platform.settings.require("artifacts_bucket"),
        environment=environment,
        address=address,
        actor=actor(),
    )
    if as_json:
        print_json({"id": taken.id, "approval": taken.approval.state})
        return
    Console().print(f"{address} is {taken.id} here: {taken.approval.state}", highlight=False, soft_wrap=True)


@app.command()
def costs(
    since: Annotated[
        datetime,
        typer.Option(
            formats=["%Y-%m-%d", "%Y-%m"], help="Runs that began on or after this day or month; endpoints from then on."
        ),
    ],
    environment: EnvironmentOption = LOCAL,
    as_json: JsonOption = False,
) -> None:
    """What runs and endpoints cost by list prices, by month, model and pipeline. Needs AWS credentials."""
    platform = bootstrap.platform(connect(environment, Path.cwd()))
    spent = sum_costs(
        ledger=platform.ledger, uses=platform.endpoint_uses, clock=platform.clock, since=since.replace(tzinfo=UTC)
    )
    if as_json:
        print_json([each._asdict() for each in spent])
        return
    lines = ([each.month, each.model, each.pipeline, *_figures(each)] for each in spent)
    title = f"{_least(spent)}{sum(each.cost_usd for each in spent):.4f} USD by list prices of {PRICES_OF}"
    Console().print(render.table(title, ["month", "model", "pipeline", "runs", "hours", "USD"], lines))


def _figures(spent: Spent) -> list[str]:
    return [f"{spent.runs:,}", f"{spent.hours:,.1f}" if spent.hours else "", f"{_least([spent])}{spent.cost_usd:.4f}"]


def _least(spent: Iterable[Spent]) -> str:
    return "at least " if any(each.at_least for each in spent) else ""


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
    platform = bootstrap.platform(connect(LOCAL, root))
    report = demo.run_demo(platform, root, console, timings, actor=actor())
    if as_json:
        print_json({**report, "dashboard_url": checkout.dashboard(root)["url"]})
    else:
        demo.tell(report, checkout.dashboard(root), platform, console)


def main() -> None:
    """Run the command line. A platform error is a sentence and exit code 1, never a traceback."""
    try:
        app()
    except PlatformError as error:
        Console(stderr=True).print(f"[red]{type(error).__name__}[/red]: {error}", highlight=False, soft_wrap=True)
        sys.exit(1)
