"""Text columns to typed columns, as their contract says: whole arrays where good, single values where not."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from millrace.analytics import time_formats
from millrace.domain.dataset import ColumnContract, ColumnKind

TYPES: dict[ColumnKind, pa.DataType] = {
    ColumnKind.INTEGER: pa.int64(),
    ColumnKind.NUMBER: pa.float64(),
    ColumnKind.BOOLEAN: pa.bool_(),
    ColumnKind.CATEGORY: pa.string(),
    ColumnKind.TEXT: pa.string(),
    ColumnKind.DATE: pa.date32(),
    ColumnKind.TIMESTAMP: pa.timestamp("us", tz="UTC"),
}
_BLANKS = "[\u00a0\u202f]"
_INTEGER_LIMIT = 2**63


class Cast(NamedTuple):
    """`values` is typed, null where the text was null or wrong; `wrong` maps positions to what is wrong, in words."""

    values: pa.Array
    wrong: dict[int, str]


def cast(texts: pa.Array, column: ColumnContract) -> Cast:
    """`texts`: trimmed, null where the value is missing."""
    return _CASTS[column.kind](texts, column)


def _cast_text(texts: pa.Array, _: ColumnContract) -> Cast:
    return Cast(texts, {})


def _cast_integer(texts: pa.Array, column: ColumnContract) -> Cast:
    if not column.thousands:
        try:
            values = texts.cast(pa.int64())
        except pa.ArrowInvalid:
            pass
        else:
            # Arrow reads 0x1F as a number; people do not.
            if not pc.any(pc.match_substring(texts, "x", ignore_case=True)).as_py():
                return Cast(values, {})
    digits = _plain_digits(texts, column, rf"^[+-]?{_whole_part(column)}$")
    short = pc.fill_null(pc.less_equal(pc.utf8_length(digits), 18), False)
    values = pc.if_else(short, digits, None).cast(pa.int64())
    return _with_leftovers(texts, values, lambda text: _integer(text, column))


def _cast_number(texts: pa.Array, column: ColumnContract) -> Cast:
    values = None
    if not column.thousands and column.decimal == ".":
        try:
            values = texts.cast(pa.float64())
        except pa.ArrowInvalid:
            values = None
    if values is None:
        point = re.escape(column.decimal)
        expression = rf"^[+-]?({_whole_part(column)}({point}\d*)?|{point}\d+)([eE][+-]?\d{{1,3}})?$"
        values = _plain_digits(texts, column, expression).cast(pa.float64())
    finite = pc.if_else(pc.is_finite(values), values, None)
    return _with_leftovers(texts, finite, lambda text: _number(text, column))


def _whole_part(column: ColumnContract) -> str:
    if not column.thousands:
        return r"\d+"
    return rf"(\d{{1,3}}({re.escape(column.thousands)}\d{{3}})+|\d+)"


def _plain_digits(texts: pa.Array, column: ColumnContract, expression: str) -> pa.Array:
    """The texts that match, written as `-1234.5`; null for the others."""
    if column.thousands == " ":
        texts = pc.replace_substring_regex(texts, _BLANKS, " ")
    plain = pc.if_else(pc.match_substring_regex(texts, expression), texts, None)
    if column.thousands:
        plain = pc.replace_substring(plain, column.thousands, "")
    if column.decimal != ".":
        plain = pc.replace_substring(plain, column.decimal, ".")
    return pc.utf8_ltrim(plain, "+")


def _with_leftovers(texts: pa.Array, values: pa.Array, read: Callable[[str], object]) -> Cast:
    """Reads one by one what the vectorised step did not: `read` returns a value or raises ValueError saying why not."""
    left = pc.and_(pc.is_valid(texts), pc.is_null(values)).to_numpy(zero_copy_only=False)
    positions = np.flatnonzero(left)
    if not len(positions):
        return Cast(values, {})
    wrong: dict[int, str] = {}
    late: list[object] = []
    for position, text in zip(positions.tolist(), texts.take(pa.array(positions)).to_pylist(), strict=True):
        try:
            late.append(read(text))
        except ValueError as error:
            late.append(None)
            wrong[position] = str(error)
    return Cast(pc.replace_with_mask(values, pa.array(left), pa.array(late, values.type)), wrong)


def _integer(text: str, column: ColumnContract) -> int:
    try:
        whole = int(text) if text.isascii() and "_" not in text and not column.thousands else None
    except ValueError:
        whole = None
    if whole is None:
        try:
            number = _number(text, column)
        except ValueError as error:
            raise ValueError("is not a finite number" if "finite" in str(error) else "is not an integer") from None
        if not number.is_integer():
            raise ValueError("is not an integer")
        whole = int(number)
    if not -_INTEGER_LIMIT <= whole < _INTEGER_LIMIT:
        raise ValueError("is too large for an integer")
    return whole


def _number(text: str, column: ColumnContract) -> float:
    plain = re.sub(_BLANKS, " ", text) if column.thousands == " " else text
    grouped = rf"[+-]?({_whole_part(column)}({re.escape(column.decimal)}\d*)?|{re.escape(column.decimal)}\d+)"
    if re.fullmatch(grouped + r"([eE][+-]?\d{1,6})?", plain, re.ASCII):
        if column.thousands:
            plain = plain.replace(column.thousands, "")
        number = float(plain.replace(column.decimal, "."))
    elif re.fullmatch(r"[+-]?(inf|infinity|nan)", plain, re.IGNORECASE):
        number = float(plain)
    else:
        raise ValueError("is not a number")
    if number - number != 0:
        raise ValueError("is not a finite number")
    return number


def _cast_boolean(texts: pa.Array, column: ColumnContract) -> Cast:
    folded = pc.utf8_lower(texts)
    yes = {word.casefold() for word in column.true_values} | {"true"}
    no = {word.casefold() for word in column.false_values} | {"false"}
    is_yes, is_no = (pc.is_in(folded, value_set=pa.array(sorted(words))) for words in (yes, no))
    values = pc.if_else(pc.or_(is_yes, is_no), is_yes, None)
    expected = f"{(*column.true_values, 'true')[0]} nor {(*column.false_values, 'false')[0]}"

    return _with_leftovers(texts, values, _refusing(f"is neither {expected}"))


def _cast_date(texts: pa.Array, column: ColumnContract) -> Cast:
    formats = column.time_formats or (time_formats.ISO_DATE,)
    if time_formats.ISO_DATE in formats:
        try:
            return Cast(texts.cast(pa.date32()), {})
        except pa.ArrowInvalid:
            pass
    # A file of another format may write a day as midnight: that is the same day.
    micros, valid = _microseconds(texts, (*formats, time_formats.ISO_DATE, time_formats.ISO_TIMESTAMP))
    valid &= micros % _DAY == 0
    days = pa.array((micros // _DAY).astype(np.int32), mask=~valid).cast(pa.date32())
    return _with_leftovers(texts, days, _refusing(f"is not a date of the form {' or '.join(formats)}"))


_DAY = 86_400_000_000


def _cast_timestamp(texts: pa.Array, column: ColumnContract) -> Cast:
    formats = column.time_formats or (time_formats.ISO_TIMESTAMP,)
    micros, valid = _microseconds(texts, (*formats, time_formats.ISO_TIMESTAMP, time_formats.ISO_DATE))
    values = pa.array(micros, mask=~valid).cast(TYPES[ColumnKind.TIMESTAMP])
    return _with_leftovers(texts, values, _refusing(f"is not a time of the form {' or '.join(formats)}"))


def _microseconds(texts: pa.Array, formats: tuple[str, ...]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """The first format that reads a text decides."""
    present = texts.is_valid().to_numpy(zero_copy_only=False)
    micros, valid = np.zeros(len(texts), dtype=np.int64), np.zeros(len(texts), dtype=bool)
    for time_format in dict.fromkeys(formats):
        left = np.flatnonzero(present & ~valid)
        if not len(left):
            break
        found, fits = time_formats.microseconds(texts.take(pa.array(left)), time_format)
        micros[left[fits]], valid[left[fits]] = found[fits], True
    return micros, valid


def _refusing(what: str) -> Callable[[str], object]:
    def refuse(_: str) -> object:
        raise ValueError(what)

    return refuse


_CASTS: dict[ColumnKind, Callable[[pa.Array, ColumnContract], Cast]] = {
    ColumnKind.INTEGER: _cast_integer,
    ColumnKind.NUMBER: _cast_number,
    ColumnKind.BOOLEAN: _cast_boolean,
    ColumnKind.CATEGORY: _cast_text,
    ColumnKind.TEXT: _cast_text,
    ColumnKind.DATE: _cast_date,
    ColumnKind.TIMESTAMP: _cast_timestamp,
}
