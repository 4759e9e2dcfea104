"""Dates and times in the forms that files use: strptime-like formats, read for whole columns at once.

Arrow's own strptime takes 31/02/2024 for the second of March; here a date that does not exist is not a date.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

# In order of preference when a column's values do not tell day from month: day first.
DATE_FORMATS = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d-%b-%Y",
    "%d %b %Y",
    "%b %d, %Y",
)
ISO_DATE = "%Y-%m-%d"
ISO_TIMESTAMP = "%Y-%m-%dT%H:%M:%S"
_TIMED_DATES = ("%Y/%m/%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y")
TIMESTAMP_FORMATS = (ISO_TIMESTAMP, *(f"{date} %H:%M:%S" for date in _TIMED_DATES))
# The forms that most files use come first: what they read is not tried again.
ALL_FORMATS = (ISO_DATE, ISO_TIMESTAMP, *DATE_FORMATS[1:], *TIMESTAMP_FORMATS[1:])

# Formats that read the same text with day and month exchanged.
MONTH_FIRST_TWIN = {
    "%d/%m/%Y": "%m/%d/%Y",
    "%d-%m-%Y": "%m-%d-%Y",
    "%d/%m/%Y %H:%M:%S": "%m/%d/%Y %H:%M:%S",
    "%d-%m-%Y %H:%M:%S": "%m-%d-%Y %H:%M:%S",
}

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DIRECTIVES = {
    "%Y": r"(?P<Y>\d{4})",
    "%m": r"(?P<m>\d{1,2})",
    "%d": r"(?P<d>\d{1,2})",
    "%b": r"(?P<b>[A-Za-z]{3})[a-z]*",
    "%H": r"(?P<H>\d{1,2})",
    "%M": r"(?P<M>\d{2})",
    "%S": r"(?P<S>\d{2})",
}
_AFTER_TIME = r"(?P<f>\.\d{1,9})?\s*(?P<z>Z|[+-]\d{2}:?\d{2})?"


@lru_cache(maxsize=256)
def pattern(time_format: str) -> str:
    """The regular expression (RE2) of a format. Seconds may be missing, fractions and a zone may follow."""
    text = re.escape(time_format).replace(r"\%", "%").replace(r"\ ", " ")
    for directive, expression in _DIRECTIVES.items():
        text = text.replace(directive, expression, 1)
    if time_format == ISO_TIMESTAMP:
        text = text.replace("T", "[T ]", 1)
    text = text.replace(r":(?P<S>\d{2})", r"(?::(?P<S>\d{2}))?")
    return f"^{text}{_AFTER_TIME if '%H' in time_format else ''}$"


def is_timed(time_format: str) -> bool:
    return "%H" in time_format


def microseconds(values: pa.Array, time_format: str) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Microseconds since 1970 UTC (int64) of each text, and a mask of those that really are of this format.

    Times without a zone are UTC. Nulls are not of any format.
    """
    parts = pc.extract_regex(values, pattern(time_format))
    matched = parts.is_valid().to_numpy(zero_copy_only=False)
    micros = np.zeros(len(values), dtype=np.int64)
    valid = np.zeros(len(values), dtype=bool)
    if matched.any():
        chosen = parts.filter(pa.array(matched))
        fields = {field.name: chosen.field(index) for index, field in enumerate(parts.type)}
        micros[matched], valid[matched] = _assemble(fields)
    return micros, valid


def _assemble(fields: dict[str, pa.Array]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    year, day = _numbers(fields["Y"]), _numbers(fields["d"])
    month = _numbers(fields["m"]) if "m" in fields else _month_numbers(fields["b"])
    valid = (month >= 1) & (month <= 12) & (year >= 1)
    first = ((year - 1970) * 12 + np.where(valid, month, 1) - 1).astype("datetime64[M]")
    length = ((first + 1).astype("datetime64[D]") - first.astype("datetime64[D]")).astype(np.int64)
    valid &= (day >= 1) & (day <= length)
    days = first.astype("datetime64[D]").astype(np.int64) + day - 1
    micros = days * 86_400_000_000
    if "H" in fields:
        hour, minute, second = (_numbers(fields[name]) for name in "HMS")
        valid &= (hour <= 23) & (minute <= 59) & (second <= 59)
        micros += ((hour * 60 + minute) * 60 + second) * 1_000_000
        micros += _fractions(fields["f"]) - _offsets(fields["z"])
    return micros, valid


def _numbers(texts: pa.Array) -> np.ndarray[Any, Any]:
    """Digits as int64; a part that is absent counts as 0."""
    filled = pc.if_else(pc.equal(texts, ""), "0", texts)
    numbers: np.ndarray[Any, Any] = filled.cast(pa.int64()).to_numpy(zero_copy_only=False)
    return numbers


def _month_numbers(texts: pa.Array) -> np.ndarray[Any, Any]:
    position = pc.index_in(pc.utf8_lower(texts), value_set=pa.array(_MONTHS))
    numbers: np.ndarray[Any, Any] = (
        pc.add(pc.fill_null(position, -1), 1).cast(pa.int64()).to_numpy(zero_copy_only=False)
    )
    return numbers


def _fractions(texts: pa.Array) -> np.ndarray[Any, Any]:
    digits = pc.utf8_slice_codeunits(pc.utf8_rpad(pc.utf8_slice_codeunits(texts, 1), 6, "0"), 0, 6)
    return _numbers(digits)


def _offsets(texts: pa.Array) -> np.ndarray[Any, Any]:
    """Microseconds east of UTC of `+02:00`, `-0530`, `Z` or nothing."""
    digits = pc.replace_substring_regex(texts, r"\D", "")
    total = _numbers(digits)
    sign = np.where(pc.starts_with(texts, "-").to_numpy(zero_copy_only=False), -1, 1)
    return sign * ((total // 100) * 60 + total % 100) * 60_000_000
