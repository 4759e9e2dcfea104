"""Two versions side by side: what of their columns, distributions and contract differs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.domain.dataset import ColumnKind
from millrace.domain.version_diff import ColumnChange, ColumnDiff, column_diffs, contract_breaks
from tests.builders import a_column, a_contract


def column(kind: str = "number", **facts: Any) -> dict[str, Any]:
    known: dict[str, Any] = {
        "kind": kind,
        "count": 100,
        "nulls": 0,
        "distinct": 10.0,
        "mean": 1.0,
        "std": 1.0,
        "minimum": 0.0,
        "maximum": 4.0,
        "counts": None,
        "histogram": {"edges": [0.0, 2.0, 4.0], "shares": [0.5, 0.5]},
        "top": [],
    }
    return known | facts


def values(**counts: int) -> dict[str, Any]:
    return column("category", counts=counts, count=sum(counts.values()), minimum=None, maximum=None)


def histogram(samples: list[float]) -> dict[str, Any]:
    counts, edges = np.histogram(samples, bins=20)
    return {"edges": edges.tolist(), "shares": (counts / len(samples)).tolist()}


def between(before: dict[str, Any], after: dict[str, Any]) -> ColumnDiff:
    (found,) = column_diffs({"x": before}, {"x": after})
    return found


def test_columns_that_came_went_and_changed_their_kind_are_told_apart() -> None:
    before = {"id": column("integer"), "age": column("integer"), "home": values(own=1)}
    after = {"age": column("number"), "id": column("integer"), "city": values(rome=1)}

    found = column_diffs(before, after)

    assert [(each.name, each.change) for each in found] == [
        ("id", ColumnChange.SAME),
        ("age", ColumnChange.CHANGED),
        ("home", ColumnChange.REMOVED),
        ("city", ColumnChange.ADDED),
    ]
    assert [each.distance for each in found] == [0.0, None, None, None]
    assert (found[2].after, found[3].before) == (None, None)


def test_figures_are_of_each_version_and_nulls_are_a_share() -> None:
    found = between(column(nulls=0), column(count=75, nulls=25, mean=2.5))

    assert found.before is not None
    assert found.after is not None
    assert (found.before.null_share, found.after.null_share) == (0.0, 0.25)
    assert (found.before.mean, found.after.mean) == (1.0, 2.5)


def test_a_column_without_any_row_has_no_share_to_divide_by() -> None:
    found = between(column(), column(count=0, nulls=0))

    assert found.after is not None
    assert (found.after.null_share, found.distance) == (0.0, None)


def test_shares_of_values_are_compared_not_their_counts() -> None:
    assert between(values(own=10, rent=10), values(own=500, rent=500)).distance == 0.0
    assert between(values(own=10, rent=10), values(own=75, rent=25)).distance == pytest.approx(0.25)
    assert between(values(own=1), values(rent=1)).distance == 1.0


def test_new_and_lost_values_are_named_up_to_a_limit() -> None:
    many = {f"v{number:02}": 1 for number in range(30)}

    found = between(values(own=1, rent=1), values(own=1, **many))

    assert found.lost_values == ("rent",)
    assert found.new_values == tuple(f"v{number:02}" for number in range(20))


def test_of_values_that_are_only_known_in_part_none_is_called_new() -> None:
    sketched = column("category", counts=None, count=100, top=[["own", 60], ["rent", 20]])

    found = between(values(own=60, boat=40), sketched)

    assert (found.new_values, found.lost_values) == ((), ())
    assert found.distance == pytest.approx((0.0 + 0.4 + 0.2 + 0.2) / 2)


samples = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=60).filter(lambda them: max(them) - min(them) > 1e-3)


@given(samples, samples)
def test_the_distance_of_numbers_is_that_of_kolmogorov_and_smirnov_within_a_bin(
    one: list[float], two: list[float]
) -> None:
    before, after = histogram(one), histogram(two)
    distance = between(column(histogram=before), column(histogram=after)).distance
    points = np.sort(np.array(one + two))
    first, second = (np.searchsorted(np.sort(each), points, side="right") / len(each) for each in (one, two))

    assert distance is not None
    exact = float(np.max(np.abs(first - second)))
    assert distance == pytest.approx(exact, abs=max(before["shares"]) + max(after["shares"]) + 1e-9)
    assert 0.0 <= distance <= 1.0 + 1e-9
    assert distance == pytest.approx(between(column(histogram=after), column(histogram=before)).distance)


def test_numbers_that_share_no_range_are_as_far_apart_as_can_be() -> None:
    far = {"edges": [10.0, 12.0], "shares": [1.0]}

    assert between(column(), column(histogram=far)).distance == 1.0
    assert between(column(), column()).distance == 0.0


def test_a_range_too_wide_for_bins_has_no_distance() -> None:
    boundless = {"edges": [], "shares": []}

    assert between(column(), column(histogram=boundless)).distance is None
    assert between(column(histogram=boundless), column()).distance is None


def test_a_column_of_one_value_is_compared_too() -> None:
    one, other = ({"edges": [value, value], "shares": [1.0]} for value in (1.0, 3.0))

    assert between(column(histogram=one), column(histogram=one)).distance == 0.0
    assert between(column(histogram=one), column(histogram=other)).distance == 1.0
    assert between(column(histogram=one), column()).distance == pytest.approx(0.75)


def test_half_of_the_rows_moved_up_is_a_distance_of_a_half() -> None:
    up = {"edges": [0.0, 2.0, 4.0], "shares": [0.0, 1.0]}

    assert between(column(), column(histogram=up)).distance == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("contract", "held", "breaks"),
    [
        (a_column("x"), column(), []),
        (a_column("x"), None, ["x is gone"]),
        (a_column("x"), column("category"), ["x was number and is category"]),
        (a_column("x", nullable=False), column(nulls=1200), ["x must not be empty and is in 1,200 rows"]),
        (a_column("x", nullable=True), column(nulls=1200), []),
        (a_column("x", minimum=0, maximum=4), column(), []),
        (a_column("x", minimum=1), column(), ["x goes down to 0, below 1"]),
        (a_column("x", maximum=3.5), column(), ["x goes up to 4, above 3.5"]),
        (a_column("x", minimum=1), column(minimum=None, maximum=None), []),
        (a_column("x", ColumnKind.CATEGORY, categories=("own", "rent")), values(own=1), []),
        (
            a_column("x", ColumnKind.CATEGORY, categories=("own",)),
            values(own=1, boat=1, attic=1),
            ["x holds values not known before: attic, boat"],
        ),
        (a_column("x", ColumnKind.CATEGORY), values(own=1), []),
        # The figures of a text are of its length, which no contract limits.
        (a_column("x", ColumnKind.TEXT, minimum=1), column("text"), []),
    ],
)
def test_each_break_of_the_earlier_contract_is_a_sentence(
    contract: Any, held: dict[str, Any] | None, breaks: list[str]
) -> None:
    columns = {} if held is None else {"x": held}

    assert contract_breaks(a_contract(columns=(contract,)), columns) == breaks


def test_many_unknown_values_are_counted() -> None:
    held = values(**{f"v{number:02}": 1 for number in range(23)})

    (said,) = contract_breaks(
        a_contract(columns=(a_column("x", ColumnKind.CATEGORY, categories=("own",)),)), {"x": held}
    )

    assert said.endswith("v19 and 3 more")


def test_a_column_that_the_contract_does_not_know_is_a_break() -> None:
    columns = {"x": column(), "y": column()}

    assert contract_breaks(a_contract(columns=(a_column("x"),)), columns) == ["y is not in the contract"]
