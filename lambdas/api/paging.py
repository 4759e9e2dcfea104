"""Lists in pages: an opaque cursor that belongs to one list, and a limit."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterable
from typing import Annotated, Generic, Literal, TypeVar

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import BaseModel, Field

from millrace.errors import InvalidInput
from millrace.ports import Page

T = TypeVar("T")
S = TypeVar("S")
# API Gateway takes 10,240 bytes of address and headers together, and a token is among them.
MAX_CURSOR = 2048
CURSOR_PATTERN = "^[A-Za-z0-9_-]*$"

Cursor = Annotated[
    str | None, Query(max_length=MAX_CURSOR, pattern=CURSOR_PATTERN, description="`next_cursor` of the page before.")
]
ByName = Annotated[
    Literal["name", "-name"], Query(alias="sort", description="By name, or, with a minus, the last name first.")
]
Limit = Annotated[int, Query(ge=1, le=100, description="How many at most.")]


class PageOf(BaseModel, Generic[T]):
    """A part of a list. A page may hold fewer than were asked for and still have a next one."""

    items: list[T]
    next_cursor: str | None = Field(description="Give it as `cursor` to go on; null on the last page.")
    total: int | None = Field(
        default=None, description="How many there are on all pages; null where only reading them all would tell."
    )


def page_of(found: Page[S], scope: str, shape: Callable[[S], T], *, total: int | None = None) -> PageOf[T]:
    """`found` as an answer; its cursor is good for `scope` alone."""
    return listed(map(shape, found.items), found.position, scope, total=total)


def listed(items: Iterable[T], position: str | None, scope: str, *, total: int | None = None) -> PageOf[T]:
    return PageOf(items=list(items), next_cursor=None if position is None else to_cursor(position, scope), total=total)


def sorted_scope(scope: str, sort: str, usual: str) -> str:
    """A list in another order than the usual one is another list to a cursor."""
    return scope if sort == usual else f"{scope} by {sort}"


def to_cursor(position: str, scope: str) -> str:
    text = json.dumps([_mark(position, scope), position], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def from_cursor(cursor: str | None, scope: str) -> str | None:
    """The position that `to_cursor` was given. Raises InvalidInput for a cursor of another list, or of nobody's.

    The mark is a check, not a secret: whoever forges a cursor reads another part of a list that is his to read anyway.
    """
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        mark, position = json.loads(base64.urlsafe_b64decode(padded.encode()))
        if isinstance(position, str) and mark == _mark(position, scope):
            return position
    except (ValueError, TypeError):
        pass
    raise InvalidInput("cursor: it is not one of this list; begin again without a cursor")


def _mark(position: str, scope: str) -> str:
    return hashlib.sha256(f"{scope}\0{position}".encode()).hexdigest()[:12]
