"""Answers about runs as the contract shows them. A test holds each against its shape."""

from __future__ import annotations

from typing import Any

_STARTED, _ENDED = "2026-11-20T12:00:00Z", "2026-11-20T12:10:00Z"

SUMMARY: dict[str, Any] = {
    "run_id": "training-b69cfade296b",
    "pipeline": "training",
    "state": "SUCCEEDED",
    "dataset": "churn",
    "dataset_version": 3,
    "model": "churn",
    "started_by": "user:ada",
    "started_at": _STARTED,
    "ended_at": _ENDED,
    "seconds": 600.0,
    "outcome": "Registered churn:7 (xgboost). churn:7 is recommended.",
    "reason": None,
}
PAGE = {"items": [SUMMARY], "next_cursor": None, "counts": {"RUNNING": 1, "SUCCEEDED": 41, "FAILED": 2}}
DETAIL = {
    **SUMMARY,
    "steps": [
        {
            "name": "TrainOnSpot",
            "item": "xgboost",
            "state": "SUCCEEDED",
            "started_at": _STARTED,
            "ended_at": _ENDED,
            "seconds": 600.0,
            "reason": None,
            "job": {
                "service": "sagemaker",
                "name": "training-b69cfade296b-xgboost",
                "machine": "ml.m5.large",
                "count": 1,
                "billable_seconds": 180.0,
                "cost_usd": 0.00575,
            },
            "invocations": None,
            "transitions": 3,
        },
        {
            "name": "CollectCandidates",
            "item": None,
            "state": "SUCCEEDED",
            "started_at": _ENDED,
            "ended_at": _ENDED,
            "seconds": 0.4,
            "reason": None,
            "job": None,
            "invocations": {"memory_mb": 1024, "count": 1, "seconds": 0.4, "cost_usd": 0.00000553},
            "transitions": 1,
        },
    ],
    "cost_usd": 0.00585553,
    "costs": {
        "jobs": 1,
        "jobs_usd": 0.00575,
        "invocations": 1,
        "functions_usd": 0.00000553,
        "transitions": 4,
        "transitions_usd": 0.0001,
    },
    "input": {"dataset": "churn", "dataset_version": 3, "reason": "new features"},
}
STARTED = {**SUMMARY, "state": "RUNNING", "ended_at": None, "seconds": None, "outcome": None}
LOG = {
    "lines": [{"at": _STARTED, "job": "training-b69cfade296b-xgboost", "text": "validation:roc_auc=0.83;"}],
    "next_cursor": "WyI5YzA1",
    "ended": False,
}
