"""Which role was allowed, or refused, which action: the first time of each, a line in `decisions.jsonl`.

The file lies in the state directory, is only ever added to, and has as many lines as there are pairs: it shows what
a platform's permissions were used for, and which of them never were.
"""

import json
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ministack.core import iam_evaluator

from local.context import EmulatorContext

FILE = "decisions.jsonl"


class Decisions:
    """What is in the file, and how it grows. Requests are answered on many threads."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        known = file.read_text().splitlines() if file.is_file() else []
        self._seen = {(line["role"], line["action"], line["allowed"]) for line in map(json.loads, known)}

    def note(self, role: str, action: str, *, allowed: bool) -> None:
        """Add a line when it is the first decision of its kind."""
        decision = (role, action, allowed)
        with self._lock:
            if decision in self._seen:
                return
            self._seen.add(decision)
            line = {"at": datetime.now(UTC).isoformat(), "role": role, "action": action, "allowed": allowed}
            with self._file.open("a") as file:
                file.write(json.dumps(line) + "\n")


def install(context: EmulatorContext) -> None:
    """Note what ministack decides for roles: what their own policies allow, and calls that are refused in the end."""
    decisions = Decisions(context.state_dir / FILE)
    evaluate, enforce = iam_evaluator.evaluate, iam_evaluator.enforce

    def evaluate_and_note(asked: Any, policies: Any, *limits: Any) -> Any:
        result = evaluate(asked, policies, *limits)
        role = role_of(asked.principal_arn)
        if role and result.decision == "Allow":
            decisions.note(role, asked.action, allowed=True)
        return result

    def enforce_and_note(access_key_id: str, action: str, *rest: Any, **named: Any) -> Any:
        refused = enforce(access_key_id, action, *rest, **named)
        role = role_of(getattr(refused, "principal_arn", ""))
        if role:
            decisions.note(role, action, allowed=False)
        return refused

    iam_evaluator.evaluate = evaluate_and_note
    iam_evaluator.enforce = enforce_and_note


def role_of(principal_arn: str) -> str:
    """The name of the role that a session is of: `arn:aws:sts::…:assumed-role/NAME/session`. "" for anybody else."""
    kind, _, rest = principal_arn.rpartition(":")[2].partition("/")
    return rest.split("/")[0] if kind == "assumed-role" else ""
