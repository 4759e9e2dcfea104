"""Why a row got its answer: what the answer would be if one value at a time were not known.

The method is `value_withheld`. For each column that the model reads, the row is scored once more with that value
missing, as a row without it would be scored; the effect is the score as it is, less that score. It says what the model
does with this row, not what causes what in the world. Effects do not add up to the score: columns that say the same
thing stand in for each other, so each of them alone may have little effect. A value that is missing already has none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from millrace.analytics.serving import MISSING_TEXT, ReadRows, Signature, class_name

METHOD = "value_withheld"


class Scorer(Protocol):
    def scores(self, rows: ReadRows, /) -> npt.NDArray[np.float64]:
        """Probabilities (rows, classes), or numbers (rows,)."""


@dataclass(frozen=True)
class Explanation:
    """`score` is the probability of the class `of`, or the predicted number (`of` is None). `effects` by column, the
    largest first: by how much the value moved the score."""

    of: str | None
    score: float
    effects: dict[str, float]


def explain_rows(
    graph: Scorer, rows: ReadRows, predictions: Sequence[object], signature: Signature
) -> list[Explanation]:
    """One per row, about the class that was predicted for it. The graph runs once, on (columns + 1) times the rows."""
    count = len(rows)
    stacked = tuple(
        column + column * index + (_missing(signature, index),) * count + column * (len(rows.columns) - index - 1)
        for index, column in enumerate(rows.columns)
    )
    scores = graph.scores(ReadRows(stacked, (), ())).reshape(len(rows.columns) + 1, count, -1)
    return [_explained(scores[:, row], predictions[row], signature) for row in range(count)]


def _missing(signature: Signature, index: int) -> str | float:
    return MISSING_TEXT if signature.inputs[index].is_category else math.nan


def _explained(scores: npt.NDArray[np.float64], prediction: object, signature: Signature) -> Explanation:
    """`scores` of one row: (columns + 1, classes or 1), the row as it is first."""
    place = signature.classes.index(prediction) if signature.classes else 0
    base = float(scores[0, place])
    effects = {each.name: base - float(scores[n, place]) for n, each in enumerate(signature.inputs, start=1)}
    ranked = dict(sorted(effects.items(), key=lambda item: -abs(item[1])))
    return Explanation(class_name(prediction) if signature.classes else None, base, ranked)
