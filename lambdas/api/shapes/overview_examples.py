"""The first screen's answer as the contract shows it. A test holds it against its shape."""

from __future__ import annotations

from typing import Any

from lambdas.api.shapes import model_examples, run_examples

_AT = "2026-11-20T12:00:00Z"
_FAILED: dict[str, Any] = {
    **run_examples.SUMMARY,
    "state": "FAILED",
    "outcome": None,
    "reason": "TrainCandidates: the label has one class in fold 3",
}
_RUNNING: dict[str, Any] = {**run_examples.STARTED, "usual_seconds": 610.0}
OVERVIEW: dict[str, Any] = {
    "needs": [
        {
            "kind": "approval",
            "at": _AT,
            "model": "churn",
            "version": model_examples.BRIEF,
            "sentence": "xgboost gains 0.02 roc_auc over churn:6 (0.01 to 0.03).",
            "waiting": 2,
            "run": None,
            "step": None,
            "drift": None,
        },
        {
            "kind": "run_failed",
            "at": _AT,
            "model": "churn",
            "version": None,
            "sentence": None,
            "waiting": 0,
            "run": _FAILED,
            "step": "TrainCandidates",
            "drift": None,
        },
    ],
    "running": [_RUNNING],
    "recent_runs": [run_examples.SUMMARY],
    "runs_by_day": [{"day": "2026-11-20", "started": 3, "states": {"RUNNING": 1, "SUCCEEDED": 2}}],
    "succeeded_share": 0.93,
    "cost": {
        "month_usd": 14.24,
        "endpoints_usd": 12.4,
        "endpoints_at_least": False,
        "forecast_usd": 42.8,
        "days": [{"day": "2026-11-20", "cost_usd": 2.84}],
    },
    "requests": {
        "requests": 1204,
        "refused": 3,
        "failed": 1,
        "failed_share": 0.00083,
        "hours": [{"hour": "2026-11-20T11:00:00Z", "requests": 1204, "failed": 1, "p95_ms": 12.4}],
    },
    "datasets": 3,
    "dataset_versions": 11,
    "models": 2,
    "pending_approvals": 2,
    "live_models": [
        {
            "name": "churn",
            "champion": model_examples.BRIEF,
            "quality": [{"at": _AT, "value": {"value": 0.83, "low": 0.79, "high": 0.86, "higher_is_better": True}}],
            "drift": None,
        }
    ],
}
