"""What the API says of batch inferences."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from millrace.domain.batch import RECORD_ID, BatchReport
from millrace.domain.cost import cost_of_steps
from millrace.domain.entity import Name
from millrace.domain.run import Run, RunState, Step
from millrace.domain.transfer import MAX_BYTES


class NewBatchInput(BaseModel):
    """The file that will be sent, for a model."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"model": "credit", "file_name": "may.csv", "size_bytes": 5368709120}]},
    )

    model: Name
    file_name: str = Field(pattern=r"^[^/\\\x00-\x1f\x7f]{1,200}$")
    size_bytes: int = Field(ge=1, le=MAX_BYTES)


class BatchInput(BaseModel):
    """Either a file whose parts were sent (`upload_id`), or a version of a dataset (the model's own, if left out)."""

    model_config = ConfigDict(extra="forbid")

    upload_id: str | None = Field(default=None, pattern=r"^[0-9a-f]{20}$")
    dataset: Name | None = None
    dataset_version: int | None = Field(default=None, ge=1, le=99_999_999)

    @model_validator(mode="after")
    def _one_input(self) -> Self:
        if (self.upload_id is None) == (self.dataset_version is None):
            raise ValueError("name one input: upload_id, or dataset_version")
        return self


class BatchRequest(BaseModel):
    """`version` is a model version's number; the champion answers when it is left out.

    `record_id_column` names the rows in the results, so that the truth can join later; without it in the input they are
    named after the job and their row.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"model": "credit", "input": {"dataset_version": 1}, "reason": "May's rows"}]},
    )

    model: Name
    version: int | None = Field(default=None, ge=1, le=99_999_999)
    input: BatchInput
    record_id_column: str = Field(default=RECORD_ID, min_length=1, max_length=200)
    reason: str = Field(default="", max_length=2000)


class BatchSummary(BaseModel):
    """A batch inference in a list. `sentence` says what came of it, or why nothing did."""

    job_id: str
    model: str
    version: int | None
    state: RunState
    source: str
    started_by: str
    started_at: datetime
    ended_at: datetime | None
    sentence: str | None


class BatchDetail(BatchSummary):
    """`rows_in` = `predicted` (once it has SUCCEEDED) + `rejected`; null until the input has been read.

    `notices` and `violations` count values by column and reason. `steps_done` of `steps` says how far it is.
    """

    step: str | None
    steps_done: int
    steps: int
    rows_in: int | None
    accepted: int | None
    predicted: int | None
    rejected: int | None
    violations: dict[str, int]
    notices: dict[str, int]
    ignored_columns: list[str]
    record_ids: Literal["given", "generated"] | None
    cost_usd: float | None


class ResultFileAnswer(BaseModel):
    """GET the `address`, which needs no token, before `expires_at`."""

    file_name: str
    format: Literal["parquet", "csv"]
    size_bytes: int
    address: str
    expires_at: datetime


class BatchResultsAnswer(BaseModel):
    """All rows are in the Parquet parts together, and again in the one CSV file."""

    rows: int
    columns: list[str]
    files: list[ResultFileAnswer]


STEPS = 8
"""Task states of a batch inference; a test counts them."""


def batch_summary(run: Run) -> BatchSummary:
    return BatchSummary(**_facts(run))


def batch_detail(run: Run, steps: Sequence[Step], report: BatchReport | None) -> BatchDetail:
    done = sum(step.state is RunState.SUCCEEDED for step in steps)
    known = report is not None and report.rejection is None
    return BatchDetail(
        **_facts(run),
        step=steps[-1].name if steps and run.state is not RunState.SUCCEEDED else None,
        steps_done=done,
        steps=STEPS,
        rows_in=report.rows_in if report else None,
        accepted=report.accepted if report else None,
        predicted=report.accepted if report and known and run.state is RunState.SUCCEEDED else None,
        rejected=report.quarantined if report else None,
        violations=report.violations if report else {},
        notices=report.notices if report else {},
        ignored_columns=list(report.ignored_columns) if report else [],
        record_ids="given" if report and report.record_ids == "given" else "generated" if report else None,
        cost_usd=cost_of_steps(steps),
    )


def _facts(run: Run) -> dict[str, Any]:
    return {
        "job_id": run.run_id,
        "model": run.model,
        "version": run.input["number"],
        "state": run.state,
        "source": run.input["source_uri"],
        "started_by": run.started_by,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "sentence": run.outcome or run.reason,
    }
