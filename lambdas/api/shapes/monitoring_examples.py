"""Answers about drift as the contract shows them. A test holds each against its shape."""

from __future__ import annotations

from typing import Any

from lambdas.api.shapes.ground_truth import STANDING
from lambdas.api.shapes.run_examples import STARTED as RUN_STARTED

_DAY, _AT = "2026-11-19", "2026-11-20T00:15:00Z"
_SENTENCE = "`temp` rose by 1.2 sd; this feature carries 22 % of the model"

SUMMARY: dict[str, Any] = {
    "id": "drift-5f1c9a7be2d04c11-data",
    "run_id": "drift-5f1c9a7be2d04c11",
    "model": "flights",
    "version": "flights:3",
    "kind": "data",
    "source": "records",
    "verdict": "DRIFT",
    "severity": "MAJOR",
    "sentence": f"Drift in 1 of 22 features over 4,210 rows: {_SENTENCE}.",
    "baseline": "flights:3",
    "window": "requests from 2026-11-19 00:00 to 2026-11-20 00:00",
    "day": _DAY,
    "baseline_rows": 4200,
    "window_rows": 4210,
    "judged": 22,
    "drifted": ["temp"],
    "labels": None,
    "created_at": _AT,
}
PAGE = {"items": [SUMMARY], "next_cursor": None}
FEATURE: dict[str, Any] = {
    "feature": "temp",
    "kind": "number",
    "verdict": "DRIFT",
    "sentence": _SENTENCE,
    "reason": None,
    "destroyed": False,
    "p_value": 1e-16,
    "scores": [{"metric": "wasserstein", "score": 1.21, "threshold": 0.2, "error": 0.0}],
    "shift_sd": 1.2,
    "smallest_shift_sd": 0.26,
    "importance_share": 0.22,
    "overlay": {"edges": [10.0, 40.0, 70.0], "levels": [], "baseline": [0.8, 0.2], "window": [0.3, 0.7]},
}
DETAIL: dict[str, Any] = {
    **SUMMARY,
    "false_alarm_share": 0.012,
    "smallest_shift_sd": 0.26,
    "performance": [],
    "features": [FEATURE],
}
DOWNLOAD: dict[str, Any] = {
    "file_name": "drift-5f1c9a7be2d04c11-data.html",
    "size_bytes": 48211,
    "address": "https://artifacts.s3.amazonaws.com/drift/flights/drift-5f1c9a7be2d04c11-data/report.html?X-Amz-Signature=5f",
    "expires_at": "2026-11-20T12:05:00Z",
}
STARTED: dict[str, Any] = {
    **RUN_STARTED,
    "run_id": "drift-5f1c9a7be2d04c11",
    "pipeline": "drift",
    "dataset": "flights",
    "dataset_version": None,
    "model": "flights",
}
MONITORING: dict[str, Any] = {
    "model": "flights",
    "champion": "flights:3",
    "heading": "1 of 22 features drifted on 2026-11-19",
    "counts": {"day": _DAY, "drifted": 1, "ok": 21, "skipped": 0},
    "latest": [SUMMARY],
    "heatmap": {
        "days": ["2026-11-18", _DAY],
        "report_ids": [None, SUMMARY["id"]],
        "verdicts": [None, "DRIFT"],
        "rows": [
            {
                "feature": "temp",
                "importance_share": 0.22,
                "cells": [
                    None,
                    {
                        "verdict": "DRIFT",
                        "metric": "wasserstein",
                        "score": 1.21,
                        "threshold": 0.2,
                        "share": 6.05,
                        "sentence": _SENTENCE,
                    },
                ],
            }
        ],
    },
    "selected": {
        **FEATURE,
        "report_id": SUMMARY["id"],
        "day": _DAY,
        "baseline": "flights:3",
        "baseline_rows": 4200,
        "window": SUMMARY["window"],
        "window_rows": 4210,
    },
    "labels": STANDING,
}
TRAFFIC: dict[str, Any] = {
    "model": "flights",
    "hours": [
        {"hour": "2026-11-20T10:00:00Z", "requests": 0, "refused": 0, "failed": 0}
        | {"p50_ms": None, "p95_ms": None, "p99_ms": None},
        {"hour": "2026-11-20T11:00:00Z", "requests": 1204, "refused": 3, "failed": 1}
        | {"p50_ms": 4.2, "p95_ms": 12.4, "p99_ms": 18.6},
    ],
    "requests": 1204,
    "refused": 3,
    "failed": 1,
    "failed_share": 0.0008305647840531562,
}
