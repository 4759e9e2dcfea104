"""Which shape a text has: whole number, decimal comma, date with the day first, … Each text has exactly one.

A column's evidence is how many of its values have which shape: counts add up, whatever order batches come in.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from millrace.analytics import time_formats


class NumberStyle(NamedTuple):
    """How a column writes numbers. `thousands` is empty when groups are not separated."""

    decimal: str
    thousands: str


# In order of preference when a column's values allow several readings.
NUMBER_STYLES = (
    NumberStyle(".", ""),
    NumberStyle(".", ","),
    NumberStyle(",", ""),
    NumberStyle(",", "."),
    NumberStyle(".", " "),
    NumberStyle(",", " "),
    NumberStyle(".", "'"),
)

Weights: TypeAlias = "np.ndarray[Any, np.dtype[np.int64]]"

INTEGER = "integer"
CODE = "code"
OTHER = "other"
NOT_FINITE = "not finite"
GROUPED_OR_DECIMAL = "1,234"

_POINT = tuple(style for style in NUMBER_STYLES if style.decimal == ".")
_COMMA = tuple(style for style in NUMBER_STYLES if style.decimal == ",")
_GROUP = r"^[+-]?[1-9]\d{0,2}"
_BLANK = r"[ \x{a0}\x{202f}]"

# A shape's name is an example of it. → (pattern, styles that read it). Tried in order; the first match wins.
_NUMBERS: dict[str, tuple[str, tuple[NumberStyle, ...]]] = {
    INTEGER: (r"^[+-]?\d{1,18}$", NUMBER_STYLES),
    "1.234": (_GROUP + r"\.\d{3}$", (*_POINT, NumberStyle(",", "."))),
    "1.5": (r"^[+-]?(\d+\.\d*|\.\d+|\d+)([eE][+-]?\d{1,3})?$", _POINT),
    GROUPED_OR_DECIMAL: (_GROUP + r",\d{3}$", (NumberStyle(".", ","), *_COMMA)),
    "1,5": (r"^[+-]?(\d+,\d*|,\d+)([eE][+-]?\d{1,3})?$", _COMMA),
    "1,234,567": (_GROUP + r"(,\d{3}){2,}$", (NumberStyle(".", ","),)),
    "1,234.5": (_GROUP + r"(,\d{3})+\.\d*$", (NumberStyle(".", ","),)),
    "1.234.567": (_GROUP + r"(\.\d{3}){2,}$", (NumberStyle(",", "."),)),
    "1.234,5": (_GROUP + r"(\.\d{3})+,\d*$", (NumberStyle(",", "."),)),
    "1 234": (_GROUP + f"({_BLANK}\\d{{3}})+$", (NumberStyle(".", " "), NumberStyle(",", " "))),
    "1 234.5": (_GROUP + f"({_BLANK}\\d{{3}})+\\.\\d*$", (NumberStyle(".", " "),)),
    "1 234,5": (_GROUP + f"({_BLANK}\\d{{3}})+,\\d*$", (NumberStyle(",", " "),)),
    "1'234": (_GROUP + r"('\d{3})+$", (NumberStyle(".", "'"),)),
    "1'234.5": (_GROUP + r"('\d{3})+\.\d*$", (NumberStyle(".", "'"),)),
}
NUMBER_READINGS = {name: frozenset(styles) for name, (_, styles) in _NUMBERS.items()}


def is_whole(shape: str, style: NumberStyle) -> bool:
    """Whether numbers of this shape have no decimals when read in this style."""
    return shape == INTEGER or style.decimal not in shape


_CODE = r"^[+-]?(0\d+|\d{19,})$"
_NOT_FINITE = r"(?i)^[+-]?(inf|infinity|nan)$"
_MAY_BE_TIME = r"^(\d{1,4}[-/. ]|[A-Za-z]{3,9} \d)"
_MAY_BE_NUMBER = r"^[+-]?[.,]?\d"


def count_shapes(texts: pa.Array, weights: Weights) -> Counter[str]:
    """How often each shape occurs among `texts` (no nulls, trimmed), text i counting `weights[i]` times."""
    shapes: Counter[str] = Counter()
    rest = _take(shapes, CODE, _CODE, texts, weights)
    rest = _take_all_numbers(shapes, *rest)
    rest = _take_times(shapes, *rest)
    rest = _take(shapes, NOT_FINITE, _NOT_FINITE, *rest)
    if len(rest[0]):
        shapes[OTHER] += int(rest[1].sum())
    return shapes


def _take(
    shapes: Counter[str], name: str, expression: str, texts: pa.Array, weights: Weights
) -> tuple[pa.Array, Weights]:
    """Counts the texts that match, and returns the others."""
    if not len(texts):
        return texts, weights
    mask = pc.match_substring_regex(texts, expression).to_numpy(zero_copy_only=False)
    if not mask.any():
        return texts, weights
    shapes[name] += int(weights[mask].sum())
    return texts.filter(pa.array(~mask)), weights[~mask]


def _take_all_numbers(shapes: Counter[str], texts: pa.Array, weights: Weights) -> tuple[pa.Array, Weights]:
    if not len(texts):
        return texts, weights
    mask = pc.match_substring_regex(texts, _MAY_BE_NUMBER).to_numpy(zero_copy_only=False)
    if not mask.any():
        return texts, weights
    candidates = (texts.filter(pa.array(mask)), weights[mask])
    for name, (expression, _) in _NUMBERS.items():
        candidates = _take(shapes, name, expression, *candidates)
    others = texts.filter(pa.array(~mask))
    return pa.concat_arrays([others, candidates[0]]), np.concatenate([weights[~mask], candidates[1]])


def _take_times(shapes: Counter[str], texts: pa.Array, weights: Weights) -> tuple[pa.Array, Weights]:
    if not len(texts):
        return texts, weights
    mask = pc.match_substring_regex(texts, _MAY_BE_TIME).to_numpy(zero_copy_only=False)
    if not mask.any():
        return texts, weights
    candidates, candidate_weights = texts.filter(pa.array(mask)), weights[mask]
    for time_format in time_formats.ALL_FORMATS:
        if not len(candidates):
            break
        valid = time_formats.microseconds(candidates, time_format)[1]
        twin = time_formats.MONTH_FIRST_TWIN.get(time_format)
        if twin is not None:
            also = valid & time_formats.microseconds(candidates, twin)[1]
            shapes[both_ways(time_format)] += int(candidate_weights[also].sum())
            shapes[time_format] += int(candidate_weights[valid & ~also].sum())
        else:
            shapes[time_format] += int(candidate_weights[valid].sum())
        candidates, candidate_weights = candidates.filter(pa.array(~valid)), candidate_weights[~valid]
    others = texts.filter(pa.array(~mask))
    return pa.concat_arrays([others, candidates]), np.concatenate([weights[~mask], candidate_weights])


def both_ways(time_format: str) -> str:
    """The shape of dates such as 03/04/2024 that are valid with the day and with the month first."""
    return f"{time_format} or month first"
