"""The base of every entity: immutable, strict, snake_case JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a time without a zone is not a time: give UTC")
    return moment.astimezone(UTC)


Moment = Annotated[datetime, AfterValidator(_utc)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$")]
"""A dataset's or registered model's name: it becomes part of S3 keys, execution names and job names."""


class Entity(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def read(cls, stored: str | bytes) -> Self:
        """What this code knows of a document that was stored: newer code wrote more, and a rollback must read it."""
        return cls.model_validate_json(stored, extra="ignore")
