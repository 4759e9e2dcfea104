"""Ground truth: what a label may be, and what became of the rows of a file of labels."""

from __future__ import annotations

import math

from millrace.domain.entity import Entity, Moment

Truth = str | bool | int | float


def is_number(truth: Truth) -> bool:
    """Whether a model that predicts numbers can be held against it; written as text is as good."""
    if isinstance(truth, bool):
        return False
    try:
        return math.isfinite(float(truth))
    except (ValueError, OverflowError):
        return False


class TruthFile(Entity):
    """`rows` = `kept` + `repeated` + `refused`: labels that lie where monitoring joins them, rows of which a later one
    of the same file says more, and rows set aside with their reasons below `quarantine`.

    `rejection` says why a file was refused as a whole; nothing of it was used then. `reasons` are the first few.
    """

    file_id: str
    model: str
    key: str
    object_version: str
    rows: int = 0
    kept: int = 0
    repeated: int = 0
    refused: int = 0
    reasons: tuple[str, ...] = ()
    rejection: str | None = None
    quarantine: str
    at: Moment
