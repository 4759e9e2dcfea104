"""Take one permission from one role and see its test break: `make permissions-drill ROLE=… ACTION=…`.

The test is the one that contracts/permissions.json names. It runs on a platform that refuses this one action to this
role (`MILLRACE_WITHHELD`, local/emulator/decisions.py); no template is changed. It must fail, and the platform must
have refused the action: a test that fails for another reason shows nothing. Then it must pass with nothing withheld.

contracts/permissions_drill.json keeps what was seen. A permission whose test passes without it is granted in vain.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from local.emulator.environment import WITHHELD
from scripts.used_permissions import RECORD, ROOT, SEEN

RESULTS = ROOT / "contracts" / "permissions_drill.json"
# Where a suite that ran without a permission says what it was refused (tests/permissions_used.py).
REFUSED = SEEN / "withheld"

Pair = tuple[str, str]


def drilled(results: Mapping[str, Mapping[str, str]], used: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """The document: what broke as its test said, and the pairs that nobody has tried. What is not used is forgotten."""
    broke = {
        role: {action: test for action, test in sorted(actions.items()) if used.get(role, {}).get(action) == test}
        for role, actions in sorted(results.items())
    }
    left = {role: sorted(actions.keys() - broke.get(role, {}).keys()) for role, actions in sorted(used.items())}
    return {
        "broke": {role: actions for role, actions in broke.items() if actions},
        "not_drilled": {role: actions for role, actions in left.items() if actions},
    }


def judged(role: str, action: str, *, failed: bool, refusals: Iterable[Pair], passes: bool) -> str:
    """ "" when the drill shows that the permission is needed; otherwise what it shows instead."""
    if (role, action) not in set(refusals):
        return f"the platform never refused {action} to {role}: the test shows nothing about it"
    if not failed:
        return f"the test passes although {role} may not {action}: it is granted in vain, or an error is swallowed"
    if not passes:
        return "the test fails with the permission too"
    return ""


def run(test: str, withheld: str) -> bool:
    """Whether the test passes."""
    environment = {**os.environ, WITHHELD: withheld}
    return subprocess.run([sys.executable, "-m", "pytest", "-q", test], cwd=ROOT, env=environment).returncode == 0


def refusals() -> set[Pair]:
    files = [json.loads(file.read_text()) for file in REFUSED.glob("*.refused.json")]
    return {(role, action) for seen in files for role, actions in seen.items() for action in actions}


def drill(role: str, action: str, test: str) -> str:
    for file in REFUSED.glob("*.json"):
        file.unlink()
    failed = not run(test, f"{role} {action}")
    seen = refusals()
    return judged(role, action, failed=failed, refusals=seen, passes=not failed or run(test, ""))


def main() -> None:
    parser = argparse.ArgumentParser(description="Take one permission from one role and see its test break.")
    parser.add_argument("role")
    parser.add_argument("action", nargs="?", help="every one that no drill has tried yet, when it is not given")
    given = parser.parse_args()
    used = json.loads(RECORD.read_text())["used"]
    results: dict[str, dict[str, str]] = json.loads(RESULTS.read_text())["broke"] if RESULTS.is_file() else {}
    wanted = [given.action] if given.action else drilled(results, used)["not_drilled"].get(given.role, [])
    wrong = []
    for action in wanted:
        test = used[given.role][action]
        fault = drill(given.role, action, test)
        print(f"{given.role} without {action}: {fault or f'{test} breaks'}")
        if fault:
            wrong.append(action)
        else:
            results.setdefault(given.role, {})[action] = test
        RESULTS.write_text(json.dumps(drilled(results, used), indent=2) + "\n")
    if wrong:
        raise SystemExit(f"{given.role}: nothing shows that it needs {', '.join(wrong)}")


if __name__ == "__main__":
    main()
