"""The pages of the dashboard that messages lead to: paths, whose host only the deployment knows.

`frontend/src/app/routes.tsx` has a route for each; a test holds the two together.
"""

from __future__ import annotations

import json
from urllib.parse import quote, urlencode

ALERTS = "/alerts"
SETTINGS = "/settings"


def alert_page(alert_id: str) -> str:
    return f"{ALERTS}/{_segment(alert_id)}"


def run_page(run_id: str) -> str:
    return f"/runs/{_segment(run_id)}"


def job_page(job_id: str) -> str:
    """Of a batch inference."""
    return f"/predictions/{_segment(job_id)}"


def model_page(model: str) -> str:
    return f"/models/{_segment(model)}"


def version_page(model: str, number: int) -> str:
    """Where a person decides about it."""
    return f"{model_page(model)}/{number}"


def monitoring_page(model: str, kind: str | None = None) -> str:
    """The monitoring screen of a model, which shows the worst feature first."""
    asked = {"model": _as_text(model)} | ({} if kind is None else {"kind": kind})
    return f"/monitoring?{urlencode(asked)}"


def _segment(value: str) -> str:
    return quote(value, safe="")


def _as_text(value: str) -> str:
    """The dashboard's router reads what looks like JSON as JSON: a model called 2024 would be a number."""
    try:
        json.loads(value)
    except ValueError:
        return value
    return json.dumps(value)
