"""What an upload's first version says about its columns: mergeable evidence, and the contract drawn from it.

A column is typed by what at least 95 % of its values agree on; the strays become quarantined rows, not a text column.
Ranges, categories and nullability are not evidence: they come from the profile of the accepted rows (`complete`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from millrace.analytics import shapes, time_formats
from millrace.analytics.profiling import ColumnProfile, DatasetProfile
from millrace.analytics.records import Batch
from millrace.analytics.shapes import NUMBER_READINGS, NUMBER_STYLES, NumberStyle, Weights
from millrace.domain.dataset import ColumnContract, ColumnKind, Constraint, Contract

MAJORITY_SHARE = 0.95
MAX_DISTINCT = 1_000
"""More different values than this, and a column is text: nobody learns from a thousand categories."""

_LOOK_AHEAD = 4_000
_FEW_CATEGORIES = 20
_CATEGORY_SHARE = 0.05
_CATEGORY_CHARACTERS = 200
DEFAULT_MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "none")
# Texts that stand for "not known" where a column otherwise holds numbers or dates.
POSSIBLY_MISSING = ("?", "-", "--", ".", "n/a", "na", "#N/A", "<NA>", "NaT", "N.A.", "missing", "unknown", "Unknown")
# Only the words that mean a boolean in every language: a target of yes and no keeps its labels, as people wrote them.
_BOOLEAN_PAIRS = (("true", "false"), ("t", "f"))
_TARGET_NAMES = ("target", "label", "class", "y", "outcome", "status", "churn", "default", "response")
_KEY_NAMES = ("id", "key", "uuid", "guid")


@dataclass
class ColumnEvidence:
    """Counts over the values of one column that are not missing. `distinct` is None when there are too many values."""

    present: int = 0
    missing: int = 0
    shapes: Counter[str] = field(default_factory=Counter)
    distinct: Counter[str] | None = field(default_factory=Counter)
    possibly_missing: Counter[str] = field(default_factory=Counter)
    longest: int = 0

    def merge(self, other: ColumnEvidence) -> ColumnEvidence:
        distinct: Counter[str] | None = None
        if self.distinct is not None and other.distinct is not None:
            distinct = self.distinct + other.distinct
        return ColumnEvidence(
            self.present + other.present,
            self.missing + other.missing,
            self.shapes + other.shapes,
            _bounded(distinct),
            self.possibly_missing + other.possibly_missing,
            max(self.longest, other.longest),
        )


@dataclass
class Evidence:
    """Evidence of all columns, in order of first appearance. Records that could not be read count for nothing."""

    rows: int = 0
    columns: dict[str, ColumnEvidence] = field(default_factory=dict)

    def merge(self, other: Evidence) -> Evidence:
        """`other` comes later in the file: only the order of new columns depends on that."""
        columns: dict[str, ColumnEvidence] = {}
        for name in {**self.columns, **other.columns}:
            mine = self.columns.get(name) or ColumnEvidence(missing=self.rows)
            theirs = other.columns.get(name) or ColumnEvidence(missing=other.rows)
            columns[name] = mine.merge(theirs)
        return Evidence(self.rows + other.rows, columns)


def observe(batch: Batch) -> Evidence:
    return Evidence(len(batch.lines), {name: _observe_column(values) for name, values in batch.columns.items()})


def _observe_column(values: pa.Array) -> ColumnEvidence:
    trimmed = pc.utf8_trim_whitespace(values)
    absent = pc.or_kleene(pc.is_null(trimmed), pc.is_in(trimmed, value_set=pa.array(DEFAULT_MISSING)))
    missing = int(pc.sum(absent).as_py() or 0)
    texts, weights, distinct = _distinct(trimmed.filter(pc.invert(absent)))
    doubtful = pc.is_in(texts, value_set=pa.array(POSSIBLY_MISSING)).to_numpy(zero_copy_only=False)
    possibly: Counter[str] = Counter()
    for token, count in zip(texts.filter(pa.array(doubtful)).to_pylist(), weights[doubtful].tolist(), strict=True):
        possibly[token] += count
    return ColumnEvidence(
        present=int(weights.sum()),
        missing=missing,
        shapes=shapes.count_shapes(texts, weights),
        distinct=distinct,
        possibly_missing=possibly,
        longest=int(pc.max(pc.utf8_length(texts)).as_py() or 0),
    )


def _distinct(texts: pa.Array) -> tuple[pa.Array, Weights, Counter[str] | None]:
    """Texts with their counts, each text once unless there are too many: then they are not worth counting."""
    if len(pc.unique(texts.slice(0, _LOOK_AHEAD))) > MAX_DISTINCT:
        return texts, np.ones(len(texts), dtype=np.int64), None
    counted = pc.value_counts(texts)
    values, weights = counted.field("values"), counted.field("counts").to_numpy(zero_copy_only=False).astype(np.int64)
    if len(values) > MAX_DISTINCT:
        return values, weights, None
    return values, weights, Counter(dict(zip(values.to_pylist(), weights.tolist(), strict=True)))


def _bounded(distinct: Counter[str] | None) -> Counter[str] | None:
    return None if distinct is None or len(distinct) > MAX_DISTINCT else distinct


class Inferred(NamedTuple):
    """A contract and the sentences that tell where its values allowed more than one reading."""

    contract: Contract
    notes: tuple[str, ...]


def infer_contract(
    evidence: Evidence,
    *,
    dataset: str,
    version: int,
    constraints: Mapping[str, Constraint],
    at: datetime,
) -> Inferred:
    """The first contract: kinds and forms. Ranges, categories and nullability are still open (`complete`)."""
    notes: list[str] = []
    extra_missing: set[str] = set()
    columns: list[ColumnContract] = []
    for name, column in evidence.columns.items():
        declared = constraints[name].kind if name in constraints else None
        extra_missing |= _missing_tokens(column)
        columns.append(_column_contract(name, column, declared, notes))
    contract = Contract(
        dataset=dataset,
        version=1,
        columns=tuple(columns),
        missing_values=(*DEFAULT_MISSING, *sorted(extra_missing)),
        inferred_from_version=version,
        created_at=at,
        created_by="inference",
    )
    return Inferred(contract, tuple(notes))


def _missing_tokens(column: ColumnEvidence) -> set[str]:
    """Tokens such as `?` in a column whose other values are numbers or times mean "not known"."""
    doubtful = sum(column.possibly_missing.values())
    rest = column.present - doubtful
    strays = column.shapes[shapes.OTHER] - doubtful
    if not doubtful or rest <= 0 or strays > (1 - MAJORITY_SHARE) * rest:
        return set()
    return set(column.possibly_missing)


def _column_contract(
    name: str, column: ColumnEvidence, declared: ColumnKind | None, notes: list[str]
) -> ColumnContract:
    counted = column.present - sum(column.possibly_missing[token] for token in _missing_tokens(column))
    enough = MAJORITY_SHARE * counted
    readings = (_as_number(name, column, notes), _as_time(name, column, notes), _as_boolean(name, column))
    candidates = [reading for reading in readings if reading is not None]
    if declared is not None:
        return _declared_column(name, declared, [found for _, found in candidates])
    for count, found in candidates:
        if counted and count >= enough:
            return found
    return ColumnContract(name=name, kind=_category_or_text(column, counted))


def _declared_column(name: str, declared: ColumnKind, readings: list[ColumnContract]) -> ColumnContract:
    """A kind that a person declared, with the forms that the values show where they show any."""
    families = ({ColumnKind.INTEGER, ColumnKind.NUMBER}, {ColumnKind.DATE, ColumnKind.TIMESTAMP}, {ColumnKind.BOOLEAN})
    for found in readings:
        if any({found.kind, declared} <= family for family in families):
            return found.model_copy(update={"kind": declared})
    return ColumnContract(name=name, kind=declared)


def _as_number(name: str, column: ColumnEvidence, notes: list[str]) -> tuple[int, ColumnContract] | None:
    def reading(style: NumberStyle) -> int:
        return sum(column.shapes[shape] for shape, styles in NUMBER_READINGS.items() if style in styles)

    style = max(NUMBER_STYLES, key=reading)
    finite = reading(style)
    codes = column.shapes[shapes.CODE]
    # Leading zeros mean a code (a postcode, an account), unless they are an odd one among plain numbers.
    if finite == 0 or codes > (1 - MAJORITY_SHARE) * (finite + codes):
        return None
    read = [shape for shape in column.shapes if column.shapes[shape] and style in NUMBER_READINGS.get(shape, ())]
    whole = all(shapes.is_whole(shape, style) for shape in read)
    if shapes.GROUPED_OR_DECIMAL in read and set(read) <= {shapes.INTEGER, shapes.GROUPED_OR_DECIMAL}:
        notes.append(
            f"{name}: values such as 1,234 could be thousands or decimals; read as thousands. "
            "Edit the contract's decimal and thousands signs if that is wrong."
        )
    kind = ColumnKind.INTEGER if whole else ColumnKind.NUMBER
    count = finite + codes + column.shapes[shapes.NOT_FINITE]
    return count, ColumnContract(name=name, kind=kind, decimal=style.decimal, thousands=style.thousands)


def _as_time(name: str, column: ColumnEvidence, notes: list[str]) -> tuple[int, ColumnContract] | None:
    formats: list[str] = []
    total = 0
    for time_format in time_formats.ALL_FORMATS:
        count = column.shapes[time_format]
        twin = time_formats.MONTH_FIRST_TWIN.get(time_format)
        if twin is not None:
            count = _day_or_month_first(name, column, time_format, twin, formats, notes)
        elif count and time_format not in time_formats.MONTH_FIRST_TWIN.values():
            formats.append(time_format)
        elif time_format in time_formats.MONTH_FIRST_TWIN.values():
            count = 0
        total += count
    if not formats:
        return None
    timed = any(time_formats.is_timed(time_format) for time_format in formats)
    kind = ColumnKind.TIMESTAMP if timed else ColumnKind.DATE
    return total, ColumnContract(name=name, kind=kind, time_formats=tuple(formats))


def _day_or_month_first(
    name: str, column: ColumnEvidence, day_first: str, month_first: str, formats: list[str], notes: list[str]
) -> int:
    """Chooses between a format and its twin by the values that only one of them can read. Returns how many it reads."""
    either = column.shapes[shapes.both_ways(day_first)]
    days, months = column.shapes[day_first], column.shapes[month_first]
    if not either + days + months:
        return 0
    chosen = month_first if months > days else day_first
    formats.append(chosen)
    if days and months:
        notes.append(
            f"{name}: {days} dates can only have the day first and {months} only the month; all were read as {chosen}."
        )
    elif not days and not months:
        notes.append(
            f"{name}: no date tells day from month; read with the day first ({day_first}). "
            "Edit the contract's time formats if that is wrong."
        )
    return either + max(days, months)


def _as_boolean(name: str, column: ColumnEvidence) -> tuple[int, ColumnContract] | None:
    if column.distinct is None:
        return None
    folded: Counter[str] = Counter()
    for text, count in column.distinct.items():
        folded[text.casefold()] += count
    for yes, no in _BOOLEAN_PAIRS:
        count = folded[yes] + folded[no]
        if count and count >= MAJORITY_SHARE * column.present:
            return count, ColumnContract(name=name, kind=ColumnKind.BOOLEAN, true_values=(yes,), false_values=(no,))
    return None


def _category_or_text(column: ColumnEvidence, counted: int) -> ColumnKind:
    if column.distinct is None or not counted or column.longest > _CATEGORY_CHARACTERS:
        return ColumnKind.TEXT
    limit = max(_FEW_CATEGORIES, min(MAX_DISTINCT, _CATEGORY_SHARE * counted))
    repeats = len(column.distinct) < counted or counted < _FEW_CATEGORIES
    return ColumnKind.CATEGORY if repeats and len(column.distinct) <= limit else ColumnKind.TEXT


def complete(contract: Contract, profile: DatasetProfile) -> Contract:
    """`contract` with what the accepted rows show: nullability, ranges, categories; key and target as suggestions."""
    columns = tuple(_completed(column, profile.columns[column.name]) for column in contract.columns)
    return contract.model_copy(
        update={
            "columns": columns,
            "key_suggestion": _key_suggestion(contract, profile),
            "target_suggestion": _target_suggestion(contract, profile),
        }
    )


def _completed(column: ColumnContract, seen: ColumnProfile) -> ColumnContract:
    update: dict[str, object] = {"nullable": seen.nulls > 0 or seen.count == 0}
    if column.kind in (ColumnKind.INTEGER, ColumnKind.NUMBER) and seen.count:
        update |= {"minimum": seen.minimum, "maximum": seen.maximum}
    if column.kind is ColumnKind.CATEGORY and seen.counts is not None:
        update["categories"] = tuple(sorted(seen.counts))
    return column.model_copy(update=update)


def _key_suggestion(contract: Contract, profile: DatasetProfile) -> tuple[str, ...]:
    """The first column that could be a key: never null, never repeated, and named like one or first in the file."""
    for position, column in enumerate(contract.columns):
        seen = profile.columns[column.name]
        unique = seen.count > 1 and seen.nulls == 0 and seen.all_distinct
        words = column.name.lower().replace("-", "_").split("_")
        if unique and column.kind is not ColumnKind.NUMBER and (position == 0 or words[-1] in _KEY_NAMES):
            return (column.name,)
    return ()


def _target_suggestion(contract: Contract, profile: DatasetProfile) -> str | None:
    """A column named like a target, else a last column with few classes. Only ever a suggestion."""
    named = {column.name.lower(): column.name for column in contract.columns}
    for name in _TARGET_NAMES:
        if name in named:
            return named[name]
    if len(contract.columns) < 2:
        return None
    last = contract.columns[-1]
    few = 2 <= profile.columns[last.name].distinct <= _FEW_CATEGORIES
    return last.name if few and last.kind in (ColumnKind.CATEGORY, ColumnKind.BOOLEAN) else None
