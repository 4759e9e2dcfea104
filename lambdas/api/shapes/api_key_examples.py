"""Answers about API keys as the contract shows them. A test holds each against its shape."""

from __future__ import annotations

from typing import Any

KEY: dict[str, Any] = {
    "key_id": "5f0c2b7d9e3a1486",
    "name": "nightly scoring",
    "owner": "user:ada",
    "roles": ["viewer"],
    "created_at": "2026-11-20T12:00:00Z",
    "expires_at": "2026-12-20T12:00:00Z",
    "last_used_at": "2026-11-20T13:05:00Z",
    "revoked_at": None,
    "revoked_by": None,
    "valid": True,
}
MADE = {**KEY, "last_used_at": None, "token": "mr_5f0c2b7d9e3a1486_…"}
PAGE = {"items": [KEY], "next_cursor": None}
REVOKED = {**KEY, "revoked_at": "2026-11-21T09:00:00Z", "revoked_by": "user:ada", "valid": False}
