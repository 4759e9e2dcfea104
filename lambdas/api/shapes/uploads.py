"""What the API says of files that are sent in parts."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from millrace.domain.dataset import Upload, UploadState
from millrace.domain.transfer import MAX_BYTES, TransferState
from millrace.use_cases.transfer_file import Progress


class NewUpload(BaseModel):
    """The file that will be sent."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"file_name": "may.csv", "size_bytes": 5368709120}]}
    )

    file_name: str = Field(pattern=r"^[^/\\\x00-\x1f\x7f]{1,200}$")
    size_bytes: int = Field(ge=1, le=MAX_BYTES)


class PartAnswer(BaseModel):
    """PUT the bytes of a part to its `address`, as they are; null when they are there, or nobody waits for them."""

    number: int
    size_bytes: int
    address: str | None


class UploadTicket(BaseModel):
    """A file on its way. Parts follow each other in the file; addresses are good for an hour."""

    upload_id: str
    dataset: str
    key: str
    state: TransferState
    size_bytes: int
    part_bytes: int
    started_by: str
    started_at: datetime
    parts: list[PartAnswer]


class ArrivedFile(BaseModel):
    """A file that arrived, however it was sent, and what became of it.

    `upload_id` names the arrival; a file that is sent in parts has an id of its own until it is complete.
    """

    upload_id: str
    key: str
    size_bytes: int
    state: UploadState
    version: int | None = Field(description="The dataset version that it became, or whose bytes it repeats.")
    reasons: list[str] = Field(description="Why it was rejected.")
    run_id: str
    received_at: datetime


class UploadCompleted(BaseModel):
    """The file is in the bucket; `run_id` is the run that makes a dataset version of it."""

    upload_id: str
    dataset: str
    key: str
    run_id: str


def arrived_file(upload: Upload) -> ArrivedFile:
    return ArrivedFile(**upload.model_dump(include=set(ArrivedFile.model_fields)))


def upload_ticket(progress: Progress) -> UploadTicket:
    transfer = progress.transfer
    return UploadTicket(
        upload_id=transfer.transfer_id,
        dataset=transfer.dataset,
        key=transfer.key,
        state=transfer.state,
        size_bytes=transfer.size_bytes,
        part_bytes=transfer.part_bytes,
        started_by=transfer.actor,
        started_at=transfer.started_at,
        parts=[PartAnswer(**part._asdict()) for part in progress.parts],
    )
