"""What the API says of files to download."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel


class Download(BaseModel):
    """GET the `address`, which needs no token, before `expires_at`."""

    file_name: str
    size_bytes: int
    address: str
    expires_at: datetime


EXAMPLE: dict[str, Any] = {
    "file_name": "churn-v3-quarantine.jsonl",
    "size_bytes": 1732,
    "address": "https://data.s3.amazonaws.com/quarantine/churn/v3/part-00000.jsonl?X-Amz-Signature=5f2a9c",
    "expires_at": "2026-11-20T12:05:00Z",
}
