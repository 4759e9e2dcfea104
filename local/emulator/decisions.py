"""Which role was allowed, or refused, which action: the first time of each, a line in `decisions.jsonl`.

The file lies in the state directory, is only ever added to, and has as many lines as there are pairs: it shows what
a platform's permissions were used for, on what, and which of them never were.

A permission can be withheld: `MILLRACE_WITHHELD="RegisterUpload s3:PutObject"` in the launcher's environment refuses
that action to that role, whatever its policies say. What then no longer works needs it (`make permissions-drill`).
"""

import json
import re
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ministack.core import iam_evaluator

from local.context import EmulatorContext

FILE = "decisions.jsonl"


@dataclass(frozen=True)
class Withheld:
    """An action taken from a role, which is called as the template calls it without `Role` and its digest."""

    role: str
    action: str

    def covers(self, role: str, action: str) -> bool:
        """Whether it is this action of the role of that physical name, whose digests are cut to fit 64 characters."""
        return action == self.action and bool(re.search(rf"(^|-){self.role}Role[0-9A-F]*-?[0-9A-F]*$", role))


def withheld_by(said: str) -> Withheld | None:
    """What the environment says. Raises ValueError for anything but a role and an action."""
    if not said:
        return None
    role, action = said.split()
    return Withheld(role, action)


class Decisions:
    """What is in the file, and how it grows. Requests are answered on many threads."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        known = file.read_text().splitlines() if file.is_file() else []
        self._seen = {(line["role"], line["action"], line["allowed"]) for line in map(json.loads, known)}

    def note(self, role: str, action: str, *, allowed: bool, **asked: Any) -> None:
        """Add a line when it is the first decision of its kind. `asked` is what it was about."""
        decision = (role, action, allowed)
        with self._lock:
            if decision in self._seen:
                return
            self._seen.add(decision)
            at = datetime.now(UTC).isoformat()
            line = {"at": at, "role": role, "action": action, "allowed": allowed, **asked}
            with self._file.open("a") as file:
                file.write(json.dumps(line) + "\n")


def install(context: EmulatorContext) -> None:
    """Note what ministack decides for roles: what their own policies allow, and calls that are refused in the end."""
    decisions = Decisions(context.state_dir / FILE)
    withheld = withheld_by(context.withheld)
    evaluate, enforce = iam_evaluator.evaluate, iam_evaluator.enforce

    def evaluate_and_note(asked: Any, policies: Any, *limits: Any) -> Any:
        role = role_of(asked.principal_arn)
        if withheld is not None and withheld.covers(role, asked.action):
            decisions.note(role, asked.action, allowed=False, resource=asked.resource_arn)
            return iam_evaluator.EvalResult("ImplicitDeny", asked.principal_arn, "", "withheld")
        result = evaluate(asked, policies, *limits)
        if role and result.decision == "Allow":
            keys = keys_of(asked.service_context, policies)
            decisions.note(role, asked.action, allowed=True, resource=asked.resource_arn, keys=keys)
        return result

    def enforce_and_note(access_key_id: str, action: str, *rest: Any, **named: Any) -> Any:
        refused = enforce(access_key_id, action, *rest, **named)
        role = role_of(getattr(refused, "principal_arn", ""))
        if role:
            decisions.note(role, action, allowed=False)
        return refused

    iam_evaluator.evaluate = evaluate_and_note
    iam_evaluator.enforce = enforce_and_note


def keys_of(context: dict[str, Any], policies: Any) -> dict[str, Any]:
    """Of what a request says of itself, what some condition of the policies asks for."""
    named = {
        key.lower()
        for policy in policies
        for statement in policy
        for keys in statement.conditions.values()
        for key in keys
    }
    return {key: value for key, value in sorted(context.items()) if key.lower() in named and value is not None}


def role_of(principal_arn: str) -> str:
    """The name of the role that a session is of: `arn:aws:sts::…:assumed-role/NAME/session`. "" for anybody else."""
    kind, _, rest = principal_arn.rpartition(":")[2].partition("/")
    return rest.split("/")[0] if kind == "assumed-role" else ""
