"""What every answer keeps to, whatever the route: revisions, repeated requests, limits, headers."""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Mapping
from typing import Any

IDEMPOTENT_METHODS = frozenset({"GET", "HEAD", "PUT", "DELETE"})
MAX_BODY_BYTES = 1024 * 1024
# What a browser is told to do with an answer that is somebody's own: keep it, and ask whether it is still true.
REVALIDATE = "private, no-cache"
# A shorter answer fits into one packet as it is.
COMPRESSED_BYTES = 1400
_LONGEST_TAG = 64
NEVER_KEEP = "no-store"


class NotModified(Exception):
    """The caller has what it asks for."""

    def __init__(self, etag: str) -> None:
        super().__init__(etag)
        self.etag = etag


def header(event: Mapping[str, Any], name: str) -> str | None:
    """A header of the request, whatever its case."""
    found: Mapping[str, str] = event.get("headers") or {}
    return next((value for key, value in found.items() if key.lower() == name), None)


def etag_of(*revisions: object) -> str:
    """The tag of what is at these revisions. Of many, their digest: a header has no room for a whole page of them."""
    said = "-".join(str(revision) for revision in revisions)
    return f'"{said}"' if len(said) <= _LONGEST_TAG else f'"{hashlib.sha256(said.encode()).hexdigest()[:32]}"'


def etag_matches(given: str | None, etag: str) -> bool:
    """Whether `If-None-Match` or `If-Match` names `etag`: a list, weak marks left out, or `*`."""
    if given is None:
        return False
    named = {part.strip().removeprefix("W/") for part in given.split(",")}
    return "*" in named or etag in named


def body_bytes(event: Mapping[str, Any]) -> int:
    """How large the body is, without decoding it."""
    body = event.get("body") or ""
    return len(body) * 3 // 4 if event.get("isBase64Encoded") else len(body.encode())


def takes_gzip(event: Mapping[str, Any]) -> bool:
    """Whether `Accept-Encoding` names gzip, and not with a weight of nothing."""
    for part in (header(event, "accept-encoding") or "").lower().split(","):
        coding, _, weight = part.partition(";")
        if coding.strip() == "gzip":
            return weight.strip().partition("=")[2].strip() not in ("0", "0.0", "0.00", "0.000")
    return False


def compressed(answer: Mapping[str, Any], event: Mapping[str, Any]) -> dict[str, Any]:
    """The answer as gzip, where it is long enough and whoever asks takes that.

    CloudFront compresses only what it may cache, and what the API says is somebody's own. An HTTP API decodes the body
    before it sends it. Powertools' own compression would come before `done_once` keeps the answer, for all who repeat
    the request, whatever they take.
    """
    if answer["isBase64Encoded"] or body_bytes(answer) < COMPRESSED_BYTES:
        return dict(answer)
    headers = {**answer["headers"], "Vary": "Accept-Encoding"}
    if not takes_gzip(event):
        return {**answer, "headers": headers}
    body = base64.b64encode(gzip.compress(answer["body"].encode(), compresslevel=6, mtime=0)).decode()
    return {**answer, "headers": {**headers, "Content-Encoding": "gzip"}, "body": body, "isBase64Encoded": True}
