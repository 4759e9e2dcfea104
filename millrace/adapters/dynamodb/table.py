"""One DynamoDB table, spoken to in transactions: items of plain attributes, and `body`, an entity as JSON."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from random import SystemRandom
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError

from millrace import names
from millrace.adapters.clock import SystemClock
from millrace.errors import Conflict

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

T = TypeVar("T")
Plain = str | int
Item = Mapping[str, Any]
BODY = "body"

_ATTEMPTS = 25
# A page looks at so many items for those it wants, and at more when it finds too few: time is bounded, however rare
# they are.
_LOOKED_AT = (50, 150, 300, 500)
LONGEST_LOOK_UP = 100
_COMPRESS_ABOVE_BYTES = 32 * 1024
_RETRY = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
_RETRY_CALL = {"TransactionConflictException", "TransactionInProgressException"}


class Lost(Exception):
    """A condition of a transaction did not hold: nothing was written. Read again and decide again."""


class Table:
    """Reads are consistent, writes are transactions. `sleep` is the pause between attempts, in seconds.

    `now` is the time that records of what was written carry.
    """

    def __init__(
        self,
        client: DynamoDBClient,
        name: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self._client = client
        self._name = name
        self._sleep = sleep
        self.now = now or SystemClock().now

    def get(self, pk: str, sk: str) -> Item | None:
        found = self._client.get_item(TableName=self._name, Key=_key(pk, sk), ConsistentRead=True).get("Item")
        return None if found is None else _plain(found)

    def query(self, pk: str, prefix: str, *, newest_first: bool = False) -> Iterator[Item]:
        """The items of one partition whose sort key begins with `prefix`, in the order of the sort key."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._name,
            KeyConditionExpression="#pk = :pk AND begins_with(#sk, :prefix)",
            ExpressionAttributeNames={"#pk": names.PARTITION_KEY, "#sk": names.SORT_KEY},
            ExpressionAttributeValues={":pk": {"S": pk}, ":prefix": {"S": prefix}},
            ScanIndexForward=not newest_first,
            ConsistentRead=True,
        )
        for page in pages:
            yield from map(_plain, page["Items"])

    def between(self, pk: str, low: str, high: str) -> Iterator[Item]:
        """The items of one partition from sort key `low` to sort key `high`, both included."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._name,
            KeyConditionExpression="#pk = :pk AND #sk BETWEEN :low AND :high",
            ExpressionAttributeNames={"#pk": names.PARTITION_KEY, "#sk": names.SORT_KEY},
            ExpressionAttributeValues={":pk": {"S": pk}, ":low": {"S": low}, ":high": {"S": high}},
            ConsistentRead=True,
        )
        for page in pages:
            yield from map(_plain, page["Items"])

    def listing(self, listing: str, *, newest_first: bool = False) -> Iterator[Item]:
        """Every item of one kind, in the order of `listed_at`. An index: it may trail a write by a moment."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._name,
            IndexName=names.LISTING_INDEX,
            KeyConditionExpression="#listing = :listing",
            ExpressionAttributeNames={"#listing": names.LISTING_PARTITION_KEY},
            ExpressionAttributeValues={":listing": {"S": listing}},
            ScanIndexForward=not newest_first,
        )
        for page in pages:
            yield from map(_plain, page["Items"])

    def page(
        self,
        index: str,
        partition: str,
        *,
        after: str | None,
        limit: int,
        newest_first: bool = False,
        where: Mapping[str, Plain] | None = None,
    ) -> tuple[list[Item], str | None]:
        """At most `limit` items of one partition of an index, beyond the sort key `after`, and where to go on.

        `where` keeps items with these attributes; when they are rare the page is short, and the next one goes on from
        where this one stopped looking.
        """
        condition, aliases, values = _condition(where or {})
        query: dict[str, Any] = {
            "TableName": self._name,
            "IndexName": index,
            "ScanIndexForward": not newest_first,
            "ExpressionAttributeNames": aliases | {"#partition": names.INDEXES[index]},
            "ExpressionAttributeValues": values | {":partition": {"S": partition}},
        }
        if condition:
            query["FilterExpression"] = condition
        found: list[Item] = []
        for looked_at in _LOOKED_AT:
            query.update(_beyond(after, newest_first=newest_first, query=query))
            answer = self._client.query(**query, Limit=looked_at if condition else limit + 1 - len(found))
            found += map(_plain, answer["Items"])
            if len(found) > limit:
                return found[:limit], str(found[limit - 1][names.LISTING_SORT_KEY])
            if "LastEvaluatedKey" not in answer:
                return found, None
            after = answer["LastEvaluatedKey"][names.LISTING_SORT_KEY]["S"]
        return found, after

    def part(
        self, pk: str, prefix: str, *, after: str | None, limit: int, newest_first: bool = False
    ) -> tuple[list[Item], str | None]:
        """At most `limit` items of one partition of the table whose sort key begins with `prefix`, beyond `after`."""
        low, high = (prefix, after or f"{prefix}\uffff") if newest_first else (after or prefix, f"{prefix}\uffff")
        answer = self._client.query(
            TableName=self._name,
            KeyConditionExpression="#pk = :pk AND #sk BETWEEN :low AND :high",
            ExpressionAttributeNames={"#pk": names.PARTITION_KEY, "#sk": names.SORT_KEY},
            ExpressionAttributeValues={":pk": {"S": pk}, ":low": {"S": low}, ":high": {"S": high}},
            ScanIndexForward=not newest_first,
            ConsistentRead=True,
            # One more to know whether there is a next page, and one for `after` itself, which BETWEEN includes.
            Limit=limit + 2,
        )
        found = [item for item in map(_plain, answer["Items"]) if item[names.SORT_KEY] != after]
        more = len(found) > limit or "LastEvaluatedKey" in answer
        return found[:limit], str(found[:limit][-1][names.SORT_KEY]) if more and found else None

    def look_up(self, keys: Sequence[tuple[str, str]]) -> list[Item]:
        """The items that exist of at most 100 keys, in any order."""
        wanted: dict[str, Any] = {self._name: {"Keys": [_key(pk, sk) for pk, sk in keys], "ConsistentRead": True}}
        found: list[Item] = []
        for attempt in range(_ATTEMPTS):
            if not wanted or not keys:
                return found
            answer = self._client.batch_get_item(RequestItems=wanted)
            found += map(_plain, answer["Responses"].get(self._name, []))
            wanted = dict(answer.get("UnprocessedKeys", {}))
            if wanted:
                self._pause(attempt)
        raise Conflict("the registry is too busy to answer: try again in a moment")

    def create(self, pk: str, sk: str, attributes: Mapping[str, Plain]) -> TransactWriteItemTypeDef:
        """Write an item that must not exist."""
        return {
            "Put": {
                "TableName": self._name,
                "Item": {**_key(pk, sk), **{name: _stored(name, value) for name, value in attributes.items()}},
                "ConditionExpression": "attribute_not_exists(#pk)",
                "ExpressionAttributeNames": {"#pk": names.PARTITION_KEY},
            }
        }

    def put(
        self, pk: str, sk: str, attributes: Mapping[str, Plain], *, when: Mapping[str, Plain] | None = None
    ) -> TransactWriteItemTypeDef:
        """Write an item in place of one that has the attributes `when` now.

        Without `when` whether it exists or not: another operation of the same transaction has the condition.
        """
        stored = {name: _stored(name, value) for name, value in attributes.items()}
        operation: TransactWriteItemTypeDef = {
            "Put": {"TableName": self._name, "Item": {**_key(pk, sk), **stored}},
        }
        if when is not None:
            condition, aliases, values = _condition(when)
            operation["Put"] |= {
                "ConditionExpression": condition,
                "ExpressionAttributeNames": aliases,
                "ExpressionAttributeValues": values,
            }
        return operation

    def change(
        self, pk: str, sk: str, attributes: Mapping[str, Plain], *, when: Mapping[str, Plain]
    ) -> TransactWriteItemTypeDef:
        """Set attributes of an item that has the attributes `when` now."""
        condition, aliases, values = _condition(when)
        for position, (name, value) in enumerate(attributes.items()):
            aliases[f"#s{position}"], values[f":s{position}"] = name, _stored(name, value)
        assignments = ", ".join(f"#s{position} = :s{position}" for position in range(len(attributes)))
        return {
            "Update": {
                "TableName": self._name,
                "Key": _key(pk, sk),
                "UpdateExpression": f"SET {assignments}",
                "ConditionExpression": condition,
                "ExpressionAttributeNames": aliases,
                "ExpressionAttributeValues": values,
            }
        }

    def add(self, pk: str, sk: str, amounts: Mapping[str, int]) -> TransactWriteItemTypeDef:
        """Add to numbers of an item; what is not there yet is zero."""
        additions = ", ".join(f"#a{position} :a{position}" for position in range(len(amounts)))
        return {
            "Update": {
                "TableName": self._name,
                "Key": _key(pk, sk),
                "UpdateExpression": f"ADD {additions}",
                "ExpressionAttributeNames": {f"#a{position}": name for position, name in enumerate(amounts)},
                "ExpressionAttributeValues": {
                    f":a{position}": {"N": str(amount)} for position, amount in enumerate(amounts.values())
                },
            }
        }

    def check(self, pk: str, sk: str, *, when: Mapping[str, Plain]) -> TransactWriteItemTypeDef:
        """Write nothing, but only if the item has the attributes `when` now."""
        condition, aliases, values = _condition(when)
        return {
            "ConditionCheck": {
                "TableName": self._name,
                "Key": _key(pk, sk),
                "ConditionExpression": condition,
                "ExpressionAttributeNames": aliases,
                "ExpressionAttributeValues": values,
            }
        }

    def remove(self, pk: str, sk: str, *, when: Mapping[str, Plain]) -> TransactWriteItemTypeDef:
        """Delete an item that has the attributes `when` now."""
        condition, aliases, values = _condition(when)
        return {
            "Delete": {
                "TableName": self._name,
                "Key": _key(pk, sk),
                "ConditionExpression": condition,
                "ExpressionAttributeNames": aliases,
                "ExpressionAttributeValues": values,
            }
        }

    def forget(self, pk: str, sk: str) -> TransactWriteItemTypeDef:
        """Delete an item, if it exists: another operation of the same transaction has the condition."""
        return {"Delete": {"TableName": self._name, "Key": _key(pk, sk)}}

    def write(self, *operations: TransactWriteItemTypeDef) -> None:
        """All of them or none. Raises Lost when a condition did not hold, Conflict when others keep getting in between.

        A transaction that only collided with another one is sent again: its conditions are judged anew.
        """
        for attempt in range(_ATTEMPTS):
            if self._wrote(operations):
                return
            self._pause(attempt)
        raise Conflict("too many changes at once on the same thing: try again in a moment")

    def decide(self, attempt: Callable[[], T]) -> T:
        """`attempt` reads, decides and writes; it runs again while its writes are Lost. Raises Conflict in the end."""
        for number in range(_ATTEMPTS):
            try:
                return attempt()
            except Lost:
                self._pause(number)
        raise Conflict("too many changes at once on the same thing: try again in a moment")

    def _wrote(self, operations: Sequence[TransactWriteItemTypeDef]) -> bool:
        try:
            self._client.transact_write_items(TransactItems=operations)
        except ClientError as error:
            if error.response["Error"]["Code"] in _RETRY_CALL:
                return False
            codes = {reason.get("Code") for reason in error.response.get("CancellationReasons", [])}
            if "ConditionalCheckFailed" in codes:
                raise Lost from error
            if codes & _RETRY:
                return False
            raise
        return True

    def _pause(self, attempt: int) -> None:
        """Wait between nothing and twice as long as last time, at most half a second, so that rivals spread out."""
        self._sleep(SystemRandom().uniform(0, min(0.5, 0.005 * 2**attempt)))


