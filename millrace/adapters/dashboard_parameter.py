"""The dashboard's address, as the deployment wrote it into a parameter of Systems Manager.

Functions cannot be told it: CloudFront needs the API, which needs the functions. It is read on first use, so messages
have it as soon as it is known.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

# A warm function learns of another address within this time.
KEPT = timedelta(minutes=15)


class ParameterDashboard:
    def __init__(self, client: SSMClient, parameter: str, now: Callable[[], datetime]) -> None:
        self._client = client
        self._parameter = parameter
        self._now = now
        self._known: tuple[str, datetime] | None = None

    def address(self, path: str) -> str:
        """A message without a host is better than none: whatever Systems Manager says, `path` alone is the answer."""
        try:
            return self._host() + path
        except (ClientError, BotoCoreError):
            return path

    def _host(self) -> str:
        now = self._now()
        if self._known is None or now >= self._known[1]:
            found = self._client.get_parameter(Name=self._parameter)["Parameter"]["Value"]
            self._known = (found.rstrip("/"), now + KEPT)
        return self._known[0]
