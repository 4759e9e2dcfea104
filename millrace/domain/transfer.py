"""Transfers: files that people send to the bucket in parts, without the platform in between."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from millrace.domain.entity import Entity, Moment, Name

MAX_BYTES = 500 * 1024**3
# S3 takes no part under 5 MiB but the last. A hundred parts are sent a hundred addresses, in one answer.
_LEAST_PART_BYTES = 16 * 1024**2
_MOST_PARTS = 100
_MIB = 1024**2


class TransferState(StrEnum):
    OPEN = "OPEN"
    COMPLETED = "COMPLETED"
    ABORTED = "ABORTED"


class Transfer(Entity):
    """One file on its way to `key`. It becomes an upload when it is complete and S3 announces the object."""

    transfer_id: str
    dataset: Name
    bucket: str
    key: str
    size_bytes: int = Field(ge=1, le=MAX_BYTES)
    part_bytes: int
    multipart_id: str
    actor: str
    state: TransferState = TransferState.OPEN
    started_at: Moment


def part_bytes_for(size_bytes: int) -> int:
    """How large each part but the last is, in bytes: whole MiB, so that there are at most a hundred."""
    share = -(-size_bytes // _MOST_PARTS)
    return max(_LEAST_PART_BYTES, -(-share // _MIB) * _MIB)


def part_sizes(size_bytes: int, part_bytes: int) -> list[int]:
    """The sizes of the parts, which add up to `size_bytes`; part n is at n - 1."""
    whole, rest = divmod(size_bytes, part_bytes)
    return [part_bytes] * whole + ([rest] if rest else [])
