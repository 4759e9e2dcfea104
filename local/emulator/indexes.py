"""DynamoDB: a page of an index is found in its order; ministack sorts and filters the whole partition for each."""

import bisect
import contextvars
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from ministack.services import dynamodb

from local.context import EmulatorContext

Keys = dict[tuple[str, str], None]
Table = dict[str, Any]

_CONDITION = re.compile(r"#\w+ = (:\w+)(?: AND #\w+ (<|>) (:\w+))?")


class Page(NamedTuple):
    """What a query wants of one partition: at most `limit` items `before` or `after` a value of the sort key."""

    index_name: str
    partition: str
    limit: int
    forward: bool
    before: dict[str, str] | None = None
    after: dict[str, str] | None = None


class Ordered(NamedTuple):
    """A partition's keys in the order of its sort key. `members` is ministack's own set of them."""

    members: Keys
    values: list[tuple[Any, ...]]
    keys: list[tuple[str, str]]


_page: contextvars.ContextVar[Page | None] = contextvars.ContextVar("dynamodb_page", default=None)
_ordered: dict[tuple[int, str, str], Ordered] = {}


def install(_context: EmulatorContext) -> None:
    """Queries with a limit see the part of their partition that they can return; writes forget the order."""
    dynamodb._index_members = _narrowed(dynamodb._index_members)
    dynamodb._index_item = _forgetting(dynamodb._index_item)
    dynamodb._query = _by_page(dynamodb._query)


def page_of(request: dict[str, Any]) -> Page | None:
    """The page that a query asks for; None for a query of another form, which ministack answers by itself."""
    found = _CONDITION.fullmatch(request.get("KeyConditionExpression", "").strip())
    limit, values = request.get("Limit"), request.get("ExpressionAttributeValues", {})
    if not found or not request.get("IndexName") or not isinstance(limit, int) or "ExclusiveStartKey" in request:
        return None
    partition, bound = values.get(found[1], {}), values.get(found[3])
    if limit < 1 or "S" not in partition or (found[3] and "S" not in (bound or {})):
        return None
    return Page(
        index_name=request["IndexName"],
        partition=partition["S"],
        limit=limit,
        forward=request.get("ScanIndexForward", True),
        before=bound if found[2] == "<" else None,
        after=bound if found[2] == ">" else None,
    )


def _by_page(query: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    def query_by_page(request: dict[str, Any]) -> Any:
        token = _page.set(page_of(request))
        try:
            return query(request)
        finally:
            _page.reset(token)

    return query_by_page


def _narrowed(index_members: Callable[[Table], Any]) -> Callable[[Table], Any]:
    def members_of_page(table: Table) -> Any:
        members, page = index_members(table), _page.get()
        partition = members.get(page.index_name, {}).get(page.partition) if page is not None else None
        if page is None or partition is None:
            return members
        return {page.index_name: {page.partition: _part(_order(table, page, partition), page)}}

    return members_of_page


def _forgetting(index_item: Callable[..., None]) -> Callable[..., None]:
    def index_and_forget(table: Table, base_pk: str, base_sk: str, item: Any, add: bool) -> None:
        index_item(table, base_pk, base_sk, item, add)
        for name, hashes, ranges in dynamodb._index_key_schemas(table):
            partition = dynamodb._index_partition(item, hashes, ranges)
            if partition is not None:
                _ordered.pop((id(table), name, partition), None)

    return index_and_forget


def _order(table: Table, page: Page, members: Keys) -> Ordered:
    address = (id(table), page.index_name, page.partition)
    known = _ordered.get(address)
    # Another table may have got the place in memory of one that was deleted: its members are other ones.
    if known is None or known.members is not members:
        known = _ordered[address] = _sorted(table, page.index_name, members)
    return known


def _sorted(table: Table, index: str, members: Keys) -> Ordered:
    """As ministack orders them: by the sort key of the index, then by the keys of the table."""
    _, ranges = dynamodb._index_key_lists(dynamodb._index_def(table, index))
    fields = dynamodb._index_order_keys(table, ranges)

    def value(key: tuple[str, str]) -> tuple[Any, ...]:
        item = table["items"][key[0]][key[1]]
        return tuple(dynamodb._index_order_value(item, name, kind) for name, kind in fields)

    both = sorted((value(key), key) for key in members)
    return Ordered(members, [each for each, _ in both], [key for _, key in both])


def _part(ordered: Ordered, page: Page) -> Iterator[tuple[str, str]]:
    """One more than may be returned, so that ministack sees whether there is more."""
    first, last = 0, len(ordered.keys)
    if page.after is not None:
        first = bisect.bisect_right(ordered.values, page.after["S"], key=lambda value: str(value[0]))
    if page.before is not None:
        last = bisect.bisect_left(ordered.values, page.before["S"], key=lambda value: str(value[0]))
    if page.forward:
        return iter(ordered.keys[first : min(last, first + page.limit + 1)])
    return iter(ordered.keys[max(first, last - page.limit - 1) : last])
