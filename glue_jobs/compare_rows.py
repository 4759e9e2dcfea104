"""The Glue job CompareRows: compares two dataset versions row by row. The same on Glue 5.1 and locally.

It works in the driver alone, one partition of the rows in memory at a time: no Spark session is made.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from millrace import bootstrap
from millrace.domain.row_comparison import RowComparisonRequest
from millrace.use_cases.compare_rows import compare_rows


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--request", required=True, help="a RowComparisonRequest as JSON")
    arguments, _ = parser.parse_known_args(argv)  # Glue adds arguments of its own
    request = RowComparisonRequest.model_validate_json(arguments.request)
    found = compare_rows(request, store=bootstrap.object_store())
    print(f"{found.added} rows added, {found.removed} removed, {found.changed} changed, {found.unchanged} as before")


if __name__ == "__main__":
    main()
