"""The comparison of two versions as the contract shows it. A test holds it against its shape."""

from __future__ import annotations

from typing import Any

_BEFORE: dict[str, Any] = {
    "kind": "integer",
    "count": 988,
    "null_share": 0.002,
    "distinct": 71.0,
    "mean": 41.3,
    "std": 12.9,
    "minimum": 18.0,
    "maximum": 96.0,
}
DIFF: dict[str, Any] = {
    "dataset": "churn",
    "from_version": 2,
    "to_version": 3,
    "identical": False,
    "from_rows": 990,
    "to_rows": 1020,
    "from_contract": 1,
    "to_contract": 1,
    "columns": [
        {
            "name": "age",
            "change": "SAME",
            "before": _BEFORE,
            "after": {**_BEFORE, "count": 1015, "null_share": 0.005, "mean": 43.0, "maximum": 97.0},
            "distance": 0.04,
            "new_values": [],
            "lost_values": [],
        }
    ],
    "contract_breaks": ["age goes up to 97, above 96"],
}
