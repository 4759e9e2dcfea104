"""What differs between two versions of a dataset, from their profiles and contracts. Standard library only."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from millrace.domain.dataset import ColumnContract, ColumnKind, Contract
from millrace.domain.entity import Entity

MOST_VALUES = 20
"""How many values a difference names."""
_VALUES = (ColumnKind.CATEGORY, ColumnKind.BOOLEAN)

Profile = Mapping[str, Any]
"""A column of profile.json, as `millrace.analytics.profiling` describes it."""


class ColumnChange(StrEnum):
    ADDED = "ADDED"
    REMOVED = "REMOVED"
    CHANGED = "CHANGED"
    """It holds another kind of values."""
    SAME = "SAME"


class ColumnFigures(Entity):
    kind: ColumnKind
    count: int
    null_share: float
    distinct: float | None
    mean: float | None
    std: float | None
    minimum: float | None
    maximum: float | None


class ColumnDiff(Entity):
    """`distance` is 0 for equal distributions and 1 for those that share nothing; null when they cannot be compared.

    For values it is the total variation distance, for everything else Kolmogorov and Smirnov's, of text that of its
    lengths. `new_values` and `lost_values` name the first of them where every value is known.
    """

    name: str
    change: ColumnChange
    before: ColumnFigures | None
    after: ColumnFigures | None
    distance: float | None
    new_values: tuple[str, ...] = ()
    lost_values: tuple[str, ...] = ()


def column_diffs(before: Mapping[str, Profile], after: Mapping[str, Profile]) -> list[ColumnDiff]:
    """The columns of both versions: those of the earlier one in its order, then the added ones."""
    return [_column_diff(name, before.get(name), after.get(name)) for name in dict.fromkeys((*before, *after))]


def contract_breaks(contract: Contract, columns: Mapping[str, Profile]) -> list[str]:
    """How a version with these columns would have broken `contract`, a sentence each, in the contract's order."""
    breaks = [said for column in contract.columns for said in _breaks(column, columns.get(column.name))]
    return breaks + [f"{name} is not in the contract" for name in columns if contract.column(name) is None]


def _column_diff(name: str, before: Profile | None, after: Profile | None) -> ColumnDiff:
    if before is None or after is None:
        change = ColumnChange.ADDED if before is None else ColumnChange.REMOVED
        return ColumnDiff(name=name, change=change, before=_figures(before), after=_figures(after), distance=None)
    same = before["kind"] == after["kind"]
    known, now = (set(each["counts"] or ()) for each in (before, after))
    comparable = same and before["kind"] in _VALUES and before["counts"] is not None and after["counts"] is not None
    return ColumnDiff(
        name=name,
        change=ColumnChange.SAME if same else ColumnChange.CHANGED,
        before=_figures(before),
        after=_figures(after),
        distance=_distance(before, after) if same and before["count"] and after["count"] else None,
        new_values=tuple(sorted(now - known)[:MOST_VALUES]) if comparable else (),
        lost_values=tuple(sorted(known - now)[:MOST_VALUES]) if comparable else (),
    )


def _figures(column: Profile | None) -> ColumnFigures | None:
    if column is None:
        return None
    rows = column["count"] + column["nulls"]
    figures = {name: column[name] for name in ("kind", "count", "distinct", "mean", "std", "minimum", "maximum")}
    return ColumnFigures(**figures, null_share=column["nulls"] / rows if rows else 0.0)


def _distance(before: Profile, after: Profile) -> float | None:
    if before["kind"] in _VALUES:
        return _total_variation(before, after)
    if not before["histogram"]["edges"] or not after["histogram"]["edges"]:
        return None  # a range too wide for bins
    return _kolmogorov_smirnov(before["histogram"], after["histogram"])


def _total_variation(before: Profile, after: Profile) -> float:
    """Half the sum of the differences of all shares. Where only the most frequent values are known, the rest is one."""
    shares, others = _shares(before), _shares(after)
    rest = abs(sum(shares.values()) - sum(others.values()))
    apart = sum(abs(shares.get(value, 0.0) - others.get(value, 0.0)) for value in {*shares, *others})
    return min(1.0, (apart + rest) / 2)


def _shares(column: Profile) -> dict[str, float]:
    counts = dict(column["top"]) if column["counts"] is None else column["counts"]
    return {value: count / column["count"] for value, count in counts.items()}


def _kolmogorov_smirnov(before: Mapping[str, Any], after: Mapping[str, Any]) -> float:
    """The largest difference of the shares up to a point, at the edges of both histograms.

    Within a bin values are taken to be spread evenly, so it errs by no more than the largest share of a bin.
    """
    points = [*before["edges"], *after["edges"]]
    return max((abs(_share_up_to(before, point) - _share_up_to(after, point)) for point in points), default=0.0)


def _share_up_to(histogram: Mapping[str, Any], point: float) -> float:
    edges: Sequence[float] = histogram["edges"]
    shares: Sequence[float] = histogram["shares"]
    if point < edges[0]:
        return 0.0
    if point >= edges[-1]:
        return 1.0
    place = bisect_right(edges, point) - 1
    inside = (point - edges[place]) / (edges[place + 1] - edges[place])
    return sum(shares[:place]) + inside * shares[place]


def _breaks(contract: ColumnContract, column: Profile | None) -> Iterator[str]:
    name = contract.name
    if column is None:
        yield f"{name} is gone"
        return
    if column["kind"] != contract.kind:
        yield f"{name} was {contract.kind} and is {column['kind']}"
        return
    if not contract.nullable and column["nulls"]:
        yield f"{name} must not be empty and is in {column['nulls']:,} rows"
    yield from _range_breaks(contract, column)
    unknown = sorted(set(column["counts"] or ()) - set(contract.categories or ()))
    if contract.categories is not None and unknown:
        more = f" and {len(unknown) - MOST_VALUES} more" if len(unknown) > MOST_VALUES else ""
        yield f"{name} holds values not known before: {', '.join(unknown[:MOST_VALUES])}{more}"


def _range_breaks(contract: ColumnContract, column: Profile) -> Iterator[str]:
    lowest, highest = column["minimum"], column["maximum"]
    if contract.kind not in (ColumnKind.INTEGER, ColumnKind.NUMBER) or lowest is None or highest is None:
        return
    if contract.minimum is not None and lowest < contract.minimum:
        yield f"{contract.name} goes down to {lowest:g}, below {contract.minimum:g}"
    if contract.maximum is not None and highest > contract.maximum:
        yield f"{contract.name} goes up to {highest:g}, above {contract.maximum:g}"
