"""The dashboard's screens, each in one answer: what it shows first. What somebody then asks for has routes of its own.

A list's first page is that of the list's route, and its `next_cursor` goes on there.
"""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from lambdas.api.paging import listed, page_of
from lambdas.api.resource import Resource, answer
from lambdas.api.shapes import screen_examples as examples
from lambdas.api.shapes.alerts import channel_answer
from lambdas.api.shapes.api_keys import api_key
from lambdas.api.shapes.batches import batch_detail, batch_summary
from lambdas.api.shapes.datasets import (
    QuarantinedRowAnswer,
    dataset_detail,
    profile_answer,
    version_detail,
    version_summary,
)
from lambdas.api.shapes.models import detail, evaluation_answer, lineage_answer
from lambdas.api.shapes.monitoring import drift_facts, heatmap, report_summary, selected_name, traffic_series
from lambdas.api.shapes.names import DatasetName, JobId, Number, VersionId
from lambdas.api.shapes.schedules import schedule_summary
from lambdas.api.shapes.screens import (
    BatchScreen,
    DatasetScreen,
    DatasetVersionScreen,
    ModelVersionScreen,
    MonitoringScreen,
    PredictionsScreen,
    SettingsScreen,
    WatchedModel,
    known_models,
    live_versions,
    prediction_form,
    rival_answer,
)
from lambdas.api.shapes.uploads import arrived_file
from millrace import bootstrap, errors, names
from millrace.domain.dataset import VersionState
from millrace.domain.drift import DriftKind
from millrace.domain.model import (
    CHAMPION,
    ApprovalState,
    ModelVersion,
    RegisteredModel,
    parse_version_id,
    since_judged,
)
from millrace.domain.role import EVERYONE
from millrace.domain.run import RunState
from millrace.use_cases.describe_dataset import (
    contract_in_force,
    describe_dataset,
    describe_dataset_version,
    read_profile,
)
from millrace.use_cases.describe_model_version import find_evaluation, find_rival, trace_model_version
from millrace.use_cases.describe_monitoring import asked_hours, judged_days, report_about, watched_model
from millrace.use_cases.describe_predictions import answering, chosen_model, describe_inputs
from millrace.use_cases.read_batch import find_batch, read_batch_quarantine, read_batch_report
from millrace.use_cases.read_quarantine import read_quarantine
from millrace.use_cases.read_steps import read_steps

resource = Resource("dashboard")
# Seconds until asking again makes sense: a run that goes on, a file on its way, a list at rest, a day's figures.
LIVE_SECONDS, BUSY_SECONDS, IDLE_SECONDS, SLOW_SECONDS = 3, 3, 30, 60
SHOWN, SHOWN_ROWS, SHOWN_BATCHES, SHOWN_REPORTS = 50, 20, 20, 20
KNOWN = 100
HOURS = 24

Days = Annotated[int, Query(alias="range", ge=1, le=90, description="How many days, today included.")]
Kind = Annotated[DriftKind, Query(description="What the heatmap is about: inputs, answers, or labels.")]
Feature = Annotated[str | None, Query(max_length=200, description="The feature to show; else the worst one.")]
Model = Annotated[str | None, Query(max_length=40, description="The registered model; else the first that is live.")]
Dataset = Annotated[str | None, Query(max_length=40, description="The dataset to train on; else the first.")]


@resource.endpoint(
    "GET", "/dashboard/datasets/<dataset>", allow=EVERYONE, raises=[errors.NotFound], example=examples.DATASET
)
def get_dataset_screen(dataset: DatasetName) -> Response[DatasetScreen]:
    """A dataset: its settings, its newest versions, the files that arrived last, the contract in force."""
    catalog = bootstrap.platform().catalog
    found = describe_dataset(catalog=catalog, dataset=dataset, limit=SHOWN)
    known, versions, uploads = found
    etag = resource.unless_unchanged(
        known.revision,
        known.contract_version,
        known.latest_version,
        *(f"{each.version}.{each.state}" for each in versions.items),
        *(f"{each.upload_id}.{each.state}" for each in uploads.items),
    )
    body = DatasetScreen(
        dataset=dataset_detail(known),
        versions=page_of(versions, f"versions of {dataset}", version_summary, total=known.latest_version),
        uploads=page_of(uploads, f"uploads of {dataset}", arrived_file),
        contract=contract_in_force(catalog=catalog, dataset=known),
    )
    return answer(body, etag=etag, poll_after=BUSY_SECONDS if found.busy else IDLE_SECONDS)


