"""Runs: start one, watch it, read what its jobs write, stop it, run it again."""

from __future__ import annotations

import json
from collections import Counter
from typing import Annotated, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from lambdas.api.manners import etag_of
from lambdas.api.paging import CURSOR_PATTERN, Cursor, Limit, from_cursor, page_of, sorted_scope, to_cursor
from lambdas.api.resource import Resource, answer
from lambdas.api.shapes import run_examples as examples
from lambdas.api.shapes import training_examples
from lambdas.api.shapes.names import RunId
from lambdas.api.shapes.runs import (
    LogAnswer,
    LogLineAnswer,
    RunDetail,
    RunPage,
    RunSummary,
    StopRequest,
    run_detail,
    run_summary,
)
from lambdas.api.shapes.training import EstimateAnswer, TrainingOptionsAnswer, TrainingRequest, options_answer
from millrace import bootstrap, errors
from millrace.domain.role import EVERYONE, SCIENTISTS
from millrace.domain.run import Run, RunState
from millrace.use_cases.describe_training import describe_training
from millrace.use_cases.estimate_training import estimate_training
from millrace.use_cases.read_steps import read_steps
from millrace.use_cases.start_training import start_training, train_again
from millrace.use_cases.stop_run import stop_run

resource = Resource("runs")
# Seconds until asking again makes sense: a run that goes on, a list with one in it, a list at rest.
LIVE_SECONDS, BUSY_SECONDS, IDLE_SECONDS = 2, 5, 30
LAST_LINES = 1000

DatasetFilter = Annotated[str | None, Query(max_length=40, description="Only runs of this dataset.")]
Pipeline = Literal["ingest", "training", "deployment", "batch_inference", "drift", "comparison", "import"]
PipelineFilter = Annotated[Pipeline | None, Query(description="Only runs of this pipeline.")]
Sort = Literal["-started_at", "started_at"]
RunsSort = Annotated[Sort, Query(alias="sort", description="Newest first, as with a minus, or oldest first.")]
StateFilter = Annotated[RunState | None, Query(description="Only runs in this state.")]


@resource.endpoint(
    "POST",
    "/training/start",
    allow=SCIENTISTS,
    raises=[errors.NotFound, errors.TrainingImpossible],
    status=201,
    example=examples.STARTED,
    links={"run": {"operationId": "get_run", "parameters": {"run_id": "$response.body#/run_id"}}},
)
def start_training_run(request: Annotated[TrainingRequest, Body()]) -> Response[RunSummary]:
    """Train on a dataset version with the dataset's settings of now, and what this run is to do otherwise."""
    platform = bootstrap.platform()
    run = start_training(
        catalog=platform.catalog,
        ledger=platform.ledger,
        pipelines=platform.pipelines,
        clock=platform.clock,
        dataset=request.dataset,
        version=request.dataset_version,
        choices=request.choices(),
        started_by=resource.caller.actor,
        reason=request.reason,
    )
    return _started(run)


@resource.endpoint(
    "GET", "/training/estimate", allow=EVERYONE, raises=[errors.NotFound], example=training_examples.ESTIMATE
)
def get_training_estimate(
    dataset: Annotated[str, Query(max_length=40, description="The dataset to train on.")],
) -> Response[EstimateAnswer]:
    """What training on a dataset will take, from the runs before."""
    platform = bootstrap.platform()
    found = estimate_training(catalog=platform.catalog, ledger=platform.ledger, dataset=dataset)
    return answer(EstimateAnswer(dataset=dataset, **found._asdict()))


@resource.endpoint(
    "GET", "/training/options", allow=EVERYONE, raises=[errors.NotFound], example=training_examples.OPTIONS
)
def get_training_options(
    dataset: Annotated[
        str | None, Query(max_length=40, description="The dataset to train on; without it the first that can be.")
    ] = None,
) -> Response[TrainingOptionsAnswer]:
    """What a training run can be told: versions, algorithms with their parameters, machines, and what it will take."""
    platform = bootstrap.platform()
    options = describe_training(catalog=platform.catalog, ledger=platform.ledger, dataset=dataset)
    found = options_answer(options, spot=platform.settings.spot)
    return answer(found, etag=resource.unless_unchanged(found))


