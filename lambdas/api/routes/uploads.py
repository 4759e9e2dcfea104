"""Uploads: files that go to the bucket in parts, straight from whoever has them. None of their bytes come by here."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from lambdas.api.paging import Cursor, Limit, PageOf, from_cursor, page_of
from lambdas.api.resource import Resource, answer
from lambdas.api.shapes import upload_examples as examples
from lambdas.api.shapes.names import DatasetName, UploadId
from lambdas.api.shapes.uploads import (
    ArrivedFile,
    NewUpload,
    UploadCompleted,
    UploadTicket,
    arrived_file,
    upload_ticket,
)
from millrace import bootstrap, errors
from millrace.domain.dataset import UploadState
from millrace.domain.role import EVERYONE, SCIENTISTS
from millrace.use_cases.transfer_file import (
    Progress,
    abort_transfer,
    complete_transfer,
    resume_transfer,
    start_transfer,
)

resource = Resource("uploads")
POLL_SECONDS, IDLE_SECONDS = 5, 30


@resource.endpoint(
    "GET", "/datasets/<dataset>/uploads", allow=EVERYONE, raises=[errors.NotFound], example=examples.ARRIVED
)
def list_uploads(dataset: DatasetName, cursor: Cursor = None, limit: Limit = 50) -> Response[PageOf[ArrivedFile]]:
    """The files that arrived for a dataset, latest first: what became of each, why, and by which run."""
    catalog = bootstrap.platform().catalog
    catalog.get(dataset)
    scope = f"uploads of {dataset}"
    found = catalog.page_uploads(dataset, after=from_cursor(cursor, scope), limit=limit)
    etag = resource.unless_unchanged(*(f"{each.upload_id}.{each.state}" for each in found.items), found.position)
    busy = any(each.state in (UploadState.RECEIVED, UploadState.PREPARING) for each in found.items)
    return answer(page_of(found, scope, arrived_file), etag=etag, poll_after=POLL_SECONDS if busy else IDLE_SECONDS)


@resource.endpoint(
    "POST",
    "/datasets/<dataset>/uploads",
    allow=SCIENTISTS,
    raises=[errors.NotFound],
    status=201,
    example=examples.TICKET,
    links={
        "upload": {
            "operationId": "get_upload",
            "parameters": {"dataset": "$response.body#/dataset", "upload_id": "$response.body#/upload_id"},
        }
    },
)
def start_upload(dataset: DatasetName, new: Annotated[NewUpload, Body()]) -> Response[UploadTicket]:
    """Begin to send a file: PUT each part to its address, then complete the upload."""
    platform = bootstrap.platform()
    progress = start_transfer(
        catalog=platform.catalog,
        transfers=platform.transfers,
        multipart=platform.multipart,
        clock=platform.clock,
        bucket=platform.settings.require("data_bucket"),
        dataset=dataset,
        file_name=new.file_name,
        size_bytes=new.size_bytes,
        actor=resource.caller.actor,
    )
    location = f"/datasets/{dataset}/uploads/{progress.transfer.transfer_id}"
    return answer(upload_ticket(progress), status=201, location=location)


@resource.endpoint(
    "GET",
    "/datasets/<dataset>/uploads/<upload_id>",
    allow=SCIENTISTS,
    raises=[errors.NotFound],
    example=examples.TICKET,
)
def get_upload(dataset: DatasetName, upload_id: UploadId) -> Response[UploadTicket]:
    """How far an upload is, with new addresses for the parts that are missing: go on from here after a break."""
    platform = bootstrap.platform()
    progress = resume_transfer(
        transfers=platform.transfers, multipart=platform.multipart, dataset=dataset, transfer_id=upload_id
    )
    return answer(upload_ticket(progress))


@resource.endpoint(
    "POST",
    "/datasets/<dataset>/uploads/<upload_id>/complete",
    allow=SCIENTISTS,
    raises=[errors.NotFound, errors.Conflict],
    status=202,
    example=examples.COMPLETED,
    links={"run": {"operationId": "get_run", "parameters": {"run_id": "$response.body#/run_id"}}},
)
def complete_upload(dataset: DatasetName, upload_id: UploadId) -> Response[UploadCompleted]:
    """Make one object of the parts. Its arrival starts a run; it may take a second until the run is listed."""
    platform = bootstrap.platform()
    transfer, run_id = complete_transfer(
        transfers=platform.transfers,
        multipart=platform.multipart,
        store=platform.store,
        dataset=dataset,
        transfer_id=upload_id,
        actor=resource.caller.actor,
    )
    body = UploadCompleted(upload_id=upload_id, dataset=dataset, key=transfer.key, run_id=run_id)
    return answer(body, status=202, poll_after=POLL_SECONDS, location=f"/runs/{run_id}")


@resource.endpoint(
    "DELETE",
    "/datasets/<dataset>/uploads/<upload_id>",
    allow=SCIENTISTS,
    raises=[errors.NotFound, errors.Conflict],
    example=examples.ABORTED,
)
def abort_upload(dataset: DatasetName, upload_id: UploadId) -> Response[UploadTicket]:
    """Forget an upload and the parts that were sent."""
    platform = bootstrap.platform()
    transfer = abort_transfer(
        transfers=platform.transfers,
        multipart=platform.multipart,
        dataset=dataset,
        transfer_id=upload_id,
        actor=resource.caller.actor,
    )
    return answer(upload_ticket(Progress(transfer, ())))
