"""Answers about schedules as the contract shows them. A test holds each against its shape."""

from __future__ import annotations

from typing import Any

FIRING: dict[str, Any] = {
    "due_at": "2026-11-16T05:00:00Z",
    "fired_at": "2026-11-16T05:00:02Z",
    "actor": "schedule:5f0c2b7d9e3a1486",
    "outcome": "STARTED",
    "run_id": "training-b69cfade296b",
    "reason": None,
}
SUMMARY: dict[str, Any] = {
    "schedule_id": "5f0c2b7d9e3a1486",
    "name": "Every Monday morning",
    "action": "train",
    "about": "churn",
    "expression": "cron(0 6 ? * MON *)",
    "timezone": "Europe/Berlin",
    "starts_at": None,
    "state": "ACTIVE",
    "created_at": "2026-11-10T12:00:00Z",
    "created_by": "user:ada",
    "next_at": "2026-11-23T05:00:00Z",
    "last_firing": FIRING,
}
PAGE = {"items": [SUMMARY], "next_cursor": None}
DETAIL = {**SUMMARY, "next_times": ["2026-11-23T05:00:00Z", "2026-11-30T05:00:00Z"], "firings": [FIRING]}
