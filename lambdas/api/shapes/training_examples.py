"""Answers about training as the contract shows them. A test holds each against its shape."""

from __future__ import annotations

from typing import Any

ESTIMATE: dict[str, Any] = {
    "dataset": "churn",
    "runs": 12,
    "of_this_dataset": True,
    "seconds": 640.0,
    "shortest_seconds": 590.0,
    "longest_seconds": 1210.0,
    "cost_usd": 0.03,
}
OPTIONS: dict[str, Any] = {
    "datasets": [{"name": "churn", "target": "left", "latest_ready_version": 3}],
    "dataset": "churn",
    "target": "left",
    "task": None,
    "versions": [
        {
            "version": 3,
            "accepted": 6_890,
            "quarantined_share": 0.021,
            "warnings": 1,
            "created_at": "2026-11-20T12:00:00Z",
        }
    ],
    "policy": {
        "on_new_version": True,
        "algorithms": ["random_forest", "xgboost", "linear"],
        "hyperparameters": {},
        "trials": 4,
        "seed": 7,
        "metric": None,
        "instance_type": "ml.m5.large",
        "instance_count": 1,
        "max_runtime_seconds": 3600,
    },
    "algorithms": [
        {
            "name": "xgboost",
            "title": "XGBoost",
            "tasks": ["binary", "multiclass", "regression"],
            "spot": True,
            "parameters": [
                {
                    "name": "max_depth",
                    "kind": "integer",
                    "default": 6,
                    "meaning": "how deep a tree may grow",
                    "minimum": 1,
                    "maximum": 16,
                    "choices": [],
                    "allowed": "an integer from 1 to 16",
                    "searched": True,
                    "tasks": ["binary", "multiclass", "regression"],
                }
            ],
            "runs": 12,
            "seconds": 310.0,
            "cost_usd": 0.01,
        }
    ],
    "metrics": {"binary": ["roc_auc", "log_loss"], "multiclass": ["log_loss"], "regression": ["rmse"]},
    "machines": ["ml.m5.large", "ml.m5.xlarge"],
    "estimate": ESTIMATE,
    "around_seconds": 240.0,
    "around_cost_usd": 0.012,
}
