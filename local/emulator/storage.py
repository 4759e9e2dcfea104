"""S3: events name the version of the object they are about, as AWS's do."""

import contextvars
import json
from typing import Any

from ministack.services import eventbridge, s3

from local.context import EmulatorContext

# The version that the event being sent is about: ministack knows it and leaves it out of EventBridge's detail.
_version_id: contextvars.ContextVar[str | None] = contextvars.ContextVar("s3_event_version_id", default=None)


def install(_context: EmulatorContext) -> None:
    """Add `detail.object.version-id` to the events of versioned buckets."""
    fire = s3._fire_s3_event
    dispatch = eventbridge._dispatch_event

    def fire_with_version(*arguments: Any, version_id: str | None = None, **named: Any) -> None:
        token = _version_id.set(version_id)
        try:
            fire(*arguments, version_id=version_id, **named)
        finally:
            _version_id.reset(token)

    def dispatch_with_version(event: dict[str, Any], view: Any = None) -> None:
        version_id = _version_id.get()
        if event.get("Source") == "aws.s3" and version_id:
            event, view = with_version(event, version_id), None
        dispatch(event, view)

    s3._fire_s3_event = fire_with_version
    eventbridge._dispatch_event = dispatch_with_version


def with_version(event: dict[str, Any], version_id: str) -> dict[str, Any]:
    """Return the EventBridge record of an S3 event with `detail.object.version-id`."""
    detail = json.loads(event["Detail"])
    detail["object"]["version-id"] = version_id
    return {**event, "Detail": json.dumps(detail)}
