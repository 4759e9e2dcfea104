"""What the API takes and says of ground truth."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr

from millrace.domain.drift import DriftSummary
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


class LabelStanding(BaseModel):
    """What became of the labels of the last 30 days when a check last looked, one label per record. `sentence` says it.

    `joined` met a prediction of the check's window, `elsewhere` one of another time, version or batch. `waiting` met
    none of the last 31 days and of the latest batches: it came before its prediction, or names a record that nobody
    predicted. Both are null where only the window was looked at. `unlabelled` of the window's predictions wait for
    their label.
    """

    sentence: str
    known: int
    joined: int
    elsewhere: int | None
    waiting: int | None
    oldest_waiting: date | None
    unlabelled: int
    window: str
    window_rows: int
    report_id: str
    counted_at: datetime


class GroundTruthDays(BaseModel):
    """The days that have labels, the latest first; and how many of the labels joined a prediction, null until a check
    counted them."""

    model: str
    days: list[DayOfTruthAnswer]
    standing: LabelStanding | None


def label_standing(counted: DriftSummary | None) -> LabelStanding | None:
    """As the report that counted the labels last told it."""
    if counted is None or counted.labels is None:
        return None
    return LabelStanding(
        sentence=counted.labels.sentence,
        **dict(counted.labels),
        window=counted.window,
        window_rows=counted.window_rows,
        report_id=counted.id,
        counted_at=counted.created_at,
    )


ANSWER: dict[str, Any] = {"model": "credit", "labels": 1, "received_at": "2026-11-20T12:00:02Z"}
STANDING: dict[str, Any] = {
    "sentence": "812 of 900 labels joined a prediction; 88 wait for theirs, the oldest since 2026-11-02.",
    "known": 900,
    "joined": 800,
    "elsewhere": 12,
    "waiting": 88,
    "oldest_waiting": "2026-11-02",
    "unlabelled": 3410,
    "window": "requests from 2026-10-20 12:00 to 2026-11-20 12:00",
    "window_rows": 4210,
    "report_id": "drift-5f1c9a7be2d04c11-performance",
    "counted_at": "2026-11-20T12:00:00Z",
}
DAYS: dict[str, Any] = {"model": "credit", "days": [{"day": "2026-11-20", "labels": 412}], "standing": STANDING}
