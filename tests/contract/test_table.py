"""The table under trouble: a collision is sent again, a lost condition decided again, neither for ever."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from millrace.adapters.dynamodb import Table
from millrace.adapters.dynamodb.table import Lost
from millrace.errors import Conflict
from tests.contract.conftest import TABLE


class Trouble:
    """Answers the first `times` transactions with an error instead of sending them."""

    def __init__(self, client: Any, *, times: int, code: str, reasons: list[str]) -> None:
        self.left, self.seen = times, 0
        self._error = {"Error": {"Code": code, "Message": code}}, [{"Code": reason} for reason in reasons]
        client.meta.events.register("before-send.dynamodb.TransactWriteItems", self)

    def __call__(self, **_: Any) -> None:
        self.seen += 1
        if self.left > 0:
            self.left -= 1
            response, reasons = self._error
            raise ClientError({**response, "CancellationReasons": reasons}, "TransactWriteItems")  # type: ignore[typeddict-item, typeddict-unknown-key]


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def patient(dynamodb: Any, pauses: list[float]) -> Table:
    return Table(dynamodb, TABLE, sleep=pauses.append)


@pytest.mark.parametrize(
    ("code", "reasons"),
    [
        ("TransactionCanceledException", ["None", "TransactionConflict"]),
        ("TransactionCanceledException", ["ThrottlingError", "None"]),
        ("TransactionInProgressException", []),
    ],
)
def test_a_transaction_that_only_collided_is_sent_again(
    patient: Table, dynamodb: Any, pauses: list[float], code: str, reasons: list[str]
) -> None:
    Trouble(dynamodb, times=3, code=code, reasons=reasons)

    patient.write(patient.create("A", "1", {"state": "new"}))

    assert patient.get("A", "1") == {"pk": "A", "sk": "1", "state": "new"}
    assert len(pauses) == 3


def test_collisions_without_end_are_a_conflict(patient: Table, dynamodb: Any, pauses: list[float]) -> None:
    trouble = Trouble(dynamodb, times=1000, code="TransactionCanceledException", reasons=["TransactionConflict"])

    with pytest.raises(Conflict, match="try again"):
        patient.write(patient.create("A", "1", {"state": "new"}))

    assert patient.get("A", "1") is None
    assert trouble.seen == 25
    assert max(pauses) <= 0.5
    assert sum(pauses) < 15


def test_a_condition_that_fails_beside_a_collision_is_lost_not_repeated(patient: Table, dynamodb: Any) -> None:
    reasons = ["ConditionalCheckFailed", "TransactionConflict"]
    trouble = Trouble(dynamodb, times=1, code="TransactionCanceledException", reasons=reasons)

    with pytest.raises(Lost):
        patient.write(patient.create("A", "1", {"state": "new"}))

    assert trouble.seen == 1


def test_any_other_error_is_not_hidden(patient: Table, dynamodb: Any) -> None:
    Trouble(dynamodb, times=1, code="AccessDeniedException", reasons=[])

    with pytest.raises(ClientError, match="AccessDenied"):
        patient.write(patient.create("A", "1", {"state": "new"}))


def test_all_operations_are_written_or_none(patient: Table) -> None:
    patient.write(patient.create("A", "1", {"count": 1}))

    with pytest.raises(Lost):
        patient.write(patient.create("A", "2", {"count": 2}), patient.change("A", "1", {"count": 9}, when={"count": 7}))

    assert patient.get("A", "2") is None
    assert patient.get("A", "1") == {"pk": "A", "sk": "1", "count": 1}


def test_a_change_needs_every_attribute_as_it_was_seen(patient: Table) -> None:
    patient.write(patient.create("A", "1", {"count": 1, "state": "new"}))

    for when in ({"count": 2, "state": "new"}, {"count": 1, "state": "old"}):
        with pytest.raises(Lost):
            patient.write(patient.change("A", "1", {"count": 5}, when=when))
        with pytest.raises(Lost):
            patient.write(patient.remove("A", "1", when=when))
        with pytest.raises(Lost):
            patient.write(patient.check("A", "1", when=when), patient.create("B", "1", {}))
    patient.write(patient.change("A", "1", {"count": 5}, when={"count": 1, "state": "new"}))
    patient.write(patient.remove("A", "1", when={"count": 5}))

    assert patient.get("A", "1") is None
    assert patient.get("B", "1") is None


def test_an_item_that_is_not_there_can_be_neither_changed_nor_checked_nor_removed(patient: Table) -> None:
    for operation in (
        patient.change("A", "1", {"count": 1}, when={"count": 0}),
        patient.check("A", "1", when={"count": 0}),
        patient.remove("A", "1", when={"count": 0}),
    ):
        with pytest.raises(Lost):
            patient.write(operation)


def test_a_lost_decision_is_made_again_from_what_is_there_now(patient: Table) -> None:
    patient.write(patient.create("A", "1", {"count": 0}))
    attempts: list[int] = []

    def add_one() -> int:
        count = (patient.get("A", "1") or {})["count"]
        if not attempts:
            patient.write(patient.change("A", "1", {"count": 10}, when={"count": 0}))
        attempts.append(count)
        patient.write(patient.change("A", "1", {"count": count + 1}, when={"count": count}))
        return int(count) + 1

    assert patient.decide(add_one) == 11
    assert attempts == [0, 10]
    assert patient.get("A", "1") == {"pk": "A", "sk": "1", "count": 11}


def test_a_decision_that_is_always_lost_is_a_conflict(patient: Table, pauses: list[float]) -> None:
    def lose() -> None:
        raise Lost

    with pytest.raises(Conflict):
        patient.decide(lose)

    assert len(pauses) == 25


def test_more_items_than_a_page_holds_are_all_read(patient: Table, dynamodb: Any) -> None:
    body = "x" * 20_000
    for number in range(80):
        listed = {"body": body, "listing": "ALL", "listed_at": f"{number:03}"}
        patient.write(patient.create("A", f"N#{number:03}", listed))

    expected = [f"N#{number:03}" for number in range(80)]
    assert [item["sk"] for item in patient.query("A", "N#")] == expected
    assert [item["sk"] for item in patient.query("A", "N#", newest_first=True)] == expected[::-1]
    assert [item["sk"] for item in patient.listing("ALL", newest_first=True)] == expected[::-1]
    assert all(item["body"] == body for item in patient.query("A", "N#"))


@pytest.mark.parametrize("length", [0, 1, 32 * 1024, 32 * 1024 + 1, 3_000_000])
def test_a_body_of_any_length_is_read_as_it_was_written(patient: Table, length: int) -> None:
    body = "ä€" * (length // 2) + "x" * (length % 2)

    patient.write(patient.create("A", "1", {"body": body}))

    assert (patient.get("A", "1") or {})["body"] == body