@resource.endpoint("GET", "/runs", allow=EVERYONE, example=examples.PAGE)
def list_runs(
    state: StateFilter = None,
    pipeline: PipelineFilter = None,
    dataset: DatasetFilter = None,
    order: RunsSort = "-started_at",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response[RunPage]:
    """Runs, newest first unless told otherwise, and how many there are in each state."""
    platform = bootstrap.platform()
    scope = sorted_scope(f"runs {state} {pipeline} {dataset}", order, "-started_at")
    found = platform.ledger.page(
        state=state,
        pipeline=pipeline,
        dataset=dataset,
        after=from_cursor(cursor, scope),
        limit=limit,
        reverse=order == "started_at",
    )
    counts = _counts(pipeline)
    etag = resource.unless_unchanged(
        *(f"{run.run_id}.{run.revision}" for run in found.items), found.position, sorted(counts.items())
    )
    page = page_of(found, scope, run_summary)
    total = sum(counts.values()) if state is None else counts[state]
    body = RunPage(
        items=page.items, next_cursor=page.next_cursor, total=total if dataset is None else None, counts=counts
    )
    busy = any(run.state is RunState.RUNNING for run in found.items)
    return answer(body, etag=etag, poll_after=BUSY_SECONDS if busy else IDLE_SECONDS)


@resource.endpoint("GET", "/runs/<run_id>", allow=EVERYONE, raises=[errors.NotFound], example=examples.DETAIL)
def get_run(run_id: RunId) -> Response[RunDetail]:
    """One run with its steps: their states, times and costs."""
    platform = bootstrap.platform()
    run = platform.ledger.get(run_id)
    live = run.state is RunState.RUNNING
    steps = read_steps(pipelines=platform.pipelines, run=run)
    progress = [(step.name, step.item, step.state, step.ended_at) for step in steps] if live else ()
    etag = resource.unless_unchanged(run.revision, *progress)
    return answer(run_detail(run, steps), etag=etag, poll_after=LIVE_SECONDS if live else None)


@resource.endpoint("GET", "/runs/<run_id>/logs", allow=EVERYONE, raises=[errors.NotFound], example=examples.LOG)
def get_run_logs(
    run_id: RunId,
    cursor: Annotated[
        str | None, Query(max_length=6_000, pattern=CURSOR_PATTERN, description="`next_cursor` of the answer before.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=LAST_LINES, description="How many lines at most, of each job.")] = LAST_LINES,
) -> Response[LogAnswer]:
    """What the run's jobs write: the last lines first, then, by cursor, only what came since."""
    platform = bootstrap.platform()
    run = platform.ledger.get(run_id)
    scope = f"logs of {run_id}"
    position = from_cursor(cursor, scope)
    steps = read_steps(pipelines=platform.pipelines, run=run)
    jobs = [step.job for step in steps if step.job is not None]
    tail = platform.job_logs.tail(jobs, json.loads(position) if position else {}, limit=limit)
    live = run.state is RunState.RUNNING
    body = LogAnswer(
        lines=[LogLineAnswer(**line._asdict()) for line in tail.lines],
        next_cursor=to_cursor(json.dumps(tail.marks), scope),
        ended=not live,
    )
    return answer(body, poll_after=LIVE_SECONDS if live else None)


@resource.endpoint(
    "POST",
    "/runs/<run_id>/stop",
    allow=SCIENTISTS,
    raises=[errors.NotFound, errors.Conflict],
    status=202,
    example=examples.STARTED,
)
def stop_a_run(run_id: RunId, request: Annotated[StopRequest, Body()]) -> Response[RunSummary]:
    """Stop a run. It is RUNNING until its execution has ended."""
    platform = bootstrap.platform()
    run = stop_run(
        ledger=platform.ledger,
        pipelines=platform.pipelines,
        run_id=run_id,
        actor=resource.caller.actor,
        reason=request.reason,
    )
    return answer(run_summary(run), status=202, poll_after=LIVE_SECONDS)


@resource.endpoint(
    "POST",
    "/runs/<run_id>/again",
    allow=SCIENTISTS,
    raises=[errors.NotFound, errors.TrainingImpossible],
    status=201,
    example=examples.STARTED,
    links={"run": {"operationId": "get_run", "parameters": {"run_id": "$response.body#/run_id"}}},
)
def run_again(run_id: RunId) -> Response[RunSummary]:
    """Train once more on the dataset version of an earlier run."""
    platform = bootstrap.platform()
    run = train_again(
        catalog=platform.catalog,
        ledger=platform.ledger,
        pipelines=platform.pipelines,
        clock=platform.clock,
        run_id=run_id,
        started_by=resource.caller.actor,
    )
    return _started(run)


def _started(run: Run) -> Response[RunSummary]:
    return answer(
        run_summary(run),
        status=201,
        etag=etag_of(run.revision),
        poll_after=LIVE_SECONDS,
        location=f"/runs/{run.run_id}",
    )


def _counts(pipeline: str | None) -> dict[RunState, int]:
    counted: Counter[RunState] = Counter()
    for name, states in bootstrap.platform().tallies.now().runs.items():
        if pipeline in (None, name):
            counted.update(states)
    return {state: counted[state] for state in RunState}
