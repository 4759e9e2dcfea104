"""Sending a file in parts, straight to the bucket, going on after a break; and fetching one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from millrace.client.transport import Request, Send, Unreachable
from millrace.errors import InvalidInput, PlatformError

ATTEMPTS = 3
FETCHED_BYTES = 32 * 1024 * 1024
Sent = Callable[[int], None]
Ticket = dict[str, Any]


class UploadInterrupted(PlatformError):
    """A part did not arrive, several times. What arrived is kept: go on with `upload_id`."""

    def __init__(self, upload_id: str, reason: str) -> None:
        super().__init__(f"the upload {upload_id} was interrupted ({reason}); what was sent is kept")
        self.upload_id = upload_id


class DownloadFailed(PlatformError):
    """The bucket did not give the file: its address is good for a few minutes only."""


def fetch_file(address: str, file: Path, *, send: Send) -> None:
    """Download to `file`, part by part; there is no file before it is whole. Raises DownloadFailed, Unreachable."""
    part = file.with_name(f"{file.name}.part")
    try:
        with part.open("wb") as content:
            _fetch_into(content, address, send)
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def _fetch_into(content: BinaryIO, address: str, send: Send) -> None:
    while True:
        first = content.tell()
        answer = send(Request("GET", address, {"Range": f"bytes={first}-{first + FETCHED_BYTES - 1}"}))
        if answer.status == 416:  # nothing after the last byte
            return
        if answer.status not in (200, 206):
            raise DownloadFailed(f"the download was refused with HTTP {answer.status}: ask for its address again")
        content.write(answer.content)
        if answer.status == 200 or len(answer.content) < FETCHED_BYTES:
            return


def send_parts(
    file: Path, ticket: Ticket, *, ask_again: Callable[[], Ticket], send: Send, sent: Sent = lambda _: None
) -> None:
    """Put every missing part to its address. `sent` is told how many bytes are there, also those sent before.

    Raises InvalidInput when the file is not the one that the upload was begun with, by its size, and
    UploadInterrupted when a part is refused three times: its address is asked for anew in between.
    """
    if file.stat().st_size != ticket["size_bytes"]:
        raise InvalidInput(f"{file.name} has {file.stat().st_size} bytes, the upload is of {ticket['size_bytes']}")
    with file.open("rb") as content:
        for place, part in enumerate(ticket["parts"]):
            if part["address"] is not None:
                content.seek(place * ticket["part_bytes"])
                ticket = _send_part(content.read(part["size_bytes"]), place, ticket, ask_again, send)
            sent(part["size_bytes"])


def _send_part(body: bytes, place: int, ticket: Ticket, ask_again: Callable[[], Ticket], send: Send) -> Ticket:
    """The ticket that the part was sent with: a renewed one has new addresses for the parts after it too."""
    reason = ""
    for attempt in range(ATTEMPTS):
        if attempt:
            ticket = ask_again()
        address = ticket["parts"][place]["address"]
        if address is None:  # it had arrived, only the answer had not
            return ticket
        try:
            answer = send(Request("PUT", address, {"Content-Type": "application/octet-stream"}, body))
        except Unreachable as error:
            reason = str(error)
            continue
        if answer.status == 200:
            return ticket
        reason = f"part {place + 1}: HTTP {answer.status}"
    raise UploadInterrupted(ticket["upload_id"], reason)
