"""Answers about activity and counts as the contract shows them. A test holds each against its shape."""

from __future__ import annotations

from typing import Any

from lambdas.api.shapes import run_examples

ENTRY: dict[str, Any] = {
    "at": "2026-11-20T12:00:00Z",
    "actor": "user:ada",
    "action": "dataset.configured",
    "subject": "dataset:churn",
    "sequence": 4,
    "detail": {"revision": 2, "changed": {"target": {"from": None, "to": "left"}}},
    "hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
}
PAGE = {"items": [ENTRY], "next_cursor": None}
STATS = {
    "datasets": 3,
    "dataset_versions": 11,
    "models": 2,
    "model_versions": {"PENDING": 2, "APPROVED": 5, "REJECTED": 4},
    "pending_approvals": 2,
    "runs": {"RUNNING": 1, "SUCCEEDED": 41, "FAILED": 2, "TIMED_OUT": 0, "ABORTED": 1},
    "runs_by_pipeline": {"ingest": {"SUCCEEDED": 12}, "training": {"RUNNING": 1, "SUCCEEDED": 29, "FAILED": 2}},
    "succeeded_share": 0.93,
    "days": [{"day": "2026-11-20", "started": 3, "states": {"RUNNING": 1, "SUCCEEDED": 2}}],
    "latest_runs": [run_examples.SUMMARY],
    "latest_activity": [ENTRY],
}
