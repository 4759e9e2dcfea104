"""Batch inferences: rows of a file or a dataset version in, a prediction beside each of them out."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from lambdas.api.manners import etag_of
from lambdas.api.paging import Cursor, Limit, PageOf, from_cursor, listed, page_of
from lambdas.api.resource import Resource, answer
from lambdas.api.shapes import batch_examples as examples
from lambdas.api.shapes.batches import (
    BatchDetail,
    BatchRequest,
    BatchResultsAnswer,
    BatchSummary,
    NewBatchInput,
    ResultFileAnswer,
    batch_detail,
    batch_summary,
)
from lambdas.api.shapes.datasets import QuarantinedRowAnswer
from lambdas.api.shapes.names import JobId
from lambdas.api.shapes.uploads import UploadTicket, upload_ticket
from millrace import bootstrap, errors, names
from millrace.domain.role import EVERYONE, SCIENTISTS
from millrace.domain.run import Run, RunState
from millrace.use_cases.read_batch import (
    find_batch,
    offer_batch_results,
    read_batch_quarantine,
    read_batch_report,
)
from millrace.use_cases.read_steps import read_steps
from millrace.use_cases.start_batch_inference import choose_version, predict_again, start_batch_inference
from millrace.use_cases.transfer_file import batch_input_folder, complete_batch_input, start_transfer

resource = Resource("inference")
LIVE_SECONDS, IDLE_SECONDS = 3, 30

ModelFilter = Annotated[str | None, Query(max_length=40, description="Only those of this model.")]
StateFilter = Annotated[RunState | None, Query(description="Only those in this state.")]
JOB_LINK = {"job": {"operationId": "get_batch", "parameters": {"job_id": "$response.body#/job_id"}}}


@resource.endpoint(
    "POST",
    "/inference/batch/uploads",
    allow=SCIENTISTS,
    raises=[errors.NotFound],
    status=201,
    example=examples.TICKET,
)
def start_batch_upload(new: Annotated[NewBatchInput, Body()]) -> Response[UploadTicket]:
    """Begin to send a file: PUT each part to its address, then start the batch inference with the `upload_id`."""
    platform = bootstrap.platform()
    platform.registry.model(new.model)
    progress = start_transfer(
        catalog=platform.catalog,
        transfers=platform.transfers,
        multipart=platform.multipart,
        clock=platform.clock,
        bucket=platform.settings.require("data_bucket"),
        dataset=new.model,
        file_name=new.file_name,
        size_bytes=new.size_bytes,
        actor=resource.caller.actor,
        folder=batch_input_folder(new.model),
    )
    location = f"/datasets/{new.model}/uploads/{progress.transfer.transfer_id}"
    return answer(upload_ticket(progress), status=201, location=location)


@resource.endpoint(
    "POST",
    "/inference/batch",
    allow=SCIENTISTS,
    raises=[errors.NotFound, errors.Conflict, errors.NotDeployed],
    status=201,
    example=examples.SUMMARY,
    links=JOB_LINK,
)
def start_batch(request: Annotated[BatchRequest, Body()]) -> Response[BatchSummary]:
    """Predict every row of a file that was sent, or of a dataset version."""
    platform = bootstrap.platform()
    actor = resource.caller.actor
    choose_version(platform.registry, request.model, request.version)
    source_uri = None
    if request.input.upload_id is not None:
        source_uri = complete_batch_input(
            transfers=platform.transfers,
            multipart=platform.multipart,
            store=platform.store,
            model=request.model,
            transfer_id=request.input.upload_id,
            actor=actor,
        )
    run = start_batch_inference(
        catalog=platform.catalog,
        registry=platform.registry,
        ledger=platform.ledger,
        pipelines=platform.pipelines,
        store=platform.store,
        clock=platform.clock,
        data_bucket=platform.settings.require("data_bucket"),
        model=request.model,
        number=request.version,
        source_uri=source_uri,
        dataset=request.input.dataset,
        dataset_version=request.input.dataset_version,
        record_id_column=request.record_id_column,
        actor=actor,
        reason=request.reason,
    )
    return _started(run)


@resource.endpoint("GET", "/inference/batch", allow=EVERYONE, example=examples.PAGE)
def list_batches(
    model: ModelFilter = None, state: StateFilter = None, cursor: Cursor = None, limit: Limit = 50
) -> Response[PageOf[BatchSummary]]:
    """Batch inferences, newest first."""
    scope = f"batches {model} {state}"
    found = bootstrap.platform().ledger.page(
        pipeline=names.BATCH_INFERENCE_PIPELINE,
        state=state,
        dataset=model,
        after=from_cursor(cursor, scope),
        limit=limit,
    )
    etag = resource.unless_unchanged(*(f"{run.run_id}.{run.revision}" for run in found.items), found.position)
    busy = any(run.state is RunState.RUNNING for run in found.items)
    return answer(page_of(found, scope, batch_summary), etag=etag, poll_after=LIVE_SECONDS if busy else IDLE_SECONDS)


@resource.endpoint(
    "GET", "/inference/batch/<job_id>", allow=EVERYONE, raises=[errors.NotFound], example=examples.DETAIL
)
def get_batch(job_id: JobId) -> Response[BatchDetail]:
    """How far a batch inference is, what became of its rows, and what it cost. Stop it as any run."""
    platform = bootstrap.platform()
    run = find_batch(platform.ledger, job_id)
    live = run.state is RunState.RUNNING
    steps = read_steps(pipelines=platform.pipelines, run=run)
    progress = [(step.name, step.state, step.ended_at) for step in steps] if live else ()
    etag = resource.unless_unchanged(run.revision, *progress)
    body = batch_detail(run, steps, read_batch_report(store=platform.store, run=run))
    return answer(body, etag=etag, poll_after=LIVE_SECONDS if live else None)


@resource.endpoint(
    "GET",
    "/inference/batch/<job_id>/results",
    allow=EVERYONE,
    raises=[errors.NotFound, errors.Conflict],
    example=examples.RESULTS,
)
def get_batch_results(job_id: JobId) -> Response[BatchResultsAnswer]:
    """Where to download the results, as Parquet and as CSV: each row with its record id, its number, its prediction."""
    platform = bootstrap.platform()
    run = find_batch(platform.ledger, job_id)
    found = offer_batch_results(store=platform.store, downloads=platform.downloads, clock=platform.clock, run=run)
    files = [ResultFileAnswer.model_validate(file._asdict()) for file in found.files]
    return answer(BatchResultsAnswer(rows=found.rows, columns=list(found.columns), files=files))


@resource.endpoint(
    "GET",
    "/inference/batch/<job_id>/quarantine",
    allow=EVERYONE,
    raises=[errors.NotFound],
    example=examples.QUARANTINE,
)
def list_batch_quarantine(
    job_id: JobId, cursor: Cursor = None, limit: Limit = 50
) -> Response[PageOf[QuarantinedRowAnswer]]:
    """The rows that the model could not read, in the order of the input, each with every reason."""
    platform = bootstrap.platform()
    run = find_batch(platform.ledger, job_id)
    scope = f"quarantine of {job_id}"
    found = read_batch_quarantine(store=platform.store, run=run, after=from_cursor(cursor, scope), limit=limit)
    rows = [QuarantinedRowAnswer.model_validate(row._asdict()) for row in found.rows]
    return answer(listed(rows, found.position, scope))


@resource.endpoint(
    "POST",
    "/inference/batch/<job_id>/again",
    allow=SCIENTISTS,
    raises=[errors.NotFound, errors.Conflict, errors.NotDeployed],
    status=201,
    example=examples.SUMMARY,
    links=JOB_LINK,
)
def repeat_batch(job_id: JobId) -> Response[BatchSummary]:
    """Predict the input of an earlier batch inference once more, as a job of its own."""
    platform = bootstrap.platform()
    run = predict_again(
        registry=platform.registry,
        ledger=platform.ledger,
        pipelines=platform.pipelines,
        clock=platform.clock,
        job_id=job_id,
        actor=resource.caller.actor,
    )
    return _started(run)


def _started(run: Run) -> Response[BatchSummary]:
    return answer(
        batch_summary(run),
        status=201,
        etag=etag_of(run.revision),
        poll_after=LIVE_SECONDS,
        location=f"/inference/batch/{run.run_id}",
    )
