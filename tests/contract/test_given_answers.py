"""Every GivenAnswers: one key, one request, one answer."""

from __future__ import annotations

from datetime import timedelta

import pytest

from millrace.adapters.dynamodb import DynamoGivenAnswers
from millrace.adapters.memory import InMemoryGivenAnswers
from millrace.errors import Conflict, KeyReused
from millrace.ports import GivenAnswers
from tests.builders import later
from tests.contract.concurrency import all_at_once
from tests.contract.conftest import IMPLEMENTATIONS

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


@pytest.fixture(params=IMPLEMENTATIONS)
def answers(request: pytest.FixtureRequest) -> GivenAnswers:
    if request.param == "memory":
        return InMemoryGivenAnswers()
    return DynamoGivenAnswers(request.getfixturevalue("table"))


def begin(answers: GivenAnswers, key: str = "k", request: str = "start", minutes: float = 0) -> str | None:
    return answers.begin(key, request, at=later(minutes), kept=DAY, worked_on=MINUTE)


def test_what_was_answered_is_answered_again(answers: GivenAnswers) -> None:
    assert begin(answers) is None
    answers.finish("k", "done")

    assert begin(answers, minutes=5) == "done"
    assert begin(answers, key="another") is None


def test_a_key_belongs_to_one_request(answers: GivenAnswers) -> None:
    begin(answers)
    with pytest.raises(KeyReused):
        begin(answers, request="stop")

    answers.finish("k", "done")
    with pytest.raises(KeyReused):
        begin(answers, request="stop")


def test_while_one_works_on_it_others_wait(answers: GivenAnswers) -> None:
    begin(answers)

    with pytest.raises(Conflict, match="worked on"):
        begin(answers, minutes=0.5)


def test_what_was_abandoned_may_begin_again(answers: GivenAnswers) -> None:
    begin(answers)

    assert begin(answers, minutes=1.1) is None
    with pytest.raises(Conflict):
        begin(answers, minutes=1.2)


def test_what_came_to_nothing_may_begin_again_even_as_another_request(answers: GivenAnswers) -> None:
    begin(answers)
    answers.forget("k")

    assert begin(answers, request="stop") is None


def test_an_answer_is_not_forgotten_by_a_late_failure(answers: GivenAnswers) -> None:
    begin(answers)
    answers.finish("k", "done")
    answers.forget("k")

    assert begin(answers) == "done"


def test_answers_are_kept_for_a_time(answers: GivenAnswers) -> None:
    begin(answers)
    answers.finish("k", "done")

    assert begin(answers, minutes=23 * 60) == "done"
    assert begin(answers, request="stop", minutes=24 * 60 + 1) is None


def test_of_many_at_once_one_works(answers: GivenAnswers) -> None:
    results, refused = all_at_once([lambda: begin(answers) for _ in range(12)])

    assert list(results) == [None]
    assert len(refused) == 11
    assert all(isinstance(error, Conflict) for error in refused)
