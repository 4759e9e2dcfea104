"""Which role was refused which action: the first time of each, a line in `refusals.jsonl`, on what and when.

The file lies in the state directory and is only ever added to. A story that breaks because its role lacks a permission
shows a refusal here (`make permissions-drill`).
"""

import json
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ministack.core import iam_evaluator

from local.context import EmulatorContext
from local.emulator import permissions

FILE = "refusals.jsonl"


class Refusals:
    """What is in the file, and how it grows. Requests are answered on many threads."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        known = file.read_text().splitlines() if file.is_file() else []
        self._seen = {(line["role"], line["action"]) for line in map(json.loads, known)}

    def note(self, role: str, action: str, resource: str) -> None:
        """Add a line when it is the first refusal of this action to this role. "" is nobody's role."""
        with self._lock:
            if not role or (role, action) in self._seen:
                return
            self._seen.add((role, action))
            line = {"at": datetime.now(UTC).isoformat(), "role": role, "action": action, "resource": resource}
            with self._file.open("a") as file:
                file.write(json.dumps(line) + "\n")


def install(context: EmulatorContext) -> None:
    """Note what ministack refuses to roles, and what our hooks refuse to roles that services act with."""
    refusals = Refusals(context.state_dir / FILE)
    enforce, allows_needed = iam_evaluator.enforce, permissions._allows_needed

    def enforce_and_note(access_key_id: str, action: str, *rest: Any, **named: Any) -> Any:
        refused = enforce(access_key_id, action, *rest, **named)
        refusals.note(role_of(getattr(refused, "principal_arn", "")), action, str(named.get("resource_arn", "")))
        return refused

    def allows_and_note(
        policies: list[list[Any]], role_name: str, account_id: str, session: str, needed: permissions.Needed
    ) -> bool:
        allowed = allows_needed(policies, role_name, account_id, session, needed)
        if not allowed:
            refusals.note(role_name, needed.action, needed.resource or "*")
        return allowed

    iam_evaluator.enforce = enforce_and_note
    permissions._allows_needed = allows_and_note


def role_of(principal_arn: str) -> str:
    """The name of the role that a session is of: `arn:aws:sts::…:assumed-role/NAME/session`. "" for anybody else."""
    kind, _, rest = principal_arn.rpartition(":")[2].partition("/")
    return rest.split("/")[0] if kind == "assumed-role" else ""
