"""From rows of a request to what a model reads, and from its scores to answers. No I/O; rows need no pandas.

A row of JSON must end as the numbers and texts that training would have made of it: `read_rows` is to a request what
`millrace.algorithms.features.model_frame` is to a data frame, and tests hold the two against each other.

What each deviation leads to:

- a column in another order: nothing, columns are known by name;
- a value that is null: the value is missing, as in training;
- a category that the model has not learnt: the row is answered as "none of the known", with a notice;
- a column that the model does not read: ignored, and named in the answer;
- a column that is absent, or a value of another kind: the request is refused as a whole, naming row and column.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from millrace.errors import RowFault, RowsInvalid

# Faults named in one refusal: enough to see what is systematically wrong.
MAX_FAULTS = 20
LARGEST_FLOAT32 = 3.4028234663852886e38
MISSING_TEXT = ""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# What pandas reads with nanoseconds.
_YEARS = range(1678, 2262)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?")


@dataclass(frozen=True)
class Input:
    """One column that a model reads. `categories` are the texts it has learnt, for a category only."""

    name: str
    kind: str
    categories: frozenset[str] = frozenset()

    @property
    def is_category(self) -> bool:
        return self.kind == "category"


@dataclass(frozen=True)
class Signature:
    """What a model reads and answers. `classes` are the original labels, empty for regression."""

    task: str
    inputs: tuple[Input, ...]
    classes: tuple[Any, ...]
    threshold: float | None

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Signature:
        """From a document with `task`, `features`, `classes` and `threshold`: manifest.json or serving.json."""
        inputs = (Input(f["name"], f["kind"], frozenset(f["categories"])) for f in document["features"])
        return cls(document["task"], tuple(inputs), tuple(document["classes"]), document["threshold"])


@dataclass(frozen=True)
class Notice:
    """Something about a row that was answered all the same."""

    row: int
    column: str
    reason: str


@dataclass(frozen=True)
class ReadRows:
    """`columns`: for each input, in the signature's order, its texts or its numbers (NaN is missing)."""

    columns: tuple[tuple[Any, ...], ...]
    notices: tuple[Notice, ...]
    ignored_columns: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.columns[0])


def read_rows(rows: Sequence[Mapping[str, Any]], signature: Signature) -> ReadRows:
    """Raises RowsInvalid naming rows and columns."""
    faults: list[RowFault] = []
    notices: list[Notice] = []
    columns = tuple(_read_column(rows, each, faults, notices) for each in signature.inputs)
    if faults:
        raise RowsInvalid(sorted(faults, key=lambda fault: fault.row)[:MAX_FAULTS], len(faults))
    known = {each.name for each in signature.inputs}
    ignored = dict.fromkeys(name for row in rows for name in row if name not in known)
    return ReadRows(columns, tuple(sorted(notices, key=lambda notice: notice.row)), tuple(ignored))


@dataclass(frozen=True)
class Prediction:
    """`prediction` is an original label or a number. `probabilities` names each class as text; empty for numbers."""

    prediction: Any
    probabilities: dict[str, float]


def predictions_of(scores: Sequence[Any], signature: Signature) -> list[Prediction]:
    """From scores per row: a list with the probability of each class, or a number.

    With two classes the threshold decides, with several the most probable; the first of equals.
    """
    if not signature.classes:
        return [Prediction(float(score), {}) for score in scores]
    names = [class_name(label) for label in signature.classes]
    return [
        Prediction(signature.classes[_label(row, signature.threshold)], dict(zip(names, row, strict=True)))
        for row in scores
    ]


def class_name(label: Any) -> str:
    """A label as the key of a JSON object: the text itself, or what JSON writes."""
    return label if isinstance(label, str) else json.dumps(label)


def _label(probabilities: Sequence[float], threshold: float | None) -> int:
    if threshold is not None:
        return int(probabilities[1] >= threshold)
    return max(range(len(probabilities)), key=probabilities.__getitem__)


def _read_column(
    rows: Sequence[Mapping[str, Any]], column: Input, faults: list[RowFault], notices: list[Notice]
) -> tuple[Any, ...]:
    read, name = _READERS[column.kind], column.name
    values = []
    for number, row in enumerate(rows):
        try:
            value = read(row[name])
        except KeyError:
            faults.append(RowFault(number, name, "the column is absent; send null for a value that is not known"))
        except ValueError as error:
            faults.append(RowFault(number, name, str(error)))
        else:
            values.append(value)
            if column.is_category and value not in column.categories and value != MISSING_TEXT:
                reason = f"{_shown(value)} is none of the categories that the model has learnt"
                notices.append(Notice(number, name, reason))
    return tuple(values)


def _text(value: Any) -> str:
    if value is None:
        return MISSING_TEXT
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise ValueError(f"a category is a text, not {_shown(value)}")


def _number(value: Any) -> float:
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"a number is needed, not {_shown(value)}")
    try:
        number = float(value)
    except OverflowError:
        raise ValueError("the number is too large for any column") from None
    # As in training: what is infinite is missing, what float32 cannot hold is the largest it can.
    return min(max(number, -LARGEST_FLOAT32), LARGEST_FLOAT32) if math.isfinite(number) else math.nan


def _integer(value: Any) -> float:
    number = _number(value)
    if isinstance(value, float) and math.isfinite(number) and not value.is_integer():
        raise ValueError(f"a whole number is needed, not {_shown(value)}")
    return number


def _boolean(value: Any) -> float:
    if value is None:
        return math.nan
    if not isinstance(value, bool):
        raise ValueError(f"true or false is needed, not {_shown(value)}")
    return float(value)


def _moment(value: Any) -> float:
    """Seconds since 1970: told as a number, or as a date in ISO 8601; without a zone it is UTC."""
    if not isinstance(value, str):
        return _number(value)
    if not _MOMENT.fullmatch(value):
        raise ValueError(f"a date such as 2026-11-20 or 2026-11-20T12:00:00Z is needed, not {_shown(value)}")
    try:
        told = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f"there is no such date: {_shown(value)}") from None
    if told.year not in _YEARS:
        raise ValueError(f"a year from {_YEARS[0]} to {_YEARS[-1]} is needed, not {told.year}")
    return ((told if told.tzinfo else told.replace(tzinfo=UTC)) - _EPOCH).total_seconds()


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:59]}…"


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "category": _text,
    "date": _moment,
    "timestamp": _moment,
}
