"""A page of an index is the same whether ministack sorts everything for it or is handed the part that it can return."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ministack.services import dynamodb

from local.emulator import indexes

TABLE = "indexes-in-order"
Query = Callable[[dict[str, Any]], Any]
LISTED = {"#p": "listing", "#s": "listed_at"}


def text(value: str) -> dict[str, str]:
    return {"S": value}


def asked(answer: Any) -> dict[str, Any]:
    status, _, body = answer
    assert status == 200, body
    return dict(json.loads(body))


def put(number: int, listing: str, listed_at: str) -> None:
    item = {"pk": text(f"item-{number}"), "sk": text("META"), "listing": text(listing), "listed_at": text(listed_at)}
    asked(dynamodb._put_item({"TableName": TABLE, "Item": item}))


def remove(number: int) -> None:
    asked(dynamodb._delete_item({"TableName": TABLE, "Key": {"pk": text(f"item-{number}"), "sk": text("META")}}))


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> Iterator[Query]:
    """ministack's own answer; `dynamodb._query` is ours meanwhile."""
    for name in ("_query", "_index_members", "_index_item"):
        monkeypatch.setattr(dynamodb, name, getattr(dynamodb, name))
    ask, members = dynamodb._query, dynamodb._index_members
    indexes.install(None)  # type: ignore[arg-type]

    def answer(request: dict[str, Any]) -> Any:
        with monkeypatch.context() as patched:
            patched.setattr(dynamodb, "_index_members", members)
            return ask(request)

    keys = [("pk", "HASH"), ("sk", "RANGE"), ("listing", "HASH"), ("listed_at", "RANGE")]
    schema = [{"AttributeName": name, "KeyType": kind} for name, kind in keys]
    index = {"IndexName": "listing", "KeySchema": schema[2:], "Projection": {"ProjectionType": "ALL"}}
    made = {
        "TableName": TABLE,
        "KeySchema": schema[:2],
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
        "BillingMode": "PAY_PER_REQUEST",
        "GlobalSecondaryIndexes": [index],
    }
    asked(dynamodb._create_table(made))
    yield answer
    asked(dynamodb._delete_table({"TableName": TABLE}))


def requests(rng: random.Random) -> Iterator[dict[str, Any]]:
    for forward in (True, False):
        for bound in ("", " AND #s < :s", " AND #s > :s"):
            for limit in (1, 3, 100):
                values = {":p": text("A")} | ({":s": text(f"{rng.randint(0, 20):02}")} if bound else {})
                names = LISTED if bound else {"#p": "listing"}
                yield {
                    "TableName": TABLE,
                    "IndexName": "listing",
                    "KeyConditionExpression": f"#p = :p{bound}",
                    "ExpressionAttributeNames": names,
                    "ExpressionAttributeValues": values,
                    "ScanIndexForward": forward,
                    "Limit": limit,
                }


def test_every_page_is_what_ministack_answers_also_after_items_came_moved_and_went(plain: Query) -> None:
    rng = random.Random(5)
    for number in range(40):
        put(number, rng.choice("AB"), f"{rng.randint(0, 20):02}")
    for _ in range(4):
        for request in requests(rng):
            assert asked(dynamodb._query(dict(request))) == asked(plain(dict(request))), request
        put(rng.randint(0, 39), "A", f"{rng.randint(0, 20):02}")
        put(rng.randint(0, 39), "B", "07")
        remove(rng.randint(0, 39))


def test_a_page_of_many_looks_at_no_more_than_it_returns(plain: Query, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(300):
        put(number, "A", f"{number:03}")
    request = next(each for each in requests(random.Random(1)) if each["Limit"] == 3)
    looked_at: list[int] = []
    paginate = dynamodb._paginate_evaluated_items

    def counted(items: list[Any], *rest: Any) -> Any:
        looked_at.append(len(items))
        return paginate(items, *rest)

    monkeypatch.setattr(dynamodb, "_paginate_evaluated_items", counted)
    asked(dynamodb._query(dict(request)))
    asked(plain(dict(request)))

    assert looked_at == [4, 300]


@pytest.mark.parametrize(
    "changes",
    [
        {"IndexName": None},
        {"Limit": None},
        {"ExclusiveStartKey": {"pk": text("item-1")}},
        {"KeyConditionExpression": "begins_with(#s, :s) AND #p = :p"},
        {"ExpressionAttributeValues": {":p": {"N": "1"}}},
    ],
)
def test_queries_of_another_form_are_left_to_ministack(changes: dict[str, Any]) -> None:
    request = next(requests(random.Random(1)))
    assert indexes.page_of(request) is not None

    assert indexes.page_of(request | changes) is None
