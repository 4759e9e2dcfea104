"""Ground truth: what a label may be, what became of a file of labels, and which labels joined a prediction."""

from __future__ import annotations

import math
from datetime import date

from millrace.domain.entity import Entity, Moment

Truth = str | bool | int | float

# Labels arrive later than what they are about: those of so many days before a check are looked at.
LABEL_DAYS = 30


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


class LabelCounts(Entity):
    """What became of the labels of the last `LABEL_DAYS` days when a check read its window; one label per record.

    `joined` met a prediction of the window, `elsewhere` one of another time, version or batch, `waiting` none at all;
    `oldest_waiting` is the day that the first of those is of. `elsewhere` and `waiting` are None where only the window
    was read: what did not join there may have its prediction in another. `unlabelled` predictions of the window wait
    for their label.
    """

    known: int
    joined: int
    elsewhere: int | None = None
    waiting: int | None = None
    oldest_waiting: date | None = None
    unlabelled: int

    @property
    def sentence(self) -> str:
        if not self.known:
            return f"There is no label of the last {LABEL_DAYS} days."
        if self.waiting is None and self.joined == self.known:
            return f"{self.joined:,} labels of the last {LABEL_DAYS} days joined a prediction of this window."
        if self.waiting is None:
            return (
                f"{self.joined:,} of {self.known:,} labels of the last {LABEL_DAYS} days joined a prediction of this "
                "window; the others were not looked for elsewhere."
            )
        if not self.waiting:
            return f"{'The label' if self.known == 1 else f'All {self.known:,} labels'} joined a prediction."
        since = f" since {self.oldest_waiting}" if self.oldest_waiting else ""
        if self.known == 1:
            return f"The label waits for its prediction{since}."
        oldest = f", the oldest{since}" if since else ""
        waits = "1 waits for its own" if self.waiting == 1 else f"{self.waiting:,} wait for theirs"
        return f"{self.known - self.waiting:,} of {self.known:,} labels joined a prediction; {waits}{oldest}."
