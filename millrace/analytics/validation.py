"""Judging records against a contract: typed rows on one side, rows set aside with all their reasons on the other.

Nothing is lost: every record of a batch comes out on exactly one side, with its line number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from millrace.analytics.casting import TYPES, cast
from millrace.analytics.records import Batch, Reason
from millrace.domain.dataset import ColumnContract, ColumnKind, Contract, DatasetSettings, Severity
from millrace.errors import DatasetInvalid

_SHOWN_CHARACTERS = 80
_NUMERIC = (ColumnKind.INTEGER, ColumnKind.NUMBER)


class QuarantinedRow(NamedTuple):
    line: int
    text: str
    reasons: tuple[str, ...]


class Warned(NamedTuple):
    """One kind of warning about one column, for counting."""

    column: str
    what: str


Warnings: TypeAlias = "list[tuple[Warned, np.ndarray[Any, Any]]]"
"""What is warned of, with the positions of the rows."""


@dataclass(frozen=True)
class Judgement:
    """One batch, judged. `accepted` has the contract's columns in its order; `lines` are its rows' line numbers."""

    accepted: pa.Table
    lines: np.ndarray[Any, Any]
    quarantined: tuple[QuarantinedRow, ...]
    violations: Counter[str] = field(default_factory=Counter)
    warnings: Counter[Warned] = field(default_factory=Counter)

    @property
    def rows(self) -> int:
        return len(self.lines) + len(self.quarantined)


class SchemaChange(NamedTuple):
    """How a file's columns differ from the contract's."""

    missing: tuple[str, ...]
    extra: tuple[str, ...]
    reordered: bool

    def sentences(self) -> tuple[str, ...]:
        changes = [f"column {name!r} is missing: its values count as missing" for name in self.missing]
        changes += [f"column {name!r} is new: it is ignored until the contract names it" for name in self.extra]
        return (*changes, "the columns come in another order") if self.reordered else tuple(changes)


class Judge:
    """Applies one contract, with the rules that a dataset's settings declare on top, to batches."""

    def __init__(self, contract: Contract, settings: DatasetSettings) -> None:
        self.contract = contract
        self.columns = tuple(_with_declared_rules(column, settings) for column in contract.columns)
        self._excluded = frozenset(settings.exclude)
        self._required = _required_columns(settings)
        self._missing = pa.array(contract.missing_values, pa.string())
        self.schema = pa.schema([(column.name, TYPES[column.kind]) for column in self.columns])

    def judge(self, batch: Batch) -> Judgement:
        count = len(batch.lines)
        reasons: dict[int, list[Reason]] = {}
        warnings: list[tuple[Warned, np.ndarray[Any, Any]]] = []
        arrays = [self._judge_column(column, batch, reasons, warnings) for column in self.columns]
        good = np.ones(count, dtype=bool)
        good[list(reasons)] = False
        accepted = pa.table(arrays, schema=self.schema)
        if reasons:
            accepted = accepted.filter(pa.array(good))
        rows = [
            QuarantinedRow(int(batch.lines[index]), batch.text_of(index), tuple(why.sentence for why in reasons[index]))
            for index in sorted(reasons)
        ]
        rows += [
            QuarantinedRow(record.line, record.text, tuple(why.sentence for why in record.reasons))
            for record in batch.unreadable
        ]
        violations = Counter(why.label for found in reasons.values() for why in found)
        violations.update(why.label for record in batch.unreadable for why in record.reasons)
        return Judgement(
            accepted=accepted,
            lines=batch.lines[good],
            quarantined=tuple(sorted(rows, key=lambda row: row.line)),
            violations=violations,
            warnings=_count_accepted(warnings, good),
        )

    def _judge_column(
        self, column: ColumnContract, batch: Batch, reasons: dict[int, list[Reason]], warnings: Warnings
    ) -> pa.Array:
        original = batch.columns.get(column.name)
        if original is None:
            original = pa.nulls(len(batch.lines), pa.string())
        texts = pc.utf8_trim_whitespace(original)
        texts = pc.if_else(pc.is_in(texts, value_set=self._missing), None, texts)
        found = cast(texts, column)
        values = found.values
        if column.kind is ColumnKind.TEXT:
            values = pc.if_else(pc.is_valid(texts), original, None)
        if column.name in self._excluded:
            if found.wrong:
                what = f"not {_a(column.kind)}, kept as missing: the column is excluded"
                warnings.append((Warned(column.name, what), np.array(list(found.wrong))))
            return values
        for position, what in found.wrong.items():
            shown = _shown(texts[position].as_py())
            label = f"{column.name}: {_label(what)}"
            reasons.setdefault(position, []).append(Reason(label, f"{column.name}: {shown} {what}"))
        self._judge_missing(column, texts, reasons)
        _judge_range(column, values, texts, reasons, warnings)
        _judge_categories(column, texts, reasons, warnings)
        return values

    def _judge_missing(self, column: ColumnContract, texts: pa.Array, reasons: dict[int, list[Reason]]) -> None:
        role = self._required.get(column.name)
        if (role is None and column.nullable) or not texts.null_count:
            return
        what = f"{role} {column.name!r} is missing" if role else f"{column.name}: a value is missing"
        for position in np.flatnonzero(pc.is_null(texts).to_numpy(zero_copy_only=False)).tolist():
            reasons.setdefault(position, []).append(Reason(what, what))


