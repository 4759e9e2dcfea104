"""S3: events name the version of the object they are about, and object bodies are on disk, not in memory."""

import contextvars
import json
from collections.abc import Callable
from typing import Any

from ministack.services import eventbridge, s3

from local.context import EmulatorContext

# The version that the event being sent is about: ministack knows it and leaves it out of EventBridge's detail.
_version_id: contextvars.ContextVar[str | None] = contextvars.ContextVar("s3_event_version_id", default=None)


def install(_context: EmulatorContext) -> None:
    """Add `detail.object.version-id` to the events of versioned buckets, and forget bodies that the disk has."""
    s3._fire_s3_event = _name_version(s3._fire_s3_event)
    eventbridge._dispatch_event = _add_named_version(eventbridge._dispatch_event)
    s3._record_object_version = _without_body(s3._record_object_version)


def _name_version(fire: Callable[..., None]) -> Callable[..., None]:
    def fire_with_version(*arguments: Any, version_id: str | None = None, **named: Any) -> None:
        token = _version_id.set(version_id)
        try:
            fire(*arguments, version_id=version_id, **named)
        finally:
            _version_id.reset(token)

    return fire_with_version


def _add_named_version(dispatch: Callable[..., None]) -> Callable[..., None]:
    def dispatch_with_version(event: dict[str, Any], view: Any = None) -> None:
        version_id = _version_id.get()
        if event.get("Source") == "aws.s3" and version_id:
            event, view = with_version(event, version_id), None
        dispatch(event, view)

    return dispatch_with_version


def _without_body(record: Callable[..., str | None]) -> Callable[..., str | None]:
    """ministack keeps every version's bytes in memory beside the file; it reads the file when they are not there."""

    def record_without_body(bucket: str, key: str, *rest: Any) -> str | None:
        version_id = record(bucket, key, *rest)
        for version in s3._object_versions.get((bucket, key)) or []:
            version["data"] = None
        return version_id

    return record_without_body


def with_version(event: dict[str, Any], version_id: str) -> dict[str, Any]:
    """Return the EventBridge record of an S3 event with `detail.object.version-id`."""
    detail = json.loads(event["Detail"])
    detail["object"]["version-id"] = version_id
    return {**event, "Detail": json.dumps(detail)}
