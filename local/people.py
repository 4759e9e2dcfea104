"""People who may sign in to the dashboard of the local platform: made here, and nowhere else.

An environment on AWS has the people whom its administrator invites.
"""

import contextlib
import json
import secrets
import string
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import boto3

FILE = "dashboard.json"
DEMO = "demo"
PASSWORD_LENGTH = 16


@dataclass(frozen=True)
class Person:
    """Somebody with a permanent password; `groups` are the user pool's."""

    name: str
    password: str
    groups: tuple[str, ...]


def invite(session: boto3.Session, state_dir: Path, dashboard_url: str) -> list[Person]:
    """Let a person in for each group of the deployed user pool, and `demo`, who is in all of them.

    Passwords are random, differ between installations and stay the same in one: they are in `dashboard.json` of the
    state directory, readable by its owner alone, with the address. Returns the people, none when no pool is deployed.
    """
    pool_id = _user_pool_id(session)
    if pool_id is None:
        return []
    cognito = session.client("cognito-idp")
    groups = sorted(group["GroupName"] for group in cognito.list_groups(UserPoolId=pool_id)["Groups"])
    known = {person["name"]: person["password"] for person in read(state_dir).get("people", [])}
    wanted = {DEMO: tuple(groups), **{group: (group,) for group in groups}}
    people = [Person(name, known.get(name) or new_password(), wanted[name]) for name in wanted]
    for person in people:
        _admit(cognito, pool_id, person)
    _write(state_dir, {"url": dashboard_url, "people": [asdict(person) for person in people]})
    return people


def read(state_dir: Path) -> dict[str, Any]:
    """What `invite` wrote, or nothing."""
    file = state_dir / FILE
    return dict(json.loads(file.read_text())) if file.is_file() else {}


def new_password() -> str:
    """One that every policy of Cognito accepts: a lower and an upper case letter, a digit, a symbol, and chance."""
    kinds = (string.ascii_lowercase, string.ascii_uppercase, string.digits, "-_.")
    chosen = [secrets.choice(kind) for kind in kinds]
    return "".join([*chosen, *(secrets.choice("".join(kinds)) for _ in range(PASSWORD_LENGTH - len(chosen)))])


def _admit(cognito: Any, pool_id: str, person: Person) -> None:
    who = {"UserPoolId": pool_id, "Username": person.name}
    with contextlib.suppress(cognito.exceptions.UsernameExistsException):
        cognito.admin_create_user(
            **who,
            MessageAction="SUPPRESS",
            UserAttributes=[
                {"Name": "email", "Value": f"{person.name}@millrace.invalid"},
                {"Name": "email_verified", "Value": "true"},
            ],
        )
    cognito.admin_set_user_password(**who, Password=person.password, Permanent=True)
    for group in person.groups:
        cognito.admin_add_user_to_group(**who, GroupName=group)


def _user_pool_id(session: boto3.Session) -> str | None:
    for stack in session.client("cloudformation").describe_stacks()["Stacks"]:
        for output in stack.get("Outputs", []):
            if output["OutputKey"] == "UserPoolId":
                return str(output["OutputValue"])
    return None


def _write(state_dir: Path, document: dict[str, Any]) -> None:
    file = state_dir / FILE
    file.touch(mode=0o600)
    file.write_text(json.dumps(document, indent=2))
