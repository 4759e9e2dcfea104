"""Domain events on EventBridge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from millrace import names
from millrace.domain.event import DomainEvent
from millrace.errors import PlatformError

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient


class EventBridgeBus:
    def __init__(self, client: EventBridgeClient, bus_name: str) -> None:
        self._client = client
        self._bus_name = bus_name

    def publish(self, event: DomainEvent) -> None:
        """Raises PlatformError when the bus refused it: PutEvents answers 200 even then."""
        kind = type(event).__name__
        answer = self._client.put_events(
            Entries=[
                {
                    "EventBusName": self._bus_name,
                    "Source": names.EVENT_SOURCE,
                    "DetailType": kind,
                    "Detail": event.model_dump_json(),
                }
            ]
        )
        if answer["FailedEntryCount"]:
            refused = answer["Entries"][0]
            raise PlatformError(f"the event {kind} was not published: {refused.get('ErrorMessage', 'no message')}")
