"""Answers about datasets as the contract shows them. A test holds each against its shape."""

from __future__ import annotations

from typing import Any

_AT = "2026-11-20T12:00:00Z"

SUMMARY: dict[str, Any] = {
    "name": "churn",
    "target": "left",
    "task": None,
    "latest_version": 3,
    "latest_ready_version": 3,
    "contract_version": 1,
    "revision": 2,
    "created_at": _AT,
    "created_by": "user:ada",
}
DETAIL = {**SUMMARY, "settings": {"target": "left", "key": ["customer_id"], "max_quarantined_share": 0.1}}
VERSION: dict[str, Any] = {
    "dataset": "churn",
    "version": 3,
    "state": "READY",
    "rows_in": 1000,
    "accepted": 990,
    "quarantined": 10,
    "quarantined_share": 0.01,
    "null_share": 0.02,
    "warnings": 1,
    "reasons": [],
    "contract_version": 1,
    "upload_id": "25d1edd9b9d5d171f37d",
    "run_id": "ingest-25d1edd9b9d5d171f37d",
    "created_at": _AT,
}
PAGE = {"items": [{**SUMMARY, "newest": VERSION}], "next_cursor": None}
VERSIONS = {"items": [VERSION], "next_cursor": None}
VERSION_DETAIL = {
    **VERSION,
    "sha256": "5f2a9c",
    "location": "s3://data/datasets/churn/v3/",
    "dialect": {"format": "csv", "delimiter": ";"},
    "quality": {
        "rows_in": 1000,
        "accepted": 990,
        "quarantined": 10,
        "null_share": 0.02,
        "warnings": ["age: 3 values above 96, the highest before"],
        "schema_changes": [],
        "violations": {"age: not an integer": 10},
        "split_rows": {"train": 693, "validation": 148, "test": 149},
    },
    "used_by": ["churn:5", "churn:6", "churn:7"],
}
PROFILE = {
    "dataset": "churn",
    "version": 3,
    "rows": 990,
    "target": "left",
    "splits": {"train": 693, "validation": 148, "test": 149},
    "columns": [
        {
            "name": "age",
            "kind": "integer",
            "count": 988,
            "nulls": 2,
            "null_share": 0.002,
            "distinct": 71.0,
            "mean": 41.3,
            "std": 12.9,
            "minimum": 18.0,
            "maximum": 96.0,
            "quantiles": {"0.5": 40.0},
            "histogram": {"edges": [18.0, 57.0, 96.0], "shares": [0.86, 0.14]},
            "top": [{"value": "38", "count": 41}],
        }
    ],
}
QUALITY = {
    "items": [
        {
            "version": 3,
            "state": "READY",
            "created_at": _AT,
            "rows_in": 1000,
            "accepted": 990,
            "quarantined_share": 0.01,
            "null_share": 0.02,
            "violations": {"age: not an integer": 10},
            "schema_changes": [],
        }
    ],
    "next_cursor": None,
}
QUARANTINE = {
    "items": [{"line": 17, "text": "17;x;rent", "cut": False, "reasons": ["age: 'x' is not an integer"]}],
    "next_cursor": None,
}
CONTRACT = {
    "dataset": "churn",
    "version": 1,
    "columns": [{"name": "age", "kind": "integer", "minimum": 18, "maximum": 96}, {"name": "left", "kind": "boolean"}],
    "created_at": _AT,
    "created_by": "inference",
}
