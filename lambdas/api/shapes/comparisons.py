"""What the API says of the comparison of two versions row by row."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from millrace.domain.row_comparison import RowComparison
from millrace.domain.run import RunState
from millrace.use_cases.start_comparison import Comparison


class NewRowComparison(BaseModel):
    """Two versions of a dataset that has a row key."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"from_version": 2, "to_version": 3}]})

    from_version: int = Field(ge=1, le=99_999_999)
    to_version: int = Field(ge=1, le=99_999_999)


class RowComparisonAnswer(BaseModel):
    """How far the comparison is. `result` is null while its run goes on."""

    run_id: str
    state: RunState
    result: RowComparison | None


def row_comparison(found: Comparison) -> RowComparisonAnswer:
    return RowComparisonAnswer(run_id=found.run.run_id, state=found.run.state, result=found.result)


RUNNING: dict[str, Any] = {"run_id": "comparison-0f2c4d9a7b11", "state": "RUNNING", "result": None}
DONE: dict[str, Any] = {
    "run_id": "comparison-0f2c4d9a7b11",
    "state": "SUCCEEDED",
    "result": {
        "dataset": "churn",
        "from_version": 2,
        "to_version": 3,
        "key": ["customer_id"],
        "added": 31,
        "removed": 1,
        "changed": 12,
        "unchanged": 977,
        "repeated_before": 0,
        "repeated_after": 0,
        "changed_by_column": {"age": 0, "plan": 12},
        "examples": [
            {
                "change": "CHANGED",
                "key": {"customer_id": "17"},
                "changed_columns": ["plan"],
                "before": {"plan": "basic"},
                "after": {"plan": "family"},
            }
        ],
    },
}
