"""Batch inference: a file or a dataset version in, a prediction per row out."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from millrace.domain.dataset import Contract, Dialect
from millrace.domain.entity import Entity, Moment, Name
from millrace.errors import InvalidInput

RECORD_ID, ROW_NUMBER, PREDICTION, PROBABILITY = "record_id", "row_number", "prediction", "probability."
"""The columns that results have beside those that the model reads; the last begins the name of one per class."""


class BatchRequest(Entity):
    """All that the job PrepareBatch is told. `sources` are read as one table, in order; only a single file has an
    `object_version`. `record_id_column` names each row where the input has it."""

    job_id: str
    model: Name
    number: int
    artifact_uri: str
    container_uri: str
    sources: tuple[str, ...] = Field(min_length=1)
    object_version: str | None
    record_id_column: str = RECORD_ID
    contract: Contract
    location: str
    created_at: Moment


class BatchReport(Entity):
    """What PrepareBatch found. `rejection` is None when there are rows to predict.

    `notices` counts, by column and sentence, values that are answered all the same. `shards` are the objects that the
    model is asked about, in the order of the rows.
    """

    job_id: str
    rejection: str | None = None
    dialect: Dialect | None = None
    rows_in: int = 0
    accepted: int = 0
    quarantined: int = 0
    record_ids: str = Field(default="generated", pattern="^(given|generated)$")
    violations: dict[str, int] = Field(default_factory=dict)
    notices: dict[str, int] = Field(default_factory=dict)
    ignored_columns: tuple[str, ...] = ()
    shards: int = 0
    seconds: float = 0.0

    @model_validator(mode="after")
    def _nothing_lost(self) -> BatchReport:
        if self.rows_in != self.accepted + self.quarantined:
            raise ValueError(f"{self.rows_in} rows in, but {self.accepted} accepted + {self.quarantined} quarantined")
        return self


def check_features(names: tuple[str, ...], record_id_column: str) -> None:
    """Raises InvalidInput when a result's column would have the name of one that the model reads."""
    taken = [
        name
        for name in names
        if name in {RECORD_ID, ROW_NUMBER, PREDICTION, record_id_column} or name.startswith(PROBABILITY)
    ]
    if taken:
        raise InvalidInput(
            f"the model reads the columns {', '.join(taken)}, whose names batch results need for themselves: "
            "rename them in the dataset and train again"
        )


def batch_folder(run_input: dict[str, Any]) -> str:
    """Where a batch run's files lie, from the run's input: `s3://…/inference/{model}/batches/{job_id}/`."""
    return str(run_input["location"])