def _key(pk: str, sk: str) -> dict[str, Any]:
    return {names.PARTITION_KEY: {"S": pk}, names.SORT_KEY: {"S": sk}}


def _stored(name: str, value: Plain) -> dict[str, Any]:
    """A long body is compressed: the contract of a thousand columns would not fit in an item's 400 KB."""
    if isinstance(value, int):
        return {"N": str(value)}
    if name == BODY and len(value) > _COMPRESS_ABOVE_BYTES:
        return {"B": zlib.compress(value.encode())}
    return {"S": value}


def _plain(item: Mapping[str, Any]) -> Item:
    return {name: _value(typed) for name, typed in item.items()}


def _value(typed: Mapping[str, Any]) -> Plain:
    if "N" in typed:
        return int(typed["N"])
    if "B" in typed:
        return zlib.decompress(typed["B"]).decode()
    return str(typed["S"])


def _beyond(after: str | None, *, newest_first: bool, query: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a query that say where in the index it begins."""
    if after is None:
        return {"KeyConditionExpression": "#partition = :partition"}
    compared = "<" if newest_first else ">"
    return {
        "KeyConditionExpression": f"#partition = :partition AND #listed_at {compared} :after",
        "ExpressionAttributeNames": query["ExpressionAttributeNames"] | {"#listed_at": names.LISTING_SORT_KEY},
        "ExpressionAttributeValues": query["ExpressionAttributeValues"] | {":after": {"S": after}},
    }


def _condition(when: Mapping[str, Plain]) -> tuple[str, dict[str, str], dict[str, Any]]:
    aliases = {f"#w{position}": name for position, name in enumerate(when)}
    values = {f":w{position}": _stored(name, value) for position, (name, value) in enumerate(when.items())}
    return " AND ".join(f"#w{position} = :w{position}" for position in range(len(when))), aliases, values
