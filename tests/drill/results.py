"""contracts/permissions_drill.json: role → action → the story that broke without it, and how it broke."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from scripts.granted_permissions import ROOT

RESULTS = ROOT / "contracts" / "permissions_drill.json"


def read() -> dict[str, dict[str, dict[str, str]]]:
    found: dict[str, dict[str, dict[str, str]]] = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    return found


def pairs(found: Mapping[str, Mapping[str, Any]]) -> set[tuple[str, str]]:
    return {(role, action) for role, actions in found.items() for action in actions}


def has(role: str, action: str) -> bool:
    return action in read().get(role, {})


def count() -> int:
    return len(pairs(read()))


def keep(role: str, action: str, story: str, how: str) -> None:
    found = read()
    found.setdefault(role, {})[action] = {"story": story, "broke": how}
    _write(found)


def forget_all_but(pairs: Iterable[tuple[str, str]]) -> None:
    known = set(pairs)
    found = {role: {a: seen for a, seen in actions.items() if (role, a) in known} for role, actions in read().items()}
    _write({role: actions for role, actions in found.items() if actions})


def _write(found: Any) -> None:
    text = json.dumps({role: dict(sorted(actions.items())) for role, actions in sorted(found.items())}, indent=2)
    RESULTS.write_text(text + "\n")
