"""The documents that describe jobs, spelled as the services do (PascalCase), and how they change on the way out."""

from collections.abc import Callable
from typing import Any

Document = dict[str, Any]

# Called a time and being one, but how long and not when.
DURATIONS = frozenset({"ExecutionTime"})


def with_times(value: Any, convert: Callable[[float], Any], name: str = "") -> Any:
    """A copy of `value` with every moment converted: a number of seconds in a field called …Time, …On or Timestamp."""
    if isinstance(value, dict):
        return {key: with_times(item, convert, key) for key, item in value.items()}
    if isinstance(value, list):
        return [with_times(item, convert, name) for item in value]
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and name.endswith(("Time", "On", "Timestamp")) and name not in DURATIONS:
        return convert(value)
    return value


def milliseconds(value: Any) -> Any:
    """A copy with times as whole milliseconds since 1970: how Step Functions and EventBridge show them."""
    return with_times(value, lambda seconds: round(seconds * 1000))


def rewrite_strings(value: Any, rewrite: Callable[[str], str]) -> Any:
    """A copy of a document with every string value (not the keys) rewritten."""
    if isinstance(value, dict):
        return {key: rewrite_strings(item, rewrite) for key, item in value.items()}
    if isinstance(value, list):
        return [rewrite_strings(item, rewrite) for item in value]
    return rewrite(value) if isinstance(value, str) else value
