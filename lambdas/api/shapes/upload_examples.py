"""Answers about files in parts as the contract shows them. A test holds each against its shape."""

from __future__ import annotations

from typing import Any

TICKET: dict[str, Any] = {
    "upload_id": "25d1edd9b9d5d171f37d",
    "dataset": "churn",
    "key": "uploads/churn/may.csv",
    "state": "OPEN",
    "size_bytes": 20000000,
    "part_bytes": 16777216,
    "started_by": "user:ada",
    "started_at": "2026-11-20T12:00:00Z",
    "parts": [
        {"number": 1, "size_bytes": 16777216, "address": None},
        {
            "number": 2,
            "size_bytes": 3222784,
            "address": "https://data.s3.amazonaws.com/uploads/churn/may.csv?partNumber=2&X-Amz-Signature=5f2a9c",
        },
    ],
}
COMPLETED = {
    "upload_id": "25d1edd9b9d5d171f37d",
    "dataset": "churn",
    "key": "uploads/churn/may.csv",
    "run_id": "ingest-9b1deb4d3b7d4bad9bdd",
}
ABORTED = {**TICKET, "state": "ABORTED", "parts": []}
ARRIVED = {
    "items": [
        {
            "upload_id": "9b1deb4d3b7d4bad9bdd",
            "key": "uploads/churn/may.csv",
            "size_bytes": 20000000,
            "state": "REJECTED",
            "version": 4,
            "reasons": ["120 of 1000 rows (12.0%) cannot be used, and the dataset allows 10.0%"],
            "run_id": "ingest-9b1deb4d3b7d4bad9bdd",
            "received_at": "2026-11-20T12:00:00Z",
        }
    ],
    "next_cursor": None,
    "total": None,
}
