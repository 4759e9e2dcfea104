"""What the API says of who did what, and of how much there is."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel

from lambdas.api.shapes.runs import RunSummary
from millrace.domain.audit import Action, AuditEntry
from millrace.domain.model import ApprovalState
from millrace.domain.run import RunState


class ActivityEntry(BaseModel):
    """One change. `subject` is what was changed, `sequence` counts its changes, `hash` seals the entry."""

    at: datetime
    actor: str
    action: Action
    subject: str
    sequence: int
    detail: dict[str, Any]
    hash: str


class DayOfRuns(BaseModel):
    """The runs that started on one day (UTC), by what has become of them."""

    day: date
    started: int
    states: dict[RunState, int]


class DashboardStats(BaseModel):
    """How much there is, and what happened lately.

    `dataset_versions` are those that can be used. `succeeded_share` is of the runs that have ended; null when none has.
    """

    datasets: int
    dataset_versions: int
    models: int
    model_versions: dict[ApprovalState, int]
    pending_approvals: int
    runs: dict[RunState, int]
    runs_by_pipeline: dict[str, dict[RunState, int]]
    succeeded_share: float | None
    days: list[DayOfRuns]
    latest_runs: list[RunSummary]
    latest_activity: list[ActivityEntry]


def activity_entry(entry: AuditEntry) -> ActivityEntry:
    return ActivityEntry(**entry.model_dump(exclude={"previous_hash"}))
