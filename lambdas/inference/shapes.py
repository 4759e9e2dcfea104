"""What `POST /inference/predict` takes and answers."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from millrace.domain.entity import Name

MAX_ROWS = 1000
# An explanation scores a row once per column.
MAX_EXPLAINED_ROWS = 20
RecordId = Annotated[str, Field(min_length=1, max_length=128)]


class PredictRequest(BaseModel):
    """A row is an object with one value per column of the model's signature, by name; null is "not known".

    `record_ids` name the rows, so that the truth can join later; without them they are named after the request.
    `explain` asks for an explanation of each row, of at most 20 in a request.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"model": "churn", "rows": [{"age": 41, "plan": "basic"}], "record_ids": ["customer-17"]}]
        },
    )

    model: Name
    rows: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=MAX_ROWS)]
    record_ids: list[RecordId] | None = None
    explain: bool = False

    @model_validator(mode="after")
    def _few_explained(self) -> Self:
        if self.explain and len(self.rows) > MAX_EXPLAINED_ROWS:
            raise ValueError(f"at most {MAX_EXPLAINED_ROWS} rows of a request can be explained")
        return self


class RowExplanation(BaseModel):
    """How the score would differ if one value at a time were not known; what the model does, not what causes what.

    `score` is the probability of the class `of`, or the predicted number (`of` is null). An effect is the score as it
    is, less the score without the value; effects do not add up, because columns stand in for each other.
    """

    method: Literal["value_withheld"] = "value_withheld"
    of: str | None
    score: float
    effects: dict[str, float]


class RowPrediction(BaseModel):
    """`probabilities` by class, null for a model of numbers. `notices` say by column what was odd about the row.

    `explanation` is null unless it was asked for.
    """

    record_id: str
    prediction: str | bool | int | float
    probabilities: dict[str, float] | None
    notices: dict[str, str]
    explanation: RowExplanation | None = None


class PredictResponse(BaseModel):
    """`predictions` in the order of the rows. `latency_ms` is the time in the function."""

    model_version: str
    predictions: list[RowPrediction]
    ignored_columns: list[str]
    latency_ms: float


EXAMPLE_ANSWER: dict[str, Any] = {
    "model_version": "churn:7",
    "predictions": [
        {
            "record_id": "customer-17",
            "prediction": "stays",
            "probabilities": {"leaves": 0.21, "stays": 0.79},
            "notices": {"plan": "'basic' was not learnt: it is taken as none of the known"},
        }
    ],
    "ignored_columns": [],
    "latency_ms": 0.4,
}
