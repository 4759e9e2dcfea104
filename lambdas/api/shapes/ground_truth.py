"""What the API takes and says of ground truth."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr

from millrace.domain.entity import Name

MAX_LABELS = 5000
EXAMPLE: dict[str, Any] = {
    "model": "credit",
    "labels": [{"record_id": "loan 4711", "truth": "good", "at": "2026-11-20T12:00:00Z"}],
}


class LabelBody(BaseModel):
    """`truth` as the dataset writes it; `at` is when it was known, and now if it is left out."""

    model_config = ConfigDict(extra="forbid")

    record_id: str = Field(min_length=1, max_length=200)
    truth: (
        StrictBool
        | StrictInt
        | Annotated[StrictFloat, Field(allow_inf_nan=False)]
        | Annotated[StrictStr, Field(max_length=1000)]
    )
    at: AwareDatetime | None = None


class GroundTruthRequest(BaseModel):
    """Labels of records that were predicted, or will be. Sent again, they count once; a later `at` corrects."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    model: Name
    labels: Annotated[list[LabelBody], Field(min_length=1, max_length=MAX_LABELS)]


class GroundTruthAnswer(BaseModel):
    """`labels` is how many different records were labelled."""

    model: str
    labels: int
    received_at: datetime


class DayOfTruthAnswer(BaseModel):
    day: date
    labels: int


class GroundTruthDays(BaseModel):
    """The days that have labels, the latest first."""

    model: str
    days: list[DayOfTruthAnswer]


ANSWER: dict[str, Any] = {"model": "credit", "labels": 1, "received_at": "2026-11-20T12:00:02Z"}
DAYS: dict[str, Any] = {"model": "credit", "days": [{"day": "2026-11-20", "labels": 412}]}