def _count_accepted(warnings: Warnings, good: np.ndarray[Any, Any]) -> Counter[Warned]:
    """A row that is set aside is told its reasons: it is not warned of as well."""
    counted = {warned: int(good[positions].sum()) for warned, positions in warnings}
    return Counter({warned: count for warned, count in counted.items() if count})


def _with_declared_rules(column: ColumnContract, settings: DatasetSettings) -> ColumnContract:
    """Rules that a person declares refuse rows; what was seen in the first version only warns."""
    rule = settings.constraints.get(column.name)
    if rule is None:
        return column
    update: dict[str, object] = {}
    if rule.nullable is not None:
        update["nullable"] = rule.nullable
    if rule.minimum is not None or rule.maximum is not None:
        update |= {"minimum": rule.minimum, "maximum": rule.maximum, "range_severity": Severity.ERROR}
    if rule.categories is not None:
        update |= {"categories": rule.categories, "categories_severity": Severity.ERROR}
    if rule.kind is not None:
        update["kind"] = rule.kind
    return column.model_copy(update=update)


def _required_columns(settings: DatasetSettings) -> dict[str, str]:
    """Columns that no row can do without, and what they are to the dataset."""
    required = dict.fromkeys(settings.key, "key")
    if settings.group is not None:
        required[settings.group] = "group"
    if settings.target is not None:
        required[settings.target] = "target"
    return required


def _judge_range(
    column: ColumnContract,
    values: pa.Array,
    texts: pa.Array,
    reasons: dict[int, list[Reason]],
    warnings: Warnings,
) -> None:
    if column.kind not in _NUMERIC:
        return
    refuses = column.range_severity is Severity.ERROR
    limits = ((column.minimum, pc.less, "below", "smallest"), (column.maximum, pc.greater, "above", "largest"))
    for limit, outside, where, extreme in limits:
        if limit is None:
            continue
        positions = np.flatnonzero(
            pc.fill_null(outside(values.cast(pa.float64(), safe=False), limit), False).to_numpy(zero_copy_only=False)
        )
        if not len(positions):
            continue
        if not refuses:
            warnings.append((Warned(column.name, f"{where} {limit:g}, the {extreme} value seen before"), positions))
            continue
        label = f"{column.name}: {where} {limit:g}"
        for position in positions.tolist():
            sentence = f"{column.name}: {_shown(texts[position].as_py())} is {where} {limit:g}"
            reasons.setdefault(position, []).append(Reason(label, sentence))


def _judge_categories(
    column: ColumnContract, texts: pa.Array, reasons: dict[int, list[Reason]], warnings: Warnings
) -> None:
    if column.categories is None or column.kind is not ColumnKind.CATEGORY:
        return
    known = pc.is_in(texts, value_set=pa.array((*column.categories, None), pa.string()))
    positions = np.flatnonzero(~known.to_numpy(zero_copy_only=False))
    if not len(positions):
        return
    if column.categories_severity is not Severity.ERROR:
        warnings.append((Warned(column.name, "of a category not seen before"), positions))
        return
    for position in positions.tolist():
        sentence = f"{column.name}: {_shown(texts[position].as_py())} is not one of {_listed(column.categories)}"
        reasons.setdefault(position, []).append(Reason(f"{column.name}: not one of its categories", sentence))


def compare_columns(names: Sequence[str], contract: Contract) -> SchemaChange:
    """`names`: the columns the file has, in its order."""
    expected = [column.name for column in contract.columns]
    common = [name for name in names if name in set(expected)]
    return SchemaChange(
        missing=tuple(name for name in expected if name not in set(names)),
        extra=tuple(name for name in names if name not in set(expected)),
        reordered=common != [name for name in expected if name in set(names)],
    )


def refuse_missing_columns(names: Sequence[str], contract: Contract, settings: DatasetSettings) -> None:
    """Raises DatasetInvalid when the file lacks a column that no row can do without."""
    roles = _required_columns(settings)
    judged = {column.name: _with_declared_rules(column, settings) for column in contract.columns}
    present = set(names)
    for name, role in roles.items():
        if name not in present or name not in judged:
            raise DatasetInvalid(
                f"the settings name {name!r} as {role}, but the file's columns are {_listed(tuple(names))}. "
                "Correct the settings or upload a file that has the column."
            )
    needed = [name for name, column in judged.items() if not column.nullable and name not in present]
    needed = [name for name in needed if name not in settings.exclude]
    if needed:
        raise DatasetInvalid(
            f"the file lacks {_listed(tuple(needed))}, which the contract needs in every row; it has "
            f"{_listed(tuple(names))}. Upload a file with all columns, or make them nullable in the contract."
        )


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…")


def _label(what: str) -> str:
    return what.removeprefix("is ")


def _a(kind: ColumnKind) -> str:
    return f"an {kind}" if kind == ColumnKind.INTEGER else f"a {kind}"


def _listed(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:20])
    return f"{shown} and {len(names) - 20} more" if len(names) > 20 else shown