@resource.endpoint(
    "GET",
    "/dashboard/datasets/<dataset>/versions/<number>",
    allow=EVERYONE,
    raises=[errors.NotFound],
    example=examples.DATASET_VERSION,
)
def get_dataset_version_screen(dataset: DatasetName, number: Number) -> Response[DatasetVersionScreen]:
    """A version of a dataset: what was wrong with it, what it looks like, the first rows that were set aside."""
    platform = bootstrap.platform()
    found = describe_dataset_version(
        catalog=platform.catalog, registry=platform.registry, dataset=dataset, number=number, limit=SHOWN
    )
    version = found.version
    etag = resource.unless_unchanged(version.state, *found.used_by, "others", *found.others)
    profile = quarantine = None
    if version.state is VersionState.READY:
        profile = profile_answer(version, read_profile(store=platform.store, version=version))
    if version.quality and version.quality.quarantined:
        page = read_quarantine(store=platform.store, version=version, limit=SHOWN_ROWS)
        rows = [QuarantinedRowAnswer(**row._asdict()) for row in page.rows]
        scope = f"quarantine of {dataset} {number}"
        quarantine = listed(rows, page.position, scope, total=version.quality.quarantined)
    body = DatasetVersionScreen(
        version=version_detail(version, found.used_by),
        profile=profile,
        quarantine=quarantine,
        others=found.others,
    )
    busy = version.state is VersionState.PREPARING
    return answer(body, etag=etag, poll_after=BUSY_SECONDS if busy else IDLE_SECONDS)


@resource.endpoint(
    "GET", "/dashboard/models/<version>", allow=EVERYONE, raises=[errors.NotFound], example=examples.MODEL_VERSION
)
def get_model_version_screen(version: VersionId) -> Response[ModelVersionScreen]:
    """A model version for whoever decides: its verdict, the figures behind it beside its rival's, its lineage."""
    platform = bootstrap.platform()
    name, number = parse_version_id(version)
    found, model = platform.registry.get(name, number), platform.registry.model(name)
    # What it is compared with never changes.
    etag = resource.unless_unchanged(found.revision, model.revision)
    said = find_evaluation(store=platform.store, version=found)
    rival = find_rival(registry=platform.registry, version=found)
    descent = trace_model_version(registry=platform.registry, catalog=platform.catalog, version=found)
    body = ModelVersionScreen(
        version=detail(found, model),
        since=_since(found, model),
        evaluation=evaluation_answer(found, said) if said else None,
        lineage=lineage_answer(found, descent),
        rival=rival_answer(rival, find_evaluation(store=platform.store, version=rival)) if rival else None,
    )
    return answer(body, etag=etag, poll_after=IDLE_SECONDS)


def _since(version: ModelVersion, model: RegisteredModel) -> str | None:
    number = model.aliases.get(CHAMPION)
    if number is None or version.approval.state is not ApprovalState.PENDING:
        return None
    return since_judged(version, bootstrap.platform().registry.get(model.name, number))


@resource.endpoint(
    "GET", "/dashboard/monitoring", allow=EVERYONE, raises=[errors.NotFound], example=examples.MONITORING
)
def get_monitoring_screen(
    model: Model = None, days: Days = 30, kind: Kind = DriftKind.DATA, feature: Feature = None
) -> Response[MonitoringScreen]:
    """Has the world changed for a model: its drift day by day, what it was asked, its latest reports."""
    registry = bootstrap.platform().registry
    known = registry.page(limit=KNOWN).items
    watched = watched_model(registry=registry, known=known, name=model)
    seen = (f"{each.name}.{each.revision}" for each in known)
    if watched is None:
        body = MonitoringScreen(models=[], shown=None)
        return answer(body, etag=resource.unless_unchanged("none"), poll_after=SLOW_SECONDS)
    listed_models = known if watched in known else [watched, *known]
    etag, shown = _watched(watched, days, kind, feature, *seen)
    body = MonitoringScreen(models=known_models(listed_models), shown=shown)
    return answer(body, etag=etag, poll_after=SLOW_SECONDS)


