"""What a model leans on: the loss in its primary metric when one raw column is shuffled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from millrace.analytics.evaluation import Predictions, metric_value
from millrace.analytics.measures import Measure

ROWS = 1000
REPEATS = 3


@dataclass(frozen=True)
class Importance:
    """Mean and standard deviation over repeats of how much worse the metric gets. Near 0: the column is not used."""

    feature: str
    importance: float
    deviation: float


def permutation_importance(
    predict: Callable[[pd.DataFrame], Predictions],
    frame: pd.DataFrame,
    columns: Sequence[str],
    measure: Measure,
    seed: int,
) -> list[Importance]:
    """The columns, most important first. `predict` answers for any rows of `frame` in order, with their truth.

    At most `ROWS` rows of the frame, drawn by the seed, are used. Correlated columns share their importance: shuffling
    one leaves the other to lean on. The list is empty when the metric is undefined on the rows drawn.
    """
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.choice(len(frame), size=min(ROWS, len(frame)), replace=False))
    sample = frame.iloc[rows]
    whole = metric_value(measure.name, predict(sample))
    if not np.isfinite(whole):
        return []
    found = []
    for column in columns:
        losses = []
        for _ in range(REPEATS):
            shuffled = sample.assign(**{column: sample[column].to_numpy()[rng.permutation(len(sample))]})
            losses.append(measure.sign * (whole - metric_value(measure.name, predict(shuffled))))
        found.append(Importance(column, float(np.mean(losses)), float(np.std(losses))))
    return sorted(found, key=lambda item: -item.importance)
