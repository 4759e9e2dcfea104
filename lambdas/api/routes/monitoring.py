"""Monitoring: has the world changed, in what, since when; and checks on demand."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from lambdas.api.paging import Cursor, Limit, PageOf, from_cursor, page_of
from lambdas.api.resource import Resource, answer
from lambdas.api.shapes import monitoring_examples as examples
from lambdas.api.shapes.downloads import Download
from lambdas.api.shapes.monitoring import (
    DriftCheck,
    DriftReportDetail,
    DriftReportSummary,
    Monitoring,
    ReportId,
    TrafficSeries,
    drift_facts,
    heatmap,
    report_detail,
    report_summary,
    selected_name,
    traffic_series,
)
from lambdas.api.shapes.runs import RunSummary, run_summary
from millrace import bootstrap, errors
from millrace.domain.drift import DriftKind, DriftReport
from millrace.domain.role import EVERYONE, SCIENTISTS
from millrace.domain.run import Run
from millrace.use_cases.check_drift import check_datasets, check_drift, latest_results
from millrace.use_cases.describe_monitoring import asked_hours, judged_days, report_about
from millrace.use_cases.offer_download import offer_drift_page

resource = Resource("monitoring")
LIVE_SECONDS, IDLE_SECONDS = 2, 60

ModelQuery = Annotated[str, Query(max_length=40, description="The registered model.")]
ModelFilter = Annotated[str | None, Query(max_length=40, description="Only reports about this model.")]
KindFilter = Annotated[DriftKind | None, Query(description="Only reports of this kind.")]
Kind = Annotated[DriftKind, Query(description="What the heatmap is about: inputs, answers, or labels.")]
FeatureQuery = Annotated[str | None, Query(max_length=200, description="The feature to show; else the worst one.")]


@resource.endpoint("GET", "/monitoring", allow=EVERYONE, raises=[errors.NotFound], example=examples.MONITORING)
def get_monitoring(
    model: ModelQuery,
    days: Annotated[int, Query(alias="range", ge=1, le=90, description="How many days, today included.")] = 30,
    kind: Kind = DriftKind.DATA,
    feature: FeatureQuery = None,
) -> Response[Monitoring]:
    """What drifted in a model: feature by day, the worst first, and the latest report of each kind."""
    platform = bootstrap.platform()
    known = platform.registry.model(model)
    shown, told = judged_days(reports=platform.drift_reports, clock=platform.clock, model=model, kind=kind, days=days)
    latest = [
        report for each in DriftKind for report in platform.drift_reports.page(model=model, kind=each, limit=1).items
    ]
    counted = platform.drift_reports.labels_counted(model)
    etag = resource.unless_unchanged(
        known.revision,
        days,
        kind,
        feature,
        shown[-1],
        *(each.report_id for each in told),
        *(each.id for each in latest),
        counted and counted.id,
    )
    picture = heatmap(shown, told)
    about = selected_name(picture, feature)
    report = report_about(reports=platform.drift_reports, store=platform.store, told=told, feature=about)
    body = Monitoring(
        **drift_facts(known, picture, told, report, about, counted),
        latest=[report_summary(each) for each in latest],
    )
    return answer(body, etag=etag, poll_after=IDLE_SECONDS)


@resource.endpoint("GET", "/monitoring/traffic", allow=EVERYONE, raises=[errors.NotFound], example=examples.TRAFFIC)
def get_traffic(
    model: ModelQuery,
    hours: Annotated[int, Query(ge=1, le=24 * 31, description="How many hours, the present one included.")] = 24,
) -> Response[TrafficSeries]:
    """How often a model was asked, how often it could not answer, and how long answers took, hour by hour (UTC)."""
    platform = bootstrap.platform()
    known = platform.registry.model(model)
    shown, told = asked_hours(traffic=platform.traffic, clock=platform.clock, model=model, hours=hours)
    # An hour that is over changes when what waited is counted: its numbers say so.
    etag = resource.unless_unchanged(known.name, hours, shown[-1], *told)
    return answer(traffic_series(model, shown, told), etag=etag, poll_after=IDLE_SECONDS)


@resource.endpoint("GET", "/monitoring/drift", allow=EVERYONE, example=examples.PAGE)
def list_drift_reports(
    model: ModelFilter = None, kind: KindFilter = None, cursor: Cursor = None, limit: Limit = 50
) -> Response[PageOf[DriftReportSummary]]:
    """Drift reports, latest first."""
    scope = f"drift {model} {kind}"
    found = bootstrap.platform().drift_reports.page(
        model=model, kind=kind, after=from_cursor(cursor, scope), limit=limit
    )
    etag = resource.unless_unchanged(scope, *(each.id for each in found.items), found.position)
    return answer(page_of(found, scope, report_summary), etag=etag)


@resource.endpoint(
    "GET", "/monitoring/drift/<report_id>", allow=EVERYONE, raises=[errors.NotFound], example=examples.DETAIL
)
def get_drift_report(report_id: ReportId) -> Response[DriftReportDetail]:
    """One report: every feature with its scores, thresholds and both histograms. It never changes."""
    platform = bootstrap.platform()
    found = platform.drift_reports.get(report_id)
    etag = resource.unless_unchanged(found.id)
    return answer(report_detail(_read(found.report_uri)), etag=etag)


@resource.endpoint(
    "GET", "/monitoring/drift/<report_id>/html", allow=EVERYONE, raises=[errors.NotFound], example=examples.DOWNLOAD
)
def get_drift_page(report_id: ReportId) -> Response[Download]:
    """Where to download the report as one HTML file."""
    platform = bootstrap.platform()
    found = platform.drift_reports.get(report_id)
    offer = offer_drift_page(store=platform.store, downloads=platform.downloads, clock=platform.clock, report=found)
    return answer(Download(**offer._asdict()))


@resource.endpoint(
    "POST",
    "/monitoring/drift",
    allow=SCIENTISTS,
    raises=[errors.NotFound, errors.NotDeployed],
    status=202,
    example=examples.STARTED,
    links={"run": {"operationId": "get_run", "parameters": {"run_id": "$response.body#/run_id"}}},
)
def start_drift_check(check: Annotated[DriftCheck, Body()]) -> Response[RunSummary]:
    """Check for drift now. The run's outcome says what was found; its reports are `{run_id}-{kind}`."""
    run = _started(check, resource.caller.actor)
    return answer(run_summary(run), status=202, poll_after=LIVE_SECONDS, location=f"/runs/{run.run_id}")


def _started(check: DriftCheck, actor: str) -> Run:
    platform = bootstrap.platform()
    if check.dataset_versions is not None:
        return check_datasets(
            catalog=platform.catalog,
            registry=platform.registry,
            ledger=platform.ledger,
            pipelines=platform.pipelines,
            clock=platform.clock,
            model=check.model,
            baseline_version=check.dataset_versions.baseline,
            window_version=check.dataset_versions.window,
            actor=actor,
        )
    if check.first is None or check.until is None:
        raise errors.InvalidInput("body: give `first` and `until`, or `dataset_versions`")
    data_bucket = platform.settings.require("data_bucket")
    return check_drift(
        registry=platform.registry,
        ledger=platform.ledger,
        pipelines=platform.pipelines,
        clock=platform.clock,
        data_bucket=data_bucket,
        model=check.model,
        number=check.number,
        first=check.first,
        until=check.until,
        batches=latest_results(reports=platform.drift_reports, data_bucket=data_bucket, model=check.model),
        actor=actor,
    )


def _read(report_uri: str) -> DriftReport:
    return DriftReport.model_validate_json(bootstrap.platform().store.read(report_uri))