@resource.endpoint("GET", "/dashboard/predictions", allow=EVERYONE, example=examples.PREDICTIONS)
def get_predictions_screen(model: Model = None) -> Response[PredictionsScreen]:
    """Which models answer, what a form for one of them needs, and the latest batch inferences."""
    platform = bootstrap.platform()
    live = answering(platform.registry.page(limit=KNOWN).items)
    asked = chosen_model(live, model)
    jobs = platform.ledger.page(pipeline=names.BATCH_INFERENCE_PIPELINE, limit=SHOWN_BATCHES)
    etag = resource.unless_unchanged(
        asked and asked.name,
        *(f"{each.name}.{each.revision}" for each in live),
        *(f"{run.run_id}.{run.revision}" for run in jobs.items),
    )
    form = None
    if asked is not None:
        form = prediction_form(
            describe_inputs(registry=platform.registry, catalog=platform.catalog, store=platform.store, model=asked)
        )
    body = PredictionsScreen(
        live=live_versions(live), form=form, batches=page_of(jobs, "batches None None", batch_summary)
    )
    busy = any(run.state is RunState.RUNNING for run in jobs.items)
    return answer(body, etag=etag, poll_after=LIVE_SECONDS if busy else IDLE_SECONDS)


@resource.endpoint(
    "GET", "/dashboard/predictions/<job_id>", allow=EVERYONE, raises=[errors.NotFound], example=examples.BATCH
)
def get_batch_screen(job_id: JobId) -> Response[BatchScreen]:
    """A batch inference: how far it is, what became of its rows, and the first that were refused."""
    platform = bootstrap.platform()
    run = find_batch(platform.ledger, job_id)
    live = run.state is RunState.RUNNING
    steps = read_steps(pipelines=platform.pipelines, run=run)
    progress = [(step.name, step.state, step.ended_at) for step in steps] if live else ()
    etag = resource.unless_unchanged(run.revision, *progress)
    job, quarantine = batch_detail(run, steps, read_batch_report(store=platform.store, run=run)), None
    if job.rejected:
        page = read_batch_quarantine(store=platform.store, run=run, limit=SHOWN)
        rows = [QuarantinedRowAnswer.model_validate(row._asdict()) for row in page.rows]
        quarantine = listed(rows, page.position, f"quarantine of {job_id}")
    body = BatchScreen(job=job, quarantine=quarantine)
    return answer(body, etag=etag, poll_after=LIVE_SECONDS if live else None)


@resource.endpoint("GET", "/dashboard/settings", allow=EVERYONE, example=examples.SETTINGS)
def get_settings_screen() -> Response[SettingsScreen]:
    """What is set up: schedules, channels, and your own API keys."""
    platform, caller, now = bootstrap.platform(), resource.caller, bootstrap.platform().clock.now()
    schedules = platform.schedules.page(limit=KNOWN)
    channels = platform.channels.list()
    keys = platform.api_keys.page(owner=caller.actor, limit=KNOWN)
    summaries = page_of(schedules, "schedules", lambda schedule: schedule_summary(schedule, now))
    etag = resource.unless_unchanged(
        *summaries.items,
        *(f"{channel.channel_id}.{channel.revision}" for channel in channels),
        *(f"{key.key_id}.{key.last_used_at}.{key.refusal(now)}" for key in keys.items),
    )
    body = SettingsScreen(
        schedules=summaries,
        channels=[channel_answer(channel) for channel in channels],
        api_keys=page_of(keys, f"api keys of {caller.actor}", lambda key: api_key(key, now)),
    )
    return answer(body, etag=etag, poll_after=IDLE_SECONDS)


def _watched(
    model: RegisteredModel, days: int, kind: DriftKind, feature: str | None, *seen: str
) -> tuple[str, WatchedModel]:
    """One model with the tag of the whole screen; ends the request when the caller has it."""
    platform, name = bootstrap.platform(), model.name
    judged = judged_days(reports=platform.drift_reports, clock=platform.clock, model=name, kind=kind, days=days)
    asked = asked_hours(traffic=platform.traffic, clock=platform.clock, model=name, hours=HOURS)
    scope = f"drift {name} None"
    reports = platform.drift_reports.page(model=name, limit=SHOWN_REPORTS)
    counted = platform.drift_reports.labels_counted(name)
    etag = resource.unless_unchanged(
        *(*seen, name, days, kind, feature, asked.hours[-1]),
        *(each.report_id for each in judged.told),
        *asked.told,
        *(each.id for each in reports.items),
        counted and counted.id,
    )
    picture = heatmap(*judged)
    about = selected_name(picture, feature)
    report = report_about(reports=platform.drift_reports, store=platform.store, told=judged.told, feature=about)
    shown = WatchedModel(
        **drift_facts(model, picture, judged.told, report, about, counted),
        traffic=traffic_series(name, *asked),
        reports=page_of(reports, scope, report_summary),
    )
    return etag, shown
