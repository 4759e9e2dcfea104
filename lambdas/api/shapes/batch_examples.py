"""Examples of answers about batch inferences."""

from __future__ import annotations

from typing import Any

SUMMARY: dict[str, Any] = {
    "job_id": "batch-0c5ef1c7a1b5f6a2d3e4",
    "model": "credit",
    "version": 3,
    "state": "SUCCEEDED",
    "source": "s3://data/inference/credit/may.csv",
    "started_by": "user:ada",
    "started_at": "2026-11-20T12:00:00Z",
    "ended_at": "2026-11-20T12:06:30Z",
    "sentence": "credit:3 predicted 99,998 of 100,000 rows; 2 could not be read.",
}
PAGE: dict[str, Any] = {"items": [SUMMARY], "next_cursor": None}
DETAIL: dict[str, Any] = {
    **SUMMARY,
    "step": None,
    "steps_done": 8,
    "steps": 8,
    "rows_in": 100_000,
    "accepted": 99_998,
    "predicted": 99_998,
    "rejected": 2,
    "violations": {"age: not an integer": 2},
    "notices": {"home: of a category not seen before": 17},
    "ignored_columns": ["remarks"],
    "record_ids": "given",
    "cost_usd": 0.04,
}
RESULTS: dict[str, Any] = {
    "rows": 99_998,
    "columns": ["record_id", "row_number", "age", "home", "prediction", "probability.bad", "probability.good"],
    "files": [
        {
            "file_name": "batch-0c5ef1c7a1b5f6a2d3e4-part-00000.parquet",
            "format": "parquet",
            "size_bytes": 1_734_002,
            "address": "https://data.s3.amazonaws.com/inference/credit/batches/x/part-00000.parquet?X-Amz-Signature=5f2a",
            "expires_at": "2026-11-20T12:15:00Z",
        }
    ],
}
QUARANTINE: dict[str, Any] = {
    "items": [{"line": 17, "text": "4,many,own", "cut": False, "reasons": ["age: 'many' is not an integer"]}],
    "next_cursor": None,
}
TICKET: dict[str, Any] = {
    "upload_id": "0c5ef1c7a1b5f6a2d3e4",
    "dataset": "credit",
    "key": "inference/credit/uploads/may.csv",
    "state": "OPEN",
    "size_bytes": 3,
    "part_bytes": 16777216,
    "started_by": "user:ada",
    "started_at": "2026-11-20T12:00:00Z",
    "parts": [{"number": 1, "size_bytes": 3, "address": "https://data.s3.amazonaws.com/part?X-Amz-Signature=5f2a"}],
}
