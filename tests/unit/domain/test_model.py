"""Model version ids, and who had an alias when."""

from __future__ import annotations

import pytest

from millrace.domain.model import ModelEvent, ModelEventKind, parse_version_id, verdict_now, version_with_alias_at
from millrace.errors import InvalidInput
from tests.builders import a_model_version, later


def test_a_verdict_against_who_is_champion_now_is_told_as_it_was() -> None:
    champion = a_model_version(1)
    verdict = champion.verdict.model_copy(update={"compared_with": "credit:1", "sentence": "Better by 0.02."})
    version = a_model_version(2).model_copy(update={"verdict": verdict})

    assert verdict_now(version, champion) == verdict_now(version, None) == "Better by 0.02."


def test_a_champion_of_another_run_is_named_without_figures_of_other_rows() -> None:
    lineage = a_model_version(1).lineage.model_copy(update={"run_id": "training-9"})
    champion = a_model_version(1).model_copy(update={"lineage": lineage})
    version = a_model_version(2)

    said = verdict_now(version, champion)

    assert said.startswith(
        f"{champion.id} is the champion now, and this was not compared with it. When it was judged: "
    )
    assert said.endswith(version.verdict.sentence)


def a_move(sequence: int, number: int, *, minutes: float, alias: str = "champion") -> ModelEvent:
    return ModelEvent(
        model="credit",
        sequence=sequence,
        kind=ModelEventKind.ALIAS_MOVED,
        number=number,
        alias=alias,
        actor="ada",
        reason="better",
        at=later(minutes),
    )


HISTORY = [
    a_move(2, 1, minutes=10),
    a_move(5, 3, minutes=20),
    a_move(6, 9, minutes=25, alias="shadow"),
    a_move(7, 1, minutes=30),
]


@pytest.mark.parametrize(
    ("minutes", "number"), [(9.99, None), (10, 1), (19.99, 1), (20, 3), (27, 3), (30, 1), (1e6, 1)]
)
def test_the_champion_at_any_time_is_the_last_move_until_then(minutes: float, number: int | None) -> None:
    assert version_with_alias_at(HISTORY, "champion", later(minutes)) == number


def test_moves_of_the_same_moment_count_in_their_order() -> None:
    moves = [a_move(2, 5, minutes=1), a_move(1, 4, minutes=1)]

    assert version_with_alias_at(moves, "champion", later(1)) == 5


def test_a_version_id_names_model_and_number() -> None:
    assert parse_version_id("churn:7") == ("churn", 7)


@pytest.mark.parametrize("text", ["churn", "churn:", ":7", "churn:x", "churn:-1", "churn:7:8", ""])
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidInput, match="churn:7"):
        parse_version_id(text)
