"""Answers about alerts, channels and retraining as the contract shows them. A test holds each against its shape."""

from __future__ import annotations

from typing import Any

_SENTENCE = "`temp` rose by 1.2 sd; this feature carries 22 % of the model."
_AT = "2026-11-20T12:00:00Z"

SUMMARY: dict[str, Any] = {
    "alert_id": "8d969eef6ecad3c29a3a",
    "kind": "data_drift",
    "severity": "WARNING",
    "state": "ACKNOWLEDGED",
    "title": "The data that churn sees drifted",
    "sentence": _SENTENCE,
    "model": "churn",
    "dataset": None,
    "link": "/monitoring?model=churn&kind=data",
    "owner": "user:ada",
    "breaches": 24,
    "opened_at": _AT,
    "last_seen_at": "2026-11-21T11:00:00Z",
    "snoozed_until": None,
    "closed_at": None,
    "revision": 25,
}
PAGE = {"items": [SUMMARY], "next_cursor": None}
DETAIL: dict[str, Any] = SUMMARY | {
    "cause": "drift:churn:data",
    "source": {"report_id": "0f3c", "features": "temp"},
    "history": [
        {"sequence": 1, "change": "OPENED", "at": _AT, "actor": "report:0f3c", "reason": _SENTENCE},
        {"sequence": 2, "change": "ACKNOWLEDGED", "at": _AT, "actor": "user:ada", "reason": "looking into it"},
    ],
}
CHANNEL: dict[str, Any] = {
    "channel_id": "4bf5122f3445",
    "kind": "webhook",
    "name": "on-call",
    "address": "https://hooks.example.com/millrace",
    "enabled": True,
    "kinds": [],
    "created_at": _AT,
    "created_by": "user:ada",
    "revision": 1,
}
CHANNELS = [CHANNEL]
CREATED = CHANNEL | {"secret": "whsec_…"}
DELIVERY: dict[str, Any] = {
    "delivery_id": "dbc1b4c900ffe48d575b5da5",
    "channel_id": "4bf5122f3445",
    "event": "alert.opened",
    "alert_id": "8d969eef6ecad3c29a3a",
    "state": "DELIVERED",
    "attempts": 3,
    "status": 204,
    "reason": None,
    "created_at": _AT,
    "due_at": _AT,
    "ended_at": _AT,
}
DELIVERIES = {"items": [DELIVERY], "next_cursor": None}
_REFUSED = "Retraining cannot help: no new labels since v12, which churn:7 was trained on."
RETRAINING: dict[str, Any] = {
    "model": "churn",
    "policy": {"governor": True, "cool_down_hours": 24.0, "min_new_rows": 100, "daily_spend_cap_usd": 25.0},
    "now": {
        "start": False,
        "reason": "no_new_labels",
        "sentence": _REFUSED,
        "champion": "churn:7",
        "champion_dataset_version": 12,
        "newest_dataset_version": 12,
        "new_rows": 5000,
        "run_in_flight": None,
        "last_started_at": _AT,
        "spent_today_usd": 0.42,
        "estimate_usd": 0.12,
    },
    "decisions": {
        "items": [
            {
                "model": "churn",
                "decision_id": "0f3c",
                "at": _AT,
                "trigger": f"data drift in report 0f3c: {_SENTENCE}",
                "start": False,
                "reason": "no_new_labels",
                "sentence": _REFUSED,
                "dataset_version": 12,
                "new_rows": 5000,
                "run_id": None,
            }
        ],
        "next_cursor": None,
    },
}
