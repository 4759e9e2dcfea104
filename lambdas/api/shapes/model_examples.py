"""Answers about models as the contract shows them. A test holds each against its shape."""

from __future__ import annotations

from typing import Any

_METRIC = {"value": 0.83, "low": 0.79, "high": 0.86, "higher_is_better": True}
_VERDICT = {
    "outcome": "BETTER",
    "metric": "roc_auc",
    "gain": 0.021,
    "low": 0.012,
    "high": 0.03,
    "smallest_detectable_gain": 0.015,
    "compared_with": "churn:6",
    "test_rows": 668,
    "sentence": "roc_auc is 0.021 better than churn:6, between 0.012 and 0.030 on the same 668 rows.",
}
_LINEAGE = {
    "run_id": "training-b69cfade296b",
    "dataset": "churn",
    "dataset_version": 3,
    "dataset_sha256": "5f2a9c",
    "contract_version": 1,
    "code_digest": "61359363d013",
    "image": "sagemaker-xgboost:3.2-0",
    "champion_compared": "churn:6",
}
_AT = "2026-11-20T12:00:00Z"

BRIEF: dict[str, Any] = {
    "id": "churn:7",
    "number": 7,
    "algorithm": "xgboost",
    "metric": "roc_auc",
    "value": _METRIC,
    "approval": "PENDING",
    "verdict": "BETTER",
    "recommended": True,
    "created_at": _AT,
}
SUMMARY: dict[str, Any] = {
    "name": "churn",
    "dataset": "churn",
    "aliases": {"champion": "churn:6"},
    "champion": {**BRIEF, "id": "churn:6", "number": 6, "approval": "APPROVED"},
    "latest": BRIEF,
    "rollout": {
        "version": "churn:8",
        "champion": "churn:6",
        "run_id": "deployment-b69cfade296b",
        "strategy": "canary",
        "share": 0.1,
        "step": 1,
        "steps": 1,
        "step_seconds": 600,
        "started_at": _AT,
        "step_started_at": _AT,
    },
    "pending": ["churn:7"],
    "revision": 9,
    "created_at": _AT,
}
PAGE = {"items": [SUMMARY], "next_cursor": None}
VERSIONS = {"items": [BRIEF], "next_cursor": None}
HISTORY = {
    "items": [
        {
            "sequence": 9,
            "kind": "REGISTERED",
            "version": "churn:7",
            "previous_version": None,
            "alias": None,
            "actor": "training",
            "reason": _VERDICT["sentence"],
            "at": _AT,
        }
    ],
    "next_cursor": None,
}
MODEL = {**SUMMARY, "versions": [BRIEF], "history": HISTORY["items"]}
CHAMPION = {"model": "churn", "at": _AT, "champion": SUMMARY["champion"]}
DETAIL = {
    "id": "churn:7",
    "model": "churn",
    "number": 7,
    "algorithm": "xgboost",
    "task": "binary",
    "target": "left",
    "hyperparameters": {"max_depth": 4},
    "metrics": {"roc_auc": _METRIC},
    "primary_metric": "roc_auc",
    "verdict": _VERDICT,
    "recommended": True,
    "approval": {"state": "PENDING", "actor": None, "reason": None, "decided_at": None},
    "aliases": [],
    "signature": {"inputs": [{"name": "age", "kind": "integer"}]},
    "artifact_uri": "s3://artifacts/models/churn/v7/model.tar.gz",
    "artifact_digest": "31ad270420ca",
    "lineage": _LINEAGE,
    "training_seconds": 12.0,
    "billable_seconds": 4.0,
    "revision": 1,
    "created_at": _AT,
}
EVALUATION = {
    "id": "churn:7",
    "dataset": "churn",
    "dataset_version": 3,
    "test_rows": 668,
    "primary_metric": "roc_auc",
    "metrics": {"roc_auc": _METRIC},
    "verdict": _VERDICT,
    "curves": {
        "roc": [
            {
                "class_name": None,
                "points": [{"false_positive_rate": 0.0, "true_positive_rate": 0.0, "threshold": None}],
            }
        ]
    },
    "confusion": {"classes": ["stays", "leaves"], "matrices": [{"threshold": 0.5, "rows": [[400, 31], [52, 185]]}]},
    "importance": [{"feature": "age", "importance": 0.11, "deviation": 0.02}],
    "latency_ms": {"single_row_p50": 1.0, "single_row_p99": 2.0},
    "batch_rows_per_second": 13162.7,
    "size_bytes": 66430,
}
LINEAGE = {
    "id": "churn:6",
    "made_from": {**_LINEAGE, "champion_compared": None},
    "taken_over": None,
    "upload_id": "25d1edd9b9d5d171f37d",
    "serves_as": [{"alias": "champion", "since": _AT, "until": None}],
    "compared_with_it": [{"id": "churn:7", "verdict": _VERDICT["sentence"]}],
}
CARD = {"id": "churn:7", "markdown": "# churn:7\n\nPredicts `left` (binary) with xgboost, trained on churn v3.\n"}
DEPLOYING: dict[str, Any] = {
    "run_id": "deployment-77de68daecd8",
    "pipeline": "deployment",
    "state": "RUNNING",
    "dataset": "churn",
    "dataset_version": 3,
    "model": "churn",
    "started_by": "user:ada",
    "started_at": _AT,
    "ended_at": None,
    "seconds": None,
    "outcome": None,
    "reason": None,
}
