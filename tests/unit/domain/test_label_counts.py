"""What is said of labels: how many joined a prediction, how many wait, and nothing that was not counted."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from millrace.domain.truth import LabelCounts

OLDEST = date(2026, 11, 2)


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        (
            {"known": 900, "joined": 800, "elsewhere": 12, "waiting": 88, "oldest_waiting": OLDEST},
            "812 of 900 labels joined a prediction; 88 wait for theirs, the oldest since 2026-11-02.",
        ),
        (
            {"known": 2, "joined": 1, "elsewhere": 0, "waiting": 1, "oldest_waiting": OLDEST},
            "1 of 2 labels joined a prediction; 1 waits for its own, the oldest since 2026-11-02.",
        ),
        (
            {"known": 1200, "joined": 1200, "elsewhere": 0, "waiting": 0},
            "All 1,200 labels joined a prediction.",
        ),
        ({"known": 1, "joined": 0, "elsewhere": 1, "waiting": 0}, "The label joined a prediction."),
        (
            {"known": 900, "joined": 12},
            "12 of 900 labels of the last 30 days joined a prediction of this window; the others were not looked for "
            "elsewhere.",
        ),
        ({"known": 12, "joined": 12}, "12 labels of the last 30 days joined a prediction of this window."),
        (
            {"known": 1, "joined": 0, "elsewhere": 0, "waiting": 1, "oldest_waiting": OLDEST},
            "The label waits for its prediction since 2026-11-02.",
        ),
        ({"known": 0, "joined": 0, "elsewhere": 0, "waiting": 0}, "There is no label of the last 30 days."),
    ],
)
def test_a_sentence_says_what_was_counted(counts: dict[str, Any], said: str) -> None:
    assert LabelCounts(**counts, unlabelled=0).sentence == said
