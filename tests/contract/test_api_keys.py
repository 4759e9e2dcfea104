"""API keys are kept alike by the table and by its fake."""

from __future__ import annotations

from functools import partial

import pytest

from millrace.adapters.dynamodb import DynamoApiKeys
from millrace.adapters.memory import InMemoryApiKeys
from millrace.errors import Conflict, NotFound
from millrace.ports import ApiKeys
from tests.builders import NOON, an_api_key, later
from tests.contract.concurrency import all_at_once
from tests.contract.conftest import IMPLEMENTATIONS, TABLE
from tests.contract.test_pages import walked


@pytest.fixture(params=IMPLEMENTATIONS)
def keys(request: pytest.FixtureRequest) -> ApiKeys:
    if request.param == "memory":
        return InMemoryApiKeys()
    return DynamoApiKeys(request.getfixturevalue("table"))


def test_what_was_added_is_found_whole(keys: ApiKeys) -> None:
    keys.add(an_api_key())

    assert keys.get("0" * 16) == an_api_key()
    assert keys.get("0" * 16).opens_with("5" * 64)
    with pytest.raises(NotFound):
        keys.get("1" * 16)


def test_an_id_is_taken_once(keys: ApiKeys) -> None:
    keys.add(an_api_key())

    with pytest.raises(Conflict):
        keys.add(an_api_key(owner="user:eve"))
    assert keys.get("0" * 16).owner == "user:ada"


def test_pages_are_newest_first_of_everybody_or_of_one(keys: ApiKeys) -> None:
    for number in range(5):
        owner = "user:ada" if number % 2 else "user:bob"
        keys.add(an_api_key(f"{number:016x}", owner=owner, created_at=later(number)))

    everybodys = [key.key_id[-1] for page in walked(keys.page, limit=2) for key in page]
    adas = [key.key_id[-1] for page in walked(keys.page, limit=1, owner="user:ada") for key in page]

    assert everybodys == ["4", "3", "2", "1", "0"]
    assert adas == ["3", "1"]


def test_a_key_is_revoked_once_by_one_of_many(keys: ApiKeys) -> None:
    keys.add(an_api_key())

    revoked, errors = all_at_once(
        [partial(keys.revoke, "0" * 16, actor=f"user:{number}", at=NOON) for number in range(5)]
    )

    assert len(revoked) == 1
    assert [type(error) for error in errors] == [Conflict] * 4
    assert keys.get("0" * 16).revoked_by == revoked[0].revoked_by


def test_of_two_uses_at_once_one_is_noted_and_revoking_is_not_undone(keys: ApiKeys) -> None:
    keys.add(an_api_key())
    seen = keys.get("0" * 16)
    keys.revoke("0" * 16, actor="user:ada", at=NOON)

    keys.note_use(seen, at=later(1))
    keys.note_use(seen, at=later(2))

    after = keys.get("0" * 16)
    assert (after.last_used_at, after.revoked_at) == (later(1), NOON)


def test_the_next_use_follows_the_one_before(keys: ApiKeys) -> None:
    keys.add(an_api_key())
    keys.note_use(keys.get("0" * 16), at=later(1))
    keys.note_use(keys.get("0" * 16), at=later(90))

    assert keys.get("0" * 16).last_used_at == later(90)


def test_the_table_holds_no_secret(keys: ApiKeys, request: pytest.FixtureRequest) -> None:
    keys.add(an_api_key())

    if isinstance(keys, DynamoApiKeys):
        items = request.getfixturevalue("dynamodb").scan(TableName=TABLE)["Items"]
        assert items
        assert "5" * 64 not in str(items)
    assert "secret" not in repr(keys.get("0" * 16))
